//! What is read of `chats.db` at a start: the settings, the presences, and what is not closed.

use std::num::NonZero;
use std::path::Path;

use rusqlite::{Connection, Row};

use crate::domain::agent::Presence;
use crate::domain::conversation::Conversation;
use crate::domain::id::AgentId;
use crate::domain::settings::registry::{Registry, Token, TokenDigest};
use crate::domain::text::DisplayName;
use crate::domain::time::Timestamp;
use crate::journal::Fault;
use crate::journal::record::{DocumentKind, Unreadable, read_digest};
use crate::journal::snapshot::Names;
use crate::journal::sqlite::{reader, schema};
use crate::limits;

/// The settings in force.
pub(super) fn settings(chats: &Connection) -> Result<Registry, Fault> {
    let mut registry = Registry::default();
    each(chats, "SELECT kind, id, document FROM settings", |row| {
        let (kind, id) = (text(row, 0)?, text(row, 1)?);
        let known = DocumentKind::ALL.into_iter().find(|known| known.name() == kind);
        let place = format!("chats.db, settings, {kind} {id}");
        let kind = known.ok_or_else(|| damaged(&place, "its kind is unknown"))?;
        let change = kind.read(&text(row, 2)?).map_err(|error| damaged(&place, &error.0))?;
        registry.apply(change);
        Ok(())
    })?;
    let all = "SELECT digest, agent, at, name, expires_at, used_at FROM tokens";
    each(chats, all, |row| {
        let (digest, token) = token(row)?;
        registry.tokens.insert(digest, token);
        Ok(())
    })?;
    Ok(registry)
}

fn token(row: &Row<'_>) -> Result<(TokenDigest, Token), Fault> {
    let place = "chats.db, tokens";
    let unreadable = |error: Unreadable| damaged(place, &error.0);
    let millis = |at: Option<i64>| at.map(Timestamp::from_millis);
    let digest = read_digest(&text(row, 0)?).map_err(unreadable)?;
    let name: Option<String> = row.get(3)?;
    let name = name.as_deref().map(DisplayName::stored).transpose();
    let made_at = Timestamp::from_millis(row.get(2)?);
    let token = Token {
        name: name.map_err(|refusal| unreadable(refusal.into()))?,
        expires_at: millis(row.get(4)?),
        used_at: millis(row.get(5)?),
        ..Token::new(agent(&text(row, 1)?, place)?, made_at)
    };
    Ok((digest, token))
}

/// The presence that each agent chose last.
pub(super) fn presences(chats: &Connection) -> Result<Vec<(AgentId, Presence)>, Fault> {
    let mut presences = Vec::new();
    each(chats, "SELECT agent, presence FROM presences ORDER BY agent", |row| {
        let place = "chats.db, presences";
        let name = text(row, 1)?;
        let known = Presence::ALL.into_iter().find(|known| known.name() == name);
        let presence = known.ok_or_else(|| damaged(place, "a presence is unknown"))?;
        presences.push((agent(&text(row, 0)?, place)?, presence));
        Ok(())
    })?;
    Ok(presences)
}

/// Every conversation that is not closed. As many threads as there are cores read them: most of the
/// time goes into making conversations of bytes.
pub(super) fn conversations(chats: &Path) -> Result<Vec<Conversation>, Fault> {
    let numbers = held(&schema::open_for_reading(chats)?)?;
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(limits::RECOVERY_READERS_MAX);
    let part = numbers.len().div_ceil(threads).max(1);
    let parts = std::thread::scope(|scope| {
        let readers: Vec<_> = numbers
            .chunks(part)
            .map(|numbers| scope.spawn(move || conversations_of(chats, numbers)))
            .collect();
        let joined = readers
            .into_iter()
            .map(|reader| reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.collect::<Result<Vec<_>, Fault>>()
    })?;
    Ok(parts.into_iter().flatten().collect())
}

/// The numbers of the conversations that are not closed, in the order in which they are stored. So
/// every page is read once; in the order of an index one would be read for each conversation.
fn held(chats: &Connection) -> Result<Vec<i64>, Fault> {
    let mut numbers = Vec::new();
    // It names every state but one, so that the index is used and closed ones are not read.
    let sql = "SELECT number FROM conversations
         WHERE state IN ('open', 'active', 'waiting', 'wrapup')";
    each(chats, sql, |row| {
        numbers.push(row.get(0)?);
        Ok(())
    })?;
    numbers.sort_unstable();
    Ok(numbers)
}

fn conversations_of(chats: &Path, numbers: &[i64]) -> Result<Vec<Conversation>, Fault> {
    let chats = schema::open_for_reading(chats)?;
    // One transaction for all rows, or each would take and leave the database's locks.
    let all = chats.unchecked_transaction()?;
    let mut conversations = Vec::with_capacity(numbers.len());
    let sql = "SELECT snapshot, seq, id FROM conversations WHERE number = ?";
    let (mut statement, mut names) = (all.prepare(sql)?, Names::default());
    for number in numbers {
        let mut rows = statement.query([number])?;
        while let Some(row) = rows.next()? {
            conversations.push(reader::conversation(&all, row, &mut names)?);
        }
    }
    Ok(conversations)
}

fn each(
    chats: &Connection,
    sql: &str,
    mut take: impl FnMut(&Row<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut statement = chats.prepare(sql)?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

fn text(row: &Row<'_>, column: usize) -> Result<String, Fault> {
    Ok(row.get(column)?)
}

fn agent(id: &str, place: &str) -> Result<AgentId, Fault> {
    id.parse().map_err(|_| damaged(place, "an agent's id is malformed"))
}

fn damaged(place: &str, problem: &str) -> Fault {
    Fault::Damaged { place: place.to_owned(), problem: problem.to_owned() }
}
