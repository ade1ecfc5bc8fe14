//! What a conversation claims of others, stated to them: a place in a line, an agent's units, its
//! visitor.

use crate::behavior::conversation::Behavior;
use crate::behavior::conversation::output::Output;
use crate::behavior::conversation::turn::Turn;
use crate::behavior::message::ToAgent;
use crate::domain::agent::command::AgentCommand;
use crate::domain::conversation::Phase;
use crate::domain::conversation::claims::{Claims, Effect};
use crate::domain::id::{QueueId, Seq};
use crate::domain::queue::QueueCommand;

impl Behavior {
    /// Has the queue tell the customer where they stand.
    pub(super) fn ask_for_position(&self, turn: &mut Turn<'_>) {
        if let (Phase::Open { .. }, Some(queue)) =
            (self.conversation.phase(), self.queue_in_force(turn))
        {
            turn.tell_queue(queue, QueueCommand::Locate(self.id()));
        }
    }

    /// The queue in which the conversation waits, or would; nothing while it is new.
    fn queue_in_force(&self, turn: &Turn<'_>) -> Option<QueueId> {
        Some(turn.facts.settings.queue_of(self.conversation.opening()?))
    }

    /// States every claim. If the conversation does not wait, its queue is told to forget it.
    pub(super) fn state_claims(&self, turn: &mut Turn<'_>) {
        self.state_claims_anew(turn);
        if !matches!(self.conversation.phase(), Phase::Open { .. }) {
            self.leave_queue(turn);
        }
    }

    /// Has the queue forget that the conversation waits.
    fn leave_queue(&self, turn: &mut Turn<'_>) {
        if let Some(queue) = self.queue_in_force(turn) {
            turn.tell_queue(queue, QueueCommand::Leave(self.id()));
        }
    }

    /// States every claim to others that know of none yet.
    pub(super) fn state_claims_anew(&self, turn: &mut Turn<'_>) {
        let claims = self.conversation.claims();
        if let Some((widget, visitor)) = claims.visitor.clone() {
            turn.put(Output::ClaimVisitor(widget, visitor));
        }
        let seq = self.conversation.seq();
        for effect in Claims::effects(&Claims::default(), &claims) {
            self.carry_out(effect, seq, turn);
        }
    }

    /// Does what follows from the change of a claim, as of a place.
    pub(super) fn carry_out(&self, effect: Effect, seq: Seq, turn: &mut Turn<'_>) {
        let id = self.id();
        match effect {
            Effect::TakePlace(place) => {
                let Some(queue) = self.queue_in_force(turn) else { return };
                let workstream = self.workstream(turn);
                let waiting = place.waiting(workstream.units, workstream.offers_absent);
                turn.tell_queue(queue, QueueCommand::Join(id, waiting));
                if !self.audience.is_empty() {
                    self.ask_for_position(turn);
                }
            }
            // Another queue may have taken the place of the one in which the chat began to wait.
            Effect::LeavePlace(_) => self.leave_queue(turn),
            Effect::HoldLease(lease) => turn.put(Output::Lease(seq, lease)),
            Effect::ReturnLease(agent) => {
                let adjust = AgentCommand::Adjust { conversation: id, seq, lease: None };
                turn.tell_agent(agent, ToAgent::Command(adjust));
            }
            Effect::FreeVisitor(widget, visitor) => {
                turn.put(Output::FreeVisitor(widget, visitor));
            }
            // The conversation checks by itself whether it is needed.
            Effect::Retire => {}
        }
    }
}
