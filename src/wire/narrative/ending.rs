//! Who ended a chat and why, as parts of sentences.

use crate::domain::conversation::event::{Actor, Reason};

/// Who did something, as the subject of a sentence.
pub(super) fn actor(actor: &Actor) -> String {
    match actor {
        Actor::Customer => "the customer".to_owned(),
        Actor::Agent(agent) => format!("agent {agent}"),
        Actor::Supervisor(supervisor) => format!("supervisor {supervisor}"),
        Actor::Timer => "a timer".to_owned(),
    }
}

/// The kind of somebody who did something, for programs.
pub(super) const fn actor_kind(actor: &Actor) -> &'static str {
    match actor {
        Actor::Customer => "customer",
        Actor::Agent(_) => "agent",
        Actor::Supervisor(_) => "supervisor",
        Actor::Timer => "timer",
    }
}

/// Why a chat ended, as a clause after "because".
pub const fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::CustomerDisconnectedWhileOpen => {
            "the customer was away for longer than the window while the chat waited for an agent"
        }
        Reason::CustomerDisconnectedWhileActive => {
            "the customer was away for longer than the window while the chat was with an agent"
        }
        Reason::CustomerEnded => "the customer ended it",
        Reason::CustomerIdle => "the customer was reminded and still did not answer",
        Reason::AgentEnded => "the agent ended it",
        Reason::OpenTooLong => "nobody was found for it in time",
        Reason::ActiveTooLong => "it had been with an agent for as long as the workstream allows",
        Reason::ForceClosed => "a supervisor closed it",
    }
}
