//! What a session has asked and is not answered yet, and what it needs only now and then.

use std::collections::VecDeque;
use std::sync::Arc;

use bytestring::ByteString;

use crate::domain::conversation::State;
use crate::domain::conversation::event::Reason;
use crate::domain::id::{ConversationId, Seq, VisitorId};
use crate::socket::session::guest::Guest;
use crate::wire::client::Start;
use crate::wire::server::Ended;

/// What a session needs only now and then.
#[derive(Debug)]
pub(super) struct Rare {
    pub(super) awaiting: Option<Awaiting>,
    /// Frames that came while an answer was awaited.
    pub(super) deferred: VecDeque<ByteString>,
    pub(super) page: Option<Arc<str>>,
    pub(super) locale: Option<Arc<str>>,
    pub(super) program: Option<Arc<str>>,
    /// Who the browser is, by the secret that it keeps.
    pub(super) browser: VisitorId,
    /// Who the site's server says that they are, where it does; with its room here every socket
    /// would take the next larger size.
    pub(super) vouched: Option<Box<VisitorId>>,
    pub(super) guest: Arc<Guest>,
}

const _: () = assert!(size_of::<Rare>() <= 192, "every socket has one");

impl Rare {
    /// Who is there.
    pub(super) fn visitor(&self) -> VisitorId {
        self.vouched.as_deref().copied().unwrap_or(self.browser)
    }

    /// What is known before `hello`.
    pub(super) const fn of(program: Option<Arc<str>>, guest: Arc<Guest>) -> Self {
        Self {
            awaiting: None,
            deferred: VecDeque::new(),
            page: None,
            locale: None,
            program,
            browser: VisitorId::from_bits(0),
            vouched: None,
            guest,
        }
    }
}

/// The answer that a session waits for.
#[derive(Debug)]
pub(super) struct Awaiting {
    pub(super) conversation: ConversationId,
    pub(super) to: Question,
}

/// What was asked.
#[derive(Debug)]
pub(super) enum Question {
    /// `hello`: with the token's conversation, or with the visitor's.
    Hello {
        /// The last place that the widget has seen.
        after: Seq,
        /// Whether the widget named the conversation by its token.
        by_token: bool,
        /// What is to be said of the token's conversation, which is over.
        ended: Option<EndedChat>,
    },
    /// The rest of a chat that is over, after a welcome that said so.
    Missed,
    /// `start`.
    Start {
        /// The frame.
        frame: Box<Start>,
        /// How often it was tried.
        tries: u8,
    },
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
