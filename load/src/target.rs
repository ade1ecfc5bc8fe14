//! What is put under load: a server that the tool starts on loopback and stops again.

use std::net::SocketAddr;
use std::time::Duration;

use crate::dialect::Dialect;
use crate::watch::{Ear, Watch};

/// What every target is asked for alike, so that they can stand in one table.
#[derive(Clone, Debug, PartialEq)]
pub struct Demands {
    /// How many customers there will be in all.
    pub customers: u32,
    /// How often a customer beats.
    pub heartbeat: Duration,
    /// How long a lost customer is held before the second party is told that they are gone.
    pub window: Duration,
    /// Whether posts are acknowledged only when they are durable, where the target can do that.
    pub durable: bool,
    /// How many second parties there are to be, where the target has agents.
    pub agents: u32,
}

/// A kind of server: Holdline, a peer, the floor.
pub trait Target: Send {
    /// Its name in tables, as in `mosquitto`.
    fn name(&self) -> &'static str;

    /// Its version, or why it cannot be had here.
    fn version(&self) -> Result<String, Absent>;

    /// Starts it on free ports of loopback with a data directory of its own, and returns when it
    /// takes connections.
    fn start(&self, demands: &Demands) -> anyhow::Result<Box<dyn Running>>;

    /// What its acknowledgement of a post promises under these demands, in a sentence; none where
    /// it has none.
    fn promise(&self, demands: &Demands) -> Option<&'static str>;
}

/// Why a target is not in the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not here: {reason}")]
pub struct Absent {
    /// What is not here.
    pub name: &'static str,
    /// Why, and how it would be installed.
    pub reason: String,
}

/// A server that runs. Dropping it ends its processes, by their ids.
pub trait Running: Send {
    /// Where widgets connect.
    fn address(&self) -> SocketAddr;

    /// The processes whose cost is the server's.
    fn processes(&self) -> Vec<u32>;

    /// Its protocol.
    fn dialect(&self) -> Box<dyn Dialect>;

    /// Starts the second party, connected and listening when this returns; none where the target
    /// has no such thing.
    fn watch(&self, ear: Ear) -> anyhow::Result<Option<Box<dyn Watch>>>;
}
