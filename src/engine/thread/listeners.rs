//! Whether any console has ever listened to an agent. This is asked twice for each thing that an
//! agent would be told, and changes when a console opens. So each thread remembers the answers
//! until the next console opens, instead of taking a lock that every other thread takes as well.

use std::cell::RefCell;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::domain::id::AgentId;
use crate::engine::post::Post;

/// The answers that a thread remembers.
#[derive(Debug, Default)]
pub(super) struct Listeners(RefCell<Known>);

#[derive(Debug, Default)]
struct Known {
    /// As of which revision.
    revision: u64,
    agents: HashMap<AgentId, bool, RandomState>,
}

impl Listeners {
    pub(super) fn has_listened(&self, post: &dyn Post, agent: &AgentId) -> bool {
        let revision = post.listeners_revision();
        let mut known = self.0.borrow_mut();
        if known.revision != revision {
            *known = Known { revision, agents: HashMap::default() };
        }
        if let Some(has_listened) = known.agents.get(agent) {
            return *has_listened;
        }
        let has_listened = post.has_listened(agent);
        known.agents.insert(agent.clone(), has_listened);
        has_listened
    }
}
