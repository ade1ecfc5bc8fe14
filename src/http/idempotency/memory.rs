//! The first answers, remembered within bounds: by number and by bytes, for one caller and for all.
//! A caller who asks for too much loses only their own answers. When all together have too many,
//! the caller who has the most loses answers first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::web;

use crate::clock::Stopwatch;
use crate::domain::settings::Role;
use crate::http::identity::Identity;
use crate::limits;

/// Whose answers they are: one person's, as long as they have the same role.
pub(super) type Right = (Identity, Role);

const LIFE: Duration = Duration::from_secs(limits::IDEMPOTENCY_SECONDS);

/// The first answers, by caller and key.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    pub(super) memory: Arc<Memory>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: Option<HeaderValue>,
    pub(super) location: Option<HeaderValue>,
    /// Nothing where it held a secret, which is not kept.
    pub(super) body: Option<web::Bytes>,
}

/// One write that was asked for under a key.
#[derive(Debug)]
pub(super) struct Attempt {
    /// A digest of method, address and body.
    pub(super) fingerprint: [u8; 32],
    /// Nothing while it runs.
    pub(super) answer: OnceLock<Answer>,
}

/// The attempts of everybody.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Everybody>);

#[derive(Debug, Default)]
struct Everybody {
    callers: HashMap<Right, Caller>,
    weight: u64,
    next: u64,
}

/// The attempts of one caller, and the order in which they began.
#[derive(Debug, Default)]
struct Caller {
    entries: HashMap<String, Entry>,
    order: BTreeMap<u64, String>,
    weight: u64,
}

#[derive(Debug)]
struct Entry {
    attempt: Arc<Attempt>,
    number: u64,
    age: Stopwatch,
    weight: u64,
}

impl Memory {
    /// The attempt that holds this key: this one, which then begins, or the first, which came
    /// before it.
    pub(super) fn begin(&self, right: Right, key: &str, attempt: &Arc<Attempt>) -> Arc<Attempt> {
        self.with(|all| {
            let number = all.next;
            all.next += 1;
            let caller = all.callers.entry(right).or_default();
            let outdated = caller.forget_outdated();
            let first = caller.entries.get(key).map(|entry| entry.attempt.clone());
            if first.is_none() {
                let (attempt, age) = (attempt.clone(), Stopwatch::start());
                let entry = Entry { attempt, number, age, weight: 1 };
                caller.weight += 1;
                caller.order.insert(number, key.to_owned());
                caller.entries.insert(key.to_owned(), entry);
                all.weight += 1;
            }
            all.weight -= outdated;
            all.shrink(right);
            first.unwrap_or_else(|| attempt.clone())
        })
    }

    /// Notes that the attempt has an answer of so many bytes, and so weighs more now.
    pub(super) fn weigh(&self, right: Right, key: &str, attempt: &Arc<Attempt>, bytes: usize) {
        let more = (bytes / limits::IDEMPOTENCY_ANSWER_BYTES) as u64;
        self.with(|all| {
            let Some(caller) = all.callers.get_mut(&right) else { return };
            let Some(entry) = caller.entries.get_mut(key) else { return };
            if Arc::ptr_eq(&entry.attempt, attempt) {
                entry.weight += more;
                caller.weight += more;
                all.weight += more;
                all.shrink(right);
            }
        });
    }

    /// Forgets an attempt that ended without an answer worth keeping.
    pub(super) fn forget(&self, right: Right, key: &str, attempt: &Arc<Attempt>) {
        self.with(|all| {
            let Some(caller) = all.callers.get_mut(&right) else { return };
            let is_this = |entry: &Entry| Arc::ptr_eq(&entry.attempt, attempt);
            if caller.entries.get(key).is_some_and(is_this) {
                all.weight -= caller.remove(key);
                all.leave_empty(right);
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Everybody) -> T) -> T {
        // A panic here leaves wrong counts at worst, and forgetting early does no harm.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Everybody {
    fn shrink(&mut self, right: Right) {
        while let Some(caller) = self.callers.get_mut(&right)
            && caller.weight > limits::IDEMPOTENCY_ANSWERS_OF_CALLER_MAX
        {
            self.weight -= caller.forget_oldest();
        }
        while self.weight > limits::IDEMPOTENCY_ANSWERS_MAX {
            let heaviest = self.callers.iter_mut().max_by_key(|(_, caller)| caller.weight);
            let Some((right, caller)) = heaviest.map(|(right, caller)| (*right, caller)) else {
                return;
            };
            self.weight -= caller.forget_oldest();
            self.leave_empty(right);
        }
    }

    fn leave_empty(&mut self, right: Right) {
        if self.callers.get(&right).is_some_and(|caller| caller.entries.is_empty()) {
            self.callers.remove(&right);
        }
    }
}

impl Caller {
    /// This and the next two return the weight that they removed.
    fn remove(&mut self, key: &str) -> u64 {
        let Some(entry) = self.entries.remove(key) else { return 0 };
        self.order.remove(&entry.number);
        self.weight -= entry.weight;
        entry.weight
    }

    fn forget_oldest(&mut self) -> u64 {
        let oldest = self.order.first_key_value().map(|(_, key)| key.clone());
        oldest.map_or(0, |key| self.remove(&key))
    }

    fn forget_outdated(&mut self) -> u64 {
        let mut gone = 0;
        while let Some((_, key)) = self.order.first_key_value()
            && self.entries.get(key).is_none_or(|entry| entry.age.time() >= LIFE)
        {
            gone += self.forget_oldest();
        }
        gone
    }
}
