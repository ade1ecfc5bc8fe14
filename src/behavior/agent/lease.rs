//! How an agent sets units aside for chats, and how they and their conversations keep agreeing on
//! the leases.

use std::ops::Bound;

use crate::behavior::agent::commitment::Behavior;
use crate::behavior::agent::output::{Note, Turn};
use crate::behavior::message::ToConversation;
use crate::domain::agent::command::{AgentCommand, AgentRefusal};
use crate::domain::id::{ConversationId, QueueId};
use crate::domain::lease::Lease;
use crate::domain::queue::QueueCommand;
use crate::domain::time::{Span, Timestamp};
use crate::limits;

/// How long a disputed chat takes to say who has it.
const SORTED_OUT_WITHIN: Span = Span::from_millis(200);

impl Behavior {
    pub(super) fn reserve(
        &mut self,
        queue: QueueId,
        conversation: ConversationId,
        lease: Lease,
        turn: &mut Turn<'_>,
    ) {
        let agent = self.id().clone();
        match self.perform(AgentCommand::Reserve { conversation, lease }, turn) {
            Ok(()) => {
                // The queue hears of it first: the conversation may come back to the queue at once.
                turn.tell_queue(&queue, QueueCommand::Granted(conversation, agent));
                self.ask_about(conversation, turn);
            }
            Err(refusal) => {
                turn.tell_queue(&queue, QueueCommand::Refused(conversation, agent));
                if refusal == AgentRefusal::AlreadyHeld {
                    // Somebody is wrong about who has this chat; only the chat itself knows.
                    self.ask_about(conversation, turn);
                    turn.tell_conversation(conversation, ToConversation::StateClaims(None));
                    // Not at once, or the queue would ask again before the chat has spoken.
                    self.sorted_out.push_back((turn.now + SORTED_OUT_WITHIN, queue));
                } else {
                    // The queue counted on more than there is; it must hear the agent's
                    // availability.
                    self.tell_availability(&queue, turn);
                }
            }
        }
    }

    /// Tells queues the agent's availability once their disputed chats have had time to say who has
    /// them.
    pub(super) fn tell_sorted_out(&mut self, turn: &mut Turn<'_>) {
        let due = self.sorted_out.partition_point(|(at, _)| *at <= turn.now);
        let sorted_out: Vec<_> = self.sorted_out.drain(..due).collect();
        for (_, queue) in sorted_out {
            self.tell_availability(&queue, turn);
        }
    }

    /// Takes a repeated lease. It must already be known; a lease that is not had drifted.
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

    /// Asks conversations what they hold of this agent, some each time, all in turn. This corrects
    /// leases that were given back without the agent hearing of it.
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

    /// Asks a conversation what it holds of this agent. If the agent has set units aside for it,
    /// asks it to make the offer instead, or to look for somebody else if the agent can no longer
    /// take it. The offer may be on its way to the disk: the units stay set aside until the
    /// conversation answers.
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
