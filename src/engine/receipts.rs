//! How the journal's word reaches the conversations: one message for each thread and commit,
//! however many conversations it covers.

use std::sync::{Arc, OnceLock};

use actix::Addr;

use crate::domain::id::ConversationId;
use crate::engine::owner::{Outcome, Owner};
use crate::engine::shared::Shared;
use crate::journal::{Confirmed, Fault, Position, Receipts};

/// Carries receipts from the journal's thread to the threads of the conversations.
#[derive(Debug, Default)]
pub(super) struct Router {
    route: OnceLock<(Arc<Shared>, Vec<Addr<Owner>>)>,
}

impl Router {
    /// Opens the way to the owner of each thread. Before this there is no conversation that could
    /// have appended anything.
    pub(super) fn open(&self, shared: Arc<Shared>, owners: Vec<Addr<Owner>>) {
        // Opened twice only by a mistake of ours, and then the first way is as good.
        let _first_wins = self.route.set((shared, owners));
    }

    #[expect(clippy::disallowed_methods, reason = "at most two messages for each commit")]
    fn send<T>(
        &self,
        outcomes: Vec<T>,
        id_of: impl Fn(&T) -> ConversationId,
        outcome_of: impl Fn(Vec<T>) -> Outcome,
    ) {
        let Some((shared, owners)) = self.route.get() else { return };
        let mut parts: Vec<Vec<T>> = owners.iter().map(|_| Vec::new()).collect();
        for outcome in outcomes {
            parts[shared.threads.number_of(id_of(&outcome).shard())].push(outcome);
        }
        for (owner, part) in owners.iter().zip(parts) {
            if !part.is_empty() {
                owner.do_send(outcome_of(part));
            }
        }
    }
}

impl Receipts for Router {
    fn durable(&self, confirmed: Vec<Confirmed>, position: Position) {
        if let Some((shared, _)) = self.route.get() {
            shared.metrics.journal_position.set(position.0);
        }
        self.send(confirmed, |one| one.id, Outcome::Durable);
    }

    fn failed(&self, conversations: Vec<ConversationId>, fault: Fault) {
        self.send(conversations, |id| *id, |lost| Outcome::Lost(lost, fault.clone()));
    }
}
