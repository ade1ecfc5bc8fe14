//! Reads all of a table of events and tells everything that is wrong with it, each with its place.

use std::collections::HashMap;
use std::fmt;

use rusqlite::Connection;

use crate::domain::conversation::Conversation;
use crate::domain::conversation::event::Event;
use crate::domain::id::{ConversationId, Seq};
use crate::domain::time::Timestamp;
use crate::journal::record::{Entry, Stream, Unreadable};
use crate::journal::sqlite::row::{self, Part, Row};
use crate::journal::sqlite::schema::{self, Kind};
use crate::journal::{Fault, Position};
use crate::limits;

/// Something that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// Where: a file, and a position or a conversation in it.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, problem } = self;
        write!(formatter, "{place}: {problem}")
    }
}

/// The problems that were found.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    /// The first of them.
    pub told: Vec<Problem>,
    /// How many there are.
    pub count: u64,
}

impl Problems {
    pub(super) fn add(&mut self, place: impl Into<String>, problem: impl Into<String>) {
        self.count += 1;
        if self.told.len() < limits::PROBLEMS_TOLD_MAX {
            self.told.push(Problem { place: place.into(), problem: problem.into() });
        }
    }
}

/// What a table of events holds.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// How many records.
    pub events: u64,
    /// How many conversations.
    pub conversations: u64,
    /// The last position.
    pub head: Position,
    /// Whether the last row cannot be read, so that nobody can tell how far it reached.
    pub is_head_unknown: bool,
    /// The time of the last record.
    pub latest: Timestamp,
    /// Records from before there were checksums: only their form could be checked.
    pub without_checksum: u64,
}

/// What is known of a conversation while the journal is replayed.
enum Replayed {
    /// It has not been closed.
    Live(Box<Conversation>),
    /// It is closed, or one of its records cannot be read: only its places are followed.
    Through(Seq),
    /// Unknown, because nobody can tell how many events one of its rows holds.
    Unknown,
}

/// A conversation while the journal is replayed.
struct Followed {
    replayed: Replayed,
    /// How many shared rows were damaged before its last event. Any later one may have held more of
    /// its events.
    damaged: u64,
}

/// A replay of all records.
struct Replay<'a> {
    file: &'a str,
    problems: &'a mut Problems,
    contents: Contents,
    conversations: HashMap<ConversationId, Followed>,
    /// How many shared rows were damaged so far: nobody can tell for sure whose they were.
    damaged: u64,
    /// Positions that no record has.
    absent: u64,
    /// Whether more may be absent, behind rows whose reach is unknown.
    is_more_absent: bool,
    /// Records that the retention has taken out.
    taken_out: u64,
}

/// What SQLite finds wrong with the structure of a database.
pub(super) fn structure(connection: &Connection, file: &str, problems: &mut Problems) {
    let mut check = || {
        let mut statement = connection.prepare("PRAGMA integrity_check(100)")?;
        let rows = statement.query_map((), |row| row.get::<_, String>(0))?;
        for found in rows {
            match found? {
                found if found == "ok" => {}
                // SQLite tells several problems of one table in lines of one row.
                found => found.lines().for_each(|line| problems.add(file, line)),
            }
        }
        Ok(())
    };
    let checked: rusqlite::Result<()> = check();
    if let Err(error) = checked {
        problems.add(file, error.to_string());
    }
}

/// Reads and replays every record of `journal.db` or of a copy of it.
pub(super) fn journal(connection: &Connection, file: &str, problems: &mut Problems) -> Contents {
    let mut replay = Replay {
        file,
        problems,
        contents: Contents::default(),
        conversations: HashMap::new(),
        damaged: 0,
        absent: 0,
        is_more_absent: false,
        taken_out: 0,
    };
    each(connection, |row| match row {
        Ok(row) => replay.take(row),
        Err(error) => {
            let place = format!("{file}, after position {}", replay.contents.head.0);
            replay.problems.add(place, error.to_string());
        }
    });
    replay.finish()
}

/// Reads every record of an archive, which holds whole conversations, and each once.
pub(super) fn archive(connection: &Connection, file: &str, problems: &mut Problems) -> Contents {
    let mut contents = Contents::default();
    let mut seqs: HashMap<String, (u32, u32)> = HashMap::new();
    each(connection, |row| match row {
        Ok(row) => {
            let place = format!("{file}, position {}", row.position);
            if !row.is_whole() {
                problems.add(&place, row::MISMATCH);
            }
            if let Err(Fault::Damaged { problem, .. }) = row.recorded() {
                problems.add(&place, problem);
            }
            let parts = row.parts().map_or(1, |parts| parts.len());
            contents.note(&row, parts);
            let events = u32::try_from(parts).unwrap_or(u32::MAX);
            let (count, last) = seqs.entry(row.stream).or_default();
            let through = row.seq.saturating_add(events).saturating_sub(1);
            (*count, *last) = (count.saturating_add(events), through.max(*last));
        }
        Err(error) => {
            let place = format!("{file}, after position {}", contents.head.0);
            problems.add(place, error.to_string());
        }
    });
    contents.conversations = seqs.len() as u64;
    for (stream, (count, last)) in seqs {
        if count != last {
            let problem =
                format!("the last event is number {last}, but so many are there: {count}");
            problems.add(format!("{file}, conversation {stream}"), problem);
        }
    }
    contents
}

/// Reads row by row, and ends at the first that SQLite cannot read.
fn each(connection: &Connection, mut take: impl FnMut(rusqlite::Result<Row>)) {
    let mut read = || {
        let sql = format!("SELECT {} FROM events ORDER BY position", row::columns(connection)?);
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            take(Row::of(row));
        }
        Ok(())
    };
    let read: rusqlite::Result<()> = read();
    if let Err(error) = read {
        take(Err(error));
    }
}

impl Contents {
    /// Notes a row of so many events.
    fn note(&mut self, row: &Row, events: usize) {
        let events = events as u64;
        self.events += events;
        self.head = Position(row.position.saturating_add(events).saturating_sub(1));
        self.latest = self.latest.max(row.at);
        self.without_checksum += if row.checksum.is_none() { events } else { 0 };
    }
}

impl Replay<'_> {
    fn take(&mut self, row: Row) {
        if !row.is_shared() {
            return self.take_own(&row);
        }
        let (position, is_whole) = (row.position, row.is_whole());
        self.pass_to(position);
        match row.unfolded() {
            Ok(own) if is_whole => own.iter().for_each(|row| self.take_own(row)),
            unfolded => {
                // That the row is not what was written says more than what was misread from it.
                let problem = match &unfolded {
                    Err(error) if is_whole => error.0.as_str(),
                    _ => row::MISMATCH,
                };
                self.problems.add(format!("{}, position {position}", self.file), problem);
                self.take_damaged(position, &unfolded.unwrap_or_default());
            }
        }
    }

    /// Takes what can still be read of a damaged row that several share. The row may say anything,
    /// so what does not fit after it is no further problem.
    fn take_damaged(&mut self, position: u64, own: &[Row]) {
        self.damaged += 1;
        self.contents.head = Position(position);
        for row in own {
            self.contents.note(row, row.parts().map_or(1, |parts| parts.len()));
            if let Ok(Stream::Conversation(id)) = Stream::read(&row.stream) {
                self.forget(id);
            }
        }
        self.contents.is_head_unknown = true;
    }

    /// Takes a row that is not shared, or the part of one append in a shared row.
    fn take_own(&mut self, row: &Row) {
        self.pass_to(row.position);
        let parts = row.parts();
        self.contents.is_head_unknown = parts.is_err();
        self.contents.note(row, parts.as_ref().map_or(1, Vec::len));
        if let Err(problem) = self.read(row, parts) {
            self.problems.add(format!("{}, position {}", self.file, row.position), problem);
        }
    }

    /// Notes which positions up to this one no record has.
    fn pass_to(&mut self, position: u64) {
        if std::mem::replace(&mut self.contents.is_head_unknown, false) {
            self.is_more_absent = true;
        } else {
            self.absent += position.saturating_sub(self.contents.head.0 + 1);
        }
        self.contents.head = Position(position.saturating_sub(1));
    }

    /// Forgets the place of a conversation, because nobody can tell how many events it had. It is
    /// followed from its next event on.
    fn forget(&mut self, id: ConversationId) {
        let followed = Followed { replayed: Replayed::Unknown, damaged: self.damaged };
        self.conversations.insert(id, followed);
    }

    fn read(&mut self, row: &Row, parts: Result<Vec<Part<'_>>, Unreadable>) -> Result<(), String> {
        let stream = Stream::read(&row.stream).map_err(|error| error.0)?;
        let whole = if row.is_whole() { Ok(()) } else { Err(row::MISMATCH.to_owned()) };
        if let Stream::Conversation(id) = stream {
            let Ok(parts) = parts else {
                self.forget(id);
                return whole.and(parts.map(drop).map_err(|error| error.0));
            };
            let mut told = Ok(());
            for part in parts {
                let event = whole.clone().and_then(|()| part.event().map_err(|error| error.0));
                let continued = self.follow(id, part.seq, row.at, event.as_ref().ok());
                // What is wrong with the record itself says more, and one problem is enough.
                told = told.and(event.map(drop)).and(continued);
            }
            return told;
        }
        whole?;
        match (stream, Entry::read(&row.kind, &row.body).map_err(|error| error.0)?) {
            (Stream::Retention, Entry::TakenOut(taken)) => self.taken_out += taken.events,
            (Stream::Agent(_), Entry::Presence(..)) | (Stream::Settings, Entry::Setting(..)) => {}
            (stream, _) => {
                return Err(format!("a record of another stream stands in {}", stream.name()));
            }
        }
        Ok(())
    }

    /// Follows a conversation by one place, and applies its event if it can be read.
    fn follow(
        &mut self,
        id: ConversationId,
        seq: u32,
        at: Timestamp,
        event: Option<&Event>,
    ) -> Result<(), String> {
        let seq = Seq::new(seq);
        let begun =
            || Followed { replayed: Replayed::Live(Box::new(Conversation::new(id))), damaged: 0 };
        let Followed { replayed, damaged } = self.conversations.entry(id).or_insert_with(begun);
        let may_be_missing = std::mem::replace(damaged, self.damaged) < self.damaged;
        let last = match replayed {
            Replayed::Live(conversation) => conversation.seq(),
            Replayed::Through(seq) => *seq,
            Replayed::Unknown => {
                *replayed = Replayed::Through(seq);
                return Ok(());
            }
        };
        let continues = seq == last.next();
        match (&mut *replayed, event) {
            (Replayed::Live(conversation), Some(event)) if continues => {
                conversation.apply(event, at);
                if conversation.is_closed() {
                    *replayed = Replayed::Through(seq);
                }
            }
            _ => *replayed = Replayed::Through(seq),
        }
        if continues || (may_be_missing && seq > last) {
            return Ok(());
        }
        Err(format!("conversation {id} has the place {seq} after {last}"))
    }

    fn finish(mut self) -> Contents {
        let is_explained = self.is_more_absent && self.absent < self.taken_out;
        if self.absent != self.taken_out && !is_explained {
            let absent = match self.absent {
                1 => "1 record is absent".to_owned(),
                absent => format!("{absent} records are absent"),
            };
            let taken_out = self.taken_out;
            let problem = format!("{absent}, of which the retention has taken out {taken_out}");
            self.problems.add(self.file, problem);
        }
        self.contents.conversations = self.conversations.len() as u64;
        self.contents
    }
}

/// What stands in the schema of a database that Holdline has not made there.
pub(super) fn schema(connection: &Connection, file: &str, kind: Kind, problems: &mut Problems) {
    // Of another release's schema nothing is known; its version is told instead.
    if !schema::version(connection).is_ok_and(|found| (1..=kind.version()).contains(&found)) {
        return;
    }
    match schema::differences(connection, kind) {
        Ok(found) => found.into_iter().for_each(|difference| problems.add(file, difference)),
        Err(error) => problems.add(file, error.to_string()),
    }
}

/// Whether this release knows the version of a journal or of a copy of it.
pub(super) fn version(connection: &Connection, file: &str, problems: &mut Problems) {
    match schema::version(connection) {
        Ok(1..=schema::JOURNAL_VERSION) => {}
        Ok(0) => problems.add(file, "it is not a journal of Holdline"),
        Ok(found) => {
            let known = schema::JOURNAL_VERSION;
            let problem = format!("its version is {found}; this release knows up to {known}");
            problems.add(file, problem);
        }
        Err(error) => problems.add(file, error.to_string()),
    }
}
