//! The answer to a request that is not done: a problem document (RFC 9457). It has one form for
//! HTTP requests and for refused WebSocket upgrades.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::conversation::State;
use crate::domain::conversation::event::Reason;
use crate::wire::document::FieldError;
use crate::wire::enumeration::names;

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

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
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        $($(#[$doc])*
        pub const $name: Kind = Kind { code: $code, status: $status, title: $title };)*

        /// Every reason not to let a widget in.
        pub const UPGRADE_KINDS: &[Kind] = &[$($name),*];
    };
}

kinds! {
    /// No handshake, or one that is not as it must be.
    UPGRADE_MALFORMED = "upgrade_malformed", 400, "This is not a WebSocket handshake";
    /// The protocol was not offered.
    SUBPROTOCOL_MISSING = "subprotocol_missing", 400, "The subprotocol was not offered";
    /// The address names no widget.
    WIDGET_MISSING = "widget_missing", 400, "The address names no widget";
    /// Pages of this origin may not open the widget.
    ORIGIN_NOT_ALLOWED = "origin_not_allowed", 403, "The page's origin may not open the widget";
    /// It is not there.
    UNKNOWN_WIDGET = "unknown_widget", 404, "There is no such widget";
    /// Widgets connect elsewhere.
    NOT_FOUND = "not_found", 404, "This is not the address of widgets";
    /// A handshake is a GET.
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "A WebSocket is opened with GET";
    /// Another version of the handshake.
    VERSION_UNSUPPORTED = "version_unsupported", 426, "The WebSocket version is not supported";
    /// One address has as many connections as it may.
    TOO_MANY_CONNECTIONS = "too_many_connections", 429, "There are too many connections";
    /// Too many sockets are in no chat.
    TOO_MANY_SOCKETS = "too_many_sockets", 429, "Too many sockets are in no chat";
    /// There were too many handshakes in a minute.
    TOO_MANY_UPGRADES = "too_many_upgrades", 429, "There were too many handshakes";
    /// No sessions are taken at the moment.
    UNAVAILABLE = "unavailable", 503, "No sessions are taken at the moment";
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
    code: &'a str,
    /// Each field that is wrong, and what it must be.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
    /// The state of the chat that refused a command.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = states)]
    state: Option<&'static str>,
    /// Why that chat ended, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = reasons)]
    reason: Option<&'static str>,
}

/// What has become of the chat that refused a command: its state, and why it ended if it has.
pub type Became = Option<(State, Option<Reason>)>;

impl Kind {
    /// A problem of this kind as JSON.
    pub fn document(&self, detail: &str, errors: &[FieldError], became: Became) -> String {
        let object = ProblemObject {
            kind: format!("urn:holdline:problem:{}", self.code),
            title: self.title,
            status: self.status,
            detail,
            code: self.code,
            errors,
            state: became.map(|(state, _)| state.name()),
            reason: became.and_then(|(_, reason)| reason).map(Reason::name),
        };
        // The object has only texts and a number, which is always JSON.
        serde_json::to_string(&object).unwrap_or_default()
    }
}

fn states() -> utoipa::openapi::Object {
    names(State::ALL.map(State::name))
}

fn reasons() -> utoipa::openapi::Object {
    names(Reason::ALL.map(Reason::name))
}
