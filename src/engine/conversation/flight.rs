//! What a conversation has given to the journal and has no receipt for, and how receipts reach it.
//!
//! ```text
//!   append ──> in flight, by its id ──parcel of receipts──> filled in, its task woken ──> gate
//! ```
//!
//! Receipts are as frequent as appends, and a million may come at once when a million windows end
//! at one moment. So they pass through no mailbox, and neither the directory nor a map is asked:
//! each thread has a table of its conversations that wait, few at any moment, and the ticket that
//! came with the append is the place in it.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::{Context, Waker};

use slab::Slab;
use tokio::time::Instant;

use crate::domain::decision::Receipt;
use crate::domain::id::{ConversationId, Seq};
use crate::engine::shared::Shared;
use crate::journal::{Confirmed, Ticket};

thread_local! {
    static IN_FLIGHT: RefCell<Slab<Slip>> = const { RefCell::new(Slab::new()) };
}

/// How many entries are kept room for while none is in flight.
const ROOM_KEPT: usize = 1_024;

/// The appends of one conversation that are in flight. Dropped, it hears of nothing any more.
#[derive(Debug)]
pub(super) struct Flight {
    /// Its place in the table of this thread.
    place: usize,
}

/// What its conversation and the one who hands out receipts have in common.
#[derive(Debug)]
struct Slip {
    /// Whose: conversations of two engines may live on one thread, and their journals are not one.
    engine: usize,
    /// Somebody who came later may have the place by now.
    id: ConversationId,
    /// The last place that was given to the journal.
    appended: Seq,
    /// The receipt that was not taken yet, and when it came.
    receipt: Option<(Receipt, Instant)>,
    waker: Option<Waker>,
}

impl Flight {
    /// The first append of a conversation, up to this place, while no other is in flight.
    pub(super) fn begin(shared: &Arc<Shared>, id: ConversationId, through: Seq) -> (Self, Ticket) {
        let engine = key_of(shared);
        let slip = Slip { engine, id, appended: through, receipt: None, waker: None };
        let flight = Self { place: IN_FLIGHT.with_borrow_mut(|all| all.insert(slip)) };
        let ticket = flight.ticket();
        (flight, ticket)
    }

    /// One more append, up to this place.
    pub(super) fn go_on(&self, through: Seq) -> Ticket {
        self.with(|slip| slip.appended = through);
        self.ticket()
    }

    /// The receipt that came since this was asked last, and when.
    pub(super) fn take_receipt(&self) -> Option<(Receipt, Instant)> {
        self.with(|slip| slip.receipt.take())
    }

    /// Whether everything is durable when this is.
    pub(super) fn ends_at(&self, durable: Seq) -> bool {
        self.with(|slip| slip.appended <= durable)
    }

    /// Has this task woken by the next receipt.
    pub(super) fn await_receipt(&self, task: &Context<'_>) {
        self.with(|slip| {
            slip.waker.get_or_insert_with(|| task.waker().clone());
        });
    }

    fn ticket(&self) -> Ticket {
        Ticket(u32::try_from(self.place).unwrap_or(u32::MAX))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Slip) -> T) -> T {
        IN_FLIGHT.with_borrow_mut(|all| look(&mut all[self.place]))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let taken = IN_FLIGHT.try_with(|all| {
            let mut all = all.borrow_mut();
            let slip = all.try_remove(self.place);
            if all.is_empty() && all.capacity() > ROOM_KEPT {
                *all = Slab::with_capacity(ROOM_KEPT);
            }
            slip
        });
        // Only now, because the waker may be the last of its task. A thread that ends has no table.
        drop(taken);
    }
}

/// Hands out receipts of this engine on this thread. Whoever is not there any more has nothing that
/// waits.
pub(in crate::engine) fn hand_out(shared: &Arc<Shared>, confirmed: &[Confirmed]) {
    let (engine, now) = (key_of(shared), Instant::now());
    IN_FLIGHT.with_borrow_mut(|all| {
        for Confirmed { id, ticket, receipt } in confirmed {
            let place = usize::try_from(ticket.0).unwrap_or(usize::MAX);
            let slip = all.get_mut(place).filter(|slip| slip.id == *id && slip.engine == engine);
            let Some(slip) = slip else { continue };
            slip.receipt = Some((*receipt, now));
            if let Some(waker) = &slip.waker {
                waker.wake_by_ref();
            }
        }
    });
}

fn key_of(shared: &Arc<Shared>) -> usize {
    Arc::as_ptr(shared).addr()
}
