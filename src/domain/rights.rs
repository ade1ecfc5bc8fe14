//! What somebody who asks over HTTP may do, by their role and by the agent that they are.

use crate::domain::conversation::State;
use crate::domain::conversation::view::View;
use crate::domain::id::AgentId;
use crate::domain::settings::Role;
use crate::domain::settings::registry::Registry;

/// What stands for whoever asks, where an agent is named.
pub const ME: &str = "me";

/// The name under which the administrator acts whose token is no agent's.
pub const ADMINISTRATOR: &str = "administrator";

/// Whether nobody may be called so, because it means somebody else.
pub fn is_reserved(id: &AgentId) -> bool {
    [ME, ADMINISTRATOR].contains(&id.as_str())
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Rights<'a> {
    /// The agent that they are; nothing for somebody who is none.
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

    /// Whether they may make and end this agent's tokens: an administrator any, an agent their own.
    pub fn keep_tokens_of(self, agent: &AgentId) -> bool {
        self.role >= Role::Administrator || self.agent == Some(agent)
    }

    /// Whether they may see a conversation: a supervisor any, an agent those that are theirs and
    /// those that wait in a queue they serve.
    pub fn see(self, view: &View, settings: &Registry) -> bool {
        let Some(agent) = self.agent else { return true };
        self.supervise()
            || view.agent.as_ref() == Some(agent)
            || (view.state == State::Open && serves(agent, view, settings))
    }

    /// Whether they may be told what has become of a conversation, and so try to take it: whoever
    /// may see it, whoever serves its queue, and anybody once it is over. An agent who takes an
    /// offer that was withdrawn a moment ago is told why, and not that it is no business of theirs.
    pub fn know_of(self, view: &View, settings: &Registry) -> bool {
        let is_over = matches!(view.state, State::Wrapup | State::Closed);
        let serves = self.agent.is_some_and(|agent| serves(agent, view, settings));
        self.see(view, settings) || is_over || serves
    }
}

fn serves(agent: &AgentId, view: &View, settings: &Registry) -> bool {
    settings.queues.get(&view.queue).is_some_and(|queue| queue.agents.contains(agent))
}
