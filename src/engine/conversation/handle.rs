//! What a conversation's actor does with each thing it is told.

use actix::ActorContext;

use crate::behavior::message::{
    AgentSignal, Answered, Closing, Denial, FromSession, Join, NotJoined, RequestId, ToAgent,
    ToConversation, ToSession,
};
use crate::domain::agent::FeedNumber;
use crate::domain::agent::command::AgentCommand;
use crate::domain::cause::Cause;
use crate::domain::conversation::Phase;
use crate::domain::conversation::command::{Answer, Command, Refusal};
use crate::domain::conversation::event::Author;
use crate::domain::id::{AgentId, Seq, SessionId};
use crate::domain::time::Timestamp;
use crate::engine::context::Context;
use crate::engine::conversation::gate::Deferred;
use crate::engine::conversation::{ConversationActor, Stage, news};
use crate::wire::client::Reference;
use crate::wire::refusal::RefusalCode;
use crate::wire::server::ServerFrame;

impl ConversationActor {
    pub(super) fn take(&mut self, message: ToConversation, context: &mut Context<Self>) {
        match self.stage {
            Stage::Serving | Stage::Recovering | Stage::Retired => {}
            Stage::Entered if is_first_word(&message) => return self.begin(Some(message), context),
            Stage::Entered if matches!(message, ToConversation::NeverBegins) => {
                return context.stop();
            }
            Stage::Entered | Stage::Opening | Stage::Leaving => {
                let beginning = self.beginning.get_or_insert_default();
                if beginning.kept.len() < super::OPENING_MESSAGES_MAX {
                    beginning.kept.push(message);
                } else {
                    self.thread.shared.metrics.mailbox_refusals.inc();
                    if let Some(request) = message.request() {
                        self.thread.shared.answers.deny(request);
                    }
                }
                return;
            }
        }
        self.listen();
        match message {
            ToConversation::Session(session, said) => self.session_said(session, said, context),
            ToConversation::Ask(command, request) => self.ask(*command, request, context),
            ToConversation::Show(request) => {
                let view = self.conversation.view().map(Box::new);
                let view = view.ok_or(Denial::Refused(Refusal::UnknownConversation));
                let answer = view.map(Answered::Conversation);
                self.then(Deferred::Answer(request, answer), context);
            }
            ToConversation::Signal(agent, signal, request) => {
                let answer = self.signal(&agent, signal);
                self.thread.shared.answer(request, answer.map(|()| Answered::Done));
            }
            ToConversation::Offer(agent, reservation, units) => {
                self.offer(&agent, (reservation, units), context);
            }
            ToConversation::Withdraw(agent, reservation) => {
                self.settle_reservation(&agent, reservation, context);
            }
            ToConversation::AgentGone(agent) => {
                // Whatever it answers, the agent hears what is held of them now.
                let _refused_when_new = self.perform(Command::AgentGone { agent: agent.clone() });
                self.confirm_lease(agent, context);
            }
            ToConversation::MissAgent(agent, since) => {
                let _refused_when_new =
                    self.perform(Command::MissAgent { agent: agent.clone(), since });
                self.confirm_lease(agent, context);
            }
            ToConversation::MeetAgent(agent) => {
                let _refused_when_new = self.perform(Command::MeetAgent { agent: agent.clone() });
                self.confirm_lease(agent, context);
            }
            ToConversation::ShowTo(agent, feed) => self.show_to(agent, feed, context),
            ToConversation::ConfirmLease(agent) => self.confirm_lease(agent, context),
            ToConversation::StateClaims(request) => {
                self.then(Deferred::StateClaims(request), context);
            }
            ToConversation::BeCounted(setting, request) => {
                let opening = self.conversation.opening().filter(|_| self.conversation.is_live());
                let goes_by_it = opening.is_some_and(|opening| setting.governs(opening));
                self.thread.shared.answer(request, Ok(Answered::Counted(goes_by_it)));
            }
            ToConversation::NeverBegins => context.stop(),
            ToConversation::Erased => self.erase(),
            ToConversation::Position { position, wait } if self.is_waiting() => {
                let frame = ServerFrame::Queue { position, wait_ms: wait }.render();
                self.tell_all(&frame);
            }
            // It was found an agent meanwhile.
            ToConversation::Position { .. } => {}
        }
    }

    const fn is_waiting(&self) -> bool {
        matches!(self.conversation.phase(), Phase::Open { .. })
    }

    fn ask(&mut self, command: Command, request: RequestId, context: &mut Context<Self>) {
        let answer = if self.conversation.seq() == Seq::ZERO {
            Err(Denial::Refused(Refusal::UnknownConversation))
        } else if self.thread.shared.is_overloaded() {
            Err(Denial::Overloaded)
        } else {
            self.perform(command).map(Answered::Command).map_err(Denial::Refused)
        };
        self.then(Deferred::Answer(request, answer), context);
    }

    fn session_said(&mut self, session: SessionId, said: FromSession, context: &mut Context<Self>) {
        let now = self.thread.shared.clock.now();
        match said {
            FromSession::Join(join) => return self.join(session, *join, context),
            FromSession::Lost(cause) => return self.lose(session, cause),
            _ => {}
        }
        let is_there = self.conversation.attendance().find(session).is_some();
        if self.conversation.is_live() && !is_there {
            // It was given up before it said this. Its widget comes back and says it again.
            let closing = Closing::Silent;
            return self.then(Deferred::Send(session, ToSession::Close(closing)), context);
        }
        self.conversation.hear(session, now);
        match said {
            FromSession::Post(reference, id, text) => {
                self.conversation.hear_leaving(session, None);
                let (from, by) = (Author::Customer, None);
                let command = Command::Post { from, by, id: id.clone(), text };
                let answer = match self.perform_as(session, command) {
                    Ok(Answer::Posted { seq, at }) => ToSession::Posted { reference, id, seq, at },
                    Ok(Answer::Done) => return,
                    Err(code) => ToSession::Refused { reference, code },
                };
                self.then(Deferred::Send(session, answer), context);
            }
            FromSession::End(reference) => self.end(session, reference, context),
            FromSession::Typing(on) => {
                self.conversation.hear_leaving(session, None);
                self.audience.note_typing(session, on);
                self.tell_typing();
            }
            FromSession::Read(seq) => {
                self.conversation.hear_leaving(session, None);
                // Nobody has read what is not there yet.
                let seq = seq.min(self.conversation.seen_by_customer());
                news::read(&self.conversation, &self.thread, seq);
            }
            FromSession::Leaving(leaving) => {
                self.conversation.hear_leaving(session, leaving);
            }
            FromSession::Asleep(on) => {
                if self.conversation.hear_asleep(session, on) {
                    news::asleep(&self.conversation, &self.thread);
                }
            }
            FromSession::Hear { after, until } => {
                let is_over = !self.conversation.is_live();
                let seen = self.conversation.seen_by_customer();
                let after = if after > seen { Seq::ZERO } else { after };
                self.then(Deferred::Hear { session, after, until, is_over }, context);
                self.retire_if_over();
            }
            FromSession::Again(join) => self.join(session, *join, context),
            FromSession::Join(_) | FromSession::Lost(_) => {}
        }
    }

    fn join(&mut self, session: SessionId, join: Join, context: &mut Context<Self>) {
        let Join { start, mut after, heartbeat, program, of } = join;
        if of.is_some_and(|of| !self.was_begun_by_one_of(&of)) {
            return self.not_let_in(session, NotJoined::Unknown, context);
        }
        if let Some(request) = start
            && self.conversation.seq() == Seq::ZERO
        {
            let settings = self.thread.shared.settings.load();
            let Some(workstream) = settings.workstream_of_widget(&request.widget).cloned() else {
                return self.turn_away(session, RefusalCode::UnknownWidget, context);
            };
            if self.thread.shared.is_overloaded() {
                return self.turn_away(session, RefusalCode::Overloaded, context);
            }
            if self.perform_for(Command::Start(request), None, &workstream).is_err() {
                return self.turn_away(session, RefusalCode::Unavailable, context);
            }
            self.thread.shared.metrics.started.inc();
            // The answer says all that there is to know of a chat that has only just begun.
            after = Some(self.conversation.seq());
        }
        let conversation = self.id();
        let command = Command::Join { session, heartbeat, program };
        let then = match self.perform(command) {
            Ok(_) => {
                // One that is there already shows by this that it still is.
                self.conversation.hear(session, self.thread.shared.clock.now());
                let state = self.conversation.state_for_customer();
                let Some(state) = state else { return };
                let seq = self.conversation.seen_by_customer();
                let joined = ToSession::Joined { conversation, state, seq };
                // Nobody has seen what is not there: a place beyond the end is of another history.
                let after = after.map(|after| if after > seq { Seq::ZERO } else { after });
                Deferred::Joined(session, after, joined)
            }
            Err(refusal) => {
                let why = self.not_joined(refusal);
                Deferred::Send(session, ToSession::NotJoined { conversation, why })
            }
        };
        self.then(then, context);
        self.retire_if_over();
    }

    fn lose(&mut self, session: SessionId, cause: Cause) {
        self.audience.remove(session);
        self.tell_typing();
        // Refused only while the conversation is new, and then there is nothing to lose.
        let _refused_when_new = self.perform(Command::Lose { session, cause });
        self.conversation.let_go();
    }

    fn end(&mut self, session: SessionId, reference: Reference, context: &mut Context<Self>) {
        let answer = match self.perform_as(session, Command::EndByCustomer) {
            Ok(_) => {
                let Some(state) = self.conversation.state_for_customer() else { return };
                let seq = self.conversation.seen_by_customer();
                ToSession::Done { reference, state, seq, reason: self.conversation.reason() }
            }
            Err(code) => ToSession::Refused { reference, code },
        };
        self.then(Deferred::Send(session, answer), context);
    }

    fn perform_as(&mut self, session: SessionId, command: Command) -> Result<Answer, RefusalCode> {
        if self.thread.shared.is_overloaded() {
            return Err(RefusalCode::Overloaded);
        }
        let workstream = self.workstream();
        self.perform_for(command, Some(session), &workstream).map_err(RefusalCode::Conversation)
    }

    fn offer(
        &mut self,
        agent: &AgentId,
        (reservation, units): (u64, u32),
        context: &mut Context<Self>,
    ) {
        // The settings may have changed since: then it takes more than there may be, or less.
        let fits = self.with_workstream(|workstream| workstream.takes(units));
        if fits && self.perform(Command::Offer { agent: agent.clone() }).is_ok() {
            return;
        }
        self.settle_reservation(agent, reservation, context);
    }

    /// An offer is not made, unless it was made before.
    fn settle_reservation(
        &mut self,
        agent: &AgentId,
        reservation: u64,
        context: &mut Context<Self>,
    ) {
        if self.conversation.lease().is_some_and(|lease| lease.agent == *agent) {
            // It was asked twice, or they took the chat by themselves meanwhile.
            return self.confirm_lease(agent.clone(), context);
        }
        // The units that were set aside for it are free again, and the queue must hear how it is.
        let turned_down = AgentCommand::TurnDown { conversation: self.id(), reservation };
        self.then(Deferred::Adjust(agent.clone(), turned_down), context);
        self.then(Deferred::StateClaims(None), context);
        self.retire_if_over();
    }

    /// Tells an agent what this conversation holds of them now.
    fn confirm_lease(&mut self, agent: AgentId, context: &mut Context<Self>) {
        let lease = self.conversation.lease().filter(|lease| lease.agent == agent).cloned();
        let adjust =
            AgentCommand::Adjust { conversation: self.id(), seq: self.conversation.seq(), lease };
        self.then(Deferred::Adjust(agent, adjust), context);
    }

    /// Repeats a lease from time to time, so that an agent who forgot it is corrected.
    pub(super) fn repeat_lease(&mut self, now: Timestamp) {
        let due = now.since(self.audited_at) >= self.thread.shared.audit_every;
        let Some(lease) = self.conversation.lease().filter(|_| due && self.gate.is_open()) else {
            return;
        };
        let adjust = ToAgent::Adjust {
            conversation: self.id(),
            seq: self.conversation.seq(),
            lease: Some(lease.clone()),
            repeated: true,
        };
        self.thread.tell_agent(&lease.agent, adjust);
        self.thread.shared.metrics.leases_audited.inc();
        self.audited_at = now;
    }

    /// Shows the conversation to one feed of an agent's, or to all.
    pub(super) fn show_to(
        &mut self,
        agent: AgentId,
        feed: Option<FeedNumber>,
        context: &mut Context<Self>,
    ) {
        let theirs = self.conversation.agent() == Some(&agent);
        let told = news::present_state(&self.conversation, theirs, &self.thread);
        let then = match feed {
            Some(feed) => Deferred::ShowTo(agent, feed, told),
            None => Deferred::Tell(agent, told),
        };
        self.then(then, context);
    }

    fn signal(&mut self, agent: &AgentId, signal: AgentSignal) -> Result<(), Denial> {
        if self.conversation.seq() == Seq::ZERO {
            return Err(Denial::Refused(Refusal::UnknownConversation));
        }
        self.conversation.may_signal(agent).map_err(Denial::Refused)?;
        let frame = match signal {
            AgentSignal::Typing(on) => {
                self.audience.agent_types = on;
                ServerFrame::Typing { on }.render()
            }
            AgentSignal::Read(seq) => {
                let seq = seq.min(self.conversation.seq());
                ServerFrame::Read { seq }.render()
            }
        };
        self.tell_all(&frame);
        Ok(())
    }

    /// Holds `then` back until everything before it is durable.
    pub(super) fn then(&mut self, then: Deferred, context: &mut Context<Self>) {
        // A restart changes no claim, so whoever only wants to know those need not wait for it.
        if !matches!(then, Deferred::Adjust(..) | Deferred::StateClaims(_)) {
            self.write_restart();
        }
        if let Some(then) = self.gate.after(self.written_through(), then) {
            self.follow(then, context);
        }
    }
}

/// Whether this begins a chat.
fn is_first_word(message: &ToConversation) -> bool {
    match message {
        ToConversation::Session(_, FromSession::Join(join)) => join.start.is_some(),
        _ => false,
    }
}
