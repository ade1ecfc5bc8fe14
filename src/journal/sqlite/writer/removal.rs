//! What leaves the journal: whole conversations, and old entries of the audit stream.

use crate::domain::settings::Disposal;
use crate::domain::time::Timestamp;
use crate::journal::record::{Stream, TakenOut};
use crate::journal::sqlite::audit;
use crate::journal::sqlite::writer::Writer;
use crate::journal::sqlite::writer::order::{DropAudit, Found, TakeOut};
use crate::journal::sqlite::writer::rows::{self, TakeOutError};
use crate::journal::{Fault, Position};
use crate::limits;

impl Writer {
    pub(super) fn drop_audit(&mut self, order: DropAudit) {
        let DropAudit { before, at, done } = order;
        let dropped = match &self.broken {
            Some(fault) => Err(fault.clone()),
            None => audit::drop_old(&self.connection, &self.tail, before, at)
                .map_err(|error| self.broke(error)),
        };
        let has_dropped = dropped.map(|tail| {
            let has_dropped = tail.is_some();
            self.tail = tail.unwrap_or_else(|| std::mem::take(&mut self.tail));
            has_dropped
        });
        // The caller may have gone.
        drop(done.send(has_dropped));
    }

    pub(super) fn take_out(&mut self, order: TakeOut) {
        let TakeOut { conversations, seen, disposal, at, done } = order;
        let taken = self.try_take_out(conversations, seen, disposal, at);
        // The caller may have gone.
        drop(done.send(taken));
    }

    fn try_take_out(
        &mut self,
        mut conversations: Vec<Found>,
        seen: u64,
        disposal: Disposal,
        at: Timestamp,
    ) -> Result<u64, Fault> {
        if let Some(fault) = &self.broken {
            return Err(fault.clone());
        }
        // Later records must be looked through, and appends wait for that.
        if self.head.saturating_sub(seen) > limits::RETENTION_LAG_MAX {
            return Ok(0);
        }
        let later = rows::streams_after(&self.connection, seen);
        let later = later.map_err(|error| self.not_taken_out(error))?;
        conversations
            .retain(|found| !later.contains(&Stream::Conversation(found.conversation).name()));
        if conversations.is_empty() {
            return Ok(0);
        }
        let ids: Vec<_> = conversations.iter().map(|found| found.conversation).collect();
        let events = conversations.iter().map(|found| found.events).sum();
        let record = TakenOut { conversations: ids, events, disposal };
        let head = self.head + 1;
        let taken_out = rows::take_out(&self.connection, head, at, &conversations, &record);
        taken_out.map_err(|error| self.not_taken_out(error))?;
        self.head = head;
        record.conversations.iter().for_each(|id| self.continuity.forget(*id));
        self.progress.set_durable(head);
        self.receipts.durable(Vec::new(), Position(head));
        Ok(record.conversations.len() as u64)
    }

    /// What it means that conversations could not be taken out.
    fn not_taken_out(&mut self, error: TakeOutError) -> Fault {
        match error.fault() {
            Ok(fault) => {
                self.roll_back();
                fault
            }
            Err(error) => self.broke(error),
        }
    }
}
