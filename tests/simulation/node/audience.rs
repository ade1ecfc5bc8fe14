//! Which sessions hear a simulated conversation, and how far each has heard.

use holdline::behavior::message::ToSession;
use holdline::domain::id::{Seq, SessionId};
use holdline::domain::time::Timestamp;

/// The sessions that hear a conversation.
#[derive(Debug, Default)]
pub struct Audience {
    listeners: Vec<Listener>,
    pub seen: Seq,
    pub is_over: bool,
}

/// One session.
#[derive(Debug)]
pub struct Listener {
    pub session: SessionId,
    pub heard: Seq,
    pub until: Seq,
    pub pace: Pace,
}

/// How a session hears.
#[derive(Debug)]
pub enum Pace {
    Live,
    CatchingUp {
        own: Vec<Seq>,
        answers: Vec<(Seq, ToSession)>,
        /// How often there was no room for a page, and when it is tried again.
        stalled: u32,
        retry_at: Option<Timestamp>,
    },
}

impl Listener {
    /// Takes the answers that name places up to this one.
    pub fn take_answers(&mut self, through: Seq) -> Vec<ToSession> {
        let Pace::CatchingUp { answers, .. } = &mut self.pace else { return Vec::new() };
        answers.extract_if(.., |(seq, _)| *seq <= through).map(|(_, answer)| answer).collect()
    }
}

impl Audience {
    pub fn new(seen: Seq) -> Self {
        Self { listeners: Vec::new(), seen, is_over: false }
    }

    /// False when it is there already: what it has heard is known, and stays as it is.
    pub fn add(&mut self, session: SessionId, heard: Seq, until: Option<Seq>) -> bool {
        if self.find_mut(session).is_some() {
            return false;
        }
        let pace = if heard < self.seen {
            Pace::CatchingUp { own: Vec::new(), answers: Vec::new(), stalled: 0, retry_at: None }
        } else {
            Pace::Live
        };
        let until = until.unwrap_or(Seq::new(u32::MAX));
        self.listeners.push(Listener { session, heard, until, pace });
        true
    }

    pub fn remove(&mut self, session: SessionId) {
        self.listeners.retain(|listener| listener.session != session);
    }

    pub fn is_empty(&self) -> bool {
        self.listeners.is_empty()
    }

    pub fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.listeners.iter().map(|listener| listener.session)
    }

    /// When a page is tried again for which there was no room.
    pub fn retry_at(&self) -> Option<Timestamp> {
        let retry = |listener: &Listener| match listener.pace {
            Pace::CatchingUp { retry_at, .. } => retry_at,
            Pace::Live => None,
        };
        self.listeners.iter().filter_map(retry).min()
    }

    /// For whom one is tried again now.
    pub fn take_retries(&mut self, now: Timestamp) -> Vec<SessionId> {
        let mut due = Vec::new();
        for listener in &mut self.listeners {
            if let Pace::CatchingUp { retry_at, .. } = &mut listener.pace
                && retry_at.is_some_and(|at| at <= now)
            {
                *retry_at = None;
                due.push(listener.session);
            }
        }
        due
    }

    /// Removes who has heard everything.
    pub fn take_live(&mut self) -> Vec<SessionId> {
        let is_live = |listener: &mut Listener| matches!(listener.pace, Pace::Live);
        self.listeners.extract_if(.., is_live).map(|listener| listener.session).collect()
    }

    pub fn clear(&mut self) -> Vec<SessionId> {
        std::mem::take(&mut self.listeners).into_iter().map(|one| one.session).collect()
    }

    pub fn find_mut(&mut self, session: SessionId) -> Option<&mut Listener> {
        self.listeners.iter_mut().find(|listener| listener.session == session)
    }

    /// Whether an answer that names this place must wait; then it is kept.
    pub fn keep_answer(
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

    /// To whom the frames of this place go. The author is told by the answer to its request.
    pub fn publish(&mut self, seq: Seq, author: Option<SessionId>) -> Vec<SessionId> {
        self.seen = self.seen.max(seq);
        let mut to = Vec::new();
        for listener in &mut self.listeners {
            let is_author = author == Some(listener.session);
            match &mut listener.pace {
                Pace::CatchingUp { own, .. } if is_author => own.push(seq),
                Pace::Live if listener.heard < seq => listener.heard = seq,
                Pace::CatchingUp { .. } | Pace::Live => continue,
            }
            if !is_author {
                to.push(listener.session);
            }
        }
        to
    }
}
