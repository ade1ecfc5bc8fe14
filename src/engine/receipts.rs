//! How the journal's word reaches the conversations: one message for each thread and commit,
//! however many conversations it covers.

use std::sync::{Arc, OnceLock};

use actix::{Actor, Addr, Context, Handler, Message};

use crate::domain::id::ConversationId;
use crate::engine::alarms;
use crate::engine::conversation::flight;
use crate::engine::mailbox::Lost;
use crate::engine::rush;
use crate::engine::shared::Shared;
use crate::journal::{Confirmed, Fault, Position, Receipts};

/// Takes receipts from the journal's thread to those of the conversations.
#[derive(Debug, Default)]
pub(super) struct Router {
    route: OnceLock<(Arc<Shared>, Vec<Addr<Courier>>)>,
}

impl Router {
    /// Opens the way; before this there is nobody who could have appended anything.
    pub(super) fn open(&self, shared: Arc<Shared>) {
        let couriers = (0..shared.threads.count())
            .map(|thread| {
                let sharing = shared.clone();
                Courier::start_in_arbiter(&shared.threads.handle(thread), |_| Courier {
                    shared: sharing,
                })
            })
            .collect();
        // Opened twice only by a mistake of ours, and then the first way is as good.
        let _first_wins = self.route.set((shared, couriers));
    }

    #[expect(clippy::disallowed_methods, reason = "at most two parcels for each commit")]
    fn send<T>(
        &self,
        outcomes: Vec<T>,
        id_of: impl Fn(&T) -> ConversationId,
        parcel_of: impl Fn(Vec<T>) -> Parcel,
    ) {
        let Some((shared, couriers)) = self.route.get() else { return };
        let mut parts: Vec<Vec<T>> = couriers.iter().map(|_| Vec::new()).collect();
        for outcome in outcomes {
            parts[shared.threads.number_of(id_of(&outcome).shard())].push(outcome);
        }
        for (courier, part) in couriers.iter().zip(parts) {
            if !part.is_empty() {
                courier.do_send(parcel_of(part));
            }
        }
    }
}

impl Receipts for Router {
    fn durable(&self, confirmed: Vec<Confirmed>, position: Position) {
        if let Some((shared, _)) = self.route.get() {
            shared.metrics.journal_position.set(position.0);
        }
        self.send(confirmed, |one| one.id, Parcel::Durable);
    }

    fn failed(&self, conversations: Vec<ConversationId>, fault: Fault) {
        self.send(conversations, |id| *id, |lost| Parcel::Lost(lost, fault.clone()));
    }
}

/// What has become of appends, for the conversations of one thread.
#[derive(Debug, Message)]
#[rtype(result = "()")]
enum Parcel {
    Durable(Vec<Confirmed>),
    Lost(Vec<ConversationId>, Fault),
}

/// Hands receipts out on one thread.
#[derive(Debug)]
struct Courier {
    shared: Arc<Shared>,
}

impl Actor for Courier {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        let shared = self.shared.clone();
        alarms::rest_between_batches(move || shared.rest());
    }
}

impl Handler<Parcel> for Courier {
    type Result = ();

    fn handle(&mut self, parcel: Parcel, _: &mut Self::Context) {
        match parcel {
            Parcel::Durable(confirmed) => {
                rush::look(&self.shared);
                flight::hand_out(&self.shared, &confirmed);
            }
            Parcel::Lost(lost, fault) => {
                for id in lost {
                    // Whoever is not there any more has nothing that waits.
                    self.shared.directory.tell_lost(id, Lost(fault.clone()));
                }
            }
        }
    }
}
