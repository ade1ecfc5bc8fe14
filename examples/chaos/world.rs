//! What everything in a trial shares: the plan, the counts, the runs of the server, and the record
//! of every chat. All of it is on one thread; only the proxy and the strangers have threads of
//! their own.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::agent::Agent;
use super::budgets::Runs;
use super::proxy::{Faults, STALL_MAX};
use super::record::Chat;
use super::server::Run;
use super::strangers::{self, StrangersPlan};

/// What the trial is to be.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) program: PathBuf,
    pub(crate) length: Duration,
    pub(crate) kills: usize,
    pub(crate) widgets: usize,
    pub(crate) agents: usize,
    /// How many posts a second one widget makes while it is connected.
    pub(crate) rate: f64,
    /// How many messages a second each agent says.
    pub(crate) agent_rate: f64,
    /// The fewest and the most posts of one chat.
    pub(crate) posts: (u64, u64),
    pub(crate) window: Duration,
    pub(crate) heartbeat: Duration,
    /// How much time passes between two faults of one connection, on average.
    pub(crate) fault_every: Duration,
    /// How late the end of a window may be.
    pub(crate) tolerance: Duration,
    pub(crate) seed: u64,
    pub(crate) strangers: StrangersPlan,
    /// Further variables of the server's environment.
    pub(crate) environment: Vec<(&'static str, &'static str)>,
    /// How much time passes between two lines of progress.
    pub(crate) progress_every: Duration,
}

/// What must never happen.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Wrong {
    /// Something was acknowledged, or told to others, and is not there.
    Lost,
    Duplicated,
    Reordered,
    /// A customer was disconnected before the window was over.
    Early,
    /// A customer was gone for longer than the window, and was not disconnected.
    Missed,
    /// A customer was disconnected twice.
    Twice,
    /// An agent's leases are not the conversations that name the agent.
    Drift,
    /// A customer, an agent or a caller who asks whether the server is ready was turned away for
    /// using too much, which only strangers do.
    Refused,
    /// Strangers were given more than their budgets allow.
    Unbounded,
    /// Anything else that the contract does not allow.
    Other,
}

impl Wrong {
    pub(crate) const ALL: [Self; 10] = [
        Self::Lost,
        Self::Duplicated,
        Self::Reordered,
        Self::Early,
        Self::Missed,
        Self::Twice,
        Self::Drift,
        Self::Refused,
        Self::Unbounded,
        Self::Other,
    ];

    /// What an HTTP answer with this status means when nobody should get it.
    pub(crate) const fn of_status(status: u16) -> Self {
        if status == 429 { Self::Refused } else { Self::Other }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Duplicated => "duplicated",
            Self::Reordered => "reordered",
            Self::Early => "early",
            Self::Missed => "missed",
            Self::Twice => "twice",
            Self::Drift => "drift",
            Self::Refused => "refused",
            Self::Unbounded => "unbounded",
            Self::Other => "other",
        }
    }
}

/// What the trial has counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: usize,
    /// The milliseconds from a start to the first answer, for each start that was not killed
    /// itself.
    pub(crate) starts: Vec<i64>,
    pub(crate) chats: usize,
    /// Messages that were acknowledged to widgets, and to agents.
    pub(crate) posted: u64,
    pub(crate) said: u64,
    /// Posts that were refused, and so were neither lost nor kept.
    pub(crate) refused: u64,
    /// Sockets that were opened again within the window, after a fault or a planned absence.
    pub(crate) resumes: u64,
    /// Widgets that stayed away on purpose and came back in time.
    pub(crate) returns: u64,
    /// Widgets that came back after the window.
    pub(crate) late: u64,
    /// Chats that an agent gave back to the queue.
    pub(crate) released: u64,
    /// Widgets that went away for good.
    pub(crate) gone: u64,
    pub(crate) expiries: u64,
    /// Feeds that were opened again, and messages that they told a second time because of this.
    pub(crate) feeds_reopened: u64,
    pub(crate) feed_repeats: u64,
    /// Messages that a feed told late, of chats that another agent had.
    pub(crate) strays: u64,
    /// Messages that the feeds told, of chats that are over.
    pub(crate) told_in_feeds: u64,
    pub(crate) audits: u64,
    /// Leases that were compared with the conversations that name their agent.
    pub(crate) leases: u64,
    /// Messages that were compared with transcripts over HTTP, and with the stopped database.
    pub(crate) read_over_http: u64,
    pub(crate) read_on_disk: u64,
    /// Starts of chats whose answer was lost and for which no widget came back.
    pub(crate) orphans: u64,
    /// How often the server said that it is ready, and how long the slowest of these answers took.
    pub(crate) ready: u64,
    pub(crate) slowest_ready: Duration,
    pub(crate) strangers: strangers::Told,
    /// Chats of strangers on the disk.
    pub(crate) strangers_chats: u64,
    /// How late the latest end of a window was, in milliseconds.
    pub(crate) latest_end: i64,
    pub(crate) complaints: usize,
    pub(crate) wrongs: Vec<(Wrong, String)>,
}

impl Tally {
    pub(crate) fn wrong(&self, wrong: Wrong) -> usize {
        self.wrongs.iter().filter(|(is, _)| *is == wrong).count()
    }

    /// How many messages were acknowledged.
    pub(crate) const fn acknowledged(&self) -> u64 {
        self.posted + self.said
    }
}

/// The world of a trial.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) server: SocketAddr,
    pub(crate) proxy: SocketAddr,
    pub(crate) faults: Arc<Faults>,
    pub(crate) client: reqwest::Client,
    pub(crate) agents: RefCell<Vec<Rc<Agent>>>,
    /// Every chat whose start was answered.
    pub(crate) chats: RefCell<HashMap<String, Rc<Chat>>>,
    pub(crate) runs: RefCell<Vec<Run>>,
    /// Which run of the server goes on, for the strangers.
    pub(crate) running: Arc<Runs>,
    pub(crate) tally: RefCell<Tally>,
    /// Takes the chats that are over for their widget to the verifier.
    pub(crate) over: mpsc::UnboundedSender<Rc<Chat>>,
    /// Whether the server is believed to answer.
    pub(crate) up: watch::Sender<bool>,
    /// While this is set, nobody begins, accepts, leaves or ends a chat.
    pub(crate) still: watch::Sender<bool>,
    /// Once this is set, everybody finishes.
    pub(crate) closing: Cell<bool>,
}

impl World {
    /// Notes that something happened that must never happen.
    pub(crate) fn note(&self, wrong: Wrong, what: impl Into<String>) {
        let what = what.into();
        println!("!! {}: {what}", wrong.name());
        self.tally.borrow_mut().wrongs.push((wrong, what));
    }

    /// Counts something.
    pub(crate) fn count(&self, count: impl FnOnce(&mut Tally)) {
        count(&mut self.tally.borrow_mut());
    }

    /// Waits until the server is believed to answer.
    pub(crate) async fn up(&self) {
        // The sender lives as long as the world.
        let mut up = self.up.subscribe();
        let _alive = up.wait_for(|up| *up).await;
    }

    /// Waits while everybody must keep still.
    pub(crate) async fn moving(&self) {
        let mut still = self.still.subscribe();
        let _alive = still.wait_for(|still| !*still).await;
    }

    pub(crate) fn window_ms(&self) -> i64 {
        millis(self.plan.window)
    }

    pub(crate) fn agent_named(&self, name: &str) -> Option<Rc<Agent>> {
        self.agents.borrow().iter().find(|agent| agent.id == name).map(Rc::clone)
    }

    /// The latest moment by which a customer who went away at `gone_at` must be disconnected. What
    /// the customer had sent may have arrived a stall later, and after each restart the full window
    /// counts.
    pub(crate) fn due_by(&self, gone_at: i64) -> Option<i64> {
        let held = self.window_ms() + millis(self.plan.tolerance);
        let mut base = gone_at + millis(STALL_MAX);
        let runs = self.runs.borrow();
        for pair in runs.windows(2).filter(|pair| pair[1].spawned_at > gone_at) {
            if pair[0].killed_at.is_some_and(|at| at > base + held) {
                return Some(base + held);
            }
            match pair[1] {
                Run { ready_at: Some(ready_at), .. } => base = base.max(ready_at),
                // This run was killed while it started, so the next one counts.
                Run { killed_at: Some(_), .. } => {}
                Run { .. } => return None,
            }
        }
        // The time for which no server runs counts for nobody.
        let killed_at = runs.last().and_then(|run| run.killed_at);
        killed_at.is_none_or(|at| at > base + held).then_some(base + held)
    }

    /// When the server was last started before this moment.
    pub(crate) fn started_before(&self, moment: i64) -> i64 {
        let runs = self.runs.borrow();
        let before = runs.iter().map(|run| run.spawned_at).filter(|at| *at <= moment);
        before.max().unwrap_or(0)
    }
}

/// Whole milliseconds.
pub(crate) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
