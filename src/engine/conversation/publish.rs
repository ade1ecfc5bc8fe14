//! What becomes of a decision once it is durable: customers and agents are told, claims are acted
//! upon, answers are given.

use std::sync::Arc;

use bytestring::ByteString;

use crate::behavior::message::{Answered, Closing, ToAgent, ToConversation, ToSession};
use crate::domain::agent::command::AgentCommand;
use crate::domain::cause::Cause;
use crate::domain::conversation::Phase;
use crate::domain::conversation::claims::{Claims, Effect};
use crate::domain::conversation::event::{Audience, Event, Recorded};
use crate::domain::decision::Released;
use crate::domain::id::{AgentId, QueueId, Seq, SessionId};
use crate::domain::queue::QueueCommand;
use crate::domain::text::DisplayName;
use crate::engine::context::Context;
use crate::engine::conversation::gate::{Deferred, Through};
use crate::engine::conversation::{ConversationActor, news};
use crate::engine::post::Delivery;
use crate::engine::shared::Shared;
use crate::wire::server::ServerFrame;
use crate::wire::view;

impl ConversationActor {
    /// Lets something out that has become durable.
    pub(super) fn release(&mut self, through: Through, context: &mut Context<Self>) {
        match through {
            Through::Decision { released, author, for_agents, .. } => {
                self.publish(&released, author);
                for (agent, told) in for_agents {
                    if !told.is_empty() {
                        self.thread.tell_agent(&agent, ToAgent::Tell(told));
                    } else if self.thread.has_listened(&agent) {
                        // Somebody listens who did not when it was decided.
                        self.show_to(agent, None, context);
                    }
                }
                let last = released.first.plus(count(&released.events).saturating_sub(1));
                for effect in released.effects {
                    self.carry_out(effect, last);
                }
            }
            Through::Deferred(then) => self.follow(then, context),
        }
    }

    pub(super) fn follow(&mut self, then: Deferred, context: &mut Context<Self>) {
        match then {
            Deferred::Answer(request, answer) => self.thread.shared.answer(request, answer),
            Deferred::Send(session, message) => self.answer(session, message),
            Deferred::Joined(session, heard, joined) => {
                self.thread.shared.post.tell_session(session, joined);
                if let Some(heard) = heard {
                    self.hear_from(session, heard, None, context);
                    self.ask_for_position();
                }
            }
            Deferred::Hear { session, after, until, is_over } => {
                self.audience.is_over |= is_over;
                self.hear_from(session, after, until, context);
            }
            Deferred::Tell(agent, told) => {
                self.thread.tell_agent(&agent, ToAgent::Tell(told));
            }
            Deferred::ShowTo(agent, feed, told) => {
                self.thread.tell_agent(&agent, ToAgent::Shown(feed, told));
            }
            Deferred::Adjust(agent, adjust) => {
                self.thread.tell_agent(&agent, ToAgent::Command(adjust));
            }
            Deferred::StateClaims(request) => {
                self.state_claims();
                if let Some(request) = request {
                    self.thread.shared.answer(request, Ok(Answered::Done));
                }
            }
        }
    }

    /// Has the queue tell the customer where they stand.
    fn ask_for_position(&self) {
        if let (Phase::Open { .. }, Some(queue)) =
            (self.conversation.phase(), self.queue_in_force())
        {
            self.thread.tell_queue(&queue, QueueCommand::Locate(self.id()));
        }
    }

    /// Where it waits, or would; nothing while it is new.
    fn queue_in_force(&self) -> Option<QueueId> {
        Some(self.thread.shared.settings.load().queue_of(self.conversation.opening()?))
    }

    /// States every claim, and has a queue forget that it waits if it does not.
    pub(super) fn state_claims(&mut self) {
        self.state_claims_anew();
        if !matches!(self.conversation.phase(), Phase::Open { .. }) {
            self.leave_queue();
        }
    }

    /// Has the queue forget that it waits.
    fn leave_queue(&self) {
        if let Some(queue) = self.queue_in_force() {
            self.thread.tell_queue(&queue, QueueCommand::Leave(self.id()));
        }
    }

    /// States every claim to those who know of none.
    pub(super) fn state_claims_anew(&mut self) {
        let claims = self.conversation.claims();
        if let Some((widget, visitor)) = claims.visitor.clone() {
            self.thread.shared.post.claim_visitor(widget, visitor, self.id());
        }
        let seq = self.conversation.seq();
        for effect in Claims::effects(&Claims::default(), &claims) {
            self.carry_out(effect, seq);
        }
    }

    fn publish(&mut self, released: &Released, author: Option<SessionId>) {
        for (event, number) in released.events.iter().zip(released.first.number()..) {
            let seq = Seq::new(number);
            self.count(event);
            match event {
                Event::SessionLost { session, cause, .. } => self.let_go(*session, *cause),
                Event::ServerRestarted { .. } => drop(self.audience.clear()),
                _ => {}
            }
            let is_seen = event.is_seen_by(Audience::Customer);
            if is_seen && self.audience.is_empty() {
                self.audience.seen = self.audience.seen.max(seq);
            } else if is_seen {
                let recorded = Recorded { seq, at: released.at, event: event.clone() };
                let frames = frames(&self.thread.shared, &recorded);
                let shared = &self.thread.shared;
                let slow = self.audience.publish(seq, author, &frames, |session, seq, text| {
                    let frame = ToSession::Frame { seq, text: text.clone() };
                    shared.post.tell_session(session, frame) != Delivery::Full
                });
                for session in slow {
                    self.drop_slow(session);
                }
            }
            if matches!(event, Event::AgentLeft { .. }) && self.audience.agent_types {
                // A signal ends with whoever gave it.
                self.audience.agent_types = false;
                self.tell_all(&ServerFrame::Typing { on: false }.render());
            }
            if matches!(event, Event::WrapupStarted { .. } | Event::ConversationClosed { .. }) {
                self.dismiss_audience();
            }
        }
    }

    fn count(&self, event: &Event) {
        match event {
            Event::MessagePosted { .. } => {
                self.thread.shared.metrics.posted.inc();
            }
            Event::SessionLost { cause, .. } => self.thread.shared.metrics.lost(*cause),
            Event::CustomerDisconnected { cause, .. } => {
                self.thread.shared.metrics.expired(*cause);
            }
            Event::ConversationClosed { reason, .. } => {
                self.thread.shared.metrics.closed(*reason);
                let (conversation, reason) = (self.id(), reason.name());
                tracing::debug!(
                    %conversation, reason,
                    "conversation {conversation} is closed: {reason}"
                );
            }
            _ => {}
        }
    }

    /// The customer takes no part any more: their sessions are free for another chat. Who still
    /// reads what they missed is dismissed when they have.
    pub(super) fn dismiss_audience(&mut self) {
        let id = self.id();
        self.audience.is_over = true;
        for session in self.audience.take_live() {
            self.thread.shared.post.tell_session(session, ToSession::Over(id));
        }
    }

    /// A session was lost by our own judgement; it may not know.
    fn let_go(&mut self, session: SessionId, cause: Cause) {
        self.audience.remove(session);
        self.tell_typing();
        let closing = match cause {
            Cause::Replaced => Closing::Replaced,
            // The page may have announced that it was leaving before it fell silent.
            Cause::Silent | Cause::Left(_) => Closing::Silent,
            Cause::Closed(_)
            | Cause::Reset
            | Cause::Draining
            | Cause::Restarted
            | Cause::Refused(_) => return,
        };
        close_session(&self.thread.shared, session, closing);
    }

    pub(super) fn drop_slow(&mut self, session: SessionId) {
        self.audience.remove(session);
        self.tell_typing();
        self.thread.shared.metrics.slow_readers.inc();
        close_session(&self.thread.shared, session, Closing::Slow);
    }

    /// Tells the agent that the customer types, or has stopped, where that has changed: by what a
    /// session said, or by its end.
    pub(super) fn tell_typing(&mut self) {
        let types = self.audience.is_typed_in();
        if std::mem::replace(&mut self.audience.customer_types, types) != types {
            news::typing(&self.conversation, &self.thread, types);
        }
    }

    /// A frame for every session.
    pub(super) fn tell_all(&self, text: &ByteString) {
        for session in self.audience.sessions() {
            // What is only passing may be missed by a reader who is slow.
            let frame = ToSession::Frame { seq: Seq::ZERO, text: text.clone() };
            self.thread.shared.post.tell_session(session, frame);
        }
    }

    fn carry_out(&mut self, effect: Effect, seq: Seq) {
        let id = self.id();
        match effect {
            Effect::TakePlace(place) => {
                let Some(queue) = self.queue_in_force() else { return };
                let waiting = self.with_workstream(|workstream| {
                    place.waiting(workstream.units, workstream.offers_absent)
                });
                self.thread.tell_queue(&queue, QueueCommand::Join(id, waiting));
                if !self.audience.is_empty() {
                    self.ask_for_position();
                }
            }
            // It began in that queue, whose place another may have taken since.
            Effect::LeavePlace(_) => self.leave_queue(),
            Effect::HoldLease(lease) => {
                if let Some(agent) = self.thread.tell_lease(id, seq, lease) {
                    // The agent was removed; nobody else will notice that they are gone.
                    let gone = ToConversation::AgentGone(agent);
                    self.thread.shared.post.tell_live(id, gone);
                }
            }
            Effect::ReturnLease(agent) => {
                let adjust = AgentCommand::Adjust { conversation: id, seq, lease: None };
                self.thread.tell_agent(&agent, ToAgent::Command(adjust));
            }
            Effect::FreeVisitor(widget, visitor) => {
                self.thread.free_visitor(widget, visitor, id);
            }
            // The actor looks itself whether it is needed.
            Effect::Retire => {}
        }
    }
}

/// Asks a session for a sign of life.
pub(super) fn probe(shared: &Shared, session: SessionId) {
    shared.metrics.probes.inc();
    shared.post.tell_session(session, ToSession::Probe);
}

/// Has a session closed.
pub(super) fn close_session(shared: &Shared, session: SessionId, closing: Closing) {
    shared.post.tell_session(session, ToSession::Close(closing));
}

pub(super) fn frames(shared: &Arc<Shared>, recorded: &Recorded) -> Vec<ByteString> {
    let settings = shared.settings.load();
    let name_of = |agent: &AgentId| -> Option<DisplayName> {
        settings.agents.get(agent).map(|settings| settings.name.clone())
    };
    view::for_customer(recorded, name_of)
}

fn count(events: &[Event]) -> u32 {
    u32::try_from(events.len()).unwrap_or(u32::MAX)
}
