//! What a caller over HTTP may do, by their role and by the agent that they are.

use crate::domain::conversation::State;
use crate::domain::conversation::view::View;
use crate::domain::id::AgentId;
use crate::domain::settings::Role;
use crate::domain::settings::registry::Registry;

/// The name that stands for the caller where an agent is named.
pub const ME: &str = "me";

/// The name under which an administrator acts whose token belongs to no agent.
pub const ADMINISTRATOR: &str = "administrator";

/// Whether no agent may have this id, because it means somebody else.
pub fn is_reserved(id: &AgentId) -> bool {
    [ME, ADMINISTRATOR].contains(&id.as_str())
}

/// A caller.
#[derive(Clone, Copy, Debug)]
pub struct Rights<'a> {
    /// The agent that the caller is; nothing for a caller who is none.
    pub agent: Option<&'a AgentId>,
    /// What they may do.
    pub role: Role,
}

impl Rights<'_> {
    /// Whether they may do everybody's work.
    pub fn supervise(self) -> bool {
        self.role >= Role::Supervisor
    }

    /// Whether they may act for this agent: a supervisor for any, an agent for themselves.
    pub fn stand_for(self, agent: &AgentId) -> bool {
        self.supervise() || self.agent == Some(agent)
    }

    /// Whether they may make and end this agent's tokens: an administrator for any agent, an agent
    /// their own.
    pub fn keep_tokens_of(self, agent: &AgentId) -> bool {
        self.role >= Role::Administrator || self.agent == Some(agent)
    }

    /// Whether they may see a conversation: a supervisor any; an agent their own, and those that
    /// wait in a queue they serve.
    pub fn see(self, view: &View, settings: &Registry) -> bool {
        let Some(agent) = self.agent else { return true };
        self.supervise()
            || view.agent.as_ref() == Some(agent)
            || (view.state == State::Open && serves(agent, view, settings))
    }

    /// Whether they may be told what has become of a conversation, and so try to take it: everybody
    /// who may see it or serves its queue, and anybody once it is over. An agent who takes an offer
    /// that was withdrawn a moment ago is told why, and not that access is refused.
    pub fn know_of(self, view: &View, settings: &Registry) -> bool {
        let is_over = matches!(view.state, State::Wrapup | State::Closed);
        let serves = self.agent.is_some_and(|agent| serves(agent, view, settings));
        self.see(view, settings) || is_over || serves
    }
}

fn serves(agent: &AgentId, view: &View, settings: &Registry) -> bool {
    settings.queues.get(&view.queue).is_some_and(|queue| queue.agents.contains(agent))
}
