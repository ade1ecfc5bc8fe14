//! Which live chat is whose: a visitor has at most one in each widget.

use dashmap::mapref::entry::Entry;

use crate::domain::id::{ConversationId, VisitorId, WidgetId};
use crate::engine::directory::Directory;

/// Who has a visitor's chat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::engine) enum Claim {
    /// The one who asked.
    Mine,
    /// This conversation, from before.
    Theirs(ConversationId),
}

impl Directory {
    /// Gives a visitor's chat to this conversation, unless another has it.
    pub(in crate::engine) fn claim_visitor(
        &self,
        widget: WidgetId,
        visitor: VisitorId,
        id: ConversationId,
    ) -> Claim {
        match self.visitors.entry((widget, visitor)) {
            Entry::Occupied(held) if *held.get() != id => Claim::Theirs(*held.get()),
            Entry::Occupied(_) => Claim::Mine,
            Entry::Vacant(vacant) => {
                vacant.insert(id);
                Claim::Mine
            }
        }
    }

    /// The visitor's live chat.
    pub(in crate::engine) fn chat_of(
        &self,
        widget: &WidgetId,
        visitor: VisitorId,
    ) -> Option<ConversationId> {
        self.visitors.get(&(widget.clone(), visitor)).map(|held| *held)
    }

    /// Gives a visitor's chat back, if this conversation has it.
    pub(in crate::engine) fn free_visitor(
        &self,
        widget: WidgetId,
        visitor: VisitorId,
        id: ConversationId,
    ) {
        self.visitors.remove_if(&(widget, visitor), |_, held| *held == id);
    }
}
