//! How the journal's word reaches the conversations: one message for each thread and commit,
//! however many conversations it covers.

use std::sync::{Arc, OnceLock};

use actix::{Actor, Addr, Context, Handler, Message};

use crate::domain::decision::Receipt;
use crate::domain::id::ConversationId;
use crate::engine::message::ToConversation;
use crate::engine::shared::Shared;
use crate::journal::{Fault, Position, Receipts};

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

    #[expect(clippy::disallowed_methods, reason = "at most one parcel for each commit")]
    fn send(&self, outcomes: impl Iterator<Item = (ConversationId, Outcome)>) {
        let Some((shared, couriers)) = self.route.get() else { return };
        let mut parcels: Vec<Vec<_>> = couriers.iter().map(|_| Vec::new()).collect();
        for (id, outcome) in outcomes {
            parcels[shared.threads.number_of(id.shard())].push((id, outcome));
        }
        for (courier, parcel) in couriers.iter().zip(parcels) {
            if !parcel.is_empty() {
                courier.do_send(Parcel(parcel));
            }
        }
    }
}

impl Receipts for Router {
    fn durable(&self, receipts: Vec<(ConversationId, Receipt)>, position: Position) {
        if let Some((shared, _)) = self.route.get() {
            shared.metrics.journal_position.set(position.0);
        }
        self.send(receipts.into_iter().map(|(id, receipt)| (id, Outcome::Durable(receipt))));
    }

    fn failed(&self, conversations: Vec<ConversationId>, fault: Fault) {
        self.send(conversations.into_iter().map(|id| (id, Outcome::Lost(fault.clone()))));
    }
}

#[derive(Debug)]
enum Outcome {
    Durable(Receipt),
    Lost(Fault),
}

#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Parcel(Vec<(ConversationId, Outcome)>);

/// Hands receipts out on one thread.
#[derive(Debug)]
struct Courier {
    shared: Arc<Shared>,
}

impl Actor for Courier {
    type Context = Context<Self>;
}

impl Handler<Parcel> for Courier {
    type Result = ();

    fn handle(&mut self, Parcel(outcomes): Parcel, _: &mut Self::Context) {
        for (id, outcome) in outcomes {
            let directory = &self.shared.directory;
            // Whoever is not there any more has nothing that waits.
            match outcome {
                Outcome::Durable(receipt) => directory.tell_durable(id, receipt),
                Outcome::Lost(fault) => {
                    directory.tell_live(id, ToConversation::Lost(fault));
                }
            }
        }
    }
}
