//! What is to be done for a session.

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;

use crate::behavior::message::FromSession;
use crate::domain::cause::Cause;
use crate::domain::id::{ConversationId, MessageId, VisitorId};
use crate::domain::settings::NotVouched;
use crate::domain::text::{DisplayName, MessageText};
use crate::domain::time::Span;
use crate::wire::client::{Reference, Token, VisitorSecret};
use crate::wire::close::CloseCode;
use crate::wire::refusal::RefusalCode;

/// What is to be done for the session, in this order.
#[derive(Debug)]
pub enum Output {
    /// The widget is told this.
    Say(ByteString),
    /// The widget is told this frame, for which there is room already.
    PassOn(ByteString),
    /// The browser is asked whether anybody is there.
    Ping,
    /// The browser's own ping is answered.
    Pong(Bytes),
    /// One frame has been dealt with.
    Done,
    /// The session shows a sign of life to the conversation that it is in, or enters.
    Beat(ConversationId),
    /// Find out who is there; answered by [`Input::Identified`](super::Input::Identified).
    Identify(Box<Credentials>),
    /// Find the live chat of a visitor; answered by [`Input::Found`](super::Input::Found).
    FindChat(VisitorId),
    /// Charge a stranger's budget; answered by [`Input::Spent`](super::Input::Spent). For a message
    /// no question is kept: it must be answered before the session is given anything else from
    /// outside.
    Spend(Spending),
    /// Begin a chat, or find the one that there is; answered by
    /// [`Input::Started`](super::Input::Started).
    Start(Box<ChatRequest>),
    /// A conversation is told something; if nobody hears it, that is an
    /// [`Input::Unheard`](super::Input::Unheard).
    ToConversation(ConversationId, FromSession),
    /// The visitor's claim is given up, because its chat is over.
    Forget(VisitorId, ConversationId),
    /// From now on the session counts among strangers as in a chat, or as in none.
    Count(Presence),
    /// The socket is carried to the thread of this conversation, where this frame is said again.
    Depart(ByteString, ConversationId),
    /// The socket is closed.
    Close(CloseCode),
    /// The session has gone: everybody who knows it forgets it, and the conversation is told why.
    Leave(Option<ConversationId>, Cause),
    /// Give it [`Input::Resume`](super::Input::Resume) when all inputs before are done.
    Resume,
    /// Something is counted, and perhaps told in the log.
    Note(Note),
}

const _: () = assert!(size_of::<Output>() == 72, "every turn moves some");

/// What a widget shows of who is there.
#[derive(Debug)]
pub struct Credentials {
    /// The secret that the browser keeps.
    pub visitor: Option<VisitorSecret>,
    /// The token of the conversation that it remembers.
    pub token: Option<Token>,
    /// What the site's server says of the visitor.
    pub admission: Option<Token>,
}

/// What a stranger's budget is charged with.
#[derive(Debug)]
pub enum Spending {
    /// A message, which is passed on if it is within the budget.
    Post(Reference, MessageId, MessageText),
    /// A token that is good for nothing.
    RefusedToken,
}

/// How a session counts among strangers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Presence {
    /// It is in a chat.
    InChat,
    /// It is in none.
    WithoutChat,
}

/// How a chat is asked for.
#[derive(Debug)]
pub struct ChatRequest {
    /// Which visitor.
    pub visitor: VisitorId,
    /// The id that the widget gave the start.
    pub start: MessageId,
    /// What the customer calls themselves.
    pub name: Option<DisplayName>,
    /// The answers to the pre-chat form, as JSON.
    pub form: Option<Arc<str>>,
    /// What the page tells about itself, as JSON.
    pub context: Option<Arc<str>>,
    /// The address of the page.
    pub page: Option<Arc<str>>,
    /// The language of the page.
    pub locale: Option<Arc<str>>,
    /// How often the session was asked to beat.
    pub heartbeat: Span,
    /// The program it says it is.
    pub program: Option<Arc<str>>,
}

/// What is counted, and perhaps told in the log.
#[derive(Clone, Copy, Debug)]
pub enum Note {
    /// A frame was refused.
    Refused(RefusalCode),
    /// The widget has shown a token that is not ours.
    InvalidToken,
    /// What the widget has shown vouches for nobody.
    NotVouched(RefusalCode, NotVouched),
}
