//! How conversations are erased: first from the archive, and then from the journal, whose note a
//! start goes on from. A crash in between leaves the journal's copy, whole.

use std::sync::{Arc, mpsc};

use rusqlite::OptionalExtension as _;

use crate::domain::id::ConversationId;
use crate::domain::settings::Disposal;
use crate::domain::time::Timestamp;
use crate::journal::record::Stream;
use crate::journal::sqlite::retention::{Worker, find};
use crate::journal::sqlite::schema;
use crate::journal::sqlite::writer::{Found, Order, TakeOut};
use crate::journal::{Erasure, Fault};
use crate::limits;

impl Worker {
    /// Erases these, or nothing while one of them is not closed.
    pub(super) fn erase(
        &mut self,
        ids: &[ConversationId],
        now: Timestamp,
    ) -> Result<Erasure, Fault> {
        self.progress.wait_for(self.progress.head())?;
        let (mut open, mut there) = (Vec::new(), Vec::new());
        for id in ids {
            match self.standing(*id)? {
                Some((_, false)) => open.push(*id),
                Some((seq, true)) => there.push((*id, seq)),
                None => {}
            }
        }
        if !open.is_empty() {
            return Ok(Erasure { erased: Vec::new(), open });
        }
        self.traces.leave(true).map_err(|error| Fault::Write(Arc::new(error)))?;
        let mut erased = self.erase_archived(ids)?;
        for part in parts(&there) {
            self.erase_closed(part, now)?;
            erased.extend(part.iter().map(|(id, _)| *id));
        }
        erased.sort_unstable();
        erased.dedup();
        // From now on every read sees this, too.
        self.progress.wait_for(self.progress.head())?;
        Ok(Erasure { erased, open })
    }

    /// How many events a conversation has, and whether it is closed; nothing when it is not in the
    /// journal.
    fn standing(&self, id: ConversationId) -> Result<Option<(usize, bool)>, Fault> {
        let sql = "SELECT seq, closed_at IS NOT NULL FROM conversations WHERE id = ?";
        let mut statement = self.chats.prepare_cached(sql)?;
        let found = statement.query_row([id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    }

    /// Takes these out of the archive, and says which were there.
    fn erase_archived(&mut self, ids: &[ConversationId]) -> Result<Vec<ConversationId>, Fault> {
        if self.archive.is_none() && !self.files.archive.exists() {
            return Ok(Vec::new());
        }
        let written = |error| Fault::Write(Arc::new(error));
        let (archive, _) = self.open_archive()?;
        let transaction = archive.unchecked_transaction().map_err(written)?;
        let mut erased = Vec::new();
        for id in ids {
            let sql = "DELETE FROM events WHERE stream = ?";
            let stream = Stream::Conversation(*id).name();
            if transaction.execute(sql, [stream]).map_err(written)? > 0 {
                erased.push(*id);
            }
        }
        transaction.commit().map_err(written)?;
        Ok(erased)
    }

    /// Takes closed conversations out of the journal in one transaction.
    fn erase_closed(&self, part: &[(ConversationId, usize)], now: Timestamp) -> Result<(), Fault> {
        for _ in 0..limits::ERASING_TRIES_MAX {
            self.progress.wait_for(self.progress.head())?;
            let transaction = self.chats.unchecked_transaction()?;
            let seen = schema::projected(&transaction)?;
            let mut conversations: Vec<Found> = Vec::with_capacity(part.len());
            for (id, seq) in part {
                let found = find(&transaction, &self.journal, &id.to_string(), *seq)?;
                conversations.push(found.map_err(|problem| Fault::Damaged {
                    place: format!("conversation {id}"),
                    problem,
                })?);
            }
            drop(transaction);
            let (done, answer) = mpsc::channel();
            let disposal = Disposal::Delete;
            let order = TakeOut { conversations, seen, disposal, at: now, done };
            drop(self.writer.send(Order::TakeOut(order)));
            if answer.recv().unwrap_or(Err(Fault::Closed))? == part.len() as u64 {
                return Ok(());
            }
        }
        let problem = "so much was written meanwhile that nothing could be taken out";
        Err(Fault::Write(Arc::new(std::io::Error::other(problem))))
    }
}

/// As many of these as one transaction takes out; a long conversation is a part of its own.
fn parts(there: &[(ConversationId, usize)]) -> impl Iterator<Item = &[(ConversationId, usize)]> {
    let mut left = there;
    std::iter::from_fn(move || {
        let mut events = 0;
        let fits = |(_, seq): &&(ConversationId, usize)| {
            events += seq;
            events <= limits::RETENTION_EVENTS_MAX
        };
        let many = left.iter().take_while(fits).count().clamp(1, left.len().max(1));
        let (part, rest) = left.split_at_checked(many)?;
        left = rest;
        Some(part)
    })
}
