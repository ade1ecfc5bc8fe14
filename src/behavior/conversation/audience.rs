//! Which sessions hear a conversation, and how far each has heard.
//!
//! ```text
//!   joined ──> catching up ──all read──> live ──the chat is over──> dismissed
//!                  │  ^                    │
//!                  └──┘ a page read        └── too slow ──> dropped (and closed)
//! ```

use crate::behavior::message::ToSession;
use crate::domain::id::{Seq, SessionId};
use crate::domain::time::Timestamp;

/// The sessions that hear a conversation.
#[derive(Debug, Default)]
pub(super) struct Audience {
    /// Nothing while no session hears the conversation, as in every chat that is held.
    #[expect(clippy::box_collection, reason = "so that an empty one is a pointer")]
    listeners: Option<Box<Vec<Listener>>>,
    /// The last durable place that a customer may see.
    pub(super) seen: Seq,
    /// Whether the end of the chat, as the customer sees it, is durable.
    pub(super) is_over: bool,
    pub(super) typing: Typing,
    /// Whether some session waits for room in its socket.
    is_stalled: bool,
}

// Every chat has one.
const _: () = assert!(size_of::<Audience>() <= 16);

/// What each side was told of the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Typing {
    /// Whether the agent was told that the customer types.
    pub(super) by_customer: bool,
    /// Whether the customer was told that the agent types.
    pub(super) by_agent: bool,
}

/// One session.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) session: SessionId,
    /// Everything up to this place was sent to the session, or came from it.
    pub(super) heard: Seq,
    /// The last place that the session is told of.
    pub(super) until: Seq,
    pub(super) pace: Pace,
    /// Whether somebody types in it.
    types: bool,
}

impl Listener {
    /// Takes the answers that name places up to this one.
    pub(super) fn take_answers(&mut self, through: Seq) -> Vec<ToSession> {
        let Pace::CatchingUp { answers, .. } = &mut self.pace else { return Vec::new() };
        let due = answers.extract_if(.., |(seq, _)| *seq <= through);
        due.map(|(_, answer)| answer).collect()
    }
}

/// How a session hears.
#[derive(Debug)]
pub(super) enum Pace {
    /// As it happens.
    Live,
    /// The session still reads what it missed.
    CatchingUp {
        /// The places of what it posted itself since it joined.
        own: Vec<Seq>,
        /// Answers that name a place which the session has yet to reach: a widget that is lost
        /// comes back after the highest place it was told of. There are at most as many as it may
        /// ask at once.
        answers: Vec<(Seq, ToSession)>,
        /// How often its socket had no room for the next page.
        stalled: u32,
        /// When to look again whether the socket has room.
        retry_at: Option<Timestamp>,
    },
}

impl Audience {
    pub(super) fn new(seen: Seq) -> Self {
        Self { seen, ..Self::default() }
    }

    /// Adds a session that has heard everything up to a place. False when the session is there
    /// already: then what it has heard is known, and stays as it is.
    pub(super) fn add(&mut self, session: SessionId, heard: Seq, until: Option<Seq>) -> bool {
        if self.find_mut(session).is_some() {
            return false;
        }
        let pace = if heard < self.seen {
            Pace::CatchingUp { own: Vec::new(), answers: Vec::new(), stalled: 0, retry_at: None }
        } else {
            Pace::Live
        };
        let listeners = self.listeners.get_or_insert_default();
        // Nearly always it is the only one; a vector that grows by itself makes room for four.
        listeners.reserve_exact(1);
        let until = until.unwrap_or(Seq::new(u32::MAX));
        listeners.push(Listener { session, heard, until, pace, types: false });
        true
    }

    pub(super) fn remove(&mut self, session: SessionId) {
        let Some(listeners) = &mut self.listeners else { return };
        listeners.retain(|listener| listener.session != session);
        if listeners.is_empty() {
            self.listeners = None;
        }
    }

    /// Notes that somebody types in a session, or has stopped.
    pub(super) fn note_typing(&mut self, session: SessionId, on: bool) {
        if let Some(listener) = self.find_mut(session) {
            listener.types = on;
        }
    }

    /// Whether somebody types in any session that is there: a signal ends with its session.
    pub(super) fn is_typed_in(&self) -> bool {
        self.listeners.iter().flat_map(|all| all.iter()).any(|listener| listener.types)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.listeners.is_none()
    }

    /// Removes and returns the sessions that have heard everything.
    pub(super) fn take_live(&mut self) -> Vec<SessionId> {
        let Some(listeners) = &mut self.listeners else { return Vec::new() };
        let is_live = |listener: &mut Listener| matches!(listener.pace, Pace::Live);
        let live = listeners.extract_if(.., is_live).map(|listener| listener.session);
        let live = live.collect();
        if listeners.is_empty() {
            self.listeners = None;
        }
        live
    }

    pub(super) fn clear(&mut self) -> Vec<SessionId> {
        let listeners = self.listeners.take();
        listeners.into_iter().flat_map(|all| *all).map(|listener| listener.session).collect()
    }

    pub(super) fn find_mut(&mut self, session: SessionId) -> Option<&mut Listener> {
        self.listeners
            .iter_mut()
            .flat_map(|all| all.iter_mut())
            .find(|listener| listener.session == session)
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.listeners.iter().flat_map(|all| all.iter()).map(|listener| listener.session)
    }

    /// Keeps an answer that names this place if it must wait, and gives it back if not.
    pub(super) fn keep_answer(
        &mut self,
        session: SessionId,
        seq: Seq,
        answer: ToSession,
    ) -> Option<ToSession> {
        match self.find_mut(session) {
            Some(Listener { heard, pace: Pace::CatchingUp { answers, .. }, .. })
                if seq > *heard =>
            {
                answers.push((seq, answer));
                None
            }
            _ => Some(answer),
        }
    }

    /// The sessions that are told of this place as it happens: all that hear the conversation live,
    /// except the author, who is told by the answer to the request.
    pub(super) fn publish(&mut self, seq: Seq, author: Option<SessionId>) -> Vec<SessionId> {
        self.seen = self.seen.max(seq);
        let mut told = Vec::new();
        for listener in self.listeners.iter_mut().flat_map(|all| all.iter_mut()) {
            let is_author = author == Some(listener.session);
            match &mut listener.pace {
                Pace::CatchingUp { own, .. } if is_author => own.push(seq),
                Pace::Live if listener.heard < seq => {
                    listener.heard = seq;
                    if !is_author {
                        told.push(listener.session);
                    }
                }
                Pace::CatchingUp { .. } | Pace::Live => {}
            }
        }
        told
    }

    /// Notes that the socket of a session had no room for a page, and when to look again; false
    /// when this has happened too often.
    pub(super) fn stall(&mut self, session: SessionId, retry_at: Timestamp, most: u32) -> bool {
        let Some(listener) = self.find_mut(session) else { return true };
        let Pace::CatchingUp { stalled, retry_at: at, .. } = &mut listener.pace else {
            return true;
        };
        *stalled += 1;
        let is_patient = *stalled <= most;
        if is_patient {
            *at = Some(retry_at);
            self.is_stalled = true;
        }
        is_patient
    }

    /// When to look whether some session's socket has room again.
    pub(super) fn retry_at(&self) -> Option<Timestamp> {
        if !self.is_stalled {
            return None;
        }
        let retries = self.listeners.iter().flat_map(|all| all.iter());
        retries.filter_map(|listener| listener.pace.retry_at()).min()
    }

    /// The sessions for which it is time to look again.
    pub(super) fn take_retries(&mut self, now: Timestamp) -> Vec<SessionId> {
        let mut due = Vec::new();
        let mut is_stalled = false;
        for listener in self.listeners.iter_mut().flat_map(|all| all.iter_mut()) {
            let Pace::CatchingUp { retry_at, .. } = &mut listener.pace else { continue };
            if retry_at.is_some_and(|at| at <= now) {
                *retry_at = None;
                due.push(listener.session);
            }
            is_stalled |= retry_at.is_some();
        }
        self.is_stalled = is_stalled;
        due
    }
}

impl Pace {
    const fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::Live => None,
            Self::CatchingUp { retry_at, .. } => *retry_at,
        }
    }
}
