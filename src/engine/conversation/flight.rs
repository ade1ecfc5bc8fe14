//! What a conversation has given to the journal and has no receipt for, and how receipts reach it.
//!
//! ```text
//!   append ──> in flight, by its id ──parcel of receipts──> filled in, its task woken ──> gate
//! ```
//!
//! Receipts are as frequent as appends, and a million may come at once when a million windows end
//! at one moment. So they pass through no mailbox, and the directory is not asked: each thread
//! knows which of its conversations wait, few at any moment, and finds them in what a cache holds.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

use foldhash::fast::RandomState;
use tokio::time::Instant;

use crate::domain::decision::Receipt;
use crate::domain::id::{ConversationId, Seq};
use crate::engine::shared::Shared;

/// Whose: conversations of two engines may live on one thread, and their journals are not one.
type Key = (usize, ConversationId);

thread_local! {
    static IN_FLIGHT: RefCell<HashMap<Key, Rc<Slip>, RandomState>> = RefCell::default();
}

/// How many entries are kept room for while fewer are in flight.
const ROOM_KEPT: usize = 1_024;

/// The appends of one conversation that are in flight. Dropped, it hears of nothing any more.
#[derive(Debug)]
pub(super) struct Flight {
    key: Key,
    slip: Rc<Slip>,
}

/// What its conversation and the one who hands out receipts have in common.
#[derive(Debug)]
struct Slip {
    /// The last place that was given to the journal.
    appended: Cell<Seq>,
    /// The receipt that was not taken yet, and when it came.
    receipt: Cell<Option<(Receipt, Instant)>>,
    waker: RefCell<Option<Waker>>,
}

impl Flight {
    /// The first append of a conversation, up to this place, while no other is in flight.
    pub(super) fn begin(shared: &Arc<Shared>, id: ConversationId, through: Seq) -> Self {
        let key = (key_of(shared), id);
        let slip = Rc::new(Slip {
            appended: Cell::new(through),
            receipt: Cell::new(None),
            waker: RefCell::default(),
        });
        IN_FLIGHT.with_borrow_mut(|all| all.insert(key, slip.clone()));
        Self { key, slip }
    }

    /// One more append, up to this place.
    pub(super) fn go_on(&self, through: Seq) {
        self.slip.appended.set(through);
    }

    /// The receipt that came since this was asked last, and when.
    pub(super) fn take_receipt(&self) -> Option<(Receipt, Instant)> {
        self.slip.receipt.take()
    }

    /// Whether everything is durable when this is.
    pub(super) fn ends_at(&self, durable: Seq) -> bool {
        self.slip.appended.get() <= durable
    }

    /// Has this task woken by the next receipt.
    pub(super) fn await_receipt(&self, task: &Context<'_>) {
        let mut waker = self.slip.waker.borrow_mut();
        if waker.is_none() {
            *waker = Some(task.waker().clone());
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let Self { key, slip } = self;
        // Somebody who came later may have the place.
        let _thread_ends = IN_FLIGHT.try_with(|all| {
            let mut all = all.borrow_mut();
            if all.get(key).is_some_and(|there| Rc::ptr_eq(there, slip)) {
                all.remove(key);
                if all.is_empty() {
                    all.shrink_to(ROOM_KEPT);
                }
            }
        });
    }
}

/// Hands out receipts of this engine on this thread. Whoever is not there any more has nothing that
/// waits.
pub(in crate::engine) fn hand_out(shared: &Arc<Shared>, receipts: &[(ConversationId, Receipt)]) {
    let (engine, now) = (key_of(shared), Instant::now());
    IN_FLIGHT.with_borrow(|all| {
        for (id, receipt) in receipts {
            let Some(slip) = all.get(&(engine, *id)) else { continue };
            slip.receipt.set(Some((*receipt, now)));
            if let Some(waker) = &*slip.waker.borrow() {
                waker.wake_by_ref();
            }
        }
    });
}

fn key_of(shared: &Arc<Shared>) -> usize {
    Arc::as_ptr(shared).addr()
}
