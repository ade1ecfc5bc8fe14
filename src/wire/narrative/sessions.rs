//! The sessions of a conversation, each from its coming to its end.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::cause::{Cause, Evidence};
use crate::domain::conversation::event::{Event, Recorded};
use crate::domain::id::SessionId;
use crate::domain::time::{Span, Timestamp};
use crate::wire::narrative::loss::{heard, lost};
use crate::wire::time::{rfc3339, spoken};

/// One session of the customer's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attended {
    /// The session.
    pub session: SessionId,
    /// The program it says it is: the browser's `User-Agent`.
    pub program: Option<Arc<str>>,
    /// How often it was asked to beat.
    pub heartbeat: Span,
    /// When it joined.
    pub joined_at: Timestamp,
    /// How it ended; nothing while nobody has noted that.
    pub end: Option<End>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct End {
    /// When that was noted.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// When it was last heard of; nothing when the server stopped, which takes that along.
    pub heard_at: Option<Timestamp>,
    /// What else is known.
    pub evidence: Evidence,
}

/// The sessions of a history that is gone through from its first event on, in the order in which
/// they joined: the latest of them, and how many there were before.
#[derive(Debug)]
pub struct Sessions {
    most: usize,
    latest: VecDeque<Attended>,
    earlier: usize,
}

impl Sessions {
    /// At most so many are kept.
    pub const fn new(most: usize) -> Self {
        Self { most, latest: VecDeque::new(), earlier: 0 }
    }

    /// The latest.
    pub fn latest(&self) -> impl Iterator<Item = &Attended> {
        self.latest.iter()
    }

    /// How many there were before those.
    pub const fn earlier(&self) -> usize {
        self.earlier
    }

    /// Takes the next event of the history.
    pub fn take(&mut self, recorded: &Recorded) {
        let all = &mut self.latest;
        match &recorded.event {
            Event::SessionJoined { session, heartbeat, program } => {
                all.push_back(Attended {
                    session: *session,
                    program: program.clone(),
                    heartbeat: *heartbeat,
                    joined_at: recorded.at,
                    end: None,
                });
                if all.len() > self.most {
                    all.pop_front();
                    self.earlier += 1;
                }
            }
            Event::SessionLost { session, cause, heard_at, evidence, .. } => {
                let open = all.iter_mut().rfind(|one| one.session == *session && one.end.is_none());
                if let Some(one) = open {
                    one.end = Some(End {
                        at: recorded.at,
                        cause: *cause,
                        heard_at: Some(*heard_at),
                        evidence: *evidence,
                    });
                }
            }
            Event::ServerRestarted { .. } => {
                for one in all.iter_mut().filter(|one| one.end.is_none()) {
                    one.end = Some(End {
                        at: recorded.at,
                        cause: Cause::Restarted,
                        heard_at: None,
                        evidence: Evidence::default(),
                    });
                }
            }
            _ => {}
        }
    }
}

impl Attended {
    /// The session, in one sentence.
    pub fn told(&self) -> String {
        let program = self.program.as_deref().unwrap_or("an unnamed program");
        let beat = spoken(self.heartbeat);
        let session = self.session;
        let joined = rfc3339(self.joined_at);
        let end = self.end.map_or_else(
            || "it was there as long as the chat, or still is".to_owned(),
            |End { at, cause, heard_at, evidence }| {
                let last = heard_at.map_or_else(String::new, |heard_at| {
                    format!("; last heard of at {}{}", rfc3339(heard_at), heard(evidence))
                });
                format!("{} at {}: {}{last}", cause.name(), rfc3339(at), lost(cause, evidence))
            },
        );
        format!("{session}, {program}, beats every {beat}; joined at {joined}; {end}.")
    }
}
