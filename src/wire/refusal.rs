//! Why a widget's frame was refused: the codes of `refused`, all of them, for ever.

use std::fmt;

use crate::domain::conversation::command::Refusal;

/// The code of a refused frame: a rule of the protocol's, or one of the conversation's.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RefusalCode {
    /// The frame is not one JSON object, or gives a field twice.
    Malformed,
    /// The frame's `type` is not known.
    UnknownType,
    /// A field that the type needs is missing.
    MissingField,
    /// A field is of the wrong kind or form.
    InvalidField,
    /// A field is longer than its limit.
    TooLong,
    /// The first frame must be `hello`.
    HelloFirst,
    /// `hello` was said before.
    AlreadyGreeted,
    /// The token is not one of ours; the session goes on without it.
    TokenInvalid,
    /// The token's conversation was over too long ago; the session goes on without it.
    TokenExpired,
    /// A chat can be begun only by somebody for whom the site's server vouches.
    AdmissionRequired,
    /// The admission does not vouch for anybody here; the session goes on without it.
    AdmissionInvalid,
    /// The admission was good until earlier; the session goes on without it.
    AdmissionExpired,
    /// Too many frames in too short a time; this one was not looked at.
    RateLimited,
    /// The widget has been removed; no chat can be started through it.
    UnknownWidget,
    /// The queue holds as many chats as it may.
    QueueFull,
    /// Too many chats were begun in a minute, by one address, on one site or in one widget.
    TooManyStarts,
    /// Too many chats wait, of one address, on one site or in one widget.
    TooManyWaiting,
    /// The server has more to write than it can.
    Overloaded,
    /// The server cannot do this at the moment.
    Unavailable,
    /// A rule of the conversation said no.
    Conversation(Refusal),
}

impl RefusalCode {
    /// Every code that is the protocol's own.
    pub const PROTOCOL: [Self; 19] = [
        Self::Malformed,
        Self::UnknownType,
        Self::MissingField,
        Self::InvalidField,
        Self::TooLong,
        Self::HelloFirst,
        Self::AlreadyGreeted,
        Self::TokenInvalid,
        Self::TokenExpired,
        Self::AdmissionRequired,
        Self::AdmissionInvalid,
        Self::AdmissionExpired,
        Self::RateLimited,
        Self::UnknownWidget,
        Self::QueueFull,
        Self::TooManyStarts,
        Self::TooManyWaiting,
        Self::Overloaded,
        Self::Unavailable,
    ];

    /// Every code.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::PROTOCOL.into_iter().chain(Refusal::ALL.into_iter().map(Self::Conversation))
    }

    /// The code on the wire, which never changes.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownType => "unknown_type",
            Self::MissingField => "missing_field",
            Self::InvalidField => "invalid_field",
            Self::TooLong => "too_long",
            Self::HelloFirst => "hello_first",
            Self::AlreadyGreeted => "already_greeted",
            Self::TokenInvalid => "token_invalid",
            Self::TokenExpired => "token_expired",
            Self::AdmissionRequired => "admission_required",
            Self::AdmissionInvalid => "admission_invalid",
            Self::AdmissionExpired => "admission_expired",
            Self::RateLimited => "rate_limited",
            Self::UnknownWidget => "unknown_widget",
            Self::QueueFull => "queue_full",
            Self::TooManyStarts => "too_many_starts",
            Self::TooManyWaiting => "too_many_waiting",
            Self::Overloaded => "overloaded",
            Self::Unavailable => "unavailable",
            Self::Conversation(refusal) => refusal.code(),
        }
    }

    /// Whether the same frame may succeed later without having been changed.
    pub const fn may_be_repeated(self) -> bool {
        match self {
            Self::RateLimited
            | Self::QueueFull
            | Self::TooManyStarts
            | Self::TooManyWaiting
            | Self::Overloaded
            | Self::Unavailable => true,
            Self::Malformed
            | Self::UnknownType
            | Self::MissingField
            | Self::InvalidField
            | Self::TooLong
            | Self::HelloFirst
            | Self::AlreadyGreeted
            | Self::TokenInvalid
            | Self::TokenExpired
            | Self::AdmissionRequired
            | Self::AdmissionInvalid
            | Self::AdmissionExpired
            | Self::UnknownWidget
            | Self::Conversation(_) => false,
        }
    }
}

impl From<Refusal> for RefusalCode {
    fn from(refusal: Refusal) -> Self {
        Self::Conversation(refusal)
    }
}

/// The sentence for people.
impl fmt::Display for RefusalCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "a frame is one JSON object",
            Self::UnknownType => "this type of frame is not known",
            Self::MissingField => "a field is missing",
            Self::InvalidField => "a field is not what it should be",
            Self::TooLong => "a field is too long",
            Self::HelloFirst => "say `hello` first",
            Self::AlreadyGreeted => "`hello` was said before; open another socket to say it again",
            Self::TokenInvalid => "this token is not one of ours; the session goes on without it",
            Self::TokenExpired => "this token's chat was over too long ago; start a new one",
            Self::AdmissionRequired => "sign in on this site first: `hello` needs an `admission`",
            Self::AdmissionInvalid => {
                "this `admission` vouches for nobody here; the session goes on without it"
            }
            Self::AdmissionExpired => {
                "this `admission` was good until earlier; the session goes on without it"
            }
            Self::RateLimited => "too many frames in too short a time; send this one again later",
            Self::UnknownWidget => "there is no such widget",
            Self::QueueFull => "nobody can be waited for at the moment; try again later",
            Self::TooManyStarts => "too many chats were begun from here; try again in a minute",
            Self::TooManyWaiting => "too many chats from here wait; try again when one is answered",
            Self::Overloaded => "the server has more to write than it can; try again in a moment",
            Self::Unavailable => "this cannot be served at the moment; try again in a minute",
            Self::Conversation(refusal) => return refusal.fmt(formatter),
        })
    }
}
