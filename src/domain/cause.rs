//! Why a connection was lost, with its evidence.

use crate::domain::time::Span;

/// Why a session was lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// The page said that it was being left, and then the socket was lost.
    Left(Leaving),
    /// The socket was closed, with this close code: 1005 when none was given, 1006 when the
    /// connection ended without a close frame.
    Closed(u16),
    /// The connection was reset.
    Reset,
    /// Neither a beat, a frame nor a pong came for two heartbeats.
    Silent,
    /// Another session took its place.
    Replaced,
    /// This server was stopping and had asked the widget to come back.
    Draining,
    /// This server had stopped, and knows of no session any more.
    Restarted,
    /// This server had refused to go on with the session.
    Refused(Misuse),
}

/// How a page was left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Leaving {
    /// The page was hidden: another tab, another app, a locked phone.
    Hidden,
    /// The page was unloaded: closed or navigated away.
    Unloaded,
}

/// Why a session was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Misuse {
    /// The session broke the protocol.
    Protocol,
    /// A frame was too large.
    Size,
    /// The session sent too much, or was refused too often.
    Rate,
    /// The session's token was not good.
    Token,
    /// The session read too slowly.
    Slow,
}

/// What is known of a lost session beside its cause.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Evidence {
    /// The close code of the socket, if the page had announced before that it was being left;
    /// otherwise the cause has it, or there was none.
    pub code: Option<u16>,
    /// How often the session gave a sign of life: a beat, any frame, a pong.
    pub heard: u32,
    /// The longest silence between two signs of life.
    pub widest: Span,
    /// Whether at the end the browser answered while the page said nothing.
    pub asleep: bool,
}

impl Cause {
    /// The cause's name, as it stands on the wire and in a timeline.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left(_) => "left",
            Self::Closed(_) => "closed",
            Self::Reset => "reset",
            Self::Silent => "silent",
            Self::Replaced => "replaced",
            Self::Draining => "draining",
            Self::Restarted => "restarted",
            Self::Refused(_) => "refused",
        }
    }
}

impl Misuse {
    /// The misuse's name, as it stands in a timeline.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
            Self::Size => "size",
            Self::Rate => "rate",
            Self::Token => "token",
            Self::Slow => "slow",
        }
    }
}

impl Leaving {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::Unloaded => "unloaded",
        }
    }
}
