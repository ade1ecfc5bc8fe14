//! What is put under load: a server that the tool starts on loopback and stops again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::dialect::Spoken;
use crate::watch::{Ear, Watch};

/// What is asked of every target alike, so that all can stand in one table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demands {
    /// How many customers there will be in all.
    pub customers: u32,
    /// How often a customer beats.
    pub heartbeat: Duration,
    /// How long a lost customer is held before the second party is told that they are gone.
    pub window: Duration,
    /// Whether posts are acknowledged only when they are durable, where the target can do that.
    pub durable: bool,
    /// The second parties, where the target has any.
    pub agents: Agents,
    /// Whether a heartbeat is to be answered each time, where the protocol leaves that open.
    pub answered: bool,
    /// Whether clients are named as by a proxy on this machine, and what they may use is bounded by
    /// that.
    pub are_named: bool,
}

/// What the second parties do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agents {
    /// How many there are; with none, chats wait in their line.
    pub count: u32,
    /// How many chats each can hold at once.
    pub chats: u32,
    /// The shortest and the longest time that an agent takes to accept an offer.
    pub accept: (Duration, Duration),
    /// How many messages they send to customers in a second, in all.
    pub posts_per_s: f64,
    /// The size of such a message, in bytes.
    pub post_bytes: usize,
    /// How long they send these, counted from [`Watch::begin`](crate::watch::Watch::begin).
    pub posts_for: Duration,
    /// How long an agent may be gone before their chats go elsewhere.
    pub grace: Duration,
    /// The agents who leave, by share, and when, counted from
    /// [`Watch::begin`](crate::watch::Watch::begin).
    pub leaving: Option<Leaving>,
    /// The seed of their choices.
    pub seed: u64,
}

/// Agents who close their consoles.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaving {
    /// The share of the agents.
    pub share: f64,
    /// When they leave.
    pub at: Duration,
    /// How long after that they are back; none if they never are.
    pub back_after: Option<Duration>,
}

/// A kind of server: Holdline, a peer, the floor.
pub trait Target: Send {
    /// Its name in tables, as in `mosquitto`.
    fn name(&self) -> &'static str;

    /// Its version, or why the target is absent here.
    fn version(&self) -> Result<String, Absent>;

    /// Starts it on free ports of loopback with a data directory of its own, and returns when it
    /// takes connections.
    fn start(&self, demands: &Demands) -> anyhow::Result<Box<dyn Running>>;

    /// What its acknowledgement of a post promises under these demands, in a sentence; none if it
    /// has no acknowledgement.
    fn promise(&self, demands: &Demands) -> Option<&'static str>;
}

/// Asks once; an error if it is not answered well.
pub type Probe = Box<dyn Fn() -> anyhow::Result<()> + Send>;

/// Why a target is not in the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not here: {reason}")]
pub struct Absent {
    /// The target that is not here.
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

    /// Its protocol. The drivers are processes of their own, so it is named here and made by
    /// [`speak`](crate::dialects::speak) there.
    fn dialect(&self) -> Spoken;

    /// Starts the second party, connected and listening when this returns; none where the target
    /// has no such thing.
    fn watch(&self, ear: Ear) -> anyhow::Result<Option<Box<dyn Watch>>>;

    /// Stops it politely and starts it again on the same address and the same data. Returns when
    /// it takes connections again.
    fn restart(&mut self) -> anyhow::Result<()> {
        anyhow::bail!("this target cannot be restarted")
    }

    /// A probe that asks whether the server answers operators and agents, as often as it is called;
    /// none if the target has no such thing.
    fn probe(&self) -> Option<Probe> {
        None
    }

    /// What the server counts itself, by the server's names, for the report; empty if it counts
    /// nothing.
    fn counters(&mut self) -> BTreeMap<String, f64> {
        BTreeMap::new()
    }

    /// Stops it politely for good. Returns what it then has on the disk, for the report; empty if
    /// that is not known.
    fn end(&mut self) -> anyhow::Result<BTreeMap<String, f64>> {
        Ok(BTreeMap::new())
    }
}
