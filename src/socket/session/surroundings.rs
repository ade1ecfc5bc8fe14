//! What a session reads of its surroundings.

use crate::behavior::session::Nearby;
use crate::domain::id::{ConversationId, WidgetId};
use crate::domain::time::Span;
use crate::engine::Visit;
use crate::socket::session::door::Door;

/// What a session reads of its surroundings.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) door: &'a Door,
    pub(super) widget: &'a WidgetId,
    pub(super) visit: Option<&'a Visit>,
}

impl Nearby for Surroundings<'_> {
    fn window(&self) -> Span {
        let workstream = self.visit.and_then(Visit::workstream);
        workstream.map_or(Span::ZERO, |workstream| workstream.window)
    }

    fn requires_admission(&self) -> bool {
        self.door.requires_admission(self.widget)
    }

    fn is_elsewhere(&self, conversation: ConversationId) -> bool {
        self.door.is_elsewhere(conversation)
    }
}
