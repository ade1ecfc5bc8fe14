//! Which live chat is whose: a visitor has at most one in each widget.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use dashmap::mapref::entry::Entry;

use crate::domain::id::{ConversationId, VisitorId, WidgetId};
use crate::engine::directory::Directory;
use crate::engine::rush;
use crate::engine::shared::Shared;

/// How often it is looked whether visitors can be freed that were put off.
const LOOKED_EVERY: Duration = Duration::from_millis(20);

/// How often at most: after this they are freed however many wait for the disk.
const LOOKS_MAX: u32 = 250;

/// How many are freed before it is looked again, and others get their turn.
const FREED_AT_ONCE: usize = 1_024;

type Freed = (WidgetId, VisitorId, ConversationId);

thread_local! {
    /// Those whom conversations of this thread have freed while very many waited for the disk, in
    /// parts, because a million of them should not be moved each time that room is made for more.
    static PUT_OFF: RefCell<VecDeque<Vec<Freed>>> = const { RefCell::new(VecDeque::new()) };
}

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

/// Gives a visitor's chat back: at once, or a little later while very many conversations wait for
/// the disk. Whoever asks for the chat before then is told by the chat itself that it is over, and
/// begins another.
pub(in crate::engine) fn free(
    shared: &Arc<Shared>,
    widget: WidgetId,
    visitor: VisitorId,
    id: ConversationId,
) {
    if !rush::is_on() {
        return shared.directory.free_visitor(widget, visitor, id);
    }
    let is_first = PUT_OFF.with_borrow_mut(|put_off| {
        let is_first = put_off.is_empty();
        let has_room = put_off.back().is_some_and(|part| part.len() < FREED_AT_ONCE);
        if !has_room {
            put_off.push_back(Vec::with_capacity(if is_first { 1 } else { FREED_AT_ONCE }));
        }
        if let Some(part) = put_off.back_mut() {
            part.push((widget, visitor, id));
        }
        is_first
    });
    if is_first {
        actix::spawn(free_those_put_off(shared.clone()));
    }
}

async fn free_those_put_off(shared: Arc<Shared>) {
    let mut looks = 0;
    while PUT_OFF.with_borrow(|put_off| !put_off.is_empty()) {
        if looks < LOOKS_MAX && shared.journal.is_busy() {
            looks += 1;
            tokio::time::sleep(LOOKED_EVERY).await;
        } else {
            free_part(&shared);
            tokio::task::yield_now().await;
        }
    }
}

fn free_part(shared: &Shared) {
    let part = PUT_OFF.with_borrow_mut(|put_off| {
        let part = put_off.pop_front();
        if put_off.is_empty() {
            *put_off = VecDeque::new();
        }
        part
    });
    for (widget, visitor, id) in part.into_iter().flatten() {
        shared.directory.free_visitor(widget, visitor, id);
    }
}
