//! What is kept of a visitor, and of a conversation that is archived.

use std::path::Path;

use rusqlite::{Connection, Row as Found, params};

use crate::domain::conversation::event::{Event, Recorded};
use crate::domain::id::{ConversationId, Seq, VisitorId};
use crate::journal::record::Stream;
use crate::journal::sqlite::row::{COLUMNS, Row};
use crate::journal::sqlite::schema;
use crate::journal::{Fault, Which, page};

/// Some of a visitor's conversations in `chats.db`, in the order of their ids.
pub(super) fn in_chats(
    chats: &Connection,
    visitor: VisitorId,
    which: Which,
    after: Option<ConversationId>,
    most: usize,
) -> Result<Vec<ConversationId>, Fault> {
    let sql = match which {
        Which::Open => {
            "SELECT id FROM conversations
             WHERE visitor = ? AND id > ? AND closed_at IS NULL ORDER BY id LIMIT ?"
        }
        Which::InJournal | Which::Archived => {
            "SELECT id FROM conversations WHERE visitor = ? AND id > ? ORDER BY id LIMIT ?"
        }
    };
    let after = after.map_or_else(String::new, |after| after.to_string());
    let mut statement = chats.prepare_cached(sql)?;
    let place = params![visitor.to_string(), after, most];
    let ids = statement.query_and_then(place, |row| id(row, "chats.db, conversations"))?;
    ids.collect()
}

/// The archive, if there is one.
pub(super) fn open_archive(file: &Path) -> Result<Option<Connection>, Fault> {
    Ok(if file.exists() { Some(schema::open_for_reading(file)?) } else { None })
}

/// Some of a visitor's conversations in the archive, in the order of their ids. It looks at every
/// beginning in the archive behind `after`.
pub(super) fn in_archive(
    archive: &Connection,
    visitor: VisitorId,
    after: Option<ConversationId>,
    most: usize,
) -> Result<Vec<ConversationId>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events
         WHERE stream > ? AND seq = 1 AND instr(body, ?) ORDER BY stream"
    );
    let after = after.map_or_else(String::new, |after| after.to_string());
    let mut statement = archive.prepare_cached(&sql)?;
    let mut rows = statement.query(params![after, visitor.to_string()])?;
    let mut found = Vec::new();
    while found.len() < most
        && let Some(row) = rows.next()?
    {
        let row = Row::of(row)?.verified()?;
        // The digits may also stand in somebody else's text.
        let is_theirs = |one: &Recorded| match &one.event {
            Event::ConversationStarted(opening) => opening.visitor == visitor,
            _ => false,
        };
        if row.recorded()?.first().is_some_and(is_theirs) {
            let damaged = |error| row.damaged(&format!("{error}"));
            found.push(row.stream.parse().map_err(damaged)?);
        }
    }
    Ok(found)
}

/// What happened in an archived conversation after a place, within about `bytes` bytes.
pub(super) fn of_archived(
    archive: &Connection,
    id: ConversationId,
    after: Seq,
    bytes: usize,
) -> Result<Vec<Recorded>, Fault> {
    let stream = Stream::Conversation(id).name();
    // The row that holds what follows the place may begin before it.
    let sql = format!(
        "SELECT {COLUMNS} FROM events WHERE stream = ?1 AND seq >= coalesce(
             (SELECT max(seq) FROM events WHERE stream = ?1 AND seq <= ?2), 0)
         ORDER BY seq"
    );
    let mut statement = archive.prepare_cached(&sql)?;
    let rows = statement.query_and_then(params![stream, after.next().number()], |row| {
        Row::of(row)?.verified()?.recorded()
    })?;
    let each = rows.flat_map(|row| match row {
        Ok(recorded) => recorded.into_iter().map(Ok).collect::<Vec<_>>(),
        Err(fault) => vec![Err(fault)],
    });
    let later = each.filter(|one| one.as_ref().map_or(true, |one| one.seq > after));
    page::fill(later, usize::MAX, bytes, page::weight)
}

fn id(row: &Found<'_>, place: &str) -> Result<ConversationId, Fault> {
    let id: String = row.get(0)?;
    id.parse::<ConversationId>()
        .map_err(|error| Fault::Damaged { place: place.to_owned(), problem: error.to_string() })
}
