//! What exists while a run goes on: the servers, and the second parties that watch on them.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::plan;
use crate::clock::Moment;
use crate::machine::Split;
use crate::pin::{self, Pinning};
use crate::plan::Plan;
use crate::strangers::Strangers;
use crate::target::{Agents, Demands, Leaving, Running, Target};
use crate::watch::{Accounts, Told, Transcript, Watch};
use crate::workload::Workload;

/// The servers and their watchers. The watchers are dropped first.
pub(super) struct Site {
    pub(super) watches: Vec<Box<dyn Watch>>,
    pub(super) servers: Vec<Box<dyn Running>>,
    pub(super) told: Receiver<Told>,
    /// Whether there are agents to be told of customers.
    pub(super) has_agents: bool,
    pub(super) counters: BTreeMap<String, f64>,
    drivers: u32,
}

impl Site {
    /// Starts everything.
    pub(super) fn open(
        target: &dyn Target,
        workload: &Workload,
        split: Split,
        pinning: Option<&Pinning>,
    ) -> anyhow::Result<Self> {
        let demands = demands(workload, split.servers);
        let (ear, told) = channel();
        let (mut servers, mut watches) = (Vec::new(), Vec::new());
        for _ in 0..split.servers {
            let server = pin::start(pinning, || target.start(&demands))?;
            watches.extend(server.watch(ear.clone())?);
            servers.push(server);
        }
        let has_agents = workload.agents.count > 0 && !watches.is_empty();
        // Every server has the same number of drivers.
        let drivers = split.drivers.next_multiple_of(split.servers);
        Ok(Self { watches, servers, told, has_agents, counters: BTreeMap::new(), drivers })
    }

    /// The plan of each driver.
    pub(super) fn plans(&self, workload: &Workload, epoch: Moment) -> Vec<Plan> {
        let mut plans = Vec::new();
        let mut first = 0;
        for number in 0..self.drivers {
            let left = self.drivers - number;
            let customers = (workload.sessions - first).div_ceil(left);
            if customers > 0 {
                plans.push(plan(workload, (first, customers), self, number, epoch));
            }
            first += customers;
        }
        plans
    }

    pub(super) fn processes(&self) -> Vec<u32> {
        self.servers.iter().flat_map(|server| server.processes()).collect()
    }

    pub(super) fn begin(&mut self) {
        self.watches.iter_mut().for_each(|watch| watch.begin());
    }

    /// Starts the strangers on the first server, if the workload has any.
    pub(super) fn strangers(&self, workload: &Workload) -> Option<Strangers> {
        let plan = workload.strangers.as_ref()?;
        let server = self.servers.first()?;
        let lasts = Duration::from_secs_f64(workload.duration_s);
        Some(Strangers::begin(server.address(), plan, lasts, server.probe()))
    }

    /// The faults that any of the watchers report.
    pub(super) fn faults(&mut self) -> Vec<String> {
        self.watches.iter_mut().filter_map(|watch| watch.fault()).collect()
    }

    pub(super) fn accounts(&mut self) -> anyhow::Result<Option<Accounts>> {
        let mut sum: Option<Accounts> = None;
        for watch in &mut self.watches {
            if let Some(accounts) = watch.accounts()? {
                let sum = sum.get_or_insert_default();
                sum.unequal += accounts.unequal;
                sum.strayed += accounts.strayed;
                sum.drift += accounts.drift;
                sum.leases += accounts.leases;
            }
        }
        Ok(sum)
    }

    pub(super) fn transcript(&mut self, customer: u32) -> anyhow::Result<Option<Transcript>> {
        for watch in &mut self.watches {
            if let Some(transcript) = watch.transcript(customer)? {
                return Ok(Some(transcript));
            }
        }
        Ok(None)
    }

    /// Stops the servers, and keeps the sizes of what they have on the disk.
    pub(super) fn end(&mut self) -> anyhow::Result<()> {
        for server in &mut self.servers {
            for (name, value) in server.end()? {
                *self.counters.entry(name).or_default() += value;
            }
        }
        Ok(())
    }

    /// Keeps the servers' own counters.
    pub(super) fn count(&mut self) {
        for server in &mut self.servers {
            for (name, value) in server.counters() {
                *self.counters.entry(name).or_default() += value;
            }
        }
    }
}

fn demands(workload: &Workload, servers: u32) -> Demands {
    let agents = &workload.agents;
    let seconds = Duration::from_secs_f64;
    let leaving = (agents.leave_share > 0.0).then(|| Leaving {
        share: agents.leave_share,
        at: seconds(agents.leave_at_s),
        back_after: (agents.back_after_s > 0.0).then(|| seconds(agents.back_after_s)),
    });
    Demands {
        customers: workload.sessions.div_ceil(servers),
        heartbeat: workload.heartbeat(),
        window: workload.window(),
        durable: workload.durable,
        agents: Agents {
            count: agents.count.div_ceil(servers),
            chats: agents.chats,
            accept: (seconds(agents.accept_s[0]), seconds(agents.accept_s[1])),
            posts_per_s: agents.posts_per_s / f64::from(servers),
            post_bytes: agents.post_bytes as usize,
            posts_for: seconds(workload.duration_s),
            grace: seconds(agents.grace_s),
            leaving,
            seed: workload.seed,
        },
        answered: workload.heartbeat.answered,
        are_named: workload.strangers.is_some(),
    }
}
