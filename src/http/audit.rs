//! The audit stream: who changed, read or did what, and who was refused. For administrators.

use std::fmt;
use std::str::FromStr;

use actix_web::{HttpRequest, web};

use crate::domain::audit::{Act, AuditKind};
use crate::domain::conversation::command::Authority;
use crate::domain::id::{AgentId, ConversationId, History};
use crate::domain::settings::registry::SettingChange;
use crate::domain::time::Timestamp;
use crate::engine::{AuditFilter, AuditRow};
use crate::http::auth::{Administrator, Caller};
use crate::http::paging::{Cursor, Parameters};
use crate::http::problem::{Problem, Problems};
use crate::http::settings::changed;
use crate::http::state::HttpState;
use crate::wire::objects::{AuditEntry, AuditPage, AuditRetentionDocument};
use crate::wire::time::moment;

/// A place in the stream, of one history of the journal.
struct Before {
    history: History,
    number: u64,
}

impl Cursor for Before {
    const KIND: u8 = 5;

    fn encode(&self) -> Vec<u8> {
        let history = self.history.number().to_be_bytes();
        history.into_iter().chain(self.number.to_be_bytes()).collect()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (history, number) = bytes.split_first_chunk::<4>()?;
        Some(Self {
            history: History::new(u32::from_be_bytes(*history)),
            number: u64::from_be_bytes(number.try_into().ok()?),
        })
    }
}

/// A point in time that names its day.
struct Moment(Timestamp);

/// A text that is no such point in time.
struct NoMoment(String);

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        moment(text, Timestamp::default()).map(Self).map_err(NoMoment)
    }
}

impl fmt::Display for NoMoment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Who did what, the newest first. For administrators.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", operation_id = "list_audit",
    params(("by" = Option<String>, Query, description = "Who: an id, or `administrator`"),
        ("kind" = Option<String>, Query, description = "Kinds, with commas between them"),
        ("about" = Option<String>, Query, description = "About what, such as `agent:ada`"),
        ("from" = Option<String>, Query, description = "Not before this time"),
        ("to" = Option<String>, Query, description = "Before this time"),
        ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = AuditPage), Problems))]
pub(super) async fn list(
    _: Administrator,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<web::Json<AuditPage>, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let filter = AuditFilter {
        by: parameters.parsed("by"),
        kinds: parameters.names("kind", &AuditKind::ALL, AuditKind::name),
        about: parameters.text("about"),
        from: parameters.parsed::<Moment>("from").map(|moment| moment.0),
        to: parameters.parsed::<Moment>("to").map(|moment| moment.0),
    };
    let (limit, before) = (parameters.limit(), parameters.cursor::<Before>());
    parameters.finish()?;
    let history = state.engine.journal_history();
    if before.as_ref().is_some_and(|before| before.history != history) {
        let message = "is of another history of the journal, from before a backup was restored; \
            begin anew without it";
        return Err(Problem::malformed_parameter("cursor", message));
    }
    let before = before.map(|before| before.number);
    let page = state.engine.audit_page(filter, before, limit).await?;
    Ok(web::Json(AuditPage {
        entries: page.rows.into_iter().map(shown).collect(),
        next: page.next.map(|number| Before { history, number }.opaque()),
    }))
}

fn shown(row: AuditRow) -> AuditEntry {
    let hash = row.hash_text();
    let AuditRow { number, at, kind, by, about, body, .. } = row;
    AuditEntry::new((number, at, hash), kind, [by, about], &body)
}

/// For how long the audit stream is kept. For administrators.
#[utoipa::path(get, path = "/v1/audit/retention", tag = "audit",
    operation_id = "read_audit_retention",
    responses((status = 200, description = "It", body = AuditRetentionDocument), Problems))]
pub(super) async fn read_retention(
    _: Administrator,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<web::Json<AuditRetentionDocument>, Problem> {
    Parameters::none(&request)?;
    Ok(web::Json(state.engine.settings().audit.into()))
}

/// Decides for how long the audit stream is kept. For administrators.
#[utoipa::path(put, path = "/v1/audit/retention", tag = "audit",
    operation_id = "put_audit_retention", request_body = AuditRetentionDocument,
    responses((status = 200, description = "It", body = AuditRetentionDocument), Problems))]
pub(super) async fn put_retention(
    administrator: Administrator,
    state: web::Data<HttpState>,
    body: web::Bytes,
) -> Result<web::Json<AuditRetentionDocument>, Problem> {
    let retention = AuditRetentionDocument::read(&body).map_err(Problem::malformed_document)?;
    changed(&state, administrator.name(), SettingChange::PutAuditRetention(retention)).await?;
    Ok(web::Json(retention.into()))
}

/// What is noted when a caller acts in an agent's place; nothing when the caller is that agent.
pub(super) fn in_place_of(caller: &Caller, kind: AuditKind, agent: &AgentId) -> Option<Act> {
    let is_another = caller.agent() != Some(agent);
    is_another.then(|| Act::new(kind, Some(caller.name())).with("agent", agent.as_str()))
}

/// What is noted when a supervisor acts on another's chat; nothing when its own agent does.
pub(super) fn over(by: &Authority, kind: AuditKind) -> Option<Act> {
    match by {
        Authority::Agent(_) => None,
        Authority::Supervisor(supervisor) => Some(Act::new(kind, Some(supervisor.clone()))),
    }
}

/// Notes that somebody reads what was said or happened in a chat.
pub(super) async fn note_read(
    caller: &Caller,
    state: &HttpState,
    kind: AuditKind,
    id: ConversationId,
) {
    state.engine.audit_gathered(Act::new(kind, Some(caller.name())).about_chat(id)).await;
}

/// Notes that a caller asked for something they have no right to: the method, the address, and the
/// chat if the address names one.
pub(super) fn note_forbidden(request: &HttpRequest, state: &HttpState, code: &'static str) {
    // If the token was ended meanwhile, the entry is still written, without a name.
    let by = Caller::of(request).ok().map(|caller| caller.name());
    state.engine.audit_forbidden(by, code, |act| {
        let chat = request.match_info().get("conversation").and_then(|id| id.parse().ok());
        let act = match chat {
            Some(chat) => act.about_chat(chat),
            None => act,
        };
        let act = act.with("method", request.method().as_str());
        match request.match_pattern() {
            Some(route) => act.with("route", route),
            None => act,
        }
    });
}
