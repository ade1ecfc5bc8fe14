//! Where a session's dialogue stands, and what it has asked and has no answer to yet.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use bytestring::ByteString;

use crate::domain::conversation::State;
use crate::domain::conversation::event::Reason;
use crate::domain::id::{ConversationId, Seq};
use crate::domain::settings::NotVouched;
use crate::wire::client::Start;
use crate::wire::server::Ended;

/// Where a session's dialogue stands.
///
/// ```text
///                 ┌───────────asks───────────┐
///                 v                          │
///   Settled <──> Settling ──answered──> Resuming ──nothing is kept──> Settled
///     any ──closed, carried away, gone──> Over
/// ```
#[derive(Debug)]
pub(super) enum Stage {
    /// Nothing is awaited.
    Settled {
        /// Whether a chat that it was in is over, and it is in no other.
        has_ended: bool,
    },
    /// The session waits for an answer: nothing else is read or done.
    Settling(Box<Settling>),
    /// The answer has come: the session takes the frames that were kept, one after the other.
    Resuming(Box<Resuming>),
    /// It is closed, carried away, or gone.
    Over,
}

/// What is known while an answer is awaited.
#[derive(Debug)]
pub(super) struct Settling {
    /// What was asked last, until that is answered.
    pub(super) question: Option<Question>,
    /// The conversation that the session is in. It must learn of the session's end, however that
    /// comes.
    pub(super) joined: Option<ConversationId>,
    has_ended: bool,
    /// Frames that came while an answer was awaited.
    deferred: VecDeque<ByteString>,
}

/// What is known while kept frames are taken.
#[derive(Debug)]
pub(super) struct Resuming {
    has_ended: bool,
    deferred: VecDeque<ByteString>,
    /// Whether the session has asked to go on.
    has_asked: bool,
}

const _: () = assert!(size_of::<Stage>() <= 16, "every socket has one");

impl Stage {
    /// A session that has said nothing yet.
    pub(super) const fn new() -> Self {
        Self::Settled { has_ended: false }
    }

    /// Whether a frame that comes now must wait.
    pub(super) const fn must_wait(&self) -> bool {
        matches!(self, Self::Settling(_) | Self::Resuming(_))
    }

    /// Whether nothing is said or done any more.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    /// Whether a chat that it was in is over, and it is in no other.
    pub(super) fn has_ended(&self) -> bool {
        match self {
            Self::Settled { has_ended } => *has_ended,
            Self::Settling(settling) => settling.has_ended,
            Self::Resuming(resuming) => resuming.has_ended,
            Self::Over => false,
        }
    }

    /// Notes that a chat that it was in is over.
    pub(super) fn note_ended(&mut self) {
        match self {
            Self::Settled { has_ended } => *has_ended = true,
            Self::Settling(settling) => settling.has_ended = true,
            Self::Resuming(resuming) => resuming.has_ended = true,
            Self::Over => {}
        }
    }

    /// Keeps a frame until its turn has come.
    pub(super) fn defer(&mut self, text: ByteString) {
        match self {
            Self::Settling(settling) => settling.deferred.push_back(text),
            Self::Resuming(resuming) => resuming.deferred.push_back(text),
            Self::Settled { .. } | Self::Over => {}
        }
    }

    /// From now on the session, which is in this conversation, awaits an answer.
    pub(super) fn unsettle(&mut self, joined: Option<ConversationId>) {
        let (deferred, has_ended) = match mem::replace(self, Self::Over) {
            Self::Settled { has_ended } => (VecDeque::new(), has_ended),
            Self::Resuming(resuming) => (resuming.deferred, resuming.has_ended),
            settling_or_over => {
                *self = settling_or_over;
                return;
            }
        };
        *self = Self::Settling(Box::new(Settling { question: None, joined, has_ended, deferred }));
    }

    /// Nothing is awaited any more: what was kept is taken next.
    pub(super) fn settle(&mut self, joined: Option<ConversationId>) {
        let Self::Settling(settling) = self else { return };
        let has_ended = settling.has_ended && joined.is_none();
        let deferred = mem::take(&mut settling.deferred);
        *self = if deferred.is_empty() {
            Self::Settled { has_ended }
        } else {
            Self::Resuming(Box::new(Resuming { has_ended, deferred, has_asked: false }))
        };
    }

    /// Whether the session must ask to go on with what was kept.
    pub(super) fn takes_up(&mut self) -> bool {
        let Self::Resuming(resuming) = self else { return false };
        if resuming.deferred.is_empty() {
            *self = Self::Settled { has_ended: resuming.has_ended };
            return false;
        }
        !mem::replace(&mut resuming.has_asked, true)
    }

    /// The next frame of those that were kept, if it may be taken.
    pub(super) fn next_deferred(&mut self) -> Option<ByteString> {
        let Self::Resuming(resuming) = self else { return None };
        resuming.has_asked = false;
        resuming.deferred.pop_front()
    }

    /// What is known while an answer is awaited.
    pub(super) fn settling(&self) -> Option<&Settling> {
        match self {
            Self::Settling(settling) => Some(settling),
            Self::Settled { .. } | Self::Resuming(_) | Self::Over => None,
        }
    }

    /// The same, to be changed.
    pub(super) fn settling_mut(&mut self) -> Option<&mut Settling> {
        match self {
            Self::Settling(settling) => Some(settling),
            Self::Settled { .. } | Self::Resuming(_) | Self::Over => None,
        }
    }

    /// Takes the question, if it is one of these: then it is answered.
    pub(super) fn answer(&mut self, is_it: impl FnOnce(&Question) -> bool) -> Option<Question> {
        let settling = self.settling_mut()?;
        settling.question.take_if(|question| is_it(question))
    }
}

/// What was asked.
#[derive(Debug)]
pub(super) enum Question {
    /// `hello`: who is there.
    Identity(Greeting),
    /// `hello`: which live chat they have.
    Chat(Greeting),
    /// `hello`: whether they may show another token that is not ours.
    Token(Greeting),
    /// `hello`: whether they may go on after an admission that vouches for nobody.
    Admission(Greeting),
    /// `hello`: whether they may come into a chat.
    Entrance(Entrance),
    /// `hello`: whether they have another live chat than this, which is over.
    OtherChat(ConversationId, Option<EndedChat>),
    /// `hello`: the rest of a chat that is over, after a welcome that said so.
    Missed(ConversationId),
    /// `start`.
    Start(Starting),
}

impl Question {
    /// The chat that it is about to enter.
    pub(super) const fn enters(&self) -> Option<ConversationId> {
        match self {
            Self::Entrance(entrance) => Some(entrance.conversation),
            Self::Start(starting) => starting.conversation,
            _ => None,
        }
    }
}

/// A `hello` that is being dealt with.
#[derive(Debug)]
pub(super) struct Greeting {
    /// As it was said.
    pub(super) text: ByteString,
    /// The last place that the widget has seen of the chat that it names.
    pub(super) after: Seq,
    pub(super) page: Option<Arc<str>>,
    pub(super) locale: Option<Arc<str>>,
    /// Whether the widget has shown a token.
    pub(super) shows_token: bool,
    /// Whether that token is one of ours.
    pub(super) by_token: bool,
    /// Why the site's server vouches for nobody, where it should.
    pub(super) not_vouched: Option<NotVouched>,
    /// The chat that it leads to, if any.
    pub(super) known: Option<ConversationId>,
}

/// How a session wants to join a chat.
#[derive(Debug)]
pub(super) struct Entrance {
    pub(super) conversation: ConversationId,
    /// The last place that the widget has seen.
    pub(super) after: Seq,
    /// Whether the widget named the conversation by its token.
    pub(super) by_token: bool,
    /// What is to be said of the token's conversation, which is over.
    pub(super) ended: Option<EndedChat>,
}

/// A `start` that is not answered yet.
#[derive(Debug)]
pub(super) struct Starting {
    pub(super) frame: Box<Start>,
    /// How often the start was tried.
    pub(super) tries: u8,
    /// The conversation that answers, once it is known.
    pub(super) conversation: Option<ConversationId>,
}

/// A chat that is over, of which a widget has the token.
#[derive(Clone, Debug)]
pub(super) struct EndedChat {
    pub(super) id: ConversationId,
    pub(super) state: State,
    pub(super) reason: Reason,
    /// The last place that the widget has seen of it.
    pub(super) after: Seq,
    /// The last place that the customer may see.
    pub(super) seq: Seq,
    pub(super) redirect: Option<Arc<str>>,
}

impl EndedChat {
    /// Whether the widget has not seen all of it.
    pub(super) fn was_missed(&self) -> bool {
        self.after < self.seq
    }

    pub(super) fn frame(&self) -> Ended<'_> {
        Ended {
            id: self.id,
            state: self.state,
            reason: self.reason,
            seq: self.seq,
            redirect: self.redirect.as_deref(),
        }
    }
}
