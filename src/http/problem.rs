//! What HTTP says when it does not do what it was asked: RFC 9457 problem documents. This is the
//! only place that knows which status a refusal, a fault or a mistake has.

mod access;
mod kind;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use std::collections::BTreeMap;
use std::fmt;
use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response};

use crate::domain::conversation::command::Refusal;
use crate::domain::conversation::view::View;
use crate::domain::id::MalformedId;
use crate::domain::settings::registry::SettingRefusal;
use crate::engine::{Failure, Fault};
use crate::limits;
use crate::strangers::OverBudget;
use crate::wire::document::FieldError;
use crate::wire::narrative::because;
use crate::wire::problem::{self, Became, MEDIA_TYPE};

pub use crate::wire::problem::Kind;
pub use kind::KINDS;

/// Why a request was not done.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: &'static Kind,
    detail: String,
    errors: Vec<FieldError>,
    state: Became,
    retry_after_s: Option<u64>,
    allow: Option<String>,
}

impl Problem {
    fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let errors = Vec::new();
        Self { kind, detail, errors, state: None, retry_after_s: None, allow: None }
    }

    fn with_errors(kind: &'static Kind, errors: Vec<FieldError>) -> Self {
        let detail = errors.iter().map(told).collect::<Vec<_>>().join("; ");
        Self { errors, ..Self::new(kind, detail) }
    }

    /// The code, which never changes.
    pub const fn code(&self) -> &'static str {
        self.kind.code
    }

    /// The same problem, with the present state of the chat that refused a command. Nothing is told
    /// of a chat that is another agent's.
    pub fn with_state(mut self, view: &View) -> Self {
        if self.status_code() == StatusCode::CONFLICT {
            self.state = Some((view.state, view.reason));
            if let Some(reason) = view.reason {
                self.detail = format!("{}; it ended because {}", self.detail, because(reason));
            }
        }
        self
    }

    /// A document that cannot be read; each mistake in it is named.
    pub fn malformed_document(errors: Vec<FieldError>) -> Self {
        Self::with_errors(&kind::MALFORMED_DOCUMENT, errors)
    }

    /// Parameters of the address that cannot be read.
    pub fn malformed_parameters(errors: Vec<FieldError>) -> Self {
        Self::with_errors(&kind::MALFORMED_PARAMETER, errors)
    }

    /// One parameter of the address that cannot be read.
    pub fn malformed_parameter(parameter: &str, message: impl Into<String>) -> Self {
        Self::malformed_parameters(vec![FieldError::new(parameter, message)])
    }

    /// An id in the address under which nothing may be made.
    pub fn malformed_id(error: MalformedId) -> Self {
        Self::malformed_parameter("id", error.to_string())
    }

    /// An `Idempotency-Key` that cannot be read.
    pub fn malformed_key() -> Self {
        let most = limits::IDEMPOTENCY_KEY_BYTES_MAX;
        Self::new(
            &kind::MALFORMED_KEY,
            format!("Idempotency-Key must be 1 to {most} visible characters"),
        )
    }

    /// No token was given.
    pub fn missing_token() -> Self {
        Self::new(&kind::MISSING_TOKEN, "send the header Authorization: Bearer TOKEN")
    }

    /// The token is nobody's.
    pub fn unknown_token() -> Self {
        Self::new(&kind::UNKNOWN_TOKEN, "the token is nobody's, or was ended")
    }

    /// The token's time is over.
    pub fn token_expired() -> Self {
        Self::new(&kind::TOKEN_EXPIRED, "the token has expired: ask an administrator for another")
    }

    /// Too many tokens from one address let nobody in.
    pub fn too_many_attempts(over: OverBudget) -> Self {
        let detail = "too many tokens from your address let nobody in; one that does is taken";
        let retry_after_s = Some(over.retry_after_s());
        Self { retry_after_s, ..Self::new(&kind::TOO_MANY_ATTEMPTS, detail) }
    }

    /// Whether this kind answers a token that lets nobody in.
    pub fn is_refused_token(kind: &'static Kind) -> bool {
        kind.status == 401 && kind.code != kind::MISSING_TOKEN.code
    }

    /// The first answer with this key held a secret, and is not kept.
    pub fn shown_once() -> Self {
        let detail = "this was done, and its answer held a secret that is shown once: end what was \
                      made, and make another with another key";
        Self::new(&kind::SHOWN_ONCE, detail)
    }

    /// The caller's role is too small for this.
    pub fn forbidden(needed: &str) -> Self {
        Self::new(&kind::FORBIDDEN, format!("only {needed} may do this"))
    }

    /// The caller's token stands for no agent, and the request names none.
    pub fn no_agent() -> Self {
        Self::new(&kind::NOBODY, "name an agent: this token stands for none, so there is no `me`")
    }

    /// The chat is not the caller's, and does not wait in a queue that they serve.
    pub fn not_yours() -> Self {
        Self::from(Refusal::NotYours)
    }

    /// There is nothing at this address. A description of all addresses may be nearby.
    pub fn unknown_route(path: &str, is_described: bool) -> Self {
        let more = if is_described { "; see /openapi.json" } else { "" };
        Self::new(&kind::UNKNOWN_ROUTE, format!("there is nothing at {path}{more}"))
    }

    /// The widgets' address got a request that is no handshake.
    pub fn no_handshake() -> Self {
        let detail = "this address speaks WebSocket only: a handshake has `Upgrade: websocket`, \
            `Connection: Upgrade` and no body; a proxy in front must pass all of it on";
        Self::new(&problem::UPGRADE_MALFORMED, detail)
    }

    /// The widgets' address was asked for a widget that does not exist.
    pub fn unknown_widget() -> Self {
        Self::new(&problem::UNKNOWN_WIDGET, "there is no such widget")
    }

    /// The widgets' address got a method that opens no WebSocket.
    pub fn no_handshake_method() -> Self {
        let allow = Some("GET".to_owned());
        Self { allow, ..Self::new(&problem::METHOD_NOT_ALLOWED, "a WebSocket is opened with GET") }
    }

    /// There is no such agent.
    pub fn unknown_agent() -> Self {
        Self::new(&kind::UNKNOWN_AGENT, "there is no such agent")
    }

    /// There is no such conversation.
    pub fn unknown_conversation() -> Self {
        Self::from(Refusal::UnknownConversation)
    }

    /// There is no such workstream, queue or widget.
    pub fn unknown_setting(kind: &'static str) -> Self {
        Self::from(SettingRefusal::Unknown(kind))
    }

    /// The address does not have this method.
    pub fn wrong_method(method: &str, allowed: String) -> Self {
        let detail = format!("{method} is not for this address; {allowed} is");
        Self { allow: Some(allowed), ..Self::new(&kind::WRONG_METHOD, detail) }
    }

    /// The body did not come in time.
    pub fn body_too_slow() -> Self {
        let most = limits::BODY_SECONDS_MAX;
        Self::new(&kind::BODY_TOO_SLOW, format!("the body must be here within {most} seconds"))
    }

    /// The body is larger than any body may be.
    pub fn body_too_large() -> Self {
        let most = limits::BODY_BYTES_MAX;
        Self::new(&kind::BODY_TOO_LARGE, format!("a body must be at most {most} bytes"))
    }

    /// The body ended before it was whole.
    pub fn body_cut_short() -> Self {
        Self::malformed_document(vec![FieldError::new("", "must be sent to its end")])
    }

    /// As many bodies are being read as there is room for.
    pub fn too_many_bodies() -> Self {
        let detail = "as many bodies are being read as there is room for";
        Self { retry_after_s: Some(1), ..Self::new(&kind::OVERLOADED, detail) }
    }

    /// As many pages are being made, or are on their way, as there is room for.
    pub fn too_many_pages() -> Self {
        let detail = "as many pages are being made or sent as there is room for";
        Self { retry_after_s: Some(1), ..Self::new(&kind::OVERLOADED, detail) }
    }

    /// The first request with the same key still runs.
    pub fn in_progress() -> Self {
        let detail = "the first request with this Idempotency-Key still runs; ask again";
        Self { retry_after_s: Some(1), ..Self::new(&kind::IN_PROGRESS, detail) }
    }

    /// The key was used for another request.
    pub fn key_reused() -> Self {
        let detail = "this Idempotency-Key was used for another method, address or body";
        Self::new(&kind::KEY_REUSED, detail)
    }

    /// The server takes no new chats.
    pub fn not_ready() -> Self {
        let detail = "the journal cannot be written, or the server is stopping";
        Self { retry_after_s: Some(1), ..Self::new(&kind::NOT_READY, detail) }
    }

    /// Something could not be written, and was not done.
    fn disk_refuses() -> Self {
        let detail = "the server cannot write to its disk at the moment";
        Self { retry_after_s: Some(1), ..Self::new(&kind::UNAVAILABLE, detail) }
    }

    /// The administrator's token can be changed only where it was given.
    fn given_by_configuration(source: &str) -> Self {
        let detail = format!("the administrator's token comes from {source}: change it there");
        Self::new(&kind::GIVEN_ELSEWHERE, detail)
    }

    /// The server failed in a way that its own log tells.
    pub fn internal() -> Self {
        Self::new(&kind::INTERNAL, "the server failed; its log says why")
    }
}

fn told(error: &FieldError) -> String {
    match error.field.as_str() {
        "" => format!("the document {}", error.message),
        field => format!("{field} {}", error.message),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::AlreadyAccepted => &kind::ALREADY_ACCEPTED,
            Refusal::AlreadyClosed => &kind::ALREADY_CLOSED,
            Refusal::AlreadyStarted => &kind::ALREADY_STARTED,
            Refusal::ConversationFull => &kind::CONVERSATION_FULL,
            Refusal::ConversationEnded => &kind::CONVERSATION_ENDED,
            Refusal::IdReused => &kind::ID_REUSED,
            Refusal::NotAccepted => &kind::NOT_ACCEPTED,
            Refusal::NotInWrapup => &kind::NOT_IN_WRAPUP,
            Refusal::NotOffered => &kind::NOT_OFFERED,
            Refusal::NotWaiting => &kind::NOT_WAITING,
            Refusal::NotYours => &kind::NOT_YOURS,
            Refusal::NotStarted => &kind::NOT_STARTED,
            Refusal::UnknownConversation => &kind::UNKNOWN_CONVERSATION,
        };
        Self::new(kind, refusal.to_string())
    }
}

impl From<SettingRefusal> for Problem {
    fn from(refusal: SettingRefusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            SettingRefusal::Invalid(violations) => {
                let errors = violations.into_iter();
                let errors = errors
                    .map(|violation| FieldError::new(violation.field, violation.message))
                    .collect();
                Self { errors, ..Self::new(&kind::INVALID_SETTINGS, detail) }
            }
            SettingRefusal::Unknown("agent") => Self::new(&kind::UNKNOWN_AGENT, detail),
            SettingRefusal::Unknown(_) => Self::new(&kind::UNKNOWN_SETTING, detail),
            SettingRefusal::TooManyTokens => Self::new(&kind::TOO_MANY_TOKENS, detail),
            SettingRefusal::InUse(_) => Self::new(&kind::IN_USE, detail),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::from(refusal),
            Failure::Setting(refusal) => Self::from(refusal),
            Failure::UnknownAgent => Self::unknown_agent(),
            Failure::StillOpen(_) => Self::new(&kind::CONVERSATION_OPEN, failure.to_string()),
            Failure::AgentGone => Self::new(&kind::AGENT_GONE, failure.to_string()),
            Failure::FeedEnded => Self::new(&kind::FEED_ENDED, failure.to_string()),
            Failure::Overloaded => {
                let detail = failure.to_string();
                Self { retry_after_s: Some(1), ..Self::new(&kind::OVERLOADED, detail) }
            }
            Failure::Unavailable => {
                let detail = failure.to_string();
                Self { retry_after_s: Some(60), ..Self::new(&kind::UNAVAILABLE, detail) }
            }
            Failure::Fault(Fault::Write(error)) => {
                tracing::error!(%error, "a request could not be written");
                Self::disk_refuses()
            }
            Failure::Trouble(trouble) if trouble.is_of_writing => {
                tracing::error!(error = %trouble, "a request could not be written");
                Self::disk_refuses()
            }
            Failure::Trouble(trouble) => {
                tracing::error!(error = %trouble, "a request failed");
                Self::internal()
            }
            Failure::Fault(fault) => {
                tracing::error!(error = %fault, "a request failed");
                // What broke is the operator's business, and no caller can mend it.
                Self::internal()
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"holdline\""));
        }
        if let Some(seconds) = self.retry_after_s {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(allowed) = &self.allow {
            response.insert_header((header::ALLOW, allowed.as_str()));
        }
        response.insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
        // For the middleware, which counts refusals.
        response.extensions_mut().insert(self.kind);
        response.content_type(MEDIA_TYPE).body(self.kind.document(
            &self.detail,
            &self.errors,
            self.state,
        ))
    }
}

/// In the `OpenAPI` document: whatever is not described otherwise is a problem document.
pub(super) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let mut response = Response::new("A problem document");
        response.content.insert(MEDIA_TYPE.to_owned(), content.into());
        BTreeMap::from([("default".to_owned(), RefOr::T(response))])
    }
}
