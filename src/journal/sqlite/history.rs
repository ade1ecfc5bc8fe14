//! What a data directory tells about the past, read from outside: beside a running server, or
//! after one.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::domain::conversation::event::Recorded;
use crate::domain::id::{ConversationId, Seq};
use crate::domain::settings::registry::Registry;
use crate::domain::time::Timestamp;
use crate::journal::Fault;
use crate::journal::record::Entry;
use crate::journal::sqlite::schema::{self, CHATS_VERSION, Files, JOURNAL_VERSION};
use crate::journal::sqlite::{OpenFault, reader, recovery};

/// The past of a data directory. It changes nothing, and takes no lock that a server would wait
/// for. What it tells is as of the moment at which it was opened.
#[derive(Debug)]
pub struct History {
    journal: Connection,
    /// Nothing when there is none, or one of another release; then the journal is read for all.
    chats: Option<Connection>,
    /// Up to where `chats` tells it.
    projected: u64,
    head: u64,
}

impl History {
    /// Opens a data directory for reading. Nothing is made that is not there.
    pub fn open(dir: &Path) -> Result<Self, OpenFault> {
        let files = Files::of(dir);
        let missing = |source| OpenFault::Directory { path: files.journal.clone(), source };
        std::fs::metadata(&files.journal).map_err(missing)?;
        let in_journal = |source| OpenFault::at(&files.journal, source);
        let journal = schema::open_for_reading(&files.journal).map_err(in_journal)?;
        let found = schema::user_version(&journal, &files.journal)?;
        if found > JOURNAL_VERSION {
            let (file, known) = (files.journal, JOURNAL_VERSION);
            return Err(OpenFault::FromTheFuture { file, found, known });
        }
        let chats = open_chats(&files)?;
        // From here on everything is read as of one moment: first what follows, then the truth.
        for connection in chats.iter().chain([&journal]) {
            connection.execute_batch("BEGIN").map_err(Fault::from)?;
        }
        let projected = match &chats {
            Some(chats) => schema::projected(chats).map_err(Fault::from)?,
            None => 0,
        };
        let head = schema::head(&journal).map_err(in_journal)?;
        Ok(Self { journal, chats, projected, head })
    }

    /// Everything that happened in a conversation, in order; empty when there is none.
    pub fn conversation(&self, id: ConversationId) -> Result<Vec<Recorded>, Fault> {
        let mut history = Vec::new();
        if let Some(chats) = &self.chats {
            let sql = "SELECT seq, at, kind, body FROM timeline
                 WHERE conversation = ? AND position <= ? ORDER BY seq";
            let mut statement = chats.prepare_cached(sql)?;
            let mut rows = statement.query(params![id.to_string(), self.projected])?;
            while let Some(row) = rows.next()? {
                history.push(reader::recorded(row, id, 0)?);
            }
        }
        let sql = "SELECT seq, at, kind, body, position FROM events
             WHERE position > ? AND position <= ? AND stream = ? ORDER BY position";
        let mut statement = self.journal.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.projected, self.head, id.to_string()])?;
        while let Some(row) = rows.next()? {
            history.push(from_journal(row)?);
        }
        Ok(history)
    }

    /// Visits every conversation that began at `since` or later, each with everything that
    /// happened in it, in no order.
    pub fn each(
        &self,
        since: Timestamp,
        mut visit: impl FnMut(ConversationId, Vec<Recorded>),
    ) -> Result<(), Fault> {
        let mut later = self.not_projected()?;
        let mut give = |id: ConversationId, mut history: Vec<Recorded>| {
            history.extend(later.remove(&id).unwrap_or_default());
            if history.first().is_some_and(|first| first.at >= since) {
                visit(id, history);
            }
        };
        if let Some(chats) = &self.chats {
            let sql = "SELECT t.seq, t.at, t.kind, t.body, t.conversation
                 FROM conversations c CROSS JOIN timeline t
                 WHERE c.started_at >= ? AND t.conversation = c.id AND t.position <= ?
                 ORDER BY c.number, t.seq";
            let mut statement = chats.prepare(sql)?;
            let mut rows = statement.query(params![since.as_millis(), self.projected])?;
            let mut current: Option<(ConversationId, Vec<Recorded>)> = None;
            while let Some(row) = rows.next()? {
                let id = stream(row.get(4)?)?;
                let recorded = reader::recorded(row, id, 0)?;
                match &mut current {
                    Some((known, history)) if *known == id => history.push(recorded),
                    _ => {
                        if let Some((known, history)) = current.replace((id, vec![recorded])) {
                            give(known, history);
                        }
                    }
                }
            }
            if let Some((known, history)) = current {
                give(known, history);
            }
        }
        // What remains began after the projection, or before `since` and goes on.
        for (id, history) in later {
            if history
                .first()
                .is_some_and(|first| first.seq == Seq::ZERO.next() && first.at >= since)
            {
                visit(id, history);
            }
        }
        Ok(())
    }

    /// The settings in force at the end.
    pub fn settings(&self) -> Result<Registry, Fault> {
        let mut registry = match &self.chats {
            Some(chats) => recovery::settings(chats)?,
            None => Registry::default(),
        };
        let sql = "SELECT kind, body, position FROM events
             WHERE position > ? AND position <= ? AND stream = 'settings' ORDER BY position";
        let mut statement = self.journal.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.projected, self.head])?;
        while let Some(row) = rows.next()? {
            let (kind, body): (String, String) = (row.get(0)?, row.get(1)?);
            let entry = Entry::read(&kind, &body).map_err(|error| damaged(row, 2, &error.0))?;
            if let Entry::Setting(change) = entry {
                registry.apply(change);
            }
        }
        Ok(registry)
    }

    /// The time of the last event; nothing when nothing has happened.
    pub fn latest(&self) -> Result<Option<Timestamp>, Fault> {
        let sql = "SELECT at FROM events WHERE position <= ? ORDER BY position DESC LIMIT 1";
        let at = self.journal.query_row(sql, [self.head], |row| row.get(0)).optional()?;
        Ok(at.map(Timestamp::from_millis))
    }

    /// What stands in the journal only.
    fn not_projected(&self) -> Result<HashMap<ConversationId, Vec<Recorded>>, Fault> {
        let sql = "SELECT seq, at, kind, body, position, stream FROM events
             WHERE position > ? AND position <= ? AND seq > 0 ORDER BY position";
        let mut statement = self.journal.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.projected, self.head])?;
        let mut later: HashMap<ConversationId, Vec<Recorded>> = HashMap::new();
        while let Some(row) = rows.next()? {
            later.entry(stream(row.get(5)?)?).or_default().push(from_journal(row)?);
        }
        Ok(later)
    }
}

fn open_chats(files: &Files) -> Result<Option<Connection>, OpenFault> {
    if !files.chats.exists() {
        return Ok(None);
    }
    let in_chats = |source| OpenFault::at(&files.chats, source);
    let chats = schema::open_for_reading(&files.chats).map_err(in_chats)?;
    Ok((schema::user_version(&chats, &files.chats)? == CHATS_VERSION).then_some(chats))
}

/// The event in the columns `seq`, `at`, `kind`, `body` and `position`.
fn from_journal(row: &Row<'_>) -> Result<Recorded, Fault> {
    let (kind, body): (String, String) = (row.get(2)?, row.get(3)?);
    let event = Entry::read_event(&kind, &body).map_err(|error| damaged(row, 4, &error.0))?;
    Ok(Recorded { seq: Seq::new(row.get(0)?), at: Timestamp::from_millis(row.get(1)?), event })
}

fn stream(id: String) -> Result<ConversationId, Fault> {
    let place = || format!("the stream {id}");
    id.parse::<ConversationId>()
        .map_err(|error| Fault::Damaged { place: place(), problem: error.to_string() })
}

fn damaged(row: &Row<'_>, position: usize, problem: &str) -> Fault {
    let place = row.get::<_, u64>(position).map_or_else(
        |_| "journal.db".to_owned(),
        |position| format!("journal.db, position {position}"),
    );
    Fault::Damaged { place, problem: problem.to_owned() }
}
