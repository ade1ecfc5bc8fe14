//! What is read of `chats.db`: one conversation, its events, lists, and one agent's part.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use crate::domain::conversation::event::{Audience, Recorded};
use crate::domain::conversation::{Conversation, State};
use crate::domain::id::{AgentId, ConversationId, QueueId, Seq};
use crate::domain::time::Timestamp;
use crate::journal::record::Entry;
use crate::journal::snapshot::{self, Names};
use crate::journal::sqlite::row;
use crate::journal::{Fault, Filter, ListCursor, Listing, Located, Position, page};

/// A fault in `chats.db` is one of reading; only the writer has faults of writing.
impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Read(Arc::new(error))
    }
}

/// The conversation with this id. Texts that others have too are shared through `names`.
pub(super) fn load(
    connection: &Connection,
    id: ConversationId,
    names: &mut Names,
) -> Result<Option<Conversation>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT snapshot, seq, id FROM conversations WHERE id = ?")?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(|row| conversation(connection, row, names)).transpose()
}

/// The conversation in the three columns `snapshot`, `seq` and `id`: its snapshot, and what
/// followed that.
pub(super) fn conversation(
    connection: &Connection,
    row: &Row<'_>,
    names: &mut Names,
) -> Result<Conversation, Fault> {
    let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    let (seq, id): (u32, String) = (row.get(1)?, row.get(2)?);
    let damaged = |problem: String| Fault::Damaged {
        place: format!("chats.db, the snapshot of conversation {id}"),
        problem,
    };
    let bytes = row::unseal(bytes).ok_or_else(|| damaged(row::MISMATCH.to_owned()))?;
    let mut conversation = snapshot::decode_with(names, bytes).map_err(|error| damaged(error.0))?;
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
    let fill = |rows: &mut Rows<'_>| page::fill(rows, entries, bytes, page::weight);
    events(connection, id, after, audience, fill)
}

/// What happened after a place, without what was said.
pub(super) fn outline(
    connection: &Connection,
    id: ConversationId,
    after: Seq,
    entries: usize,
) -> Result<Vec<Recorded>, Fault> {
    let fill = |rows: &mut Rows<'_>| {
        rows.take(entries.max(1)).map(|row| row.map(page::without_text)).collect()
    };
    events(connection, id, after, Audience::Agent, fill)
}

/// Events that are read one by one.
type Rows<'a> = dyn Iterator<Item = Result<Recorded, Fault>> + 'a;

/// Lets `take` read what it wants of what an audience may see after a place, and no more.
fn events(
    connection: &Connection,
    id: ConversationId,
    after: Seq,
    audience: Audience,
    take: impl FnOnce(&mut Rows<'_>) -> Result<Vec<Recorded>, Fault>,
) -> Result<Vec<Recorded>, Fault> {
    let sql = match audience {
        Audience::Agent => {
            "SELECT seq, at, kind, body, position, checksum FROM timeline
             WHERE conversation = ? AND seq > ? ORDER BY seq"
        }
        Audience::Customer => {
            "SELECT seq, at, kind, body, position, checksum FROM timeline
             WHERE conversation = ? AND seq > ? AND visible_to_customer ORDER BY seq"
        }
    };
    let mut statement = connection.prepare_cached(sql)?;
    // Read first: what is appended meanwhile makes the timeline longer than that, never shorter.
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
    let place = params![id.to_string(), after.number()];
    let page = take(&mut statement.query_and_then(place, recorded)?)?;
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
    bytes: usize,
) -> Result<Vec<Located>, Fault> {
    // Both statements must show the same moment.
    let transaction = connection.unchecked_transaction()?;
    let mut statement = transaction.prepare_cached(
        "SELECT seq, at, kind, body, position, checksum FROM timeline
         WHERE conversation = ? AND seq = ?",
    )?;
    let places = places_of_agent(&transaction, agent, after, most)?;
    let located = places.into_iter().map(|(position, conversation, seq)| {
        let place = params![conversation.to_string(), seq.number()];
        let mut rows = statement.query_and_then(place, |row| recorded(row, conversation, 0))?;
        let recorded = rows.next().unwrap_or(Err(rusqlite::Error::QueryReturnedNoRows.into()))?;
        Ok(Located { position, conversation, recorded })
    });
    page::fill(located, most, bytes, |located| page::weight(&located.recorded))
}

/// Where the first of those events are. The places are sorted without the events' contents, which
/// may be large, and of which few are read.
fn places_of_agent(
    connection: &Connection,
    agent: &AgentId,
    after: Position,
    most: usize,
) -> Result<Vec<(Position, ConversationId, Seq)>, Fault> {
    let sql = "SELECT t.position, t.conversation, t.seq
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
    let place = |row: &Row<'_>| {
        let conversation: String = row.get(1)?;
        let conversation = conversation.parse::<ConversationId>().map_err(|error| {
            let problem = error.to_string();
            Fault::Damaged { place: "chats.db, timeline".to_owned(), problem }
        })?;
        Ok((Position(row.get(0)?), conversation, Seq::new(row.get(2)?)))
    };
    let rows = statement.query_and_then(params![agent.as_str(), after.0, most], place)?;
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
    bytes: usize,
) -> Result<Listing, Fault> {
    // One more tells whether there is a next page.
    let wanted = most.saturating_add(1);
    // All stretches must show the same moment.
    let transaction = connection.unchecked_transaction()?;
    let mut found = Vec::new();
    for stretch in stretches(filter) {
        found.extend(walk(&transaction, &stretch, filter, after, wanted)?);
    }
    found.sort_unstable_by_key(|place| std::cmp::Reverse((place.started_at, place.id)));
    // A queue may have been named twice.
    found.dedup();
    // Each is read at its turn, and only its view is kept: a conversation knows every message that
    // was posted in it.
    let mut names = Names::default();
    let views = found.iter().filter_map(|place| {
        let loaded = load(&transaction, place.id, &mut names).transpose()?;
        loaded.map(|conversation| conversation.view()).transpose()
    });
    let views = page::fill(views, most, bytes, page::weight_of_view)?;
    let last = views.last().filter(|_| views.len() < found.len());
    let next = last.map(|last| ListCursor { started_at: last.started_at, id: last.id });
    Ok(Listing { views, next })
}

/// The stretches that together hold everything that matches, without overlap.
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
            // No agent has a chat that waits, so these stretches do not overlap with the agent's.
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

/// Where the first conversations of a stretch are in the list.
fn walk(
    connection: &Connection,
    stretch: &Stretch<'_>,
    filter: &Filter,
    after: Option<ListCursor>,
    wanted: usize,
) -> Result<Vec<ListCursor>, Fault> {
    let mut sql = String::from("SELECT started_at, id FROM conversations WHERE state = ?");
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
    let place = |row: &Row<'_>| {
        let id: String = row.get(1)?;
        let id = id.parse::<ConversationId>().map_err(|error| Fault::Damaged {
            place: "chats.db, conversations".to_owned(),
            problem: error.to_string(),
        })?;
        Ok(ListCursor { started_at: Timestamp::from_millis(row.get(0)?), id })
    };
    let rows = statement.query_and_then(params_from_iter(values), place)?;
    rows.collect()
}
