//! What the server says to a widget: a [`ServerFrame`] in, the text of one frame out.
//!
//! The text is a [`ByteString`], so one rendering can be handed to many sockets.

use std::fmt;

use bytestring::ByteString;
use serde::Serialize;

use crate::domain::conversation::State;
use crate::domain::conversation::event::Reason;
use crate::domain::id::{ConversationId, History, MessageId, Seq, SessionId};
use crate::domain::text::DisplayName;
use crate::domain::time::{Span, Timestamp};
use crate::limits;
use crate::wire::client::{Malformed, Reference};
use crate::wire::close::CloseCode;
use crate::wire::refusal::RefusalCode;

mod form;

/// What the server says.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame<'a> {
    /// The answer to `hello`.
    Welcome {
        /// The session.
        #[serde(serialize_with = "form::shown")]
        session: SessionId,
        /// How often the widget should beat.
        #[serde(serialize_with = "form::millis")]
        heartbeat_ms: Span,
        /// How long an away customer is held.
        #[serde(serialize_with = "form::millis")]
        window_ms: Span,
        /// The history that places are of. A widget that kept places of another forgets them.
        #[serde(serialize_with = "form::shown")]
        history: History,
        /// What a widget must keep to.
        limits: Limits,
        /// The live conversation, if there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        conversation: Option<Live<'a>>,
        /// The conversation of the token, if it is over.
        #[serde(skip_serializing_if = "Option::is_none")]
        ended: Option<Ended<'a>>,
    },
    /// The answer to `start`.
    Started {
        /// The `ref` of the start.
        #[serde(rename = "ref")]
        reference: &'a Reference,
        /// The conversation.
        #[serde(serialize_with = "form::shown")]
        conversation: ConversationId,
        /// The token to come back with.
        token: &'a str,
        /// The conversation's state.
        #[serde(serialize_with = "form::state_name")]
        state: State,
        /// The latest place that the customer may see.
        #[serde(serialize_with = "form::place")]
        seq: Seq,
    },
    /// The answer to `post`, once the message is durable.
    Posted {
        /// The `ref` of the post.
        #[serde(rename = "ref")]
        reference: &'a Reference,
        /// The message's id.
        #[serde(serialize_with = "form::shown")]
        id: &'a MessageId,
        /// Its place.
        #[serde(serialize_with = "form::place")]
        seq: Seq,
        /// Its time.
        #[serde(serialize_with = "form::time")]
        at: Timestamp,
    },
    /// The answer to a `beat`, where there is reason to give one.
    Beat {
        /// The latest place that the customer may see.
        #[serde(serialize_with = "form::place")]
        seq: Seq,
    },
    /// Somebody said something.
    Message {
        /// Its place.
        #[serde(serialize_with = "form::place")]
        seq: Seq,
        /// Its id.
        id: &'a str,
        /// Who said it.
        from: Speaker,
        /// What the agent is called, where it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        /// What.
        text: &'a str,
        /// When.
        #[serde(serialize_with = "form::time")]
        at: Timestamp,
    },
    /// The conversation has changed its state, or this is the answer to `end`.
    State {
        /// The `ref` of the `end` that this answers.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Reference>,
        /// The place of the change.
        #[serde(serialize_with = "form::place")]
        seq: Seq,
        /// The state.
        #[serde(serialize_with = "form::state_name")]
        state: State,
        /// Why the chat ended, once it has.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "form::reason_name")]
        reason: Option<Reason>,
    },
    /// An agent joined.
    Joined {
        /// The place.
        #[serde(serialize_with = "form::place")]
        seq: Seq,
        /// What they are called.
        #[serde(serialize_with = "form::shown")]
        name: &'a DisplayName,
        /// When.
        #[serde(serialize_with = "form::time")]
        at: Timestamp,
    },
    /// An agent left.
    Left {
        /// The place.
        #[serde(serialize_with = "form::place")]
        seq: Seq,
        /// What they are called, where it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        /// When.
        #[serde(serialize_with = "form::time")]
        at: Timestamp,
    },
    /// The connection of the agent in the chat is gone, and the chat is held for them; or it is
    /// back.
    Agent {
        /// The place.
        #[serde(serialize_with = "form::place")]
        seq: Seq,
        /// Which of the two.
        state: Connection,
        /// What they are called, where it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        /// When.
        #[serde(serialize_with = "form::time")]
        at: Timestamp,
    },
    /// Where the chat stands in its queue.
    Queue {
        /// How many are before it, and itself.
        position: usize,
        /// How long the wait may be, where that can be told.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "form::maybe_millis")]
        wait_ms: Option<Span>,
    },
    /// The agent types, or has stopped.
    Typing {
        /// Whether they do.
        on: bool,
    },
    /// The agent has read up to a place.
    Read {
        /// The place.
        #[serde(serialize_with = "form::place")]
        seq: Seq,
    },
    /// A frame was refused, or the token of `hello` was.
    Refused {
        /// The `ref` of the frame, where it could be read.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Reference>,
        /// The code.
        #[serde(serialize_with = "form::refusal_code")]
        code: RefusalCode,
        /// The field that is wrong, where it is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<&'static str>,
        /// The sentence for people.
        message: &'a str,
        /// After how long to try again, where that is known.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "form::maybe_millis")]
        retry_after_ms: Option<Span>,
    },
    /// The last frame before the server closes the socket.
    Bye {
        /// The code that the close frame will carry.
        #[serde(flatten)]
        close: Close,
        /// After how long to come back, where coming back makes sense.
        #[serde(serialize_with = "form::millis")]
        retry_after_ms: Span,
    },
}

impl<'a> ServerFrame<'a> {
    /// The answer to a frame that could not be read.
    pub fn malformed(malformed: &'a Malformed) -> Self {
        Self::Refused {
            reference: malformed.reference.as_ref(),
            code: malformed.code,
            field: malformed.field,
            message: &malformed.message,
            retry_after_ms: None,
        }
    }

    /// The goodbye that announces this close code.
    pub const fn bye(code: CloseCode, retry_after: Span) -> Self {
        Self::Bye {
            close: Close { code: code.number(), reason: code.name() },
            retry_after_ms: retry_after,
        }
    }

    /// The text of the frame.
    pub fn render(&self) -> ByteString {
        // Every key is a text and no value fails to be written, so this cannot fail. The types
        // cannot say so, so an empty object, which a widget ignores, stands for the error.
        serde_json::to_string(self).map_or(ByteString::from_static("{}"), ByteString::from)
    }
}

/// The answer to a frame that a rule said no to.
pub fn refused(reference: Option<&Reference>, code: RefusalCode) -> RefusedFrame {
    refused_for(reference, code, None)
}

/// The same, with how long to wait before it is tried again.
pub fn refused_for(
    reference: Option<&Reference>,
    code: RefusalCode,
    retry_after_ms: Option<Span>,
) -> RefusedFrame {
    let message = code.to_string();
    let message = &message;
    let frame = ServerFrame::Refused { reference, code, field: None, message, retry_after_ms };
    RefusedFrame { code, text: frame.render() }
}

/// A `refused` that is ready to be said, with its code for whoever counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefusedFrame {
    /// The code.
    pub code: RefusalCode,
    /// The frame.
    pub text: ByteString,
}

impl fmt::Display for RefusedFrame {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Who says something, as a customer is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The customer, in this or another tab.
    Customer,
    /// An agent.
    Agent,
    /// Nobody: the engine itself.
    System,
}

/// What has become of an agent's connection, as a customer is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// It is gone for longer than a moment.
    Away,
    /// It is there again.
    Back,
}

/// The live conversation of whoever said `hello`.
#[derive(Clone, Debug, Serialize)]
pub struct Live<'a> {
    /// Its id.
    #[serde(serialize_with = "form::shown")]
    pub id: ConversationId,
    /// The token to come back with.
    pub token: &'a str,
    /// Its state.
    #[serde(serialize_with = "form::state_name")]
    pub state: State,
    /// The latest place that the customer may see.
    #[serde(serialize_with = "form::place")]
    pub seq: Seq,
}

/// The conversation of a token, once it is over.
#[derive(Clone, Debug, Serialize)]
pub struct Ended<'a> {
    /// Its id.
    #[serde(serialize_with = "form::shown")]
    pub id: ConversationId,
    /// Its state.
    #[serde(serialize_with = "form::state_name")]
    pub state: State,
    /// Why it ended.
    #[serde(serialize_with = "form::shown_reason")]
    pub reason: Reason,
    /// The last place that the customer may see. Everything up to it that the widget has not seen
    /// follows.
    #[serde(serialize_with = "form::place")]
    pub seq: Seq,
    /// Where the page should go now: after a loss, where the workstream says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<&'a str>,
}

/// What a widget must keep to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Limits {
    /// Characters of a message.
    pub text_chars: usize,
    /// Characters of a name.
    pub name_chars: usize,
    /// Bytes of a form or a context, as compact JSON.
    pub form_bytes: usize,
    /// Bytes of a frame.
    pub frame_bytes: usize,
    /// Frames a second, for long.
    pub frames_per_second: u32,
    /// Frames at once.
    pub frames_burst: u32,
}

impl Limits {
    /// The limits of this release.
    pub const NOW: Self = Self {
        text_chars: limits::TEXT_CHARS_MAX,
        name_chars: limits::NAME_CHARS_MAX,
        form_bytes: limits::FORM_BYTES_MAX,
        frame_bytes: limits::FRAME_BYTES_MAX,
        frames_per_second: limits::FRAMES_PER_SECOND_MAX,
        frames_burst: limits::FRAMES_BURST_MAX,
    };
}

/// A close code as `bye` writes it: always one of [`CloseCode::ALL`].
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Close {
    code: u16,
    reason: &'static str,
}
