//! How an agent and their conversations keep agreeing on the leases.

use std::ops::Bound;

use crate::behavior::agent::commitment::Behavior;
use crate::behavior::agent::output::Note;
use crate::behavior::agent::turn::Turn;
use crate::behavior::message::ToConversation;
use crate::domain::agent::command::AgentCommand;
use crate::domain::id::ConversationId;
use crate::domain::time::Timestamp;
use crate::limits;

impl Behavior {
    /// A lease that is repeated must already be known; one that is not had drifted.
    pub(super) fn check_repeated(&mut self, command: AgentCommand, turn: &mut Turn<'_>) {
        let differs = match &command {
            AgentCommand::Adjust { conversation, lease, .. } => {
                let held = self.agent.leases().get(conversation);
                held.map(|held| &held.lease) != lease.as_ref()
            }
            _ => false,
        };
        let corrects = differs
            && self.agent.decide(command.clone(), turn.now).is_ok_and(|events| !events.is_empty());
        if corrects {
            turn.note(Note::Drift(Box::new(command.clone())));
        }
        // An adjustment is never refused.
        self.must_perform(command, turn);
    }

    pub(super) fn plan_audit(&mut self, now: Timestamp) {
        self.audit_at = Some(now + self.audit_every);
    }

    /// Asks conversations what they hold of this agent, some each time, all in turn: what they
    /// gave back and this agent did not hear of is put right.
    pub(super) fn audit_if_due(&mut self, turn: &mut Turn<'_>) {
        if self.audit_at.is_none_or(|at| at > turn.now) {
            return;
        }
        self.plan_audit(turn.now);
        let after = self.audited.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.agent.leases().range((after, Bound::Unbounded)).map(|(id, _)| *id);
        let audited: Vec<_> = rest.take(limits::LEASES_AUDITED_AT_ONCE).collect();
        // The next round begins when this one has come to its end.
        let is_more = audited.len() == limits::LEASES_AUDITED_AT_ONCE;
        self.audited = audited.last().copied().filter(|_| is_more);
        for conversation in audited {
            self.ask_about(conversation, turn);
        }
    }

    /// Asks a conversation what it holds of this agent; of one that they set units aside for, to
    /// make the offer, or to look for somebody else if they could not take it any more. The offer
    /// may be on its way to the disk: what was set aside stays so until the conversation says.
    pub(super) fn ask_about(&mut self, conversation: ConversationId, turn: &mut Turn<'_>) {
        if !self.agent.keeps_reservations() {
            // Withdrawing is never refused.
            self.must_perform(AgentCommand::Withdraw { conversation }, turn);
        }
        let held = self.agent.leases().get(&conversation);
        let agent = self.id().clone();
        let reserved = held.and_then(|held| Some((held.reservation?, held)));
        let message = match reserved {
            Some((number, held)) if held.withdrawn => ToConversation::Withdraw(agent, number),
            Some((number, held)) => ToConversation::Offer(agent, number, held.lease.units),
            None => ToConversation::ConfirmLease(agent),
        };
        turn.tell_conversation(conversation, message);
    }
}
