//! What conversations of a thread have given to the journal and have no receipt for, and how
//! receipts reach them.
//!
//! ```text
//!   append ──> in flight, by its place ──parcel of receipts──> filled in, its task woken ──> gate
//! ```
//!
//! Receipts are as frequent as appends, and a million may come at once when a million windows end
//! at one moment. So they pass through no mailbox, and neither the directory nor a map is asked:
//! each thread has a table of its conversations that wait, few at any moment, and the ticket that
//! came with the append is the place in it.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Waker};

use slab::Slab;
use tokio::time::Instant;

use crate::clock;
use crate::domain::decision::Receipt;
use crate::domain::id::{ConversationId, Seq};
use crate::journal::{Confirmed, Ticket};
use crate::limits;

/// The table of one thread.
#[derive(Debug, Default)]
pub(super) struct Flights(RefCell<Slab<InFlight>>);

/// The appends of one conversation that are in flight. Dropped, it hears of nothing any more.
#[derive(Debug)]
pub(in crate::engine) struct Flight {
    flights: Rc<Flights>,
    place: u32,
}

/// What its conversation and the one who hands out receipts have in common.
#[derive(Debug)]
struct InFlight {
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
    pub(super) fn begin(flights: &Rc<Flights>, id: ConversationId, through: Seq) -> (Self, Ticket) {
        let in_flight = InFlight { id, appended: through, receipt: None, waker: None };
        let place = flights.0.borrow_mut().insert(in_flight);
        let place = u32::try_from(place).unwrap_or_else(|_| unreachable!("memory ends earlier"));
        (Self { flights: Rc::clone(flights), place }, Ticket(place))
    }

    /// One more append, up to this place.
    pub(in crate::engine) fn go_on(&self, through: Seq) -> Ticket {
        self.with(|found| found.appended = through);
        Ticket(self.place)
    }

    /// The receipt that came since this was asked last, and when.
    pub(in crate::engine) fn take_receipt(&self) -> Option<(Receipt, Instant)> {
        self.with(|found| found.receipt.take())
    }

    /// Whether everything is durable when this is.
    pub(in crate::engine) fn ends_at(&self, durable: Seq) -> bool {
        self.with(|found| found.appended <= durable)
    }

    /// Has this task woken by the next receipt.
    pub(in crate::engine) fn await_receipt(&self, task: &Context<'_>) {
        self.with(|found| {
            found.waker.get_or_insert_with(|| task.waker().clone());
        });
    }

    fn with<T>(&self, look: impl FnOnce(&mut InFlight) -> T) -> T {
        look(&mut self.flights.0.borrow_mut()[index(self.place)])
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // Dropped only after the borrow ends, because the waker may be the last of its task.
        drop(self.flights.remove(self.place));
    }
}

impl Flights {
    fn remove(&self, place: u32) -> Option<InFlight> {
        let mut in_flight = self.0.borrow_mut();
        let found = in_flight.try_remove(index(place));
        if in_flight.is_empty() && in_flight.capacity() > limits::FLIGHTS_ROOM_KEPT {
            *in_flight = Slab::with_capacity(limits::FLIGHTS_ROOM_KEPT);
        }
        found
    }

    /// Hands out receipts. Whoever is not there any more has nothing that waits.
    pub(super) fn hand_out(&self, confirmed: &[Confirmed]) {
        let (now, mut in_flight) = (clock::reading(), self.0.borrow_mut());
        for Confirmed { id, ticket, receipt } in confirmed {
            let found = in_flight.get_mut(index(ticket.0)).filter(|found| found.id == *id);
            let Some(found) = found else { continue };
            found.receipt = Some((*receipt, now));
            if let Some(waker) = &found.waker {
                waker.wake_by_ref();
            }
        }
    }
}

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}
