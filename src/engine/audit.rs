//! The part of the audit stream that is gathered.
//!
//! An act that happens over and over, a read or a refusal, is written when it happens first. Its
//! repeats of the same minute are written once, with their number, when the minute is over. A crash
//! loses that number and nothing else.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::audit::{Act, AuditKind};
use crate::domain::time::Timestamp;
use crate::limits;

/// What the audit stream is still to be told of one minute.
#[derive(Debug, Default)]
pub(super) struct Gathering(Mutex<Gathered>);

#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The minute.
    minute: i64,
    /// What happened in it, and how often since that was written.
    pub(super) acts: BTreeMap<Act, u32>,
    /// How many acts of each kind in [`Apart`] were told apart.
    told_apart: [usize; 3],
}

/// By what refusals are told apart within a minute, each kind up to a bound of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Apart {
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
    pub(super) fn turn(&mut self, now: Timestamp) -> Vec<(Act, u32)> {
        let minute = now.as_millis() / 60_000;
        if minute == self.minute {
            return Vec::new();
        }
        self.minute = minute;
        self.take()
    }

    pub(super) fn take(&mut self) -> Vec<(Act, u32)> {
        self.told_apart = [0; 3];
        std::mem::take(&mut self.acts).into_iter().filter(|(_, times)| *times > 0).collect()
    }

    /// Whether this is to be written now; otherwise it is counted.
    pub(super) fn is_first(&mut self, act: &Act) -> bool {
        if let Some(times) = self.acts.get_mut(act) {
            *times = times.saturating_add(1);
            return false;
        }
        // Refusals have a bound of their own, and must be counted however much is read.
        let is_refused = matches!(act.kind, AuditKind::SignInRefused | AuditKind::AccessRefused);
        if is_refused || self.acts.len() < limits::AUDIT_GATHERED_MAX {
            self.acts.insert(act.clone(), 0);
        }
        true
    }

    /// The form in which an act is gathered. Of `forms`, the most exact one first, it is the first
    /// that is gathered already or that there is room for. If there is none, it is `last`.
    pub(super) fn fitting(&mut self, forms: &[(Act, Apart)], last: Act) -> Act {
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
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Gathered) -> T) -> T {
        // Nothing that is done here can panic half-way.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
