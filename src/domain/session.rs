//! One connection's protocol: who may say what, and when.
//!
//! ```text
//!   Greeting ──hello──> Settling ──> Ready ──start──> Settling ──> Joined
//!      │ no hello in time   │          ^                             │
//!      v                    │          └────────chat is over─────────┘
//!    Over <──silent, refused too often, bye── any
//! ```
//!
//! While a session is joined to a conversation, the conversation watches over its silence; before
//! that the session does so itself. Nothing here is journaled: a session is gone when its
//! connection is.

use std::fmt;

use crate::domain::id::ConversationId;
use crate::domain::liveness::{Liveness, Look};
use crate::domain::time::{Deadline, Span, Timestamp};
use crate::limits;

/// How long a session waits for the answer to `hello` or `start` before it is asked to come back:
/// the actor that should have answered has died.
const ANSWER_WITHIN: Span = Span::from_secs(30);

/// One connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    stage: Stage,
    liveness: Liveness,
    refused: u32,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// The session must say hello before this time.
    Greeting(Timestamp),
    /// The session said hello, or start, and is not answered yet.
    Settling,
    /// It is in no conversation.
    Ready,
    /// It is in this conversation.
    Joined(ConversationId),
    /// It is closed, or about to be.
    Over,
}

/// What a session is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionCommand {
    /// The widget said hello.
    Hello,
    /// The widget asks for a chat.
    Start,
    /// The widget says something that belongs in a conversation: post, end, typing, read.
    Speak,
    /// The widget shows that it is there: beat, leaving, pong.
    Beat,
    /// The widget said something that was refused.
    Err,
    /// It is in this conversation now.
    Join(ConversationId),
    /// It is in no conversation, or not any more.
    Leave,
    /// It is about to be closed.
    Finish,
    /// A timer may be due. Asking too early, or twice, changes nothing.
    Wake,
}

/// What happens to a session, and what its actor must do for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionEvent {
    /// The session said hello: find out whether it has a conversation, and welcome it.
    Greeted,
    /// The session asks for a chat: find or begin one.
    Asked,
    /// The session is in a conversation; what it said is passed on.
    Spoke(ConversationId),
    /// The session is there, or what it waits for is on its way. A conversation, if given, is told.
    Heard(Option<ConversationId>),
    /// Something that the session said was refused.
    Refused,
    /// It is in this conversation.
    Joined(ConversationId),
    /// It is in no conversation.
    Left,
    /// The session must be asked for a sign of life.
    Probed,
    /// The session must be closed.
    Finished(Finish),
}

/// Why a session is closed by the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Finish {
    /// It did not say hello in time.
    NoHello,
    /// It was refused too often.
    RefusedTooOften,
    /// Neither a frame nor a pong came for two heartbeats.
    Silent,
    /// What it asked was not answered in time.
    Unanswered,
    /// The session's actor asked for it.
    Asked,
}

/// Why a session may not say something now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionRefusal {
    /// It said hello before.
    AlreadyGreeted,
    /// It must say hello first.
    HelloFirst,
    /// It is in a conversation, or about to be.
    AlreadyStarted,
    /// It is in no conversation; it must start one.
    NotStarted,
}

impl SessionRefusal {
    /// The code, which never changes.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlreadyGreeted => "already_greeted",
            Self::HelloFirst => "hello_first",
            Self::AlreadyStarted => "already_started",
            Self::NotStarted => "not_started",
        }
    }
}

impl fmt::Display for SessionRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AlreadyGreeted => "hello was said before; it is said once",
            Self::HelloFirst => "the first frame must be hello",
            Self::AlreadyStarted => "a start is being answered; wait for it",
            Self::NotStarted => "no chat has begun; start one first",
        })
    }
}

impl std::error::Error for SessionRefusal {}

impl Session {
    /// A connection that was made now.
    pub fn new(now: Timestamp, heartbeat: Span) -> Self {
        Self {
            stage: Stage::Greeting(now + Span::from_secs(limits::HELLO_SECONDS_MAX)),
            liveness: Liveness::new(now, heartbeat),
            refused: 0,
        }
    }

    /// Where it stands.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// How often it was asked to beat.
    pub fn heartbeat(&self) -> Span {
        self.liveness.heartbeat()
    }

    /// The conversation it is in.
    pub const fn conversation(&self) -> Option<ConversationId> {
        match self.stage {
            Stage::Joined(conversation) => Some(conversation),
            Stage::Greeting(_) | Stage::Settling | Stage::Ready | Stage::Over => None,
        }
    }

    /// What `command` means at `now`; nothing when it means nothing.
    pub fn decide(
        &self,
        command: SessionCommand,
        now: Timestamp,
    ) -> Result<Option<SessionEvent>, SessionRefusal> {
        if self.stage == Stage::Over {
            return Ok(None);
        }
        Ok(match command {
            SessionCommand::Hello => match self.stage {
                Stage::Greeting(_) => Some(SessionEvent::Greeted),
                _ => return Err(SessionRefusal::AlreadyGreeted),
            },
            SessionCommand::Start => match self.stage {
                Stage::Greeting(_) => return Err(SessionRefusal::HelloFirst),
                Stage::Settling => return Err(SessionRefusal::AlreadyStarted),
                Stage::Joined(_) | Stage::Ready => Some(SessionEvent::Asked),
                Stage::Over => None,
            },
            SessionCommand::Speak => match self.stage {
                Stage::Greeting(_) => return Err(SessionRefusal::HelloFirst),
                Stage::Joined(conversation) => Some(SessionEvent::Spoke(conversation)),
                Stage::Settling | Stage::Ready => return Err(SessionRefusal::NotStarted),
                Stage::Over => None,
            },
            SessionCommand::Beat => match self.stage {
                Stage::Greeting(_) => return Err(SessionRefusal::HelloFirst),
                // It lives, but this postpones nothing: the actor that should answer may have died.
                Stage::Settling => None,
                _ => Some(SessionEvent::Heard(self.conversation())),
            },
            SessionCommand::Err => Some(if self.refused + 1 >= limits::REFUSALS_MAX {
                SessionEvent::Finished(Finish::RefusedTooOften)
            } else {
                SessionEvent::Refused
            }),
            SessionCommand::Join(conversation) => Some(SessionEvent::Joined(conversation)),
            SessionCommand::Leave => Some(SessionEvent::Left),
            SessionCommand::Finish => Some(SessionEvent::Finished(Finish::Asked)),
            SessionCommand::Wake => self.wake(now),
        })
    }

    /// Makes the event true. Total.
    pub fn apply(&mut self, event: SessionEvent, at: Timestamp) {
        match event {
            SessionEvent::Greeted | SessionEvent::Asked => {
                self.liveness.note(at);
                self.stage = Stage::Settling;
            }
            SessionEvent::Spoke(_) | SessionEvent::Heard(_) => self.liveness.note(at),
            SessionEvent::Refused => self.refused = self.refused.saturating_add(1),
            SessionEvent::Joined(conversation) => self.stage = Stage::Joined(conversation),
            SessionEvent::Left => {
                self.liveness.note(at);
                self.stage = Stage::Ready;
            }
            SessionEvent::Probed => self.liveness.probe(at),
            SessionEvent::Finished(_) => self.stage = Stage::Over,
        }
    }

    /// When it wants to be woken; never while a conversation watches over it.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.due().map(Deadline::wake_at)
    }

    fn due(&self) -> Option<Deadline> {
        match self.stage {
            Stage::Greeting(by) => Some(Deadline::at(by)),
            Stage::Ready => Some(self.liveness.next()),
            Stage::Settling => Some(Deadline::at(self.liveness.last_seen() + ANSWER_WITHIN)),
            Stage::Joined(_) | Stage::Over => None,
        }
    }

    fn wake(&self, now: Timestamp) -> Option<SessionEvent> {
        self.due().filter(|due| due.is_over(now))?;
        Some(match self.stage {
            Stage::Greeting(_) => SessionEvent::Finished(Finish::NoHello),
            Stage::Settling => SessionEvent::Finished(Finish::Unanswered),
            _ if self.liveness.look(now) == Look::Silent => SessionEvent::Finished(Finish::Silent),
            _ => SessionEvent::Probed,
        })
    }
}
