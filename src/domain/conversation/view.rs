//! A conversation as agents are shown it: one plain value, taken at one moment.

use std::sync::Arc;

use crate::domain::conversation::attendance::Absence;
use crate::domain::conversation::event::Reason;
use crate::domain::conversation::timers::Timer;
use crate::domain::conversation::{Conversation, Phase, State};
use crate::domain::id::{AgentId, ConversationId, QueueId, Seq, WidgetId, WorkstreamId};
use crate::domain::text::{DisplayName, JsonText};
use crate::domain::time::Timestamp;

/// What agents are shown of a conversation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct View {
    /// Its id.
    pub id: ConversationId,
    /// Its state.
    pub state: State,
    /// Its stage while it is active.
    pub stage: Option<Stage>,
    /// Why it ended.
    pub reason: Option<Reason>,
    /// The agent who has it, had it, or to whom it is offered.
    pub agent: Option<AgentId>,
    /// Whether the customer is told that the agent's connection is gone.
    pub agent_away: bool,
    /// Until when the offer stands.
    pub offer_until: Option<Timestamp>,
    /// The widget through which it began.
    pub widget: WidgetId,
    /// Its workstream.
    pub workstream: WorkstreamId,
    /// Its queue.
    pub queue: QueueId,
    /// The place of its last event.
    pub seq: Seq,
    /// When it began.
    pub started_at: Timestamp,
    /// When it moves on by itself, apart from the customer's absence. Nothing while the customer is
    /// away and that time stands still.
    pub due_at: Option<Timestamp>,
    /// The customer.
    pub customer: Customer,
}

/// What an active conversation is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Offered, and not yet accepted.
    Offered,
    /// Accepted.
    Talking,
}

impl Stage {
    /// The name that HTTP uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Talking => "talking",
        }
    }
}

/// What agents are shown of a customer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Customer {
    /// What they call themselves.
    pub name: Option<DisplayName>,
    /// Whether any session of theirs is there.
    pub connected: bool,
    /// Whether their browser answers while every page of theirs says nothing.
    pub asleep: bool,
    /// The absence that is running, while the chat is live.
    pub absence: Option<Absence>,
    /// The answers to the pre-chat form, as JSON.
    pub form: Option<JsonText>,
    /// What the page tells about itself, as JSON.
    pub context: Option<JsonText>,
    /// The address of the page.
    pub page: Option<Arc<str>>,
    /// The language of the page.
    pub locale: Option<Arc<str>>,
}

impl Conversation {
    /// What agents are shown now; nothing while the conversation is new.
    pub fn view(&self) -> Option<View> {
        let opening = self.opening()?;
        let stage = match &self.phase {
            Phase::Offered { .. } => Some(Stage::Offered),
            Phase::Talking { .. } => Some(Stage::Talking),
            _ => None,
        };
        Some(View {
            id: self.id,
            state: self.state()?,
            stage,
            reason: self.reason(),
            agent: self.agent().cloned(),
            agent_away: self.lease().is_some_and(|lease| lease.missed),
            offer_until: self.timer(Timer::Offer),
            widget: opening.widget.clone(),
            workstream: opening.workstream.clone(),
            queue: opening.queue.clone(),
            seq: self.seq,
            started_at: self.started_at,
            due_at: self.timer(Timer::AutoClose),
            customer: Customer {
                name: opening.name.clone(),
                connected: self.attendance.is_connected(),
                asleep: self.attendance.is_asleep(),
                absence: self.absence().copied(),
                form: opening.form.clone(),
                context: opening.context.clone(),
                page: opening.page.clone(),
                locale: opening.locale.clone(),
            },
        })
    }
}
