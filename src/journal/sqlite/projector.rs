//! The one thread that writes `chats.db`: it follows the journal by position and applies each
//! event with the domain's own `apply`. Its position is stored in the same transaction, so that
//! every event is projected exactly once.

mod cache;
mod event;
mod rows;

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::domain::conversation::Conversation;
use crate::domain::id::ConversationId;
use crate::domain::settings::registry::{Registry, SettingChange};
use crate::domain::time::Timestamp;
use crate::journal::Fault;
use crate::journal::record::{Entry, Stream, TakenOut, Unreadable};
use crate::journal::snapshot::Names;
use crate::journal::sqlite::checkpoint::{Bound, Turn};
use crate::journal::sqlite::damage::{self, Damage};
use crate::journal::sqlite::progress::Progress;
use crate::journal::sqlite::projector::cache::Decoded;
use crate::journal::sqlite::projector::event::Told;
use crate::journal::sqlite::reader;
use crate::journal::sqlite::row::{self, Row};
use crate::limits;

/// Follows the journal.
pub(super) struct Projector {
    journal: Connection,
    chats: Connection,
    decoded: Decoded,
    /// The texts that conversations have in common.
    names: Names,
    registry: Registry,
    position: u64,
    /// The log of `chats.db`.
    log: Bound,
}

/// What a batch of rows says, with the events by conversation: neighbours in the timeline.
#[derive(Default)]
struct Batch {
    events: BTreeMap<ConversationId, Vec<Told>>,
    others: Vec<(Stream, Timestamp, Entry)>,
    /// The last position in it.
    end: u64,
}

const ROWS: &str = "SELECT position, stream, seq, at, kind, body, checksum FROM events
     WHERE position > ? AND position <= ? ORDER BY position LIMIT ?";

impl Projector {
    pub(super) fn new(
        journal: Connection,
        chats: Connection,
        registry: Registry,
        position: u64,
        turn: Turn,
    ) -> Self {
        let log = Bound::new(turn, limits::LOG_PAGES_MAX);
        Self {
            journal,
            chats,
            decoded: Decoded::new(),
            names: Names::default(),
            registry,
            position,
            log,
        }
    }

    /// The settings as they were at the position that was projected last.
    pub(super) const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The connection that it writes with.
    pub(super) const fn chats(&self) -> &Connection {
        &self.chats
    }

    /// Projects whatever becomes durable, until nothing more will.
    pub(super) fn run(mut self, progress: &Progress, damage: &Damage) {
        // However this ends, nobody must wait for it any longer.
        let _ended = Ended(progress);
        while progress.wait_for_more() {
            progress.stand_back();
            match self.project(progress.head()) {
                Ok(position) => progress.set_projected(position),
                Err(fault) => {
                    tracing::error!(%fault, "chats.db cannot follow the journal");
                    damage.note(&fault);
                    progress.set_fault(fault);
                    let pause = Duration::from_millis(limits::WRITE_AGAIN_MS);
                    if progress.pause(pause) {
                        // The projection goes on from here at the next start.
                        return;
                    }
                }
            }
        }
    }

    /// Projects everything up to `durable`.
    pub(super) fn catch_up(&mut self, durable: u64) -> Result<(), Fault> {
        while self.position < durable {
            self.project(durable)?;
        }
        Ok(())
    }

    /// Projects the next batch, and says up to where.
    fn project(&mut self, durable: u64) -> Result<u64, Fault> {
        let rows = self.rows(durable)?;
        if rows.is_empty() {
            let place = format!("journal.db, positions {} to {durable}", self.position + 1);
            return Err(Fault::Damaged { place, problem: "no rows are there".to_owned() });
        }
        let batch = Batch::read(rows)?;
        let last = batch.end;
        let registry = (!batch.others.is_empty()).then(|| self.registry.clone());
        match self.write(batch) {
            Ok(touched) => {
                for conversation in touched {
                    self.decoded.keep(conversation);
                }
                self.position = last;
                self.log.keep(&self.chats);
                Ok(last)
            }
            Err(fault) => {
                self.registry = registry.unwrap_or_else(|| std::mem::take(&mut self.registry));
                Err(fault)
            }
        }
    }

    fn rows(&self, durable: u64) -> Result<Vec<Row>, Fault> {
        let read = || {
            let mut statement = self.journal.prepare_cached(ROWS)?;
            let most = limits::PROJECTION_EVENTS_MAX;
            let mut found = statement.query((self.position, durable, most))?;
            let mut rows: Vec<Row> = Vec::new();
            while let Some(row) = found.next()? {
                let row = Row::of(row)?;
                let first = rows.first().map_or(row.position, |first| first.position);
                let is_full = row.position - first >= most as u64;
                rows.push(row);
                if is_full {
                    break;
                }
            }
            Ok(rows)
        };
        read().map_err(|error| {
            if !damage::is_corruption(&error) {
                return error.into();
            }
            let place = format!("journal.db, after position {}", self.position);
            Fault::Damaged { place, problem: error.to_string() }
        })
    }

    /// Writes a batch in one transaction, and returns the conversations that it has changed.
    fn write(&mut self, batch: Batch) -> Result<Vec<Conversation>, Fault> {
        // Immediate, because SQLite does not wait for a lock where a reader becomes a writer: a
        // checkpoint at that moment would fail the batch as "locked".
        let behavior = TransactionBehavior::Immediate;
        let transaction = Transaction::new_unchecked(&self.chats, behavior)?;
        let mut touched = Vec::with_capacity(batch.events.len());
        for (id, events) in &batch.events {
            // Taken out of the cache, so that a transaction that fails leaves nothing behind.
            let before = match self.decoded.take(*id) {
                Some(conversation) => conversation,
                None => reader::load(&transaction, *id, &mut self.names)?
                    .unwrap_or_else(|| Conversation::new(*id)),
            };
            touched.push(rows::write_conversation(&transaction, before, events)?);
        }
        for (stream, at, entry) in batch.others {
            if let Entry::TakenOut(TakenOut { conversations, .. }) = &entry {
                for id in conversations {
                    self.decoded.take(*id);
                    rows::delete_conversation(&transaction, *id)?;
                }
                continue;
            }
            write_other(&transaction, &mut self.registry, &stream, at, entry)?;
        }
        rows::write_position(&transaction, batch.end)?;
        transaction.commit()?;
        Ok(touched)
    }
}

/// Tells the callers that wait for the projection that it has ended.
struct Ended<'a>(&'a Progress);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.set_fault(Fault::Closed);
    }
}

fn write_other(
    transaction: &Transaction<'_>,
    registry: &mut Registry,
    stream: &Stream,
    at: Timestamp,
    entry: Entry,
) -> Result<(), Fault> {
    match (stream, entry) {
        (Stream::Agent(agent), Entry::Presence(presence, by)) => {
            Ok(rows::write_presence(transaction, agent, presence, by.as_ref(), at)?)
        }
        (Stream::Settings, Entry::Setting(change, _)) => {
            Ok(write_setting(transaction, registry, &change)?)
        }
        (stream, _) => Err(Fault::Damaged {
            place: format!("journal.db, stream {}", stream.name()),
            problem: "a record of another stream stands there".to_owned(),
        }),
    }
}

fn write_setting(
    transaction: &Transaction<'_>,
    registry: &mut Registry,
    change: &SettingChange,
) -> rusqlite::Result<()> {
    let before = registry.clone();
    registry.apply(change.clone());
    rows::write_setting(transaction, change, &before, registry)
}

impl Batch {
    fn read(rows: Vec<Row>) -> Result<Self, Fault> {
        let mut batch = Self::default();
        for row in rows {
            let row = row.verified()?;
            batch.end = row.end()?;
            let position = row.position;
            let unfolded = row.unfolded().map_err(|error| row::damaged(position, &error.0))?;
            for row in unfolded {
                batch.take(&row)?;
            }
        }
        Ok(batch)
    }

    fn take(&mut self, row: &Row) -> Result<(), Fault> {
        let damaged = |error: Unreadable| row.damaged(&error.0);
        match Stream::read(&row.stream).map_err(damaged)? {
            Stream::Conversation(id) => self.events.entry(id).or_default().extend(Told::of(row)?),
            stream => {
                let entry = Entry::read(&row.kind, &row.body).map_err(damaged)?;
                self.others.push((stream, row.at, entry));
            }
        }
        Ok(())
    }
}
