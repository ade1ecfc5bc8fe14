//! How an agent and their conversations keep agreeing on the leases.

use std::ops::Bound;

use crate::behavior::message::ToConversation;
use crate::domain::agent::command::AgentCommand;
use crate::domain::id::ConversationId;
use crate::engine::agent::AgentActor;

/// How many conversations are asked for their leases at once, in turn: an audit of thousands goes
/// round in several steps.
const AUDITED_AT_ONCE: usize = 100;

impl AgentActor {
    /// A lease that is repeated must already be known; one that is not had drifted.
    pub(super) fn check_repeated(&mut self, command: AgentCommand) {
        let now = self.shared.clock.now();
        let differs = match &command {
            AgentCommand::Adjust { conversation, lease, .. } => {
                let held = self.agent.leases().get(conversation);
                held.map(|held| &held.lease) != lease.as_ref()
            }
            _ => false,
        };
        let corrects = differs
            && self.agent.decide(command.clone(), now).is_ok_and(|events| !events.is_empty());
        if corrects {
            self.shared.metrics.drift.inc();
            let agent = self.id();
            tracing::error!(
                %agent, ?command,
                "a lease of agent {agent} had drifted: it is put right"
            );
        }
        // An adjustment is never refused.
        let _never = self.perform(command);
    }

    /// Asks conversations what they hold of this agent, some each time, all in turn: what they
    /// gave back and this agent did not hear of is put right.
    pub(super) fn audit(&mut self) {
        let after = self.audited.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.agent.leases().range((after, Bound::Unbounded)).map(|(id, _)| *id);
        let audited: Vec<_> = rest.take(AUDITED_AT_ONCE).collect();
        // The next round begins when this one has come to its end.
        self.audited = audited.last().copied().filter(|_| audited.len() == AUDITED_AT_ONCE);
        for conversation in audited {
            self.ask_about(conversation);
        }
    }

    /// Asks a conversation what it holds of this agent; of one that they set units aside for, to
    /// make the offer, or to look for somebody else if they could not take it any more. The offer
    /// may be on its way to the disk: what was set aside stays so until the conversation says.
    pub(super) fn ask_about(&mut self, conversation: ConversationId) {
        if !self.agent.keeps_reservations() {
            // Withdrawing is never refused.
            let _never = self.perform(AgentCommand::Withdraw { conversation });
        }
        let held = self.agent.leases().get(&conversation);
        let agent = self.id().clone();
        let reserved = held.and_then(|held| Some((held.reservation?, held)));
        let message = match reserved {
            Some((number, held)) if held.withdrawn => ToConversation::Withdraw(agent, number),
            Some((number, held)) => ToConversation::Offer(agent, number, held.lease.units),
            None => ToConversation::ConfirmLease(agent),
        };
        self.tell_conversation(conversation, message);
    }
}
