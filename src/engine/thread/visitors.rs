//! Visitors whose chats are over, and whom the directory forgets a little later.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::domain::id::{ConversationId, VisitorId, WidgetId};
use crate::engine::post::Post;
use crate::limits;

/// The visitors that a thread's conversations freed while very many appends waited for the disk.
/// They are kept in parts, so that a million of them are not moved each time the list grows.
#[derive(Debug, Default)]
pub(super) struct FreedVisitors(RefCell<VecDeque<Vec<(WidgetId, VisitorId, ConversationId)>>>);

impl FreedVisitors {
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Puts off freeing a visitor; says whether it is the first.
    pub(super) fn put_off(&self, widget: WidgetId, visitor: VisitorId, id: ConversationId) -> bool {
        let mut parts = self.0.borrow_mut();
        let is_first = parts.is_empty();
        let has_room = parts.back().is_some_and(|part| part.len() < limits::VISITORS_FREED_AT_ONCE);
        if !has_room {
            parts.push_back(Vec::with_capacity(if is_first {
                1
            } else {
                limits::VISITORS_FREED_AT_ONCE
            }));
        }
        if let Some(part) = parts.back_mut() {
            part.push((widget, visitor, id));
        }
        is_first
    }

    /// Frees some of them.
    pub(super) fn free_part(&self, post: &dyn Post) {
        let part = {
            let mut parts = self.0.borrow_mut();
            let part = parts.pop_front();
            if parts.is_empty() {
                *parts = VecDeque::new();
            }
            part
        };
        for (widget, visitor, id) in part.into_iter().flatten() {
            post.free_visitor(widget, visitor, id);
        }
    }
}
