//! The rows of `chats.db`, as they are written.

use rusqlite::{Connection, Transaction, named_params, params};

use crate::domain::agent::Presence;
use crate::domain::conversation::event::{Audience, Event, Reason};
use crate::domain::conversation::view::Stage;
use crate::domain::conversation::{Conversation, State};
use crate::domain::id::{AgentId, ConversationId, Seq};
use crate::domain::settings::registry::{Registry, SettingChange};
use crate::domain::text::DisplayName;
use crate::domain::time::Timestamp;
use crate::journal::chats::{part_begins, part_ends};
use crate::journal::record::{self, digest_text};
use crate::journal::sqlite::projector::event::Told;
use crate::journal::sqlite::row;
use crate::journal::{Fault, snapshot};

/// When a conversation ended and was closed, where a batch says so.
#[derive(Default)]
struct Ends {
    ended_at: Option<i64>,
    closed_at: Option<i64>,
}

const TIMELINE: &str = "INSERT INTO timeline
    (conversation, seq, at, position, kind, visible_to_customer, body, checksum)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

const BEGIN: &str = "INSERT INTO conversations
    (id, state, agent, widget, workstream, queue, visitor, customer_name, form, context, page,
     locale, started_at, connected, seq, position, snapshot)
    VALUES (:id, :state, :agent, :widget, :workstream, :queue, :visitor, :customer_name, :form,
     :context, :page, :locale, :started_at, 0, 0, 0, x'')";

/// Only where they have changed, because indexes hold them.
const MOVE: &str = "UPDATE conversations SET state = ?, agent = ? WHERE id = ?";

const UPDATE: &str = "UPDATE conversations SET
    phase = :phase, reason = :reason, due_at = :due_at, connected = :connected,
    away_since = :away_since, away_until = :away_until, away_cause = :away_cause,
    ended_at = coalesce(ended_at, :ended_at), closed_at = coalesce(closed_at, :closed_at),
    seq = :seq, position = :position, snapshot = coalesce(:snapshot, snapshot) WHERE id = :id";

/// Applies events to a conversation and writes what that changes.
pub(super) fn write_conversation(
    transaction: &Transaction<'_>,
    mut conversation: Conversation,
    events: &[Told],
) -> Result<Conversation, Fault> {
    let id = conversation.id().to_string();
    let standing = |whole: &Conversation| (whole.state(), whole.agent().cloned());
    let before = standing(&conversation);
    let former = conversation.seq();
    let is_new = conversation.opening().is_none();
    let mut ends = Ends::default();
    let mut timeline = transaction.prepare_cached(TIMELINE)?;
    for told in events {
        let recorded = &told.recorded;
        if recorded.seq != conversation.seq().next() {
            return Err(Fault::Damaged {
                place: format!("journal.db, position {}", told.position),
                problem: format!(
                    "conversation {id} has the place {} after {}",
                    recorded.seq,
                    conversation.seq()
                ),
            });
        }
        conversation.apply(&recorded.event, recorded.at);
        ends.note(&recorded.event, recorded.at);
        let visible = recorded.event.is_seen_by(Audience::Customer);
        timeline.execute(params![
            id,
            recorded.seq.number(),
            recorded.at.as_millis(),
            told.position,
            told.kind,
            visible,
            told.body,
            told.checksum
        ])?;
    }
    write_participation(transaction, &id, events, conversation.is_closed())?;
    if is_new {
        begin(transaction, &id, &conversation)?;
    } else if before != standing(&conversation) {
        let state = conversation.state().map(State::name);
        let agent = conversation.agent().map(AgentId::as_str);
        execute(transaction, MOVE, params![state, agent, id])?;
    }
    let position = events.last().map_or(0, |told| told.position);
    let snapshot = needs_snapshot(former, conversation.seq());
    let snapshot = snapshot.then(|| row::seal(snapshot::encode(&conversation)));
    update(transaction, &conversation, &ends, position, snapshot.as_deref())?;
    Ok(conversation)
}

/// Whether the snapshot is written again. The snapshot of a long chat is large, because it knows
/// every posted message, so it is written more rarely the longer the chat is. A reader applies the
/// events that follow the snapshot in the timeline.
const fn needs_snapshot(before: Seq, after: Seq) -> bool {
    let stride = after.number() / 64 + 1;
    before.number() / stride != after.number() / stride
}

impl Ends {
    fn note(&mut self, event: &Event, at: Timestamp) {
        let at = Some(at.as_millis());
        match event {
            Event::WrapupStarted { .. } => self.ended_at = self.ended_at.or(at),
            Event::ConversationClosed { .. } => {
                self.ended_at = self.ended_at.or(at);
                self.closed_at = at;
            }
            Event::ConversationStarted(_)
            | Event::SessionJoined { .. }
            | Event::SessionLost { .. }
            | Event::CustomerAway { .. }
            | Event::CustomerReturned { .. }
            | Event::CustomerDisconnected { .. }
            | Event::MessagePosted { .. }
            | Event::ChatOffered { .. }
            | Event::OfferEnded { .. }
            | Event::ChatAccepted { .. }
            | Event::AgentLeft { .. }
            | Event::AgentAway { .. }
            | Event::AgentBack { .. }
            | Event::CustomerReminded { .. }
            | Event::LeaseReleased { .. }
            | Event::ServerRestarted { .. } => {}
        }
    }
}

fn begin(connection: &Connection, id: &str, whole: &Conversation) -> rusqlite::Result<()> {
    // A journal's first event of a conversation is its start, so an opening is absent only by
    // damage.
    let Some(opening) = whole.opening() else { return Ok(()) };
    execute(
        connection,
        BEGIN,
        named_params! {
            ":id": id,
            ":state": whole.state().map(State::name),
            ":agent": whole.agent().map(AgentId::as_str),
            ":widget": opening.widget.as_str(),
            ":workstream": opening.workstream.as_str(),
            ":queue": opening.queue.as_str(),
            ":visitor": format!("{:032x}", opening.visitor.as_bits()),
            ":customer_name": opening.name.as_ref().map(DisplayName::as_str),
            ":form": opening.form.as_deref(),
            ":context": opening.context.as_deref(),
            ":page": opening.page.as_deref(),
            ":locale": opening.locale.as_deref(),
            ":started_at": whole.started_at().as_millis(),
        },
    )
}

fn update(
    connection: &Connection,
    whole: &Conversation,
    ends: &Ends,
    position: u64,
    snapshot: Option<&[u8]>,
) -> rusqlite::Result<()> {
    let view = whole.view();
    let absence = whole.absence();
    execute(
        connection,
        UPDATE,
        named_params! {
            ":id": whole.id().to_string(),
            ":phase": view.as_ref().and_then(|view| view.stage).map(Stage::name),
            ":reason": whole.reason().map(Reason::name),
            ":due_at": view.and_then(|view| view.due_at).map(Timestamp::as_millis),
            ":connected": whole.attendance().is_connected(),
            ":away_since": absence.map(|absence| absence.since.as_millis()),
            ":away_until": absence.map(|absence| absence.until.as_millis()),
            ":away_cause": absence.map(|absence| absence.cause.name()),
            ":ended_at": ends.ended_at,
            ":closed_at": ends.closed_at,
            ":seq": whole.seq().number(),
            ":position": position,
            ":snapshot": snapshot,
        },
    )
}

/// Writes which agent these events gave the chat to, and which agent they took it from. While it
/// stays with one agent nothing is written: most events are of that kind.
fn write_participation(
    connection: &Connection,
    id: &str,
    events: &[Told],
    is_closed: bool,
) -> rusqlite::Result<()> {
    for told in events {
        let (seq, position) = (told.recorded.seq.number(), told.position);
        if let Some(agent) = part_begins(&told.recorded.event) {
            execute(
                connection,
                "INSERT INTO participation (conversation, agent, from_seq, from_position)
                 SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (
                     SELECT 1 FROM participation
                     WHERE conversation = ?1 AND agent = ?2 AND until_seq IS NULL)",
                params![id, agent.as_str(), seq, position],
            )?;
        }
        if let Some(agent) = part_ends(&told.recorded.event) {
            execute(
                connection,
                "UPDATE participation SET until_seq = ?3, last_position = ?4
                 WHERE conversation = ?1 AND agent = ?2 AND until_seq IS NULL",
                params![id, agent.as_str(), seq, position],
            )?;
        }
    }
    if !is_closed {
        return Ok(());
    }
    let last = events.last().map_or(0, |told| told.position);
    execute(
        connection,
        "UPDATE participation SET last_position = ?
         WHERE conversation = ? AND last_position IS NULL",
        params![last, id],
    )
}

/// Deletes everything that is known of a conversation.
pub(super) fn delete_conversation(
    connection: &Connection,
    id: ConversationId,
) -> rusqlite::Result<()> {
    let id = id.to_string();
    for sql in [
        "DELETE FROM timeline WHERE conversation = ?",
        "DELETE FROM participation WHERE conversation = ?",
        "DELETE FROM conversations WHERE id = ?",
    ] {
        execute(connection, sql, params![id])?;
    }
    Ok(())
}

/// Writes a presence, which the agent chose, or somebody else for the agent.
pub(super) fn write_presence(
    connection: &Connection,
    agent: &AgentId,
    presence: Presence,
    by: Option<&AgentId>,
    at: Timestamp,
) -> Result<(), rusqlite::Error> {
    execute(
        connection,
        "INSERT INTO presences (agent, presence, at, set_by) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (agent) DO UPDATE SET presence = ?2, at = ?3, set_by = ?4",
        params![agent.as_str(), presence.name(), at.as_millis(), by.map(AgentId::as_str)],
    )
}

/// Writes what a change of the settings has changed.
pub(super) fn write_setting(
    connection: &Connection,
    change: &SettingChange,
    before: &Registry,
    after: &Registry,
) -> rusqlite::Result<()> {
    for (kind, id, document) in record::changed_documents(change, before, after) {
        match document {
            Some(document) => execute(
                connection,
                "INSERT INTO settings (kind, id, document) VALUES (?1, ?2, ?3)
                 ON CONFLICT (kind, id) DO UPDATE SET document = ?3",
                params![kind.name(), id, document],
            )?,
            None => execute(
                connection,
                "DELETE FROM settings WHERE kind = ? AND id = ?",
                params![kind.name(), id],
            )?,
        }
    }
    match change {
        SettingChange::AddToken { token, .. } => write_tokens(connection, &token.agent, after),
        SettingChange::EndToken(digest) | SettingChange::NoteTokenUse { digest, .. } => {
            let agent = before.tokens.get(digest).map(|token| &token.agent);
            agent.map_or(Ok(()), |agent| write_tokens(connection, agent, after))
        }
        SettingChange::DeleteAgent(agent) => {
            // A person who is given the same id later is not the same person.
            let forget = "DELETE FROM presences WHERE agent = ?";
            execute(connection, forget, params![agent.as_str()])?;
            write_tokens(connection, agent, after)
        }
        SettingChange::PutWorkstream(_)
        | SettingChange::DeleteWorkstream(_)
        | SettingChange::PutQueue(_)
        | SettingChange::DeleteQueue(_)
        | SettingChange::PutWidget(_)
        | SettingChange::DeleteWidget(_)
        | SettingChange::PutAgent(_)
        | SettingChange::PutAuditRetention(_) => Ok(()),
    }
}

fn write_tokens(
    connection: &Connection,
    agent: &AgentId,
    registry: &Registry,
) -> rusqlite::Result<()> {
    execute(connection, "DELETE FROM tokens WHERE agent = ?", params![agent.as_str()])?;
    for (digest, token) in registry.tokens_of(agent) {
        let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
        // Another agent may have had the token before, and no longer has it.
        execute(
            connection,
            "INSERT OR REPLACE INTO tokens (digest, agent, at, name, expires_at, used_at)
             VALUES (?, ?, ?, ?, ?, ?)",
            params![
                digest_text(digest),
                agent.as_str(),
                token.made_at.as_millis(),
                token.name.as_ref().map(DisplayName::as_str),
                millis(token.expires_at),
                millis(token.used_at),
            ],
        )?;
    }
    Ok(())
}

/// Writes how far the projection is.
pub(super) fn write_position(connection: &Connection, position: u64) -> rusqlite::Result<()> {
    execute(connection, "UPDATE projection SET position = ?", params![position])
}

fn execute(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(values).map(drop)
}
