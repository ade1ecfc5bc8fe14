//! Which cores the servers of a run may use, and which everything else may use. A server that
//! shares its core with its driver is measured together with it. And a comparison of one thread
//! with one thread needs one core for each.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use procfs::CurrentSI as _;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// What the command line says about cores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pin {
    /// The kernel decides.
    #[default]
    None,
    /// The first core for the servers, the others for everybody else; on one core, none.
    Auto,
    /// These.
    Cores(Pinning),
}

/// The cores of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinning {
    /// Where the servers run.
    pub servers: Cores,
    /// Where the drivers run, and the second parties.
    pub others: Cores,
}

/// Some cores, by their numbers, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores(Vec<usize>);

impl FromStr for Pin {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        Ok(match text {
            "none" => Self::None,
            "auto" => Self::Auto,
            text => {
                let (servers, others) = text
                    .split_once('/')
                    .with_context(|| format!("{text} is neither none, auto nor like 0/1"))?;
                Self::Cores(Pinning { servers: servers.parse()?, others: others.parse()? })
            }
        })
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => out.write_str("none"),
            Self::Auto => out.write_str("auto"),
            Self::Cores(Pinning { servers, others }) => write!(out, "{servers}/{others}"),
        }
    }
}

impl FromStr for Cores {
    type Err = anyhow::Error;

    /// Reads `0`, `0,2` or `0-3`.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut cores = Vec::new();
        for part in text.split(',') {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let number =
                |text: &str| text.parse::<usize>().with_context(|| format!("{part} is no core"));
            let (from, to) = (number(from)?, number(to)?);
            if from > to || to >= CpuSet::MAX_CPU {
                bail!("{part} is no range of cores");
            }
            cores.extend(from..=to);
        }
        cores.sort_unstable();
        cores.dedup();
        Ok(Self(cores))
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        out.write_str(&numbers.join(","))
    }
}

impl Cores {
    /// The cores that this thread may use.
    fn allowed() -> anyhow::Result<Self> {
        let set = sched_getaffinity(None).context("the cores cannot be asked for")?;
        Ok(Self((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()))
    }

    /// Makes this thread run on these cores, and every process and thread that it starts from here
    /// on.
    fn take(&self) -> anyhow::Result<()> {
        let mut set = CpuSet::new();
        self.0.iter().for_each(|core| set.set(*core));
        sched_setaffinity(None, &set).with_context(|| format!("core {self} may not be used"))
    }
}

impl Pin {
    /// Turns the choice into cores that this machine has.
    ///
    /// # Errors
    /// When the kernel does not say which cores there are, or a core that is named is not there.
    pub fn resolve(&self) -> anyhow::Result<Option<Pinning>> {
        let allowed = Cores::allowed()?;
        match (self, &allowed.0[..]) {
            (Self::None, _) | (Self::Auto, [] | [_]) => Ok(None),
            (Self::Auto, [first, others @ ..]) => {
                Ok(Some(Pinning { servers: Cores(vec![*first]), others: Cores(others.to_vec()) }))
            }
            (Self::Cores(pinning), _) => {
                let mut named = pinning.servers.0.iter().chain(&pinning.others.0);
                if let Some(core) = named.find(|core| !allowed.0.contains(core)) {
                    bail!("core {core} may not be used here; {allowed} may");
                }
                Ok(Some(pinning.clone()))
            }
        }
    }
}

impl Pinning {
    /// Puts this thread, and whatever it starts, on the cores for everything that is not measured,
    /// until the result is dropped.
    ///
    /// # Errors
    /// When the kernel does not allow it.
    pub fn begin(&self) -> anyhow::Result<Pinned> {
        let before = Cores::allowed()?;
        self.others.take()?;
        Ok(Pinned { before })
    }

    /// Calls a function that starts servers, which then run on their cores.
    ///
    /// # Errors
    /// When the kernel does not allow it, or the start fails.
    pub fn start<T>(&self, start: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.servers.take()?;
        let started = start();
        self.others.take()?;
        started
    }

    /// Microseconds for which the servers' cores were busy so far, with any process, to a hundredth
    /// of a second. Time that a virtual machine did not get counts as busy.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn busy_us(&self) -> anyhow::Result<u64> {
        let stats = procfs::KernelStats::current().context("the cores' times cannot be read")?;
        let of = |core: &usize| {
            let times = stats.cpu_time.get(*core).context("a core is not told of")?;
            let more = [times.irq, times.softirq, times.steal].map(Option::unwrap_or_default);
            Ok(times.user + times.nice + times.system + more.iter().sum::<u64>())
        };
        let ticks = self.servers.0.iter().map(of).sum::<anyhow::Result<u64>>()?;
        Ok(ticks * (1_000_000 / procfs::ticks_per_second().max(1)))
    }

    /// The time of all the servers' cores together in this many seconds, in microseconds.
    pub(crate) fn time_us(&self, seconds: f64) -> f64 {
        self.servers.0.len() as f64 * seconds * 1e6
    }

    /// The sentence that tells a reader of it.
    pub fn sentence(&self) -> String {
        let Self { servers, others } = self;
        let word = |cores: &Cores| if cores.0.len() == 1 { "core" } else { "cores" };
        format!(
            "Every server ran on {} {servers} alone, with as many threads as it takes for that; \
             the drivers and the second parties on {} {others}.",
            word(servers),
            word(others)
        )
    }
}

/// A thread that was put on some cores. Dropping this gives it back the cores that it had.
#[derive(Debug)]
pub struct Pinned {
    before: Cores,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // The thread was allowed these cores a moment ago.
        let _ = self.before.take();
    }
}

/// Starts servers on their cores, if the run has such cores.
///
/// # Errors
/// As [`Pinning::start`].
pub fn start<T>(
    pinning: Option<&Pinning>,
    start: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    match pinning {
        Some(pinning) => pinning.start(start),
        None => start(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn cores_are_read_and_told() {
        let pin: Pin = "0-1,4/2".parse().unwrap();
        assert_eq!(pin.to_string(), "0,1,4/2");
        assert_eq!("auto".parse::<Pin>().unwrap(), Pin::Auto);
        for wrong in ["", "0", "a/b", "3-1/0", "0/99999"] {
            assert!(wrong.parse::<Pin>().is_err(), "{wrong}");
        }
        let far: Pin = "1000/0".parse().unwrap();
        assert!(far.resolve().unwrap_err().to_string().contains("core 1000"));
        assert_eq!(Pin::None.resolve().unwrap(), None);
    }

    /// The cores of a process that is started now, as the kernel tells them.
    fn of_a_child() -> String {
        let output = Command::new("cat").arg("/proc/self/status").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        line.unwrap().trim().to_owned()
    }

    #[test]
    fn servers_and_others_run_where_they_are_to_and_afterwards_all_is_as_before() {
        let before = of_a_child();
        let cores = Cores::allowed().unwrap();
        let [first, .., last] = cores.0[..] else { return };
        let pinning = Pinning { servers: Cores(vec![first]), others: Cores(vec![last]) };
        let pinned = pinning.begin().unwrap();
        assert_eq!(of_a_child(), last.to_string());
        let server = pinning.start(|| Ok(of_a_child())).unwrap();
        assert_eq!(server, first.to_string());
        assert!(pinning.start(|| -> anyhow::Result<()> { bail!("no") }).is_err());
        assert_eq!(of_a_child(), last.to_string(), "a start that failed leaves nothing behind");
        drop(pinned);
        assert_eq!(of_a_child(), before);
    }
}
