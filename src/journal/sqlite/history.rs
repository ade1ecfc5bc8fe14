//! What a data directory tells about the past, read from outside: beside a running server, or
//! after one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::conversation::event::{Event, Recorded};
use crate::domain::id::{ConversationId, Seq, VisitorId};
use crate::domain::settings::registry::Registry;
use crate::domain::time::Timestamp;
use crate::journal::record::{Entry, Stream};
use crate::journal::sqlite::files::Files;
use crate::journal::sqlite::open_fault::OpenFault;
use crate::journal::sqlite::row::{self, Row as StoredRow};
use crate::journal::sqlite::schema::{self, CHATS_VERSION, Kind};
use crate::journal::sqlite::{directory, lock, personal_data, reader, recovery};
use crate::journal::{Fault, KeptEvent, Which, page};
use crate::limits;

/// The past of a data directory. It changes nothing, and takes no lock that a server would wait
/// for. What it tells is as of the moment at which it was opened.
#[derive(Debug)]
pub struct History {
    journal: Connection,
    /// Nothing when there is none, one of another release, or one that was changed; then everything
    /// is read from the journal.
    chats: Option<Connection>,
    /// The archive: conversations that were moved out of the other two.
    archive: Option<Connection>,
    /// The position up to which `chats` holds the journal.
    projected: u64,
    head: u64,
    end: End,
    /// Conversations that are still in `chats`, and no longer in the journal.
    taken_out: HashSet<ConversationId>,
}

/// Up to when what is stored is all that has happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// Until now: a server uses the directory.
    Running,
    /// Until the last server has stopped.
    Stopped(Timestamp),
    /// Unknown, because the last server has not stopped well.
    Unknown,
}

impl History {
    /// Opens a data directory for reading. Nothing is made that is not there.
    pub fn open(dir: &Path) -> Result<Self, OpenFault> {
        let files = Files::of(dir);
        directory::refuse_other_than_files(&files)?;
        let missing = |source| OpenFault::Directory { path: files.journal.clone(), source };
        std::fs::metadata(&files.journal).map_err(missing)?;
        let end = match lock::stopped_at(&files) {
            _ if lock::is_held(&files) => End::Running,
            Some(at) => End::Stopped(at),
            None => End::Unknown,
        };
        let journal = open(&files.journal, Kind::Journal)?;
        let journal = journal.ok_or_else(|| missing(io::ErrorKind::NotFound.into()))?;
        let (chats, archive) = (open_chats(&files)?, open(&files.archive, Kind::Archive)?);
        // From here on everything is read as of one moment: first `chats`, then what it follows.
        for connection in chats.iter().chain([&journal]) {
            connection.execute_batch("BEGIN").map_err(Fault::from)?;
        }
        let projected = match &chats {
            Some(chats) => schema::projected(chats).map_err(Fault::from)?,
            None => 0,
        };
        let head = row::head(row::last(&journal).map_err(Fault::from)?)?;
        let taken_out = HashSet::new();
        let mut history = Self { journal, chats, archive, projected, head, end, taken_out };
        history.find_taken_out()?;
        Ok(history)
    }

    /// Up to when what is stored is all that has happened.
    pub const fn end(&self) -> End {
        self.end
    }

    /// Everything that happened in a conversation, in order, but for the texts of its messages;
    /// empty when there is none.
    pub fn conversation(&self, id: ConversationId) -> Result<Vec<Recorded>, Fault> {
        self.told(id, page::without_text)
    }

    /// The same with the texts.
    pub fn kept(&self, id: ConversationId) -> Result<Vec<KeptEvent>, Fault> {
        self.told(id, |recorded| KeptEvent::from(&recorded))
    }

    fn told<T>(
        &self,
        id: ConversationId,
        tell: impl Fn(Recorded) -> T + Copy,
    ) -> Result<Vec<T>, Fault> {
        let mut history = Vec::new();
        let is_there = |_: &&Connection| !self.taken_out.contains(&id);
        if let Some(chats) = self.chats.as_ref().filter(is_there) {
            let sql = "SELECT seq, at, kind, body, position, checksum FROM timeline
                 WHERE conversation = ? AND position <= ? ORDER BY seq";
            let mut statement = chats.prepare_cached(sql)?;
            let mut rows = statement.query(params![id.to_string(), self.projected])?;
            while let Some(row) = rows.next()? {
                history.push(tell(reader::recorded(row, id, 0)?));
            }
        }
        let stream = id.to_string();
        self.each_not_projected("stream IN (?3, 'several')", &stream, |row| {
            if row.stream == stream {
                history.extend(row.recorded()?.into_iter().map(tell));
            }
            Ok(())
        })?;
        if history.is_empty()
            && let Some(archive) = &self.archive
        {
            let archived = personal_data::of_archived(archive, id, Seq::ZERO, usize::MAX)?;
            history.extend(archived.into_iter().map(tell));
        }
        Ok(history)
    }

    /// Every conversation of a visitor, in the order of their ids.
    pub fn of_visitor(&self, visitor: VisitorId) -> Result<BTreeSet<ConversationId>, Fault> {
        let (which, most) = (Which::InJournal, limits::EXPORTED_AT_ONCE);
        let mut found = BTreeSet::new();
        for is_archived in [false, true] {
            let mut after = None;
            loop {
                let part = match (is_archived, &self.chats, &self.archive) {
                    (false, Some(chats), _) => {
                        personal_data::in_chats(chats, visitor, which, after, most)?
                    }
                    (true, _, Some(archive)) => {
                        personal_data::in_archive(archive, visitor, after, most)?
                    }
                    _ => break,
                };
                let Some(last) = part.last() else { break };
                after = Some(*last);
                found.extend(
                    part.into_iter().filter(|id| is_archived || !self.taken_out.contains(id)),
                );
            }
        }
        self.each_not_projected("?3 = '' AND (seq = 1 OR stream = 'several')", "", |row| {
            if row.seq == 1
                && let Some(Event::ConversationStarted(opening)) =
                    row.recorded()?.into_iter().next().map(|first| first.event)
                && opening.visitor == visitor
            {
                found.insert(stream(&row.stream)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Finds what was taken out of the journal, as far as `chats.db` has not followed yet.
    fn find_taken_out(&mut self) -> Result<(), Fault> {
        let mut taken_out = HashSet::new();
        self.each_not_projected("stream = ?3", &Stream::Retention.name(), |row| {
            let entry = Entry::read(&row.kind, &row.body);
            if let Entry::TakenOut(taken) = entry.map_err(|error| row.damaged(&error.0))? {
                taken_out.extend(taken.conversations);
            }
            Ok(())
        })?;
        self.taken_out = taken_out;
        Ok(())
    }

    /// Visits every conversation that began at `since` or later, in no order, each with everything
    /// that happened in it but for the texts of its messages. Archived conversations are not
    /// visited.
    pub fn each(
        &self,
        since: Timestamp,
        mut visit: impl FnMut(ConversationId, Vec<Recorded>),
    ) -> Result<(), Fault> {
        let mut later: HashMap<ConversationId, Vec<Recorded>> = HashMap::new();
        self.each_not_projected("?3 = '' AND (seq > 0 OR stream = 'several')", "", |row| {
            let recorded = row.recorded()?.into_iter().map(page::without_text);
            later.entry(stream(&row.stream)?).or_default().extend(recorded);
            Ok(())
        })?;
        let mut give = |id: ConversationId, mut history: Vec<Recorded>| {
            history.extend(later.remove(&id).unwrap_or_default());
            visit(id, history);
        };
        if let Some(chats) = &self.chats {
            let sql = "SELECT t.seq, t.at, t.kind, t.body, t.position, t.checksum, t.conversation
                 FROM conversations c CROSS JOIN timeline t
                 WHERE c.started_at >= ? AND t.conversation = c.id AND t.position <= ?
                 ORDER BY c.number, t.seq";
            let mut statement = chats.prepare(sql)?;
            let mut rows = statement.query(params![since.as_millis(), self.projected])?;
            let mut current: Option<(ConversationId, Vec<Recorded>)> = None;
            while let Some(row) = rows.next()? {
                let id = stream(&row.get::<_, String>(6)?)?;
                let recorded = page::without_text(reader::recorded(row, id, 0)?);
                let finished = match &mut current {
                    Some((known, history)) if *known == id => {
                        history.push(recorded);
                        None
                    }
                    _ => current.replace((id, vec![recorded])),
                };
                if let Some((id, history)) = finished {
                    give(id, history);
                }
            }
            if let Some((id, history)) = current {
                give(id, history);
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
        self.each_not_projected("stream = ?3", "settings", |row| {
            let entry = Entry::read(&row.kind, &row.body);
            if let Entry::Setting(change, _) = entry.map_err(|error| row.damaged(&error.0))? {
                registry.apply(change);
            }
            Ok(())
        })?;
        Ok(registry)
    }

    /// The time of the last event; nothing when nothing has happened.
    pub fn latest(&self) -> Result<Option<Timestamp>, Fault> {
        let sql = "SELECT at FROM events WHERE position <= ? ORDER BY position DESC LIMIT 1";
        let at = self.journal.query_row(sql, [self.head], |row| row.get(0)).optional()?;
        Ok(at.map(Timestamp::from_millis))
    }

    /// Reads what stands in the journal only, from the rows that match `which`, the SQL condition,
    /// with `given`.
    fn each_not_projected(
        &self,
        which: &str,
        given: &str,
        mut take: impl FnMut(&StoredRow) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let columns = row::columns(&self.journal)?;
        let sql = format!(
            "SELECT {columns} FROM events
             WHERE position > ?1 AND position <= ?2 AND {which} ORDER BY position"
        );
        let mut statement = self.journal.prepare_cached(&sql)?;
        let mut rows = statement.query(params![self.projected, self.head, given])?;
        while let Some(row) = rows.next()? {
            let row = StoredRow::of(row)?.verified()?;
            let position = row.position;
            let unfolded = row.unfolded().map_err(|error| row::damaged(position, &error.0))?;
            unfolded.iter().try_for_each(&mut take)?;
        }
        Ok(())
    }
}

fn open_chats(files: &Files) -> Result<Option<Connection>, OpenFault> {
    if !files.chats.exists() {
        return Ok(None);
    }
    let at = |source| OpenFault::at(&files.chats, source);
    let chats = schema::open_for_reading(&files.chats).map_err(at)?;
    let is_known = schema::version(&chats).map_err(at)? == CHATS_VERSION
        && schema::differences(&chats, Kind::Chats).map_err(at)?.is_empty();
    Ok(is_known.then_some(chats))
}

/// Opens a database if it is there and this release can read it.
fn open(file: &Path, kind: Kind) -> Result<Option<Connection>, OpenFault> {
    if !file.exists() {
        return Ok(None);
    }
    let at = |source| OpenFault::at(file, source);
    let connection = schema::open_for_reading(file).map_err(at)?;
    let (found, known) = (schema::version(&connection).map_err(at)?, kind.version());
    if found > known {
        return Err(OpenFault::FromTheFuture { file: file.to_owned(), found, known });
    }
    if found > 0 {
        schema::refuse_differences(&connection, file, kind)?;
    }
    Ok(Some(connection))
}

fn stream(id: &str) -> Result<ConversationId, Fault> {
    id.parse::<ConversationId>().map_err(|error| Fault::Damaged {
        place: format!("the stream {id}"),
        problem: error.to_string(),
    })
}
