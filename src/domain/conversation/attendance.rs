//! The customer's sessions: which are there, when each was last heard of, and since when none is
//! there.

use crate::domain::cause::{Cause, Leaving};
use crate::domain::few::Few;
use crate::domain::id::SessionId;
use crate::domain::liveness::{Liveness, Look, Signs};
use crate::domain::time::{Span, Timestamp};

/// The customer's sessions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Attendance {
    attending: Few<Attending>,
    absence: Option<Absence>,
    /// The last moment at which a session that is now lost is known to have been there.
    last_seen: Timestamp,
}

/// One session that is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attending {
    /// The session.
    pub session: SessionId,
    /// When it was last seen, and how long it may be silent.
    pub liveness: Liveness,
    /// What it announced about leaving.
    pub leaving: Option<Leaving>,
    /// Whether its browser answers while its page says nothing. This is evidence, not an absence.
    pub asleep: bool,
    /// How often it was heard of since it joined.
    pub heard: u32,
    /// The longest silence between two signs of life, in milliseconds.
    pub widest_ms: u32,
}

/// A customer who is away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Absence {
    /// From when the absence counts.
    pub since: Timestamp,
    /// The last moment at which a return is in time.
    pub until: Timestamp,
    /// Why the last session was lost.
    pub cause: Cause,
}

const _: () = assert!(size_of::<Attending>() <= 40, "every chat that is connected has one");

impl Attendance {
    /// Attendance as it was stored.
    pub fn restore(
        attending: Vec<Attending>,
        absence: Option<Absence>,
        last_seen: Timestamp,
    ) -> Self {
        Self { attending: attending.into(), absence, last_seen }
    }

    /// The last moment at which a session that is now lost is known to have been there.
    pub const fn last_seen(&self) -> Timestamp {
        self.last_seen
    }

    /// The sessions that are there, in the order in which they joined.
    pub fn sessions(&self) -> &[Attending] {
        &self.attending
    }

    /// The absence that is running; nothing while any session is there.
    pub const fn absence(&self) -> Option<&Absence> {
        self.absence.as_ref()
    }

    /// Whether any session is there.
    pub fn is_connected(&self) -> bool {
        !self.attending.is_empty()
    }

    /// The session with this id, if it is there.
    pub fn find(&self, session: SessionId) -> Option<&Attending> {
        self.attending.iter().find(|attending| attending.session == session)
    }

    /// Notes a sign of life. A sign of a session that is not there changes nothing.
    pub fn hear(&mut self, session: SessionId, now: Timestamp) {
        if let Some(attending) = self.find(session) {
            self.hear_all(session, Signs::first(attending.liveness.last_seen(), now));
        }
    }

    /// Notes several signs of life at once: as if each had been noted when it came.
    pub fn hear_all(&mut self, session: SessionId, signs: Signs) {
        if let Some(attending) = self.find_mut(session)
            && (signs.count > 0 || signs.last > attending.liveness.last_seen())
        {
            attending.widest_ms = attending.widest_ms.max(signs.widest_ms);
            attending.heard = attending.heard.saturating_add(signs.count);
            attending.liveness.note(signs.last);
        }
    }

    /// Notes that the page announced that it is being left, or, with nothing, that it is not. A
    /// browser that unloads a page also says that it is hidden, in either order. Hidden says less,
    /// so it does not take back that the page is unloaded.
    pub fn hear_leaving(&mut self, session: SessionId, leaving: Option<Leaving>) {
        if let Some(attending) = self.find_mut(session) {
            attending.leaving = match (attending.leaving, leaving) {
                (Some(Leaving::Unloaded), Some(Leaving::Hidden)) => Some(Leaving::Unloaded),
                (_, leaving) => leaving,
            };
        }
    }

    /// Notes whether a session's browser answers while its page says nothing.
    pub(super) fn hear_asleep(&mut self, session: SessionId, on: bool) {
        if let Some(attending) = self.find_mut(session) {
            attending.asleep = on;
        }
    }

    /// Whether every page that is there sleeps: a frozen tab, a locked phone whose browser lives.
    pub fn is_asleep(&self) -> bool {
        self.is_connected() && self.attending.iter().all(|attending| attending.asleep)
    }

    /// The sessions that must now be asked for a sign of life; each is told once per silence.
    pub fn ask_quiet(&mut self, now: Timestamp) -> Vec<SessionId> {
        let quiet =
            self.attending.iter_mut().filter(|session| session.liveness.look(now) == Look::Probe);
        quiet
            .map(|attending| {
                attending.liveness.probe(now);
                attending.session
            })
            .collect()
    }

    /// The sessions that were asked for a sign of life and gave none.
    pub(super) fn silent(&self, now: Timestamp) -> impl Iterator<Item = &Attending> {
        self.attending.iter().filter(move |session| session.liveness.look(now) == Look::Silent)
    }

    /// When the next session is asked for a sign of life, or is lost to silence.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        self.attending.iter().map(wake_at).min()
    }

    /// The session that is next asked for a sign of life or lost to silence, and when another is.
    pub(super) fn next_due(&self) -> Option<(&Attending, Option<Timestamp>)> {
        let next = self.attending.iter().min_by_key(|attending| wake_at(attending))?;
        let others = self.attending.iter().filter(|other| other.session != next.session);
        Some((next, others.map(wake_at).min()))
    }

    /// The session that was heard of longest ago.
    pub(super) fn quietest(&self) -> Option<&Attending> {
        self.attending.iter().min_by_key(|attending| attending.liveness.last_seen())
    }

    /// The cause, replaced by what the page had announced before, where that explains it.
    pub(super) fn explain(&self, session: SessionId, cause: Cause) -> Cause {
        let announced = self.find(session).and_then(|attending| attending.leaving);
        match (announced, cause) {
            (Some(leaving), Cause::Closed(_) | Cause::Reset | Cause::Silent) => {
                Cause::Left(leaving)
            }
            _ => cause,
        }
    }

    /// From when an absence counts if the last sessions go now; each was there until one of these
    /// times.
    pub(super) fn absent_since(&self, there_until: impl Iterator<Item = Timestamp>) -> Timestamp {
        there_until.fold(self.last_seen, Timestamp::max)
    }

    pub(super) fn join(&mut self, session: SessionId, heartbeat: Span, at: Timestamp) {
        self.attending.retain(|attending| attending.session != session);
        self.attending.push(Attending {
            session,
            liveness: Liveness::new(at, heartbeat),
            leaving: None,
            asleep: false,
            heard: 0,
            widest_ms: 0,
        });
    }

    pub(super) fn lose(&mut self, session: SessionId, there_until: Timestamp) {
        self.attending.retain(|attending| attending.session != session);
        self.last_seen = self.last_seen.max(there_until);
    }

    pub(super) fn begin_absence(&mut self, absence: Absence) {
        self.absence = Some(absence);
    }

    pub(super) fn end_absence(&mut self) {
        self.absence = None;
    }

    /// The customer takes no part any more: sessions that are there are free to begin another chat.
    pub(super) fn dismiss(&mut self) {
        *self = Self { attending: Few::default(), absence: None, last_seen: self.last_seen };
    }

    pub(super) fn restart(&mut self, until: Timestamp, at: Timestamp) {
        self.attending.clear();
        self.last_seen = at;
        self.absence = Some(Absence { since: at, until, cause: Cause::Restarted });
    }

    fn find_mut(&mut self, session: SessionId) -> Option<&mut Attending> {
        self.attending.iter_mut().find(|attending| attending.session == session)
    }
}

fn wake_at(attending: &Attending) -> Timestamp {
    attending.liveness.next().wake_at()
}
