//! Why the server closes a widget's socket: its close codes, all of them, for ever.

use crate::domain::cause::{Cause, Misuse};

/// Why the server closes a socket.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CloseCode {
    /// The widget closed, or nothing is left to say.
    Normal,
    /// The server goes away and does not come back.
    GoingAway,
    /// The widget broke RFC 6455.
    Protocol,
    /// A binary frame: everything here is text.
    Binary,
    /// A text that is not UTF-8.
    InvalidUtf8,
    /// A frame, or a message in fragments, that is larger than the limit.
    TooBig,
    /// The server failed at something.
    Internal,
    /// The server is restarted; come back after the time that `bye` names.
    Restart,
    /// The server has more to do than it can; come back after the time that `bye` names.
    Overload,
    /// No `hello` came in time.
    HelloTimeout,
    /// Something else than `hello` came first, again and again.
    HelloOrder,
    /// The widget read too slowly; come back and resume.
    SlowReader,
    /// A later session of the same customer took this one's place; do not come back by yourself.
    Replaced,
    /// Neither a frame nor a pong came for two heartbeats.
    Silent,
    /// Too many frames were refused.
    RefusedTooOften,
}

impl CloseCode {
    /// Every close code.
    pub const ALL: [Self; 15] = [
        Self::Normal,
        Self::GoingAway,
        Self::Protocol,
        Self::Binary,
        Self::InvalidUtf8,
        Self::TooBig,
        Self::Internal,
        Self::Restart,
        Self::Overload,
        Self::HelloTimeout,
        Self::HelloOrder,
        Self::SlowReader,
        Self::Replaced,
        Self::Silent,
        Self::RefusedTooOften,
    ];

    /// The number in the close frame.
    pub const fn number(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::GoingAway => 1001,
            Self::Protocol => 1002,
            Self::Binary => 1003,
            Self::InvalidUtf8 => 1007,
            Self::TooBig => 1009,
            Self::Internal => 1011,
            Self::Restart => 1012,
            Self::Overload => 1013,
            Self::HelloTimeout => 4000,
            Self::HelloOrder => 4001,
            Self::SlowReader => 4002,
            Self::Replaced => 4003,
            Self::Silent => 4004,
            Self::RefusedTooOften => 4008,
        }
    }

    /// The reason in `bye` and in the close frame: one word, which never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::GoingAway => "going_away",
            Self::Protocol => "protocol",
            Self::Binary => "binary",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::TooBig => "too_big",
            Self::Internal => "internal",
            Self::Restart => "restart",
            Self::Overload => "overload",
            Self::HelloTimeout => "hello_timeout",
            Self::HelloOrder => "hello_order",
            Self::SlowReader => "slow_reader",
            Self::Replaced => "replaced",
            Self::Silent => "silent",
            Self::RefusedTooOften => "refused_too_often",
        }
    }

    /// Whether a widget should connect again by itself.
    pub const fn invites_back(self) -> bool {
        match self {
            Self::Internal | Self::Restart | Self::Overload | Self::SlowReader | Self::Silent => {
                true
            }
            Self::Normal
            | Self::GoingAway
            | Self::Protocol
            | Self::Binary
            | Self::InvalidUtf8
            | Self::TooBig
            | Self::HelloTimeout
            | Self::HelloOrder
            | Self::Replaced
            | Self::RefusedTooOften => false,
        }
    }

    /// The cause that the conversation is told when the server closed a socket with this code.
    pub const fn cause(self) -> Cause {
        match self {
            Self::Protocol
            | Self::Binary
            | Self::InvalidUtf8
            | Self::HelloTimeout
            | Self::HelloOrder => Cause::Refused(Misuse::Protocol),
            Self::TooBig => Cause::Refused(Misuse::Size),
            Self::RefusedTooOften => Cause::Refused(Misuse::Rate),
            Self::SlowReader => Cause::Refused(Misuse::Slow),
            Self::Replaced => Cause::Replaced,
            Self::Silent => Cause::Silent,
            Self::GoingAway | Self::Restart => Cause::Draining,
            Self::Normal | Self::Internal | Self::Overload => Cause::Closed(self.number()),
        }
    }
}
