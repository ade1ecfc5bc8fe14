//! What others were told of an agent last.

use crate::domain::agent::{Agent, Availability, Presence};

/// What others were told of an agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Report {
    pub(super) availability: Availability,
    pub(super) presence: Presence,
    pub(super) chosen: Presence,
    pub(super) used: u32,
    pub(super) units: u32,
    pub(super) leases: usize,
    /// How often the leases have changed.
    pub(super) revision: u64,
}

impl Report {
    pub(super) fn of(agent: &Agent) -> Self {
        Self {
            availability: agent.availability(),
            presence: agent.presence(),
            chosen: agent.chosen(),
            used: agent.used(),
            units: agent.settings().units,
            leases: agent.leases().len(),
            revision: agent.revision(),
        }
    }
}
