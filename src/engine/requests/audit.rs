//! What the audit stream notes of people. What a person did is written before they are answered.

use std::net::IpAddr;

use tokio::sync::oneshot;

use crate::domain::audit::{Act, AuditEntry, AuditKind};
use crate::domain::id::{AgentId, WidgetId};
use crate::domain::time::Timestamp;
use crate::engine::audit::{Apart, Gathered};
use crate::engine::failure::Failure;
use crate::engine::requests::Engine;
use crate::engine::shared::Shared;
use crate::journal::{Append, AuditFilter, AuditPage, Fault, Position};

impl Shared {
    /// Has an act noted, and returns a receiver that resolves when it is durable.
    fn note(&self, act: Act, times: u32) -> oneshot::Receiver<Result<Position, Fault>> {
        let (done, written) = oneshot::channel();
        let entry = Box::new(AuditEntry { at: self.clock.now(), times, act });
        self.journal.append(Append::Audit { entry, done });
        written
    }

    /// Writes what is gathered of a minute that is over.
    pub(in crate::engine) fn settle_audit(&self) {
        let over = self.gathering.with(|gathered| gathered.turn(self.clock.now()));
        self.note_all(over);
    }

    /// Writes everything that is gathered.
    pub(in crate::engine) fn end_audit(&self) {
        let rest = self.gathering.with(Gathered::take);
        self.note_all(rest);
    }

    fn note_all(&self, acts: Vec<(Act, u32)>) {
        for (act, times) in acts {
            // Nobody waits for this; whether the journal can be written is told elsewhere.
            drop(self.note(act, times));
        }
    }
}

impl Engine {
    /// Notes something in the audit stream. Durable when it returns.
    pub async fn audit(&self, act: Act) -> Result<(), Failure> {
        Ok(self.shared().note(act, 1).await.unwrap_or(Err(Fault::Closed)).map(drop)?)
    }

    /// Notes something that may happen over and over. The first of a minute is durable when this
    /// returns, unless the journal cannot be written: then it is counted with the repeats, and
    /// nobody is kept from reading.
    pub async fn audit_gathered(&self, act: Act) {
        self.shared().settle_audit();
        let gathering = &self.shared().gathering;
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

    /// Notes that a caller asked for something that is not theirs; `told` adds what it was. It does
    /// not wait.
    pub fn audit_forbidden(&self, by: Option<AgentId>, code: &str, told: impl FnOnce(Act) -> Act) {
        let anybodys = Act::new(AuditKind::AccessRefused, None).with("code", code);
        let theirs = Act { by, ..anybodys.clone() };
        let forms = [(told(theirs.clone()), Apart::Requests), (theirs, Apart::Callers)];
        self.gather(&forms, anybodys);
    }

    /// Notes that a person has shown an expired token by which an issuer had signed them in. It
    /// does not wait.
    pub fn audit_expired_sign_in(&self, of: Option<AgentId>) {
        self.audit_known(Act::new(AuditKind::SignInRefused, of).with("code", "token_expired"));
    }

    /// Notes that a known person has shown a token that lets them in no more. It does not wait.
    pub(super) fn audit_known(&self, act: Act) {
        self.gather(&[], act);
    }

    /// Writes an act that is the first of its kind in this minute, and counts any other.
    fn gather(&self, forms: &[(Act, Apart)], last: Act) {
        self.shared().settle_audit();
        let (act, is_first) = self.shared().gathering.with(|gathered| {
            let act = gathered.fitting(forms, last);
            let is_first = gathered.is_first(&act);
            (act, is_first)
        });
        if is_first {
            drop(self.shared().note(act, 1));
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
        Ok(self.shared().journal.audit(filter, before, most).await?)
    }

    /// Drops what the audit stream has kept for long enough, as if it were `now`. Says whether
    /// there may be more.
    pub async fn retain_audit(&self, now: Timestamp) -> Result<bool, Failure> {
        match self.settings().audit.dropped_before(now) {
            Some(before) => Ok(self.shared().journal.drop_audit(before, now).await?),
            None => Ok(false),
        }
    }
}
