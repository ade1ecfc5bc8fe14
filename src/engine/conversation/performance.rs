//! How a conversation's actor performs each output of its behavior.
//!
//! ```text
//!   input ──> behavior ──> outputs, in order ──> journal, mailboxes, sockets, figures
//!     ^                                    │
//!     └──no room, read, not there──────────┘
//! ```

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actix::ActorContext as _;
use smallvec::SmallVec;

use crate::behavior::conversation::{Input, Note, Output};
use crate::behavior::message::{ToConversation, ToSession};
use crate::domain::conversation::event::Event;
use crate::domain::id::{Seq, SessionId};
use crate::domain::time::Timestamp;
use crate::engine::conversation::actor::ConversationActor;
use crate::engine::conversation::context::Context;
use crate::engine::post::Delivery;
use crate::journal::Append;

/// The sessions whose sockets had no room in this turn.
type Slow = SmallVec<[SessionId; 1]>;

impl ConversationActor {
    /// Gives the behavior one input, and those that follow from it.
    pub(super) fn turn(&mut self, input: Input, context: &mut Context) {
        let mut outputs = self.thread.take_outputs();
        let mut slow = Slow::new();
        // Nearly always nothing follows.
        let mut following = VecDeque::new();
        let (mut next, mut due) = (Some(input), None);
        while let Some(input) = next.take().or_else(|| following.pop_front()) {
            due = self.with_facts(|behavior, now, facts| {
                behavior.handle(input, now, facts, &mut outputs);
                behavior.wake_at(now, facts)
            });
            for output in outputs.drain(..) {
                following.extend(self.perform(output, &mut slow, context));
            }
        }
        self.thread.give_back(outputs);
        if !self.behavior.is_in_flight() {
            self.end_flight();
        }
        context.wake_at(due, self.behavior.is_connected());
    }

    /// Performs one output. Gives back what the behavior must hear of at once.
    fn perform(&mut self, output: Output, slow: &mut Slow, context: &mut Context) -> Option<Input> {
        let (thread, id) = (&self.thread, self.behavior.id());
        match output {
            Output::Append { first, at, events } => self.append(first, at, events),
            Output::Session(session, message) => return self.tell_session(session, message, slow),
            Output::Agent(agent, message) => {
                thread.tell_agent(&agent, message);
            }
            Output::Lease(seq, lease) => {
                if let Some(agent) = thread.tell_lease(id, seq, lease) {
                    // The agent was removed; nobody else will notice that they are gone.
                    thread.shared.post.tell_live(id, ToConversation::AgentGone(agent));
                }
            }
            Output::Queue(queue, command) => thread.tell_queue(&queue, command),
            Output::Answer(request, answer) => thread.shared.answer(request, answer),
            Output::ClaimVisitor(widget, visitor) => {
                thread.shared.post.claim_visitor(widget, visitor, id);
            }
            Output::FreeVisitor(widget, visitor) => thread.free_visitor(widget, visitor, id),
            Output::Load => self.load(context),
            Output::ReadMissed { session, after, through } => {
                return self.read_missed(session, after, through, context);
            }
            Output::LeaveDirectory => thread.shared.post.leave_conversation(id, self.epoch),
            Output::MakeWay => thread.shared.post.replace_conversation(id, self.epoch),
            Output::PassOn(message) => {
                thread.shared.post.tell(id, message);
            }
            Output::Stop => context.stop(),
            Output::Note(note) => self.note(&note),
        }
        None
    }

    fn append(&mut self, first: Seq, at: Timestamp, events: Arc<[Event]>) {
        let id = self.behavior.id();
        let flight = *self.flight.get_or_insert_with(|| self.thread.begin_flight(id));
        let append = Append::Conversation { id, first, at, events, ticket: flight.ticket() };
        self.thread.append(append);
    }

    /// Tells a session something. A session that was too slow for a frame that must not be missed
    /// is told nothing after it but to close, or its widget would go on from behind the gap.
    fn tell_session(
        &self,
        session: SessionId,
        message: ToSession,
        slow: &mut Slow,
    ) -> Option<Input> {
        if slow.contains(&session) && !matches!(message, ToSession::Close(_)) {
            return None;
        }
        let may_be_missed = matches!(message, ToSession::Frame { seq, .. } if seq == Seq::ZERO);
        let told = self.thread.shared.post.tell_session(session, message);
        if told != Delivery::Full || may_be_missed {
            return None;
        }
        slow.push(session);
        Some(Input::Slow(session))
    }

    fn note(&self, note: &Note) {
        let (shared, conversation) = (&self.thread.shared, self.behavior.id());
        let metrics = &shared.metrics;
        match note {
            Note::Started => {
                metrics.started.inc();
            }
            Note::Posted => {
                metrics.posted.inc();
            }
            Note::SessionLost(cause) => metrics.lost(*cause),
            Note::Disconnected(cause) => metrics.expired(*cause),
            Note::Closed(reason) => {
                metrics.closed(*reason);
                let reason = reason.name();
                tracing::debug!(
                    %conversation, reason,
                    "conversation {conversation} is closed: {reason}"
                );
            }
            Note::Late(late) => metrics.lateness.observe(Duration::from_millis(late.as_millis())),
            Note::Probed => {
                metrics.probes.inc();
            }
            Note::SlowReader => {
                metrics.slow_readers.inc();
            }
            Note::LeaseRepeated => {
                metrics.leases_audited.inc();
            }
            Note::NotKept => {
                metrics.mailbox_refusals.inc();
            }
            Note::Counted { before, after } => {
                if before.waits && !after.waits {
                    shared.let_go(conversation);
                }
                metrics.recount(before.state, after.state);
                metrics.recount_away(before.away, after.away);
            }
            Note::MissedUnread(fault) => tracing::error!(
                %conversation, %fault,
                "what a session of conversation {conversation} has missed cannot be read"
            ),
            Note::GaveUp(fault) => tracing::error!(
                %conversation, %fault,
                "the journal failed: conversation {conversation} is read again"
            ),
        }
    }
}
