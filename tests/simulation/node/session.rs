//! The sessions of a simulated node: the product's own behavior, and the widget of each.

use holdline::domain::id::{ConversationId, WidgetId};
use holdline::domain::time::{Span, Timestamp};

pub use holdline::behavior::session::{
    Behavior, ChatRequest, Credentials, Facts, Identified, Input, Named, Nearby, NotStarted, Output,
};

/// A session, with its widget.
#[derive(Debug)]
pub struct Visit {
    pub dialogue: Behavior,
    pub widget: WidgetId,
}

impl Visit {
    pub fn new(widget: WidgetId, heartbeat: Span, now: Timestamp) -> Self {
        Self { dialogue: Behavior::new(now, heartbeat, None), widget }
    }
}

/// What a session reads of the world: here there is one thread, and no user has to be vouched for.
#[derive(Debug)]
pub struct Surroundings {
    pub window: Span,
}

impl Nearby for Surroundings {
    fn window(&self) -> Span {
        self.window
    }

    fn requires_admission(&self) -> bool {
        false
    }

    fn is_elsewhere(&self, _: ConversationId) -> bool {
        false
    }
}
