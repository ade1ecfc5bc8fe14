//! One run: a workload is put on a target, and what comes of it is told.

mod meter;
mod outcome;
mod series;
mod site;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;

use crate::clock::{self, Moment};
use crate::crew::Crew;
use crate::driver::tally::Latencies;
use crate::ledger::{Ledger, Wrong};
use crate::machine::Machine;
use crate::pin::{self, Pinning};
use crate::plan::{Order, Plan};
use crate::progress::Progress;
use crate::report::figures::Run;
use crate::run::meter::Meter;
use crate::run::series::Series;
use crate::run::site::Site;
use crate::strangers::{self, Strangers};
use crate::target::Target;
use crate::watch::Accounts;
use crate::workload::Workload;

/// How a run is to be done, whatever the workload.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// This program, which is started again as the drivers.
    pub program: PathBuf,
    /// Whether progress is shown while it runs.
    pub shows_progress: bool,
    /// The command that does the same again, for the report.
    pub repeat: String,
    /// The cores of the servers and of everything else; none if the kernel decides.
    pub pinning: Option<Pinning>,
}

/// How long drivers have to start, and to take an order.
const START: Duration = Duration::from_millis(400);

/// How long the empty server is looked at.
const EMPTY: Duration = Duration::from_secs(1);

/// How long agents may take to accept, beyond the time that the workload gives them.
const ACCEPT_MAX: Duration = Duration::from_secs(30);

/// The longest wait in one piece, so that what the second party is told is taken soon.
const SLICE: Duration = Duration::from_millis(50);

/// How long the last messages may be on their way.
const LAST_MESSAGES: Duration = Duration::from_millis(2_500);

/// Customers whose transcripts are compared at the end, at most.
const TRANSCRIPTS_MAX: usize = 400;

/// The machine, as reports have it.
pub fn machine() -> crate::report::figures::Machine {
    outcome::of_machine(&Machine::read())
}

/// Puts a workload on a target, and says what came of it.
///
/// # Errors
/// When the plan is impossible on this machine, the target does not start, or a driver dies. A run
/// that is void because the generator was late, or whose counts are not zero, is not an error: its
/// verdict says so.
pub fn run(target: &dyn Target, workload: &Workload, options: &RunOptions) -> anyhow::Result<Run> {
    workload.check()?;
    let machine = Machine::read();
    let split = machine.split(workload)?;
    let _pinned = options.pinning.as_ref().map(Pinning::begin).transpose()?;
    let site = Site::open(target, workload, split, options.pinning.as_ref())?;
    let mut act = Act::open(site, workload, options)?;
    act.ramp()?;
    act.work()?;
    act.wait_for_windows()?;
    act.audit()?;
    act.stop()?;
    Ok(outcome::tell(&act, target, &machine))
}

/// A run in progress.
struct Act<'a> {
    workload: &'a Workload,
    options: &'a RunOptions,
    site: Site,
    crew: Crew,
    ledger: Ledger,
    meter: Meter,
    series: Series,
    progress: Progress,
    latencies: Latencies,
    accounts: Option<Accounts>,
    transcripts: Wrong,
    transcripts_read: u64,
    /// Processes of the servers.
    processes: u32,
    /// The moment as of which the findings are made, just before the audit.
    audited: Moment,
    /// Faults that watchers and servers reported.
    faults: Vec<String>,
    /// What became of the strangers, if the workload has any.
    strangers: Option<strangers::Told>,
    remarks: Vec<String>,
    began: String,
}

impl<'a> Act<'a> {
    fn open(site: Site, workload: &'a Workload, options: &'a RunOptions) -> anyhow::Result<Self> {
        let meter = Meter::open(&site.processes(), EMPTY, options.pinning.as_ref())?;
        let epoch = clock::now().after(START);
        let plans = site.plans(workload, epoch);
        Ok(Self {
            crew: Crew::start(&options.program, &plans)?,
            ledger: Ledger::new(workload.sessions, workload.window()),
            series: Series::new(meter.began()),
            progress: Progress::new(options.shows_progress, &workload.name),
            meter,
            processes: u32::try_from(site.processes().len())?,
            workload,
            options,
            site,
            latencies: Latencies::default(),
            accounts: None,
            transcripts: Wrong::default(),
            transcripts_read: 0,
            audited: epoch,
            faults: Vec::new(),
            strangers: None,
            remarks: options.pinning.iter().map(Pinning::sentence).collect(),
            began: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        })
    }

    /// Waits until a moment, or until `is_so` holds; tells whether it holds.
    fn pass(&mut self, until: Moment, is_so: impl Fn(&Self) -> bool) -> anyhow::Result<bool> {
        loop {
            let slice = clock::now().after(SLICE).min(until);
            let ledger = &mut self.ledger;
            self.crew.listen(slice, &mut |tidings| ledger.take(tidings))?;
            while let Ok(told) = self.site.told.try_recv() {
                self.ledger.told(told);
            }
            if self.series.is_due() {
                let counts = self.crew.counts();
                self.series.add(&counts, &self.ledger, &self.site.processes());
                self.progress.show(&counts, &self.ledger, self.workload);
            }
            if is_so(self) {
                return Ok(true);
            }
            if clock::now() >= until {
                return Ok(false);
            }
        }
    }

    /// Waits until every customer is in, and agents have taken what they can.
    fn ramp(&mut self) -> anyhow::Result<()> {
        self.progress.phase("ramp");
        let ramp = &self.workload.ramp;
        let takes = f64::from(self.workload.sessions) / ramp.per_s + ramp.patience_s;
        let until = clock::now().after(START + Duration::from_secs_f64(takes));
        let sessions = u64::from(self.workload.sessions);
        self.pass(until, |act| act.crew.counts().entered == sessions)?;
        let agents = &self.workload.agents;
        let accept = ACCEPT_MAX + Duration::from_secs_f64(agents.accept_s[1]);
        let can = (u64::from(agents.count) * u64::from(agents.chats)).min(sessions);
        if self.site.has_agents {
            self.pass(clock::now().after(accept), |act| act.ledger.accepted >= can)?;
        }
        self.meter.phase("ramp", &self.site.processes(), &self.crew.counts())?;
        self.progress.phase("settle");
        let settle = Duration::from_secs_f64(self.workload.settle_s);
        self.pass(clock::now().after(settle), |_| false)?;
        self.meter.phase("settle", &self.site.processes(), &self.crew.counts())
    }

    /// The work itself, with a restart where the workload has one.
    fn work(&mut self) -> anyhow::Result<()> {
        self.progress.phase("work");
        let begin = clock::now().after(START);
        self.crew.order(Order::Begin(begin))?;
        self.pass(begin, |_| false)?;
        self.site.begin();
        self.meter.skip(&self.site.processes())?;
        let strangers = self.site.strangers(self.workload);
        if let Some(restart) = &self.workload.restart {
            self.pass(begin.after(Duration::from_secs_f64(restart.at_s)), |_| false)?;
            self.restart()?;
        }
        let end = begin.after(Duration::from_secs_f64(self.workload.duration_s));
        self.pass(end, |_| false)?;
        self.strangers = strangers.map(Strangers::end);
        self.meter.phase("work", &self.site.processes(), &self.crew.counts())
    }

    /// Stops every server and starts it again, one after the other.
    fn restart(&mut self) -> anyhow::Result<()> {
        for number in 0..self.site.servers.len() {
            self.meter.pause(&self.site.processes())?;
            let from = clock::now();
            let server = &mut self.site.servers[number];
            pin::start(self.options.pinning.as_ref(), || server.restart())?;
            let to = clock::now();
            self.ledger.restarted(from, to);
            let away = to.since(from).as_secs_f64();
            self.remarks.push(format!("The server was away for {away:.2} s."));
            self.meter.resume(&self.site.processes())?;
        }
        Ok(())
    }

    /// Waits until all windows are over and the second party was told.
    fn wait_for_windows(&mut self) -> anyhow::Result<()> {
        self.progress.phase("windows");
        let last = self.ledger.last_deadline();
        if let Some(last) = last {
            let patience = Duration::from_secs_f64(self.workload.patience_s);
            // There is no wait for a notice of a customer whom no agent knows, but their window
            // must end.
            self.pass(last.after(Duration::from_millis(300)), |_| false)?;
            if self.site.has_agents {
                self.pass(last.after(patience), |act| act.ledger.is_settled())?;
            }
        }
        // Late and repeated notices must have the time to come.
        self.pass(clock::now().after(LAST_MESSAGES), |_| false)?;
        self.meter.phase("after", &self.site.processes(), &self.crew.counts())?;
        self.audited = clock::now();
        self.crew.order(Order::Rest)?;
        Ok(())
    }

    /// Asks the server for its accounts and transcripts, while the customers are still there.
    fn audit(&mut self) -> anyhow::Result<()> {
        self.progress.phase("audit");
        self.accounts = self.site.accounts().context("the accounts cannot be read")?;
        let talkers = self.ledger.talkers();
        let step = talkers.len().div_ceil(TRANSCRIPTS_MAX).max(1);
        for customer in talkers.into_iter().step_by(step) {
            if let Some(transcript) = self.site.transcript(customer)? {
                self.transcripts.add(self.ledger.check(customer, &transcript));
                self.transcripts_read += 1;
            }
        }
        Ok(())
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        self.progress.phase("end");
        self.faults = self.site.faults();
        self.site.count();
        let ledger = &mut self.ledger;
        self.latencies = self.crew.stop(&mut |tidings| ledger.take(tidings))?;
        if let Err(error) = self.site.end() {
            self.faults.push(format!("{error:#}"));
        }
        self.progress.end();
        Ok(())
    }
}

/// The plan of one driver among several.
fn plan(workload: &Workload, part: (u32, u32), site: &Site, number: u32, epoch: Moment) -> Plan {
    let (first, customers) = part;
    let server = &site.servers[number as usize % site.servers.len()];
    let share = f64::from(customers) / f64::from(workload.sessions);
    Plan {
        address: server.address(),
        spoken: server.dialect(),
        first,
        customers,
        connects_per_s: workload.ramp.per_s * share,
        posts_per_s: workload.posts.per_s * share,
        epoch,
        workload: workload.clone(),
    }
}
