//! What was said in a conversation, and what happened in it: the same events, told for reading
//! along and told for understanding.

use actix_web::{HttpRequest, web};

use crate::domain::audit::AuditKind;
use crate::domain::conversation::State;
use crate::domain::conversation::event::Audience;
use crate::domain::id::Seq;
use crate::http::audit::note_read;
use crate::http::auth::Caller;
use crate::http::conversations::seen;
use crate::http::pages::{Page, Room};
use crate::http::paging::{Cursor, Parameters, Place};
use crate::http::problem::{Problem, Problems};
use crate::http::state::HttpState;
use crate::limits;
use crate::wire::objects::{
    Timeline, TimelinePage, TranscriptEntry, TranscriptPage, WaitingObject,
};

/// Bytes of the largest text.
const LARGEST_TEXT: usize = 4 * limits::TEXT_CHARS_MAX;

/// What was said, in order, as agents or as the customer may see it. A page ends at its limit, or
/// before it at 262,144 bytes of text, and may be short, even empty, and have a `next`.
#[utoipa::path(get, path = "/v1/conversations/{conversation}/transcript", tag = "conversations",
    operation_id = "read_transcript",
    params(("conversation" = String, Path),
        ("audience" = Option<String>, Query, description = "`agent` (the default) or `customer`"),
        ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = TranscriptPage), Problems))]
pub(super) async fn transcript(
    caller: Caller,
    conversation: web::Path<String>,
    room: Room,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<Page<TranscriptPage>, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let audience = parameters.text("audience");
    let (limit, after) = (parameters.limit(), parameters.cursor::<Place>());
    parameters.finish()?;
    let audience = match audience.as_deref() {
        None | Some("agent") => Audience::Agent,
        Some("customer") => Audience::Customer,
        Some(_) => {
            let message = "must be agent or customer";
            return Err(Problem::malformed_parameter("audience", message));
        }
    };
    let view = seen(&caller, &conversation, &state).await?;
    note_read(&caller, &state, AuditKind::TranscriptRead, view.id).await;
    let history = state.engine.journal_history();
    let mut after = Place::within(after, history)?;
    let mut entries: Vec<TranscriptEntry> = Vec::new();
    let mut bytes_left = limits::HTTP_PAGE_BYTES_MAX;
    for _ in 0..limits::HISTORY_READS_MAX {
        let wanted = limit - entries.len();
        let events = state.engine.history(view.id, after, audience, wanted, bytes_left).await?;
        let Some(last) = events.last() else {
            return Ok(room.page(TranscriptPage { entries, next: None }));
        };
        after = last.seq;
        let read = entries.len();
        entries.extend(events.iter().filter_map(|event| TranscriptEntry::of(event, audience)));
        let bytes = entries[read..].iter().map(|entry| entry.text.len()).sum();
        bytes_left = bytes_left.saturating_sub(bytes);
        // One that would be beyond the bound is read alone, and so may be far beyond it.
        if entries.len() >= limit || (bytes_left < LARGEST_TEXT && !entries.is_empty()) {
            break;
        }
    }
    let next = (after < view.seq).then(|| Place { history, seq: after }.opaque());
    Ok(room.page(TranscriptPage { entries, next }))
}

/// Why the chat is in its state: every event with its cause and evidence, in order. A page ends at
/// its limit, or before it at about 262,144 bytes.
#[utoipa::path(get, path = "/v1/conversations/{conversation}/timeline", tag = "conversations",
    operation_id = "read_timeline",
    params(("conversation" = String, Path),
        ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = TimelinePage), Problems))]
pub(super) async fn timeline(
    caller: Caller,
    conversation: web::Path<String>,
    room: Room,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<Page<TimelinePage>, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let (limit, after) = (parameters.limit(), parameters.cursor::<Place>());
    parameters.finish()?;
    let view = seen(&caller, &conversation, &state).await?;
    note_read(&caller, &state, AuditKind::TimelineRead, view.id).await;
    let waiting = match view.state {
        State::Open => state.engine.standing(&view.queue, view.id).await,
        _ => None,
    };
    let waiting = waiting.as_ref().map(WaitingObject::from);
    let history = state.engine.journal_history();
    let mut timeline = Timeline::page(view.id, Place::within(after, history)?, limit);
    let (mut read, most) = (Seq::ZERO, limits::OUTLINE_EVENTS_MAX);
    // Every page reads the whole history, as far as the view knows it: only a replay finds what an
    // event changed.
    while read < view.seq {
        let events = state.engine.outline(view.id, read, most).await?;
        let Some(last) = events.last() else { break };
        read = last.seq;
        for event in events {
            timeline.take(event);
        }
    }
    let last = timeline.last().filter(|last| *last < view.seq);
    let next = last.map(|seq| Place { history, seq }.opaque());
    Ok(room.page(timeline.finish(&view, waiting, next)))
}
