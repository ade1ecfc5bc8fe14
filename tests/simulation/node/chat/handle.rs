//! What a simulated conversation does with each thing it is told.

use holdline::behavior::message::{
    Answered, Closing, Denial, FromSession, Join, NotJoined, RequestId, ToConversation, ToSession,
};
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::cause::Cause;
use holdline::domain::conversation::Phase;
use holdline::domain::conversation::command::{Answer, Command, Refusal};
use holdline::domain::conversation::event::Author;
use holdline::domain::id::{AgentId, Seq, SessionId};
use holdline::domain::time::Span;
use holdline::wire::client::Reference;
use holdline::wire::refusal::RefusalCode;
use holdline::wire::server::ServerFrame;

use crate::node::chat::{Chat, Output, Stage, Turn, publish};
use crate::node::gate::Then;

impl Chat {
    pub(super) fn take(&mut self, turn: &mut Turn<'_>, told: ToConversation) {
        if let Stage::Entered(_) = self.stage
            && is_first_word(&told)
            && let Stage::Entered(kept) = std::mem::replace(&mut self.stage, Stage::Serving)
        {
            self.take(turn, told);
            for kept in kept {
                self.take(turn, kept);
            }
            return;
        }
        match &mut self.stage {
            Stage::Entered(_) if matches!(told, ToConversation::NeverBegins) => {}
            Stage::Serving | Stage::Retired => {}
            Stage::Entered(kept) | Stage::Opening(kept) | Stage::Leaving { kept, .. } => {
                return kept.push(told);
            }
        }
        match told {
            ToConversation::Session(session, said) => self.session_said(turn, session, said),
            ToConversation::Ask(command, request) => self.ask(turn, *command, request),
            ToConversation::Offer(agent, number, units) => {
                self.offer(turn, &agent, (number, units));
            }
            ToConversation::Withdraw(agent, number) => {
                self.settle_reservation(turn, &agent, number);
            }
            ToConversation::AgentGone(agent) => {
                let _refused_when_new =
                    self.perform(turn, Command::AgentGone { agent: agent.clone() });
                self.confirm_lease(turn, agent);
            }
            ToConversation::MissAgent(agent, since) => {
                let _refused_when_new =
                    self.perform(turn, Command::MissAgent { agent: agent.clone(), since });
                self.confirm_lease(turn, agent);
            }
            ToConversation::MeetAgent(agent) => {
                let _refused_when_new =
                    self.perform(turn, Command::MeetAgent { agent: agent.clone() });
                self.confirm_lease(turn, agent);
            }
            ToConversation::ShowTo(agent, feed) => {
                let theirs = self.conversation.agent() == Some(&agent);
                let told = publish::present_state(&self.conversation, theirs, turn.now);
                self.then(turn, Then::Tell(agent, feed, told));
            }
            ToConversation::ConfirmLease(agent) => self.confirm_lease(turn, agent),
            ToConversation::StateClaims(request) => self.then(turn, Then::StateClaims(request)),
            ToConversation::BeCounted(setting, request) => {
                let opening = self.conversation.opening().filter(|_| self.conversation.is_live());
                let goes_by_it = opening.is_some_and(|opening| setting.governs(opening));
                turn.answer(request, Ok(Answered::Counted(goes_by_it)));
            }
            ToConversation::NeverBegins => turn.out.push(Output::Stop),
            ToConversation::Position { position, wait } => self.tell_position(turn, position, wait),
            other => unreachable!("nobody here tells a conversation {other:?}"),
        }
    }

    fn tell_position(&self, turn: &mut Turn<'_>, position: usize, wait: Option<Span>) {
        if !matches!(self.conversation.phase(), Phase::Open { .. }) {
            return;
        }
        let text = ServerFrame::Queue { position, wait_ms: wait }.render();
        for session in self.audience.sessions() {
            let frame = ToSession::Frame { seq: Seq::ZERO, text: text.clone() };
            turn.tell_session(session, frame);
        }
    }

    fn ask(&mut self, turn: &mut Turn<'_>, command: Command, request: RequestId) {
        let answer = if self.conversation.seq() == Seq::ZERO {
            Err(Denial::Refused(Refusal::UnknownConversation))
        } else if !turn.facts.is_writable {
            Err(Denial::Overloaded)
        } else {
            self.perform(turn, command).map(Answered::Command).map_err(Denial::Refused)
        };
        self.then(turn, Then::Answer(request, answer));
    }

    fn session_said(&mut self, turn: &mut Turn<'_>, session: SessionId, said: FromSession) {
        match said {
            FromSession::Join(join) => return self.join(turn, session, *join),
            FromSession::Lost(cause) => return self.lose(turn, session, cause),
            _ => {}
        }
        let is_there = self.conversation.attendance().find(session).is_some();
        if self.conversation.is_live() && !is_there {
            let close = ToSession::Close(Closing::Silent);
            return self.then(turn, Then::Send(session, close));
        }
        self.conversation.hear(session, turn.now);
        match said {
            FromSession::Post(reference, id, text) => {
                self.conversation.hear_leaving(session, None);
                let command =
                    Command::Post { by: None, from: Author::Customer, id: id.clone(), text };
                let answer = match self.perform_as(turn, session, command) {
                    Ok(Answer::Posted { seq, at }) => ToSession::Posted { reference, id, seq, at },
                    Ok(Answer::Done) => return,
                    Err(code) => ToSession::Refused { reference, code },
                };
                self.then(turn, Then::Send(session, answer));
            }
            FromSession::End(reference) => self.end(turn, session, reference),
            FromSession::Typing(_) | FromSession::Read(_) => {
                self.conversation.hear_leaving(session, None)
            }
            FromSession::Leaving(leaving) => {
                self.conversation.hear_leaving(session, leaving);
            }
            FromSession::Hear { after, until } => {
                let is_over = !self.conversation.is_live();
                let seen = self.conversation.seen_by_customer();
                let after = if after > seen { Seq::ZERO } else { after };
                self.then(turn, Then::Hear { session, after, until, is_over });
                self.retire_if_over(turn);
            }
            FromSession::Again(join) => self.join(turn, session, *join),
            FromSession::Asleep(_) | FromSession::Join(_) | FromSession::Lost(_) => {}
        }
    }

    fn join(&mut self, turn: &mut Turn<'_>, session: SessionId, join: Join) {
        let Join { start, mut after, heartbeat, .. } = join;
        if let Some(request) = start
            && self.conversation.seq() == Seq::ZERO
        {
            let workstream = turn.facts.settings.workstream_of_widget(&request.widget);
            let Some(workstream) = workstream else {
                return self.turn_away(turn, session, RefusalCode::UnknownWidget);
            };
            if !turn.facts.is_writable {
                return self.turn_away(turn, session, RefusalCode::Overloaded);
            }
            if self.perform_for(turn, Command::Start(request), None, workstream).is_err() {
                return self.turn_away(turn, session, RefusalCode::Unavailable);
            }
            after = Some(self.conversation.seq());
        }
        let conversation = self.id;
        let then = match self.perform(turn, Command::Join { session, heartbeat, program: None }) {
            Ok(_) => {
                self.conversation.hear(session, turn.now);
                let Some(state) = self.conversation.state_for_customer() else { return };
                let seq = self.conversation.seen_by_customer();
                let joined = ToSession::Joined { conversation, state, seq };
                let after = after.map(|after| after.min(seq));
                Then::Joined(session, after, joined)
            }
            Err(refusal) => {
                let why = self.not_joined(refusal);
                Then::Send(session, ToSession::NotJoined { conversation, why })
            }
        };
        self.then(turn, then);
        self.retire_if_over(turn);
    }

    fn not_joined(&self, refusal: Refusal) -> NotJoined {
        let Some(state) = self.conversation.state() else { return NotJoined::Unknown };
        match refusal {
            Refusal::AlreadyClosed | Refusal::ConversationEnded => NotJoined::Ended {
                state,
                reason: self.conversation.reason(),
                seq: self.conversation.seen_by_customer(),
                redirect: None,
                closed_at: self.conversation.closed_at(),
            },
            other => NotJoined::Denied(RefusalCode::Conversation(other)),
        }
    }

    fn turn_away(&mut self, turn: &mut Turn<'_>, session: SessionId, code: RefusalCode) {
        let why = NotJoined::Denied(code);
        let told = ToSession::NotJoined { conversation: self.id, why };
        self.then(turn, Then::Send(session, told));
        self.retire_if_over(turn);
    }

    fn lose(&mut self, turn: &mut Turn<'_>, session: SessionId, cause: Cause) {
        self.audience.remove(session);
        let _refused_when_new = self.perform(turn, Command::Lose { session, cause });
    }

    fn end(&mut self, turn: &mut Turn<'_>, session: SessionId, reference: Reference) {
        let answer = match self.perform_as(turn, session, Command::EndByCustomer) {
            Ok(_) => {
                let Some(state) = self.conversation.state_for_customer() else { return };
                let seq = self.conversation.seen_by_customer();
                ToSession::Done { reference, state, seq, reason: self.conversation.reason() }
            }
            Err(code) => ToSession::Refused { reference, code },
        };
        self.then(turn, Then::Send(session, answer));
    }

    fn perform_as(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        command: Command,
    ) -> Result<Answer, RefusalCode> {
        if !turn.facts.is_writable {
            return Err(RefusalCode::Overloaded);
        }
        let workstream = self.workstream(turn);
        self.perform_for(turn, command, Some(session), &workstream)
            .map_err(RefusalCode::Conversation)
    }

    fn offer(&mut self, turn: &mut Turn<'_>, agent: &AgentId, (reservation, units): (u64, u32)) {
        let fits = units == self.workstream(turn).units;
        if fits && self.perform(turn, Command::Offer { agent: agent.clone() }).is_ok() {
            return;
        }
        self.settle_reservation(turn, agent, reservation);
    }

    /// An offer is not made, unless it was made before.
    fn settle_reservation(&mut self, turn: &mut Turn<'_>, agent: &AgentId, reservation: u64) {
        if self.conversation.lease().is_some_and(|lease| lease.agent == *agent) {
            return self.confirm_lease(turn, agent.clone());
        }
        let turned_down = AgentCommand::TurnDown { conversation: self.id, reservation };
        self.then(turn, Then::Adjust(agent.clone(), turned_down));
        self.then(turn, Then::StateClaims(None));
        self.retire_if_over(turn);
    }

    /// Tells an agent what this conversation holds of them now.
    fn confirm_lease(&mut self, turn: &mut Turn<'_>, agent: AgentId) {
        let lease = self.conversation.lease().filter(|lease| lease.agent == agent).cloned();
        let seq = self.conversation.seq();
        let adjust = AgentCommand::Adjust { conversation: self.id, seq, lease };
        self.then(turn, Then::Adjust(agent, adjust));
    }

    /// Holds `then` back until everything before it is durable.
    pub(super) fn then(&mut self, turn: &mut Turn<'_>, then: Then) {
        if let Some(then) = self.gate.after(self.conversation.seq(), then) {
            self.follow(turn, then);
        }
    }
}

/// Whether this begins a chat.
fn is_first_word(told: &ToConversation) -> bool {
    match told {
        ToConversation::Session(_, FromSession::Join(join)) => join.start.is_some(),
        _ => false,
    }
}
