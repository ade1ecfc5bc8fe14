//! What HTTP says when it does not do what it was asked: RFC 9457 problem documents. This is the
//! only place that knows which status a refusal, a fault or a mistake has.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use utoipa::openapi::{ContentBuilder, Object, ObjectBuilder, Ref, RefOr, Response, Type};
use utoipa::{IntoResponses, ToSchema};

use crate::domain::conversation::command::Refusal;
use crate::domain::id::MalformedId;
use crate::domain::settings::registry::SettingRefusal;
use crate::engine::{Failure, Fault};
use crate::limits;
use crate::wire::document::FieldError;

/// A kind of problem: its code never changes.
#[derive(Debug, Eq, PartialEq)]
pub struct Kind {
    /// The code, for programs.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What it is called, for people.
    pub title: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        $(const $name: Kind = Kind { code: $code, status: $status, title: $title };)*

        /// Every kind of problem, by status.
        pub const KINDS: &[Kind] = &[$($name),*];
    };
}

kinds! {
    MALFORMED_DOCUMENT = "malformed_document", 400, "The document cannot be read";
    MALFORMED_PARAMETER = "malformed_parameter", 400, "A parameter cannot be read";
    MALFORMED_KEY = "malformed_idempotency_key", 400, "The Idempotency-Key cannot be read";
    MISSING_TOKEN = "missing_token", 401, "A bearer token is needed";
    UNKNOWN_TOKEN = "unknown_token", 401, "The bearer token is not known";
    FORBIDDEN = "forbidden", 403, "Your role may not do this";
    NOBODY = "no_agent", 403, "The administrator's token stands for no agent";
    NOT_YOURS = "not_yours", 403, "The chat is not yours";
    UNKNOWN_ROUTE = "unknown_route", 404, "There is nothing at this address";
    UNKNOWN_AGENT = "unknown_agent", 404, "There is no such agent";
    UNKNOWN_CONVERSATION = "unknown_conversation", 404, "There is no such conversation";
    UNKNOWN_SETTING = "unknown_setting", 404, "There is no such thing";
    WRONG_METHOD = "wrong_method", 405, "This address has no such method";
    BODY_TOO_SLOW = "body_too_slow", 408, "The body came too slowly";
    AGENT_GONE = "agent_gone", 409, "The agent is gone";
    ALREADY_ACCEPTED = "already_accepted", 409, "The chat was already accepted";
    ALREADY_CLOSED = "already_closed", 409, "The conversation is closed";
    ALREADY_STARTED = "already_started", 409, "The conversation has already begun";
    CONVERSATION_FULL = "conversation_full", 409, "The conversation is full";
    CONVERSATION_ENDED = "conversation_ended", 409, "The chat is over";
    FEED_ENDED = "feed_ended", 409, "The feed has ended";
    ID_REUSED = "id_reused", 409, "The message id was used for something else";
    NOT_ACCEPTED = "not_accepted", 409, "The chat is not accepted";
    NOT_IN_WRAPUP = "not_in_wrapup", 409, "The chat is not in wrap-up";
    NOT_OFFERED = "not_offered", 409, "The chat is not offered to you";
    NOT_WAITING = "not_waiting", 409, "The chat does not wait";
    NOT_STARTED = "not_started", 409, "The chat has not begun";
    IN_USE = "in_use", 409, "Something else needs it";
    IN_PROGRESS = "idempotency_in_progress", 409, "The first request with this key still runs";
    BODY_TOO_LARGE = "body_too_large", 413, "The body is too large";
    INVALID_SETTINGS = "invalid_settings", 422, "The settings break a rule";
    KEY_REUSED = "idempotency_key_reused", 422, "The Idempotency-Key was used for something else";
    INTERNAL = "internal", 500, "The server failed";
    OVERLOADED = "overloaded", 503, "The server has too much to do";
    UNAVAILABLE = "unavailable", 503, "This cannot be served at the moment";
    NOT_READY = "not_ready", 503, "The server is not ready";
}

/// Why a request was not done.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: &'static Kind,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_s: Option<u64>,
    allow: Option<String>,
}

/// A problem as it is written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemObject<'a> {
    /// A name of the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// What the kind is called.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What went wrong here, for people.
    detail: &'a str,
    /// The code of the kind, for programs. It never changes.
    #[schema(schema_with = codes)]
    code: &'a str,
    /// Each field that is wrong, and what it must be.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { kind, detail, errors: Vec::new(), retry_after_s: None, allow: None }
    }

    fn with_errors(kind: &'static Kind, errors: Vec<FieldError>) -> Self {
        let detail = errors.iter().map(told).collect::<Vec<_>>().join("; ");
        Self { errors, ..Self::new(kind, detail) }
    }

    /// The code, which never changes.
    pub const fn code(&self) -> &'static str {
        self.kind.code
    }

    /// A document that cannot be read; each mistake in it is named.
    pub fn malformed_document(errors: Vec<FieldError>) -> Self {
        Self::with_errors(&MALFORMED_DOCUMENT, errors)
    }

    /// Parameters of the address that cannot be read.
    pub fn malformed_parameters(errors: Vec<FieldError>) -> Self {
        Self::with_errors(&MALFORMED_PARAMETER, errors)
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
        Self::new(&MALFORMED_KEY, format!("Idempotency-Key must be 1 to {most} visible characters"))
    }

    /// No token was given.
    pub fn missing_token() -> Self {
        Self::new(&MISSING_TOKEN, "send the header Authorization: Bearer TOKEN")
    }

    /// The token is nobody's.
    pub fn unknown_token() -> Self {
        Self::new(&UNKNOWN_TOKEN, "the token is nobody's, or was replaced by newer ones")
    }

    /// The caller's role is too small for this.
    pub fn forbidden(needed: &str) -> Self {
        Self::new(&FORBIDDEN, format!("only {needed} may do this"))
    }

    /// The caller's token stands for no agent, and the request says no other.
    pub fn no_agent() -> Self {
        Self::new(&NOBODY, "name an agent: this token stands for none, so there is no `me`")
    }

    /// The chat is not the caller's, and does not wait in a queue that they serve.
    pub fn not_yours() -> Self {
        Self::from(Refusal::NotYours)
    }

    /// There is nothing at the address.
    pub fn unknown_route(path: &str) -> Self {
        Self::new(&UNKNOWN_ROUTE, format!("there is nothing at {path}; see /openapi.json"))
    }

    /// There is no such agent.
    pub fn unknown_agent() -> Self {
        Self::new(&UNKNOWN_AGENT, "there is no such agent")
    }

    /// There is no such conversation.
    pub fn unknown_conversation() -> Self {
        Self::from(Refusal::UnknownConversation)
    }

    /// There is no such workstream, queue or widget.
    pub fn unknown_setting(kind: &'static str) -> Self {
        Self::from(SettingRefusal::Unknown(kind))
    }

    /// The address has other methods.
    pub fn wrong_method(method: &str, allowed: String) -> Self {
        let detail = format!("{method} is not for this address; {allowed} is");
        Self { allow: Some(allowed), ..Self::new(&WRONG_METHOD, detail) }
    }

    /// The body did not come in time.
    pub fn body_too_slow() -> Self {
        let most = limits::BODY_SECONDS_MAX;
        Self::new(&BODY_TOO_SLOW, format!("the body must be here within {most} seconds"))
    }

    /// The body is larger than any body may be.
    pub fn body_too_large() -> Self {
        let most = limits::BODY_BYTES_MAX;
        Self::new(&BODY_TOO_LARGE, format!("a body must be at most {most} bytes"))
    }

    /// The body ended before it was whole.
    pub fn body_cut_short() -> Self {
        Self::malformed_document(vec![FieldError::new("", "must be sent to its end")])
    }

    /// The first request with the same key still runs.
    pub fn in_progress() -> Self {
        let detail = "the first request with this Idempotency-Key still runs; ask again";
        Self { retry_after_s: Some(1), ..Self::new(&IN_PROGRESS, detail) }
    }

    /// The key was used for another request.
    pub fn key_reused() -> Self {
        let detail = "this Idempotency-Key was used for another method, address or body";
        Self::new(&KEY_REUSED, detail)
    }

    /// The server takes no new chats.
    pub fn not_ready() -> Self {
        let detail = "the journal cannot be written, or the server is stopping";
        Self { retry_after_s: Some(1), ..Self::new(&NOT_READY, detail) }
    }

    /// The server failed in a way that its own log tells.
    pub fn internal() -> Self {
        Self::new(&INTERNAL, "the server failed; its log says why")
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
            Refusal::AlreadyAccepted => &ALREADY_ACCEPTED,
            Refusal::AlreadyClosed => &ALREADY_CLOSED,
            Refusal::AlreadyStarted => &ALREADY_STARTED,
            Refusal::ConversationFull => &CONVERSATION_FULL,
            Refusal::ConversationEnded => &CONVERSATION_ENDED,
            Refusal::IdReused => &ID_REUSED,
            Refusal::NotAccepted => &NOT_ACCEPTED,
            Refusal::NotInWrapup => &NOT_IN_WRAPUP,
            Refusal::NotOffered => &NOT_OFFERED,
            Refusal::NotWaiting => &NOT_WAITING,
            Refusal::NotYours => &NOT_YOURS,
            Refusal::NotStarted => &NOT_STARTED,
            Refusal::UnknownConversation => &UNKNOWN_CONVERSATION,
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
                Self { errors, ..Self::new(&INVALID_SETTINGS, detail) }
            }
            SettingRefusal::Unknown("agent") => Self::new(&UNKNOWN_AGENT, detail),
            SettingRefusal::Unknown(_) => Self::new(&UNKNOWN_SETTING, detail),
            SettingRefusal::InUse(_) => Self::new(&IN_USE, detail),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::from(refusal),
            Failure::Setting(refusal) => Self::from(refusal),
            Failure::UnknownAgent => Self::unknown_agent(),
            Failure::AgentGone => Self::new(&AGENT_GONE, failure.to_string()),
            Failure::FeedEnded => Self::new(&FEED_ENDED, failure.to_string()),
            Failure::Overloaded => {
                let detail = failure.to_string();
                Self { retry_after_s: Some(1), ..Self::new(&OVERLOADED, detail) }
            }
            Failure::Unavailable => {
                let detail = failure.to_string();
                Self { retry_after_s: Some(60), ..Self::new(&UNAVAILABLE, detail) }
            }
            Failure::Fault(Fault::Write(error)) => {
                tracing::error!(%error, "a request could not be written");
                let detail = "the server cannot write to its disk at the moment";
                Self { retry_after_s: Some(1), ..Self::new(&UNAVAILABLE, detail) }
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
        let object = ProblemObject {
            kind: format!("urn:holdline:problem:{}", self.kind.code),
            title: self.kind.title,
            status: self.kind.status,
            detail: &self.detail,
            code: self.kind.code,
            errors: &self.errors,
        };
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
        let body = serde_json::to_vec(&object).unwrap_or_default();
        response.content_type("application/problem+json").body(body)
    }
}

/// In the `OpenAPI` document: whatever is not described otherwise is a problem document.
pub(super) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let mut response = Response::new("A problem document");
        response.content.insert("application/problem+json".to_owned(), content.into());
        BTreeMap::from([("default".to_owned(), RefOr::T(response))])
    }
}

fn codes() -> Object {
    let codes = KINDS.iter().map(|kind| kind.code);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes)).build()
}
