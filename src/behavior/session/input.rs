//! What a session is given, and what it may know of the world besides.

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;

use crate::behavior::message::{FromSession, ToSession};
use crate::behavior::session::output::Spending;
use crate::domain::cause::Cause;
use crate::domain::id::{ConversationId, History, SessionId, VisitorId};
use crate::domain::settings::NotVouched;
use crate::domain::time::Span;
use crate::wire::client::Reference;
use crate::wire::refusal::RefusalCode;

/// What a session is given, one after the other.
#[derive(Debug)]
pub enum Input {
    /// The widget says something: a frame.
    Text(ByteString),
    /// The browser asks whether anybody is there: a frame.
    Ping(Bytes),
    /// The browser answers: a frame.
    Pong,
    /// The engine tells the session something. News that it is in a chat comes with the chat's
    /// token.
    Told(ToSession, Option<Box<str>>),
    /// Nobody heard what the session said last to a conversation.
    Unheard(Unheard),
    /// Who is there: the answer to [`Output::Identify`](super::Output::Identify).
    Identified(Box<Identified>),
    /// The live chat of a visitor: the answer to [`Output::FindChat`](super::Output::FindChat).
    Found(Option<ConversationId>),
    /// The chat that answers next: the answer to [`Output::Start`](super::Output::Start).
    Started(Result<ConversationId, NotStarted>),
    /// This was within the budget: the answer to [`Output::Spend`](super::Output::Spend).
    Spent(Spending),
    /// This was over the budget, and may be within it after so long: the other answer.
    OverBudget(Spending, Span),
    /// All that came before is done: the answer to [`Output::Resume`](super::Output::Resume).
    Resume,
    /// The socket is over.
    Ended(Cause),
    /// The time has come that it wanted to be woken at.
    Wake,
}

const _: () = assert!(size_of::<Input>() <= 72, "every turn moves some");

/// Who is there.
#[derive(Debug)]
pub struct Identified {
    /// Who the browser is, by the secret that it keeps.
    pub browser: VisitorId,
    /// Who the site's server says that they are, where it does.
    pub vouched: Result<Option<VisitorId>, NotVouched>,
    /// The conversation of the token, if that is one of ours.
    pub named: Option<Named>,
}

/// A conversation that a widget has named by its token.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// Which.
    pub conversation: ConversationId,
    /// Whether its places are of the journal's present history.
    pub is_of_this_history: bool,
}

/// Why no chat was begun.
#[derive(Clone, Copy, Debug)]
pub struct NotStarted {
    /// What the widget is told.
    pub code: RefusalCode,
    /// When it may try again, where that is known.
    pub retry_after: Option<Span>,
}

/// What no conversation heard.
#[derive(Debug)]
pub enum Unheard {
    /// The session wanted to join.
    Join,
    /// The session asked again for the chat that it is in.
    Again,
    /// The session wanted to be told what it missed.
    Hear,
    /// A request that would have been answered.
    Request(Reference),
    /// Something that gets no answer.
    Word,
}

impl Unheard {
    /// What the session must be told if nobody hears this, if anything.
    pub fn of(said: &FromSession) -> Option<Self> {
        match said {
            FromSession::Join(_) => Some(Self::Join),
            FromSession::Again(_) => Some(Self::Again),
            FromSession::Hear { .. } => Some(Self::Hear),
            FromSession::Post(reference, ..) | FromSession::End(reference) => {
                Some(Self::Request(reference.clone()))
            }
            FromSession::Typing(_) | FromSession::Read(_) | FromSession::Leaving(_) => {
                Some(Self::Word)
            }
            FromSession::Asleep(_) | FromSession::Lost(_) => None,
        }
    }
}

/// Facts of the moment; never a way to act.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The session's id.
    pub session: SessionId,
    /// The journal's present history.
    pub history: History,
    /// What is looked up when it is needed, because that is seldom.
    pub near: &'a dyn Nearby,
}

/// What is looked up at the moment at which it matters.
pub trait Nearby: fmt::Debug {
    /// How long a customer of this session's widget is held while they are away.
    fn window(&self) -> Span;

    /// Whether only somebody who is vouched for can begin a chat in this session's widget.
    fn requires_admission(&self) -> bool;

    /// Whether the socket should be carried to another thread, because this conversation lives
    /// there.
    fn is_elsewhere(&self, conversation: ConversationId) -> bool;
}
