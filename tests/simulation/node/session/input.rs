//! What a simulated session is given, and what it wants done.

use holdline::behavior::message::{FromSession, Join, ToSession};
use holdline::domain::cause::Cause;
use holdline::domain::conversation::command::StartRequest;
use holdline::domain::id::{ConversationId, VisitorId};
use holdline::domain::time::Timestamp;
use holdline::wire::client::{Token, VisitorSecret};
use holdline::wire::close::CloseCode;
use holdline::wire::refusal::RefusalCode;

use crate::node::facts::Facts;

/// What it is given, one after the other.
#[derive(Debug)]
pub enum Input {
    /// A frame comes from its socket, or a pong.
    Text(String),
    Pong,
    /// A conversation tells it something; that it is in there, with the token for it.
    Told(ToSession, Option<String>),
    Identified(Identified),
    /// The live chat of its visitor, if there is one.
    Found(Option<ConversationId>),
    /// What has become of the chat that it wanted to begin.
    Started(Result<ConversationId, RefusalCode>),
    /// There is no room for what it says.
    NoRoom,
    /// Its socket has ended.
    Ended(Cause),
    /// The time has come that it wanted to be woken at.
    Wake,
}

/// Who it is of.
#[derive(Debug)]
pub struct Identified {
    pub visitor: VisitorId,
    /// The conversation that its token names, if it is good.
    pub named: Option<ConversationId>,
    /// Whether its places are of the journal's present history.
    pub is_of_now: bool,
    /// The live chat of the visitor, if there is one.
    pub chat: Option<ConversationId>,
}

/// What is to be done for it, in this order.
#[derive(Debug)]
pub enum Output {
    /// A frame goes to the browser; [`Input::NoRoom`] follows if it cannot.
    Say(String),
    /// One goes there for which room was kept.
    PassOn(String),
    Ping,
    /// A sign of life for this conversation.
    Beat(ConversationId),
    /// [`Input::Identified`] follows.
    Identify {
        visitor: Option<VisitorSecret>,
        token: Option<Token>,
    },
    /// [`Input::Found`] follows.
    FindChat(VisitorId),
    /// [`Input::Started`] follows.
    Start(Box<StartRequest>, Join),
    ToConversation(ConversationId, FromSession),
    /// A visitor has no chat there any more.
    Forget(VisitorId, ConversationId),
    Close(CloseCode),
    /// It is over.
    Leave,
}

/// What one input is dealt with by.
#[derive(Debug)]
pub struct Turn<'a> {
    pub now: Timestamp,
    pub facts: &'a Facts<'a>,
    pub out: &'a mut Vec<Output>,
}

impl Turn<'_> {
    pub fn tell(&mut self, conversation: ConversationId, said: FromSession) {
        self.out.push(Output::ToConversation(conversation, said));
    }
}
