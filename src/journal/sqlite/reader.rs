//! What is read of `chats.db`: one conversation, its events, lists, and one agent's part.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use crate::domain::conversation::event::{Audience, Recorded};
use crate::domain::conversation::{Conversation, State};
use crate::domain::id::{AgentId, ConversationId, QueueId, Seq};
use crate::domain::time::Timestamp;
use crate::journal::record::Entry;
use crate::journal::sqlite::row;
use crate::journal::{Fault, Filter, ListCursor, Listing, Located, Position, page, snapshot};

/// What goes wrong in `chats.db` keeps people from reading; only the writer has faults of writing.
impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Read(Arc::new(error))
    }
}

/// The conversation with this id.
pub(super) fn load(
    connection: &Connection,
    id: ConversationId,
) -> Result<Option<Conversation>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT snapshot, seq, id FROM conversations WHERE id = ?")?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(|row| conversation(connection, row)).transpose()
}

/// The conversation in the three columns `snapshot`, `seq` and `id`: its snapshot, and what
/// followed that.
pub(super) fn conversation(connection: &Connection, row: &Row<'_>) -> Result<Conversation, Fault> {
    let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    let (seq, id): (u32, String) = (row.get(1)?, row.get(2)?);
    let damaged = |problem: String| Fault::Damaged {
        place: format!("chats.db, the snapshot of conversation {id}"),
        problem,
    };
    let bytes = row::unseal(bytes).ok_or_else(|| damaged(row::MISMATCH.to_owned()))?;
    let mut conversation = snapshot::decode(bytes).map_err(|error| damaged(error.0))?;
    if conversation.seq().number() < seq {
        let mut statement = connection.prepare_cached(
            "SELECT seq, at, kind, body, position, checksum FROM timeline
             WHERE conversation = ? AND seq > ? AND seq <= ? ORDER BY seq",
        )?;
        let mut rows = statement.query(params![id, conversation.seq().number(), seq])?;
        while let Some(row) = rows.next()? {
            let recorded = recorded(row, conversation.id(), 0)?;
            conversation.apply(&recorded.event, recorded.at);
        }
    }
    Ok(conversation)
}

/// What an audience may see after a place.
pub(super) fn read(
    connection: &Connection,
    id: ConversationId,
    after: Seq,
    audience: Audience,
    entries: usize,
    bytes: usize,
) -> Result<Vec<Recorded>, Fault> {
    let sql = match audience {
        Audience::Agent => {
            "SELECT seq, at, kind, body, position, checksum FROM timeline
             WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ?"
        }
        Audience::Customer => {
            "SELECT seq, at, kind, body, position, checksum FROM timeline
             WHERE conversation = ? AND seq > ? AND visible_to_customer ORDER BY seq LIMIT ?"
        }
    };
    let mut statement = connection.prepare_cached(sql)?;
    // Asked first: what is appended meanwhile makes the timeline longer than that, never shorter.
    let known = match audience {
        Audience::Agent => last_place(connection, id)?,
        Audience::Customer => Seq::ZERO,
    };
    let mut last = after;
    let recorded = |row: &Row<'_>| {
        let recorded = recorded(row, id, 0)?;
        // An agent may see every place, so none is missing for them.
        if audience == Audience::Agent && recorded.seq != last.next() {
            let place = format!("chats.db, the timeline of conversation {id}");
            let problem = format!("{} follows on {last}", recorded.seq);
            return Err(Fault::Damaged { place, problem });
        }
        last = recorded.seq;
        Ok(recorded)
    };
    let rows = statement
        .query_and_then(params![id.to_string(), after.number(), entries.max(1)], recorded)?;
    let page = page::fill(rows, entries, bytes)?;
    if page.is_empty() && last < known {
        let place = format!("chats.db, the timeline of conversation {id}");
        let problem = format!("it ends at {last} instead of {known}");
        return Err(Fault::Damaged { place, problem });
    }
    Ok(page)
}

/// The place of the last event of a conversation; zero when it is unknown.
fn last_place(connection: &Connection, id: ConversationId) -> rusqlite::Result<Seq> {
    let sql = "SELECT seq FROM conversations WHERE id = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let seq = statement.query_row([id.to_string()], |row| row.get(0)).optional()?;
    Ok(seq.map_or(Seq::ZERO, Seq::new))
}

/// The event in the six columns `seq`, `at`, `kind`, `body`, `position` and `checksum` from `first`
/// on.
pub(super) fn recorded(row: &Row<'_>, id: ConversationId, first: usize) -> Result<Recorded, Fault> {
    let seq = Seq::new(row.get(first)?);
    let at = Timestamp::from_millis(row.get(first + 1)?);
    let text = |index| -> rusqlite::Result<&str> { Ok(row.get_ref(index)?.as_str()?) };
    let (kind, body) = (text(first + 2)?, text(first + 3)?);
    let damaged = |problem: String| {
        let place = format!("chats.db, the timeline of conversation {id} at {seq}");
        Fault::Damaged { place, problem }
    };
    let kept: Option<u32> = row.get(first + 5)?;
    let position = row.get(first + 4)?;
    let found = || row::checksum(position, &id.to_string(), seq.number(), at, kind, body);
    if kept.is_some_and(|kept| kept != found()) {
        return Err(damaged("its checksum does not match".to_owned()));
    }
    let event = Entry::read_event(kind, body).map_err(|error| damaged(error.0))?;
    Ok(Recorded { seq, at, event })
}

/// What happened after a position where an agent has a part.
pub(super) fn of_agent(
    connection: &Connection,
    agent: &AgentId,
    after: Position,
    most: usize,
) -> Result<Vec<Located>, Fault> {
    let sql =
        "SELECT t.position, t.conversation, t.seq, t.at, t.kind, t.body, t.position, t.checksum
         FROM (SELECT conversation, from_seq, until_seq FROM participation
               WHERE agent = ?1 AND last_position > ?2
               UNION ALL
               SELECT conversation, from_seq, until_seq FROM participation AS open
               WHERE agent = ?1 AND last_position IS NULL
                 AND (SELECT position FROM conversations WHERE id = open.conversation) > ?2) p
         CROSS JOIN timeline t
         WHERE t.conversation = p.conversation AND t.seq >= p.from_seq AND t.position > ?2
           AND (p.until_seq IS NULL OR t.seq <= p.until_seq)
         ORDER BY t.position LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let located = |row: &Row<'_>| {
        let conversation: String = row.get(1)?;
        let conversation = conversation.parse::<ConversationId>().map_err(|error| {
            let problem = error.to_string();
            Fault::Damaged { place: "chats.db, timeline".to_owned(), problem }
        })?;
        Ok(Located {
            position: Position(row.get(0)?),
            conversation,
            recorded: recorded(row, conversation, 2)?,
        })
    };
    let rows = statement.query_and_then(params![agent.as_str(), after.0, most], located)?;
    rows.collect()
}

/// One ordered stretch of an index: a state, and what narrows it down.
struct Stretch<'a> {
    state: State,
    agent: Option<&'a AgentId>,
    queue: Option<&'a QueueId>,
}

/// A page of the conversations that match.
pub(super) fn list(
    connection: &Connection,
    filter: &Filter,
    after: Option<ListCursor>,
    most: usize,
) -> Result<Listing, Fault> {
    // One more tells whether there is a next page.
    let wanted = most.saturating_add(1);
    // All stretches must show the same moment.
    let transaction = connection.unchecked_transaction()?;
    let mut found = Vec::new();
    for stretch in stretches(filter) {
        found.extend(walk(&transaction, &stretch, filter, after, wanted)?);
    }
    found.sort_unstable_by_key(|conversation| {
        std::cmp::Reverse((conversation.started_at(), conversation.id()))
    });
    // A queue may have been named twice.
    found.dedup_by_key(|conversation| conversation.id());
    let more = found.len() > most;
    found.truncate(most);
    let last = found.last().filter(|_| more);
    let next = last.map(|last| ListCursor { started_at: last.started_at(), id: last.id() });
    Ok(Listing { conversations: found, next })
}

/// The stretches that together hold everything that matches, nothing twice.
fn stretches(filter: &Filter) -> Vec<Stretch<'_>> {
    let states = if filter.states.is_empty() { &State::ALL[..] } else { &filter.states[..] };
    let mut stretches = Vec::new();
    for state in State::ALL.into_iter().filter(|state| states.contains(state)) {
        let agent = filter.agent.as_ref();
        if filter.queues.is_empty() || agent.is_some() {
            stretches.push(Stretch { state, agent, queue: None });
        } else {
            let queues = filter.queues.iter();
            stretches.extend(queues.map(|queue| Stretch { state, agent, queue: Some(queue) }));
        }
        if agent.is_some() && state == State::Open {
            // Nobody has what waits, so none of these is an agent's as well.
            let waiting = filter.or_waiting_in.iter();
            stretches.extend(waiting.map(|queue| Stretch {
                state,
                agent: None,
                queue: Some(queue),
            }));
        }
    }
    stretches
}

fn walk(
    connection: &Connection,
    stretch: &Stretch<'_>,
    filter: &Filter,
    after: Option<ListCursor>,
    wanted: usize,
) -> Result<Vec<Conversation>, Fault> {
    let mut sql = String::from("SELECT snapshot, seq, id FROM conversations WHERE state = ?");
    let mut values = vec![Value::from(stretch.state.name().to_owned())];
    let mut narrow = |condition: &str, value: Value| {
        sql.push_str(condition);
        values.push(value);
    };
    if let Some(agent) = stretch.agent {
        narrow(" AND agent = ?", agent.to_string().into());
    }
    if let Some(queue) = stretch.queue {
        narrow(" AND queue = ?", queue.to_string().into());
    }
    if let Some(widget) = &filter.widget {
        narrow(" AND widget = ?", widget.to_string().into());
    }
    if let Some(ListCursor { started_at, id }) = after {
        narrow(" AND (started_at, id) < (?", started_at.as_millis().into());
        narrow(", ?)", id.to_string().into());
    }
    for (index, queue) in filter.queues.iter().enumerate() {
        let separator = if index == 0 { " AND queue IN (?" } else { ", ?" };
        narrow(separator, queue.to_string().into());
    }
    if !filter.queues.is_empty() {
        sql.push(')');
    }
    sql.push_str(" ORDER BY started_at DESC, id DESC LIMIT ?");
    values.push(Value::from(i64::try_from(wanted).unwrap_or(i64::MAX)));
    let mut statement = connection.prepare_cached(&sql)?;
    let whole = |row: &Row<'_>| conversation(connection, row);
    let rows = statement.query_and_then(params_from_iter(values), whole)?;
    rows.collect()
}
