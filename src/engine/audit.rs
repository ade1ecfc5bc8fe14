//! What is noted of people in the audit stream, and what of it is gathered.
//!
//! What somebody did is written before they are answered. What is read or refused over and over is
//! written when it happens first, and the repeats of the same minute once, with their number, when
//! the minute is over: a crash loses that number and nothing else.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::domain::audit::{Act, AuditEntry, AuditKind};
use crate::domain::id::{AgentId, WidgetId};
use crate::domain::time::Timestamp;
use crate::engine::shared::Shared;
use crate::engine::{Engine, Failure};
use crate::journal::{Append, AuditFilter, AuditPage, Fault};
use crate::limits;

/// What the audit stream is still to be told of a minute.
#[derive(Debug, Default)]
pub(super) struct Gathering(Mutex<Gathered>);

#[derive(Debug, Default)]
struct Gathered {
    /// The minute.
    minute: i64,
    /// What happened in it, and how often since that was written.
    acts: BTreeMap<Act, u32>,
    /// How many of each kind that is bounded were told apart.
    told_apart: [usize; 3],
}

/// What of refusals is told apart within a minute, each up to a bound of its own.
#[derive(Clone, Copy, Debug)]
enum Apart {
    /// Addresses and widgets of strangers.
    Strangers,
    /// Callers with what they asked for.
    Requests,
    /// Callers.
    Callers,
}

impl Apart {
    const fn most(self) -> usize {
        match self {
            Self::Strangers => limits::AUDIT_STRANGERS_MAX,
            Self::Requests | Self::Callers => limits::AUDIT_FORBIDDEN_MAX,
        }
    }
}

impl Gathered {
    /// Ends a minute that is over, and says what of it is still to be written.
    fn turn(&mut self, now: Timestamp) -> Vec<(Act, u32)> {
        let minute = now.as_millis() / 60_000;
        if minute == self.minute {
            return Vec::new();
        }
        self.minute = minute;
        self.take()
    }

    fn take(&mut self) -> Vec<(Act, u32)> {
        self.told_apart = [0; 3];
        std::mem::take(&mut self.acts).into_iter().filter(|(_, times)| *times > 0).collect()
    }

    /// Whether this is to be written now; otherwise it is counted.
    fn is_first(&mut self, act: &Act) -> bool {
        if let Some(times) = self.acts.get_mut(act) {
            *times = times.saturating_add(1);
            return false;
        }
        // What is refused has a bound of its own, and must be counted however much is read.
        let is_refused = matches!(act.kind, AuditKind::SignInRefused | AuditKind::AccessRefused);
        if is_refused || self.acts.len() < limits::AUDIT_GATHERED_MAX {
            self.acts.insert(act.clone(), 0);
        }
        true
    }

    /// Of the forms of an act, from the most exact one, the first that is gathered already or that
    /// there is room for; the last one where there is none.
    fn fitting(&mut self, forms: &[(Act, Apart)], last: Act) -> Act {
        for (form, apart) in forms {
            if self.acts.contains_key(form) {
                return form.clone();
            }
            let told = &mut self.told_apart[*apart as usize];
            if *told < apart.most() {
                *told += 1;
                return form.clone();
            }
        }
        last
    }
}

impl Gathering {
    fn with<T>(&self, act: impl FnOnce(&mut Gathered) -> T) -> T {
        // Nothing that is done here can panic half-way.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    /// Has something noted, and says who is told when it is durable.
    fn note(
        &self,
        act: Act,
        times: u32,
    ) -> oneshot::Receiver<Result<crate::journal::Position, Fault>> {
        let (done, written) = oneshot::channel();
        let entry = Box::new(AuditEntry { at: self.clock.now(), times, act });
        self.journal.append(Append::Audit { entry, done });
        written
    }

    /// Writes what is gathered of a minute that is over.
    pub(super) fn settle_audit(&self) {
        let over = self.gathering.with(|gathered| gathered.turn(self.clock.now()));
        self.note_all(over);
    }

    /// Writes everything that is gathered.
    pub(super) fn end_audit(&self) {
        let rest = self.gathering.with(Gathered::take);
        self.note_all(rest);
    }

    fn note_all(&self, acts: Vec<(Act, u32)>) {
        for (act, times) in acts {
            // Nobody waits for it; whether the journal can be written is told elsewhere.
            drop(self.note(act, times));
        }
    }
}

impl Engine {
    /// Notes something in the audit stream. Durable when it returns.
    pub async fn audit(&self, act: Act) -> Result<(), Failure> {
        Ok(self.shared.note(act, 1).await.unwrap_or(Err(Fault::Closed)).map(drop)?)
    }

    /// Notes something that may happen over and over. The first of a minute is durable when this
    /// returns, unless the journal cannot be written: then it is counted with the repeats, and
    /// nobody is kept from reading.
    pub async fn audit_gathered(&self, act: Act) {
        self.shared.settle_audit();
        let gathering = &self.shared.gathering;
        if gathering.with(|gathered| gathered.is_first(&act))
            && let Err(failure) = self.audit(act.clone()).await
        {
            tracing::warn!(%failure, "the audit stream cannot be written");
            gathering.with(|gathered| {
                gathered.acts.entry(act).and_modify(|times| *times = times.saturating_add(1));
            });
        }
    }

    /// Notes that a stranger has shown no token, or one that is nobody's. It does not wait.
    pub(super) fn audit_refused(&self, code: &str, client: Option<IpAddr>) {
        let act = Act::new(AuditKind::SignInRefused, None).with("code", code);
        let address = self.told_address(client);
        let from_there =
            address.map(|address| (act.clone().with("address", address), Apart::Strangers));
        self.gather(from_there.as_slice(), act);
    }

    /// Notes that what a widget has shown lets nobody in. It does not wait.
    pub(super) fn audit_shown(&self, code: &str, widget: &WidgetId) {
        let act = Act::new(AuditKind::SignInRefused, None).with("code", code);
        self.gather(&[(act.clone().about_widget(widget), Apart::Strangers)], act);
    }

    /// Notes that a page wanted to open a widget that does not name it. It does not wait.
    pub fn audit_page_refused(&self, code: &str, widget: &WidgetId, client: Option<IpAddr>) {
        let act = Act::new(AuditKind::AccessRefused, None).with("code", code);
        let there = act.clone().about_widget(widget);
        let there = match self.told_address(client) {
            Some(address) => there.with("address", address),
            None => there,
        };
        self.gather(&[(there, Apart::Strangers)], act);
    }

    /// Notes that a caller asked for what is not theirs, which `told` tells more of. It does not
    /// wait.
    pub fn audit_forbidden(&self, by: Option<AgentId>, code: &str, told: impl FnOnce(Act) -> Act) {
        let anybodys = Act::new(AuditKind::AccessRefused, None).with("code", code);
        let theirs = Act { by, ..anybodys.clone() };
        let forms = [(told(theirs.clone()), Apart::Requests), (theirs, Apart::Callers)];
        self.gather(&forms, anybodys);
    }

    /// Notes that somebody has shown a token by which an issuer had signed them in, and which has
    /// expired. It does not wait.
    pub fn audit_expired_sign_in(&self, of: Option<AgentId>) {
        self.audit_known(Act::new(AuditKind::SignInRefused, of).with("code", "token_expired"));
    }

    /// Notes that somebody has shown a token of theirs that lets them in no more. It does not wait.
    pub(super) fn audit_known(&self, act: Act) {
        self.gather(&[], act);
    }

    /// Writes what is the first of its kind in this minute, and counts what is not.
    fn gather(&self, forms: &[(Act, Apart)], last: Act) {
        self.shared.settle_audit();
        let (act, is_first) = self.shared.gathering.with(|gathered| {
            let act = gathered.fitting(forms, last);
            let is_first = gathered.is_first(&act);
            (act, is_first)
        });
        if is_first {
            drop(self.shared.note(act, 1));
        }
    }

    /// A page of the audit stream, the newest first: what matches and has a number below `before`.
    /// It may be short, even empty, and still have a next.
    pub async fn audit_page(
        &self,
        filter: AuditFilter,
        before: Option<u64>,
        most: usize,
    ) -> Result<AuditPage, Failure> {
        Ok(self.shared.journal.audit(filter, before, most).await?)
    }

    /// Drops what the audit stream has kept for long enough, as if it were `now`. Says whether
    /// there may be more.
    pub async fn retain_audit(&self, now: Timestamp) -> Result<bool, Failure> {
        match self.settings().audit.dropped_before(now) {
            Some(before) => Ok(self.shared.journal.drop_audit(before, now).await?),
            None => Ok(false),
        }
    }
}
