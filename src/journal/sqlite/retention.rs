//! The thread that takes closed conversations out of the journal once their time is over.
//!
//! One step takes a few of them. If they are to be archived, their events are first written to
//! `archive.db` and synced. Then the writer deletes them from `journal.db` and notes it there, in
//! one transaction. The projector follows that note like any other record, and deletes them from
//! `chats.db`. A crash between two of these leaves a state that the next step continues from: an
//! archived event is known by its position, and archiving it again changes nothing.

mod erasure;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use crate::domain::id::ConversationId;
use crate::domain::settings::Disposal;
use crate::domain::time::Timestamp;
use crate::journal::record::Stream;
use crate::journal::sqlite::files::Files;
use crate::journal::sqlite::progress::Progress;
use crate::journal::sqlite::row::{self, Row};
use crate::journal::sqlite::schema;
use crate::journal::sqlite::scouring::Traces;
use crate::journal::sqlite::thread::spawn;
use crate::journal::sqlite::writer::{Found, Order, TakeOut};
use crate::journal::{Erasure, Fault, Retained, RetentionRule};
use crate::limits;

/// The thread.
pub(super) struct Retention {
    asked: Sender<Asked>,
    thread: JoinHandle<()>,
}

/// What is asked for, and who is answered.
enum Asked {
    /// A step by these rules.
    Step(Vec<RetentionRule>, Timestamp, oneshot::Sender<Result<Retained, Fault>>),
    /// To erase these.
    Erasure(Vec<ConversationId>, Timestamp, oneshot::Sender<Result<Erasure, Fault>>),
}

/// What the thread works with.
struct Worker {
    files: Files,
    journal: Connection,
    chats: Connection,
    /// Opened when it is first needed.
    archive: Option<Connection>,
    writer: Sender<Order>,
    /// Conversations that cannot be taken out, and are left alone until the next start.
    left: HashSet<String>,
    traces: Arc<Traces>,
    progress: Arc<Progress>,
}

/// Conversations that are to go.
struct Chosen {
    conversations: Vec<Found>,
    /// How far `chats.db` was when they were chosen.
    seen: u64,
    is_more: bool,
}

impl Retention {
    pub(super) fn open(
        files: &Files,
        writer: Sender<Order>,
        traces: Arc<Traces>,
        progress: Arc<Progress>,
    ) -> rusqlite::Result<Self> {
        let mut worker = Worker {
            files: files.clone(),
            journal: schema::open_for_reading(&files.journal)?,
            chats: schema::open_for_reading(&files.chats)?,
            archive: None,
            writer,
            left: HashSet::new(),
            traces,
            progress,
        };
        let (asked, orders) = mpsc::channel();
        let thread = spawn("journal-retention", move || {
            while let Ok(order) = orders.recv() {
                // The caller may have gone.
                match order {
                    Asked::Step(rules, now, answer) => {
                        drop(answer.send(worker.take_step(&rules, now)));
                    }
                    Asked::Erasure(ids, now, answer) => {
                        drop(answer.send(worker.erase(&ids, now)));
                    }
                }
            }
        });
        Ok(Self { asked, thread })
    }

    /// Asks for a step. The answer is lost if the journal is closed meanwhile.
    pub(super) fn step(
        &self,
        rules: Vec<RetentionRule>,
        now: Timestamp,
    ) -> oneshot::Receiver<Result<Retained, Fault>> {
        let (answer, answered) = oneshot::channel();
        drop(self.asked.send(Asked::Step(rules, now, answer)));
        answered
    }

    /// Asks for these to be erased. The answer is lost in the same case.
    pub(super) fn erase(
        &self,
        ids: Vec<ConversationId>,
        now: Timestamp,
    ) -> oneshot::Receiver<Result<Erasure, Fault>> {
        let (answer, answered) = oneshot::channel();
        drop(self.asked.send(Asked::Erasure(ids, now, answer)));
        answered
    }

    /// Finishes what was asked for, and stops.
    pub(super) fn close(self) {
        drop(self.asked);
        if self.thread.join().is_err() {
            tracing::error!("the thread of the retention had panicked");
        }
    }
}

impl Worker {
    /// Takes a step for the first rule that has something to do.
    fn take_step(&mut self, rules: &[RetentionRule], now: Timestamp) -> Result<Retained, Fault> {
        for rule in rules {
            let chosen = self.choose(rule, now)?;
            let Chosen { conversations, seen, is_more } = chosen;
            if conversations.is_empty() {
                continue;
            }
            let disposal = rule.retention.then;
            self.traces.leave(false).map_err(|error| Fault::Write(Arc::new(error)))?;
            if disposal == Disposal::Archive {
                self.archive(&conversations)?;
            }
            let (done, answer) = mpsc::channel();
            let order = TakeOut { conversations, seen, disposal, at: now, done };
            drop(self.writer.send(Order::TakeOut(order)));
            let taken = answer.recv().unwrap_or(Err(Fault::Closed))?;
            let (archived, deleted) = match disposal {
                Disposal::Archive => (taken, 0),
                Disposal::Delete => (0, taken),
            };
            // Another rule may have something to do, too.
            return Ok(Retained { archived, deleted, is_more: is_more || rules.len() > 1 });
        }
        Ok(Retained::default())
    }

    /// The conversations that have been closed for the longest, as many as one step takes.
    fn choose(&mut self, rule: &RetentionRule, now: Timestamp) -> Result<Chosen, Fault> {
        let age = i64::try_from(rule.retention.after().as_millis()).unwrap_or(i64::MAX);
        let before = now.as_millis().saturating_sub(age);
        // What was taken out before must have left `chats.db`, too, or it would look damaged.
        self.progress.wait_for(self.progress.head())?;
        // All reads are of the same moment.
        let transaction = self.chats.unchecked_transaction()?;
        let seen = schema::projected(&transaction)?;
        let mut statement = transaction.prepare_cached(
            "SELECT id, seq FROM conversations WHERE workstream = ? AND closed_at <= ?
             ORDER BY closed_at LIMIT ?",
        )?;
        let most = limits::RETENTION_CONVERSATIONS_MAX + self.left.len() + 1;
        let mut rows = statement.query(params![rule.workstream.as_str(), before, most])?;
        let mut chosen = Chosen { conversations: Vec::new(), seen, is_more: false };
        let mut events = 0;
        while let Some(row) = rows.next()? {
            let (id, seq): (String, usize) = (row.get(0)?, row.get(1)?);
            if self.left.contains(&id) {
                continue;
            }
            let is_full = events + seq > limits::RETENTION_EVENTS_MAX
                || chosen.conversations.len() == limits::RETENTION_CONVERSATIONS_MAX;
            // A long conversation is a step of its own.
            if is_full && !chosen.conversations.is_empty() {
                chosen.is_more = true;
                break;
            }
            match find(&transaction, &self.journal, &id, seq)? {
                Ok(found) => chosen.conversations.push(found),
                Err(problem) => {
                    tracing::error!(id, problem, "conversation {id} is damaged, and kept");
                    self.left.insert(id);
                }
            }
            events += seq;
        }
        Ok(chosen)
    }

    /// Writes the events of these conversations to the archive, and syncs it.
    fn archive(&mut self, conversations: &[Found]) -> Result<(), Fault> {
        let (archive, journal) = self.open_archive()?;
        let transaction = archive.unchecked_transaction()?;
        let mut insert = transaction.prepare_cached(
            "INSERT INTO events (position, stream, seq, at, kind, body, checksum)
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )?;
        let places = conversations.iter().flat_map(|found| {
            let stream = Stream::Conversation(found.conversation).name();
            found.rows.iter().map(move |position| (*position, stream.clone()))
        });
        for (position, stream) in places {
            let Some(row) = row_at(journal, position, &stream)? else { continue };
            let Row { position, stream, seq, at, kind, body, checksum } = row;
            insert.execute(params![position, stream, seq, at.as_millis(), kind, body, checksum])?;
        }
        drop(insert);
        transaction.commit()?;
        // The log of the archive is carried over here, because nobody else opens it.
        archive.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
        Ok(())
    }

    /// The archive, which is made if it is not there.
    fn open_archive(&mut self) -> Result<(&Connection, &Connection), Fault> {
        let archive = match self.archive.take() {
            Some(archive) => archive,
            None => {
                schema::open_archive(&self.files).map_err(|fault| Fault::Write(Arc::new(fault)))?
            }
        };
        Ok((self.archive.insert(archive), &self.journal))
    }
}

/// The rows that hold all events of a conversation, or why they cannot all be found whole.
fn find(
    chats: &Connection,
    journal: &Connection,
    id: &str,
    seq: usize,
) -> Result<Result<Found, String>, Fault> {
    let Ok(conversation) = id.parse::<ConversationId>() else {
        return Ok(Err("its id is malformed".to_owned()));
    };
    let sql = "SELECT position FROM timeline WHERE conversation = ? ORDER BY seq";
    let mut statement = chats.prepare_cached(sql)?;
    let places = statement.query_map([id], |row| row.get(0))?;
    let places = places.collect::<rusqlite::Result<Vec<u64>>>()?;
    if places.len() != seq {
        return Ok(Err(format!(
            "its last event is number {seq}, but so many are in chats.db: {}",
            places.len()
        )));
    }
    let stream = Stream::Conversation(conversation).name();
    let mut rows = Vec::with_capacity(places.len());
    let mut found = 0;
    while let Some(position) = places.get(found) {
        let row = row_at(journal, *position, &stream)?;
        let parts = row.as_ref().and_then(|row| row.parts().ok()).unwrap_or_default();
        let are_they = parts.iter().enumerate().all(|(index, part)| {
            let place = found + index;
            part.seq as usize == place + 1 && places.get(place) == Some(&part.position)
        });
        if parts.is_empty() || !are_they {
            return Ok(Err(format!("its event {} is not in journal.db as it was", found + 1)));
        }
        rows.push(*position);
        found += parts.len();
    }
    Ok(Ok(Found { conversation, rows, events: seq as u64 }))
}

/// What a conversation has at a position as a row of its own, if the row that holds it is whole.
fn row_at(journal: &Connection, position: u64, stream: &str) -> Result<Option<Row>, Fault> {
    let row = row::at_or_before(journal, position)?.filter(Row::is_whole);
    // A row that cannot be read counts as absent.
    let unfolded = row.and_then(|row| row.unfolded().ok()).unwrap_or_default();
    let is_it = |row: &Row| row.position == position && row.stream == stream;
    Ok(unfolded.into_iter().find(is_it))
}
