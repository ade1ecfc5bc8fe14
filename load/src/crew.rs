//! The driver processes, as their parent sees them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::clock::{self, Moment};
use crate::driver::tally::{Counts, Latencies};
use crate::plan::{Line, Order, Plan, Tidings};

/// How long drivers may take to say their last line.
const STOP_MAX: Duration = Duration::from_secs(60);

/// The driver processes. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Crew {
    drivers: Vec<Driver>,
    lines: Receiver<(usize, Line)>,
}

#[derive(Debug)]
struct Driver {
    child: Child,
    orders: Option<ChildStdin>,
    counts: Counts,
    has_ended: bool,
}

impl Crew {
    /// Starts a process for each plan.
    pub(crate) fn start(program: &Path, plans: &[Plan]) -> anyhow::Result<Self> {
        let (sender, lines) = channel();
        let mut drivers = Vec::new();
        for (number, plan) in plans.iter().enumerate() {
            let mut child = Command::new(program)
                .arg("drive")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .with_context(|| format!("{} cannot be started", program.display()))?;
            let mut orders = child.stdin.take().context("a driver has no input")?;
            let mut text = serde_json::to_vec(plan)?;
            text.push(b'\n');
            orders.write_all(&text)?;
            let output = child.stdout.take().context("a driver has no output")?;
            let sender = sender.clone();
            std::thread::spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                let lines = lines.map_while(|text| serde_json::from_str::<Line>(&text).ok());
                // If nobody receives the lines any more, there is nobody to tell.
                let mut lines = lines.map(|line| sender.send((number, line)).is_ok());
                while lines.next() == Some(true) {}
            });
            let counts = Counts::default();
            drivers.push(Driver { child, orders: Some(orders), counts, has_ended: false });
        }
        Ok(Self { drivers, lines })
    }

    /// Takes the lines of the drivers until this moment, and hands on what happened to customers.
    pub(crate) fn listen(
        &mut self,
        until: Moment,
        take: &mut dyn FnMut(Tidings),
    ) -> anyhow::Result<()> {
        loop {
            match self.lines.recv_timeout(until.since(clock::now())) {
                Ok((number, line)) => {
                    self.drivers[number].counts = line.counts;
                    take(line.tidings);
                }
                Err(RecvTimeoutError::Timeout) => return self.look(),
                Err(RecvTimeoutError::Disconnected) => bail!("the drivers have ended"),
            }
        }
    }

    /// Whether all drivers still live.
    fn look(&mut self) -> anyhow::Result<()> {
        for driver in &mut self.drivers {
            if let Some(status) = driver.child.try_wait()? {
                bail!("a driver has ended too early: {status}");
            }
        }
        Ok(())
    }

    /// What all drivers have counted so far.
    pub(crate) fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        for driver in &self.drivers {
            sum.add(&driver.counts);
        }
        sum
    }

    /// The largest share of a core that any one driver has used since the work began.
    pub(crate) fn busiest(&self) -> f64 {
        let shares = self.drivers.iter().map(|driver| {
            driver.counts.processor_us as f64 / driver.counts.elapsed_us.max(1) as f64
        });
        shares.fold(0.0, f64::max)
    }

    /// Sends an order to all drivers.
    pub(crate) fn order(&mut self, order: Order) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(&order)?;
        text.push(b'\n');
        for driver in &mut self.drivers {
            driver.orders.as_mut().context("a driver was stopped")?.write_all(&text)?;
        }
        Ok(())
    }

    /// Stops all drivers, and takes what they have measured.
    pub(crate) fn stop(&mut self, take: &mut dyn FnMut(Tidings)) -> anyhow::Result<Latencies> {
        self.order(Order::Stop)?;
        let mut latencies = Latencies::default();
        let patience = clock::now().after(STOP_MAX);
        while self.drivers.iter().any(|driver| !driver.has_ended) {
            let line = self.lines.recv_timeout(patience.since(clock::now()));
            let (number, line) = line.context("a driver did not say what it has measured")?;
            self.drivers[number].counts = line.counts;
            take(line.tidings);
            if let Some(packed) = line.latencies {
                latencies.add(&packed)?;
                self.drivers[number].has_ended = true;
            }
        }
        Ok(latencies)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for driver in &mut self.drivers {
            // A driver ends when its orders end; the kill is for one that hangs.
            driver.orders = None;
            let _ = driver.child.kill();
            let _ = driver.child.wait();
        }
    }
}
