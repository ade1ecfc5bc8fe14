//! Which sessions hear a conversation, and how far each has heard.
//!
//! ```text
//!   joined ──> catching up ──all read──> live
//!                  │  ^                    │
//!                  └──┘ a page read        └── too slow ──> dropped (and closed)
//! ```

use bytestring::ByteString;

use crate::domain::id::{Seq, SessionId};

/// The sessions that hear a conversation.
#[derive(Debug, Default)]
pub(super) struct Audience {
    listeners: Vec<Listener>,
    /// The last durable place that a customer may see.
    pub(super) seen: Seq,
}

/// One session.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) session: SessionId,
    /// Everything up to this place was sent, or was its own.
    pub(super) heard: Seq,
    pub(super) pace: Pace,
}

/// How a session hears.
#[derive(Debug)]
pub(super) enum Pace {
    /// As it happens.
    Live,
    /// It still reads what it missed; these are its own posts of meanwhile.
    CatchingUp {
        /// What it posted itself since it joined.
        own: Vec<Seq>,
        /// How often its socket had no room for the next page.
        stalled: u32,
    },
}

impl Audience {
    pub(super) const fn new(seen: Seq) -> Self {
        Self { listeners: Vec::new(), seen }
    }

    pub(super) fn add(&mut self, session: SessionId, heard: Seq) {
        self.remove(session);
        let pace = if heard < self.seen {
            Pace::CatchingUp { own: Vec::new(), stalled: 0 }
        } else {
            Pace::Live
        };
        // Nearly always it is the only one; a vector that grows by itself makes room for four.
        self.listeners.reserve_exact(1);
        self.listeners.push(Listener { session, heard, pace });
    }

    pub(super) fn remove(&mut self, session: SessionId) {
        self.listeners.retain(|listener| listener.session != session);
        if self.listeners.is_empty() {
            self.listeners.shrink_to_fit();
        }
    }

    pub(super) fn clear(&mut self) -> Vec<SessionId> {
        let listeners = std::mem::take(&mut self.listeners);
        listeners.into_iter().map(|listener| listener.session).collect()
    }

    pub(super) fn find_mut(&mut self, session: SessionId) -> Option<&mut Listener> {
        self.listeners.iter_mut().find(|listener| listener.session == session)
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.listeners.iter().map(|listener| listener.session)
    }

    /// To whom the frames of this place go, through `deliver`, which says whether there was room.
    /// Gives back who had none.
    pub(super) fn publish(
        &mut self,
        seq: Seq,
        author: Option<SessionId>,
        frames: &[ByteString],
        deliver: impl Fn(SessionId, Seq, &ByteString) -> bool,
    ) -> Vec<SessionId> {
        self.seen = self.seen.max(seq);
        let mut slow = Vec::new();
        for listener in &mut self.listeners {
            let is_author = author == Some(listener.session);
            match &mut listener.pace {
                Pace::CatchingUp { own, .. } if is_author => own.push(seq),
                Pace::Live if listener.heard < seq => listener.heard = seq,
                Pace::CatchingUp { .. } | Pace::Live => continue,
            }
            if is_author {
                // The author is told by the answer to its request.
                continue;
            }
            if !frames.iter().all(|frame| deliver(listener.session, seq, frame)) {
                slow.push(listener.session);
            }
        }
        slow
    }
}
