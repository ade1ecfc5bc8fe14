//! Whether any console has ever listened to an agent. It is asked twice for each thing that an
//! agent would be told, and changes when a console opens; so each thread remembers what it was
//! answered until the next console does, instead of taking a lock that every other thread takes as
//! well.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;

use crate::domain::id::AgentId;
use crate::engine::directory::Directory;

/// The next revision of any directory: never the same twice, so that a thread that serves two
/// engines tells their answers apart.
static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// What this thread was answered.
#[derive(Default)]
struct Known {
    /// As of which revision.
    revision: u64,
    agents: HashMap<AgentId, bool, RandomState>,
}

/// Changes whenever what is known may have.
#[derive(Debug)]
pub(super) struct Revision(AtomicU64);

impl Revision {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Something has changed, and can be read by now.
    pub(super) fn change(&self) {
        self.0.store(NEXT.fetch_add(1, Ordering::Relaxed), Ordering::Release);
    }
}

impl Directory {
    /// A console listens to an agent.
    pub(in crate::engine) fn note_heard(&self, id: &AgentId) {
        let is_new = self.agents.get_mut(id).is_some_and(|mut entry| {
            let was_heard = std::mem::replace(&mut entry.is_heard, true);
            !was_heard
        });
        if is_new {
            self.heard.change();
        }
    }

    /// Whether any console has ever listened to an agent.
    pub(in crate::engine) fn is_heard(&self, id: &AgentId) -> bool {
        let revision = self.heard.0.load(Ordering::Acquire);
        KNOWN.with_borrow_mut(|known| {
            if known.revision != revision {
                *known = Known { revision, agents: HashMap::default() };
            }
            if let Some(is_heard) = known.agents.get(id) {
                return *is_heard;
            }
            let is_heard = self.agents.get(id).is_some_and(|entry| entry.is_heard);
            known.agents.insert(id.clone(), is_heard);
            is_heard
        })
    }
}
