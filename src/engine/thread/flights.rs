//! What a thread's conversations have given to the journal and have no receipt for yet, and how
//! receipts reach them.
//!
//! ```text
//!   append ──> in flight, by its place ──parcel of receipts──> filled in, its task woken ──> gate
//! ```
//!
//! Receipts are as frequent as appends, and a million may come at once when a million windows end
//! at one moment. So they pass through no mailbox, and are looked up neither in the directory nor
//! in a map. Each thread has a table of its conversations that wait, few at any moment, and the
//! ticket that came with the append is the conversation's place in that table.

use std::cell::RefCell;
use std::num::NonZeroU32;
use std::task::{Context, Waker};
use std::time::Duration;

use slab::Slab;
use tokio::time::Instant;

use crate::clock;
use crate::domain::decision::Receipt;
use crate::domain::id::ConversationId;
use crate::journal::{Confirmed, Ticket};
use crate::limits;

/// The table of one thread.
#[derive(Debug, Default)]
pub(super) struct Flights(RefCell<Slab<InFlight>>);

/// The place of one conversation in the table, while it has appends in flight. The conversation's
/// actor gives it back.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Flight(NonZeroU32);

impl Flight {
    fn at(index: usize) -> Self {
        let number = u32::try_from(index).ok().and_then(|index| index.checked_add(1));
        let number = number.and_then(NonZeroU32::new);
        Self(number.unwrap_or_else(|| unreachable!("memory ends earlier")))
    }

    fn index(self) -> usize {
        index(self.ticket())
    }

    /// What the journal gives back with a receipt.
    pub(in crate::engine) const fn ticket(self) -> Ticket {
        Ticket(self.0.get() - 1)
    }
}

/// What a conversation and the handing out of receipts have in common.
#[derive(Debug)]
struct InFlight {
    /// Whose place it is: a later conversation may have it when a receipt comes.
    id: ConversationId,
    /// When the first append that is not confirmed yet was given to the journal. After a receipt
    /// for only a part it is when that came, which is later.
    since: Instant,
    /// The receipt that was not taken yet, and when it came.
    receipt: Option<(Receipt, Instant)>,
    waker: Option<Waker>,
}

impl Flights {
    /// A place for a conversation that has nothing in flight yet.
    pub(super) fn begin(&self, id: ConversationId) -> Flight {
        let in_flight = InFlight { id, since: clock::reading(), receipt: None, waker: None };
        Flight::at(self.0.borrow_mut().insert(in_flight))
    }

    /// The receipt that came since this was asked last, and how long the disk took for it.
    pub(super) fn take_receipt(&self, flight: Flight) -> Option<(Receipt, Duration)> {
        let in_flight = &mut self.0.borrow_mut()[flight.index()];
        let (receipt, at) = in_flight.receipt.take()?;
        let since = std::mem::replace(&mut in_flight.since, at);
        Some((receipt, at.saturating_duration_since(since)))
    }

    /// Has this task woken by the next receipt.
    pub(super) fn await_receipt(&self, flight: Flight, task: &Context<'_>) {
        let in_flight = &mut self.0.borrow_mut()[flight.index()];
        in_flight.waker.get_or_insert_with(|| task.waker().clone());
    }

    /// Takes a place back: its conversation gets no more receipts.
    pub(super) fn end(&self, flight: Flight) {
        // Dropped only after the borrow ends, because the waker may be the last of its task.
        drop(self.remove(flight));
    }

    fn remove(&self, flight: Flight) -> Option<InFlight> {
        let mut in_flight = self.0.borrow_mut();
        let found = in_flight.try_remove(flight.index());
        if in_flight.is_empty() && in_flight.capacity() > limits::FLIGHTS_ROOM_KEPT {
            *in_flight = Slab::with_capacity(limits::FLIGHTS_ROOM_KEPT);
        }
        found
    }

    /// Hands out receipts. A conversation that has left has nothing that waits.
    pub(super) fn hand_out(&self, confirmed: &[Confirmed]) {
        let (now, mut in_flight) = (clock::reading(), self.0.borrow_mut());
        for Confirmed { id, ticket, receipt } in confirmed {
            let found = in_flight.get_mut(index(*ticket)).filter(|found| found.id == *id);
            let Some(found) = found else { continue };
            found.receipt = Some((*receipt, now));
            if let Some(waker) = &found.waker {
                waker.wake_by_ref();
            }
        }
    }
}

fn index(ticket: Ticket) -> usize {
    usize::try_from(ticket.0).unwrap_or(usize::MAX)
}
