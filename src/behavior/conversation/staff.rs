//! What a conversation does with what agents and requests ask of it.

use crate::behavior::conversation::Behavior;
use crate::behavior::conversation::gate::Deferred;
use crate::behavior::conversation::news;
use crate::behavior::conversation::output::Note;
use crate::behavior::conversation::turn::Turn;
use crate::behavior::message::{AgentSignal, Answered, Denial, RequestId, ToAgent};
use crate::domain::agent::FeedNumber;
use crate::domain::agent::command::AgentCommand;
use crate::domain::conversation::command::{Command, Refusal};
use crate::domain::id::{AgentId, Seq};
use crate::domain::settings::registry::Setting;
use crate::domain::time::{Span, Timestamp};
use crate::wire::server::ServerFrame;

impl Behavior {
    pub(super) fn ask(&mut self, command: Command, request: RequestId, turn: &mut Turn<'_>) {
        let answer = if self.conversation.seq() == Seq::ZERO {
            Err(Denial::Refused(Refusal::UnknownConversation))
        } else if turn.facts.near.must_wait() {
            Err(Denial::Overloaded)
        } else {
            self.perform(command, turn).map(Answered::Command).map_err(Denial::Refused)
        };
        self.then(Deferred::Answer(request, answer), turn);
    }

    pub(super) fn show(&mut self, request: RequestId, turn: &mut Turn<'_>) {
        let view = self.conversation.view().map(Box::new);
        let view = view.ok_or(Denial::Refused(Refusal::UnknownConversation));
        self.then(Deferred::Answer(request, view.map(Answered::Conversation)), turn);
    }

    pub(super) fn be_counted(&self, setting: &Setting, request: RequestId, turn: &mut Turn<'_>) {
        let opening = self.conversation.opening().filter(|_| self.conversation.is_live());
        let goes_by_it = opening.is_some_and(|opening| setting.governs(opening));
        turn.answer(request, Ok(Answered::Counted(goes_by_it)));
    }

    /// Does something that concerns an agent. Whatever the outcome, the agent hears what is held of
    /// them now.
    pub(super) fn perform_about(&mut self, agent: AgentId, command: Command, turn: &mut Turn<'_>) {
        let _refused_when_new = self.perform(command, turn);
        self.confirm_lease(agent, turn);
    }

    pub(super) fn offer(
        &mut self,
        agent: &AgentId,
        (reservation, units): (u64, u32),
        turn: &mut Turn<'_>,
    ) {
        // The settings may have changed since: then the chat needs more units than that, or fewer.
        let fits = self.workstream(turn).takes(units);
        if fits && self.perform(Command::Offer { agent: agent.clone() }, turn).is_ok() {
            return;
        }
        self.settle_reservation(agent, reservation, turn);
    }

    /// Turns an offer down, unless it was made before.
    pub(super) fn settle_reservation(
        &mut self,
        agent: &AgentId,
        reservation: u64,
        turn: &mut Turn<'_>,
    ) {
        if self.conversation.lease().is_some_and(|lease| lease.agent == *agent) {
            // The offer was asked for twice, or the agent took the chat by themselves meanwhile.
            return self.confirm_lease(agent.clone(), turn);
        }
        // The units that were set aside for it are free again, and the queue must hear what is
        // claimed.
        let turned_down = AgentCommand::TurnDown { conversation: self.id(), reservation };
        self.then(Deferred::Adjust(agent.clone(), turned_down), turn);
        self.then(Deferred::StateClaims(None), turn);
        self.retire_if_over(turn.now);
    }

    /// Tells an agent what this conversation holds of them now.
    pub(super) fn confirm_lease(&mut self, agent: AgentId, turn: &mut Turn<'_>) {
        let lease = self.conversation.lease().filter(|lease| lease.agent == agent).cloned();
        let adjust =
            AgentCommand::Adjust { conversation: self.id(), seq: self.conversation.seq(), lease };
        self.then(Deferred::Adjust(agent, adjust), turn);
    }

    /// Repeats a lease from time to time, so that an agent who forgot it is corrected.
    pub(super) fn repeat_lease(&mut self, turn: &mut Turn<'_>) {
        let due = turn.now.since(self.audited_at) >= turn.facts.audit_every;
        let Some(lease) = self.conversation.lease().filter(|_| due && self.gate.is_open()) else {
            return;
        };
        let adjust = ToAgent::Adjust {
            conversation: self.id(),
            seq: self.conversation.seq(),
            lease: Some(lease.clone()),
            repeated: true,
        };
        turn.tell_agent(lease.agent.clone(), adjust);
        turn.note(Note::LeaseRepeated);
        self.audited_at = turn.now;
    }

    /// When the lease is repeated, in a wrap-up as in a talk. Very many chats may be held, and each
    /// has nothing else to be woken for: their leases are repeated a tenth as often.
    pub(super) fn lease_repeated_at(&self, every: Span) -> Option<Timestamp> {
        let is_due =
            self.is_serving() && self.gate.is_open() && self.conversation.lease().is_some();
        let held = if self.conversation.absence().is_some() { 10 } else { 1 };
        is_due.then(|| self.audited_at + every.times(held))
    }

    /// Shows the conversation to one feed of an agent's, or to all.
    pub(super) fn show_to(
        &mut self,
        agent: AgentId,
        feed: Option<FeedNumber>,
        turn: &mut Turn<'_>,
    ) {
        let theirs = self.conversation.agent() == Some(&agent);
        let told = news::present_state(&self.conversation, theirs, turn.now);
        let then = match feed {
            Some(feed) => Deferred::ShowTo(agent, feed, told),
            None => Deferred::Tell(agent, told),
        };
        self.then(then, turn);
    }

    pub(super) fn signal(
        &mut self,
        agent: &AgentId,
        signal: AgentSignal,
        turn: &mut Turn<'_>,
    ) -> Result<(), Denial> {
        if self.conversation.seq() == Seq::ZERO {
            return Err(Denial::Refused(Refusal::UnknownConversation));
        }
        self.conversation.may_signal(agent).map_err(Denial::Refused)?;
        let frame = match signal {
            AgentSignal::Typing(on) => {
                self.audience.typing.by_agent = on;
                ServerFrame::Typing { on }.render()
            }
            AgentSignal::Read(seq) => {
                let seq = seq.min(self.conversation.seq());
                ServerFrame::Read { seq }.render()
            }
        };
        self.tell_all(&frame, turn);
        Ok(())
    }
}
