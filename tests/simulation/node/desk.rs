//! The agents of a simulated node: the product's own behavior, and the consoles that read their
//! feeds here.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdline::behavior::message::RequestId;
use holdline::domain::agent::{Agent, FeedNumber, Presence};
use holdline::domain::id::{AgentId, History, QueueId};
use holdline::domain::position::Position;
use holdline::domain::settings::AgentSettings;
use holdline::domain::time::Timestamp;

pub use holdline::behavior::agent::{Behavior as Desk, Choice, Facts, Input, Opening, Output};

use crate::node::AUDIT_EVERY;
use crate::server::AgentAccount;

/// What an agent knows of the moment. No console here resumes its feed, and a server that stops is
/// killed.
pub const FACTS: Facts = Facts { told_through: Position(0), is_draining: false };

/// The feeds that consoles read, each of an agent's actor.
pub type Consoles = BTreeMap<(AgentId, u64), FeedNumber>;

/// An agent who hears all claims before they are given work.
pub fn hearing(
    settings: Arc<AgentSettings>,
    chosen: Option<Presence>,
    queues: Vec<QueueId>,
    history: History,
    now: Timestamp,
) -> Desk {
    Desk::new(Agent::hearing(settings, chosen, now), queues, 1, history, AUDIT_EVERY)
}

/// The account of an agent, read without a message.
pub fn account(desk: &Desk) -> AgentAccount {
    let agent = desk.agent();
    let leases = agent.leases().iter().map(|(id, held)| (*id, held.lease.units));
    AgentAccount {
        agent: agent.settings().id.clone(),
        is_ready: agent.presence() == Presence::Available,
        units: agent.settings().units,
        used: agent.used(),
        leases: leases.collect(),
    }
}

/// The request that waits for an answer to this input.
pub fn request(input: &Input) -> Option<RequestId> {
    match input {
        Input::Told(told) => told.request(),
        Input::OpenFeed(opening) => Some(opening.request),
        Input::PresenceWritten(choice, _) => Some(choice.request),
        _ => None,
    }
}
