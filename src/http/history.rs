//! What was said in a conversation, and what happened in it: the same events, told for reading
//! along and told for understanding.

use actix_web::{HttpRequest, web};

use crate::domain::audit::AuditKind;
use crate::domain::conversation::State;
use crate::domain::conversation::event::{Audience, Recorded};
use crate::domain::id::{ConversationId, Seq};
use crate::http::HttpState;
use crate::http::audit::note_read;
use crate::http::auth::Caller;
use crate::http::conversations::seen;
use crate::http::paging::{Cursor, Parameters, Place};
use crate::http::problem::{Problem, Problems};
use crate::wire::narrative;
use crate::wire::objects::{
    SessionSummary, TimelineEntry, TimelinePage, TranscriptEntry, TranscriptPage, WaitingObject,
};

/// Reads of the history for one page, because many events may make few entries. A page may be
/// short, even empty, and still have a next.
const READS_MAX: usize = 20;

/// Events that are read at once.
const EVENTS_AT_ONCE: usize = 1_000;

/// What was said, in order, as agents or as the customer may see it.
#[utoipa::path(get, path = "/v1/conversations/{conversation}/transcript", tag = "conversations",
    operation_id = "read_transcript",
    params(("conversation" = String, Path),
        ("audience" = Option<String>, Query, description = "`agent` (the default) or `customer`"),
        ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = TranscriptPage), Problems))]
pub(super) async fn transcript(
    caller: Caller,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<web::Json<TranscriptPage>, Problem> {
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
    let mut entries = Vec::new();
    for _ in 0..READS_MAX {
        let events = state.engine.history(view.id, after, audience, limit - entries.len()).await?;
        let Some(last) = events.last() else {
            return Ok(web::Json(TranscriptPage { entries, next: None }));
        };
        after = last.seq;
        entries.extend(events.iter().filter_map(|event| TranscriptEntry::of(event, audience)));
        if entries.len() >= limit {
            break;
        }
    }
    let next = (after < view.seq).then(|| Place { history, seq: after }.opaque());
    Ok(web::Json(TranscriptPage { entries, next }))
}

/// Why the chat is in its state: every event with its cause and evidence, in order.
#[utoipa::path(get, path = "/v1/conversations/{conversation}/timeline", tag = "conversations",
    operation_id = "read_timeline",
    params(("conversation" = String, Path),
        ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = TimelinePage), Problems))]
pub(super) async fn timeline(
    caller: Caller,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<web::Json<TimelinePage>, Problem> {
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
    let events = events(&state, view.id).await?;
    let why = narrative::why(&view, &events);
    let sessions = narrative::attended(&events).iter().map(SessionSummary::from).collect();
    // What an event changed is found by replay, so every page replays from the first event on.
    let (_, steps) = narrative::steps(view.id, events);
    let history = state.engine.journal_history();
    let after = Place::within(after, history)?;
    let page = steps.iter().filter(|step| step.recorded.seq > after).take(limit);
    let entries: Vec<_> = page.map(TimelineEntry::from).collect();
    let last = entries.last().map(|entry| entry.seq).filter(|last| *last < view.seq.number());
    let next = last.map(|last| Place { history, seq: Seq::new(last) }.opaque());
    Ok(web::Json(TimelinePage { why, waiting, sessions, entries, next }))
}

/// All events of a conversation, of which there are at most
/// [`ENTRIES_MAX`](crate::limits::ENTRIES_MAX): the engine gives some at once.
async fn events(state: &HttpState, id: ConversationId) -> Result<Vec<Recorded>, Problem> {
    let mut events: Vec<Recorded> = Vec::new();
    loop {
        let after = events.last().map_or(Seq::ZERO, |event| event.seq);
        let more = state.engine.history(id, after, Audience::Agent, EVENTS_AT_ONCE).await?;
        if more.is_empty() {
            return Ok(events);
        }
        events.extend(more);
    }
}
