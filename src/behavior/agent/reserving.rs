//! How a queue has an agent set units aside for a chat.

use crate::behavior::agent::commitment::Behavior;
use crate::behavior::agent::turn::Turn;
use crate::behavior::message::ToConversation;
use crate::domain::agent::command::{AgentCommand, AgentRefusal};
use crate::domain::id::{ConversationId, QueueId};
use crate::domain::lease::Lease;
use crate::domain::queue::QueueCommand;
use crate::domain::time::Span;

/// How long a chat that two believe to have takes to say who is right.
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
                // The queue hears of it first: the conversation may come back to it at once.
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
                    // The queue counted on more than there is; it must hear how it is.
                    self.tell_availability(&queue, turn);
                }
            }
        }
    }

    /// Tells queues how the agent is whose chats have had the time to say who has them.
    pub(super) fn tell_sorted_out(&mut self, turn: &mut Turn<'_>) {
        let due = self.sorted_out.partition_point(|(at, _)| *at <= turn.now);
        let sorted_out: Vec<_> = self.sorted_out.drain(..due).collect();
        for (_, queue) in sorted_out {
            self.tell_availability(&queue, turn);
        }
    }
}
