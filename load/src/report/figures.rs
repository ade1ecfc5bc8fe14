//! The figures of a run and of a comparison, in the form in which they are kept as JSON.
//!
//! Bytes are bytes, and times are microseconds unless the field's name says otherwise.

mod comparison;
mod growth;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

pub use comparison::{Compared, Comparison, Measure, Spread};
pub use growth::{Curve, Growth, GrowthPoint};

/// The version of this form; it only grows.
pub const FORM: u32 = 1;

/// What one workload did to one target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// The version of this form.
    pub form: u32,
    /// The scenario's name.
    pub scenario: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// When it began, RFC 3339.
    pub began: String,
    /// How long it took, in seconds.
    pub took_s: f64,
    /// What it was put on.
    pub target: Subject,
    /// Where it ran.
    pub machine: Machine,
    /// The workload as it was carried out, in its own form.
    pub workload: serde_json::Value,
    /// What all choices were drawn from.
    pub seed: u64,
    /// The command that does the same again.
    pub repeat: String,
    /// Whether its figures may be used.
    pub verdict: Verdict,
    /// What the target took while it had no customer.
    pub empty: Memory,
    /// The parts of the run, in order.
    pub phases: Vec<Phase>,
    /// How long things took, each with its distribution.
    pub latencies: Vec<Latency>,
    /// What must not have happened.
    pub zeros: Vec<Count>,
    /// What happened.
    pub counts: Vec<Count>,
    /// What happened, second by second.
    pub series: Vec<Second>,
    /// What a reader must know to judge the figures, in sentences.
    pub remarks: Vec<String>,
}

/// What a workload was put on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What its acknowledgement of a post promises; none where it has none.
    pub promise: Option<String>,
    /// How many processes its cost was summed over.
    pub processes: u32,
    /// Its memory allocator, where that is known.
    pub allocator: Option<String>,
}

/// Where a run took place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// The kernel's release.
    pub kernel: String,
    /// The processor's model.
    pub processor: String,
    /// How many processors there are.
    pub cores: u32,
    /// Main memory.
    pub memory: u64,
    /// The setting of transparent huge pages.
    pub huge_pages: String,
    /// Limits of this process that bound the run, by name.
    pub limits: Vec<Setting>,
    /// Settings of the kernel that bound the run, by name.
    pub sysctls: Vec<Setting>,
}

/// A name and its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// As the system names it.
    pub name: String,
    /// As the system writes it.
    pub value: String,
}

/// Whether the figures of a run may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// Why the run says nothing of the target (its generator was late, its plan was not kept).
    pub void: Vec<String>,
    /// What the target did wrong.
    pub faults: Vec<String>,
}

/// A verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// No finding speaks against the target.
    Passed,
    /// The target did something that it must not do.
    Failed,
    /// The run says nothing of the target.
    Void,
}

impl Verdict {
    /// The verdict in one word: a void run has neither passed nor failed.
    pub fn judgement(&self) -> Judgement {
        match (self.void.is_empty(), self.faults.is_empty()) {
            (false, _) => Judgement::Void,
            (true, false) => Judgement::Failed,
            (true, true) => Judgement::Passed,
        }
    }
}

/// Memory, summed over a target's processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Resident.
    pub resident: u64,
    /// Proportional: shared pages are divided among those who share them.
    pub proportional: u64,
    /// How much of that is in anonymous huge pages.
    pub huge: u64,
    /// The kernel's own memory, of the whole machine: sockets, files, events.
    pub slab: u64,
}

/// A part of a run, and what it cost the target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Phase {
    /// Its name, as in `connect` or `idle`.
    pub name: String,
    /// When it began, in seconds of the run.
    pub from_s: f64,
    /// How long it took, in seconds.
    pub took_s: f64,
    /// Memory at its end.
    pub memory: Memory,
    /// Processor time in user mode.
    pub user_us: u64,
    /// Processor time in the kernel.
    pub system_us: u64,
    /// Context switches that the target wanted.
    pub switches_voluntary: u64,
    /// Context switches that were forced upon it.
    pub switches_forced: u64,
    /// Time in which the target could have run and had no core.
    pub queued_us: u64,
    /// Chats at its end.
    pub chats: u64,
    /// Heartbeats in it.
    pub beats: u64,
    /// What a chat takes; none if there are too few chats to say.
    pub per_chat: Option<PerChat>,
    /// What a heartbeat takes; none if other work was done, too.
    pub per_beat: Option<PerBeat>,
}

/// What a chat takes: the difference to the empty target, by chats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PerChat {
    /// Resident bytes.
    pub resident: f64,
    /// Proportional bytes.
    pub proportional: f64,
    /// The kernel's bytes for one end of its socket.
    pub slab: f64,
}

/// What a heartbeat takes. It says nothing without its rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PerBeat {
    /// Processor time of the target.
    pub processor_us: f64,
    /// Heartbeats in a second, of all customers.
    pub per_s: f64,
}

/// A distribution of times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Latency {
    /// What was timed, as in `heartbeat`.
    pub name: String,
    /// From when to when, in a few words.
    pub about: String,
    /// How many.
    pub count: u64,
    /// The least.
    pub least_us: u64,
    /// The median.
    pub p50_us: u64,
    /// Nine of ten are below.
    pub p90_us: u64,
    /// 99 of 100 are below.
    pub p99_us: u64,
    /// 999 of 1,000 are below.
    pub p999_us: u64,
    /// The greatest.
    pub most_us: u64,
    /// Enough of the distribution to draw it.
    pub points: Vec<Point>,
}

/// A point of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The share of values that are not above it, 0 to 1.
    pub share: f64,
    /// The time.
    pub us: u64,
}

impl Latency {
    /// The figures of a histogram of microseconds.
    pub fn of(name: &str, about: &str, histogram: &Histogram<u64>) -> Self {
        let points = histogram
            .iter_quantiles(4)
            .map(|step| Point { share: step.quantile_iterated_to(), us: step.value_iterated_to() })
            .collect();
        Self {
            name: name.into(),
            about: about.into(),
            count: histogram.len(),
            least_us: if histogram.is_empty() { 0 } else { histogram.min() },
            p50_us: histogram.value_at_quantile(0.5),
            p90_us: histogram.value_at_quantile(0.9),
            p99_us: histogram.value_at_quantile(0.99),
            p999_us: histogram.value_at_quantile(0.999),
            most_us: histogram.max(),
            points,
        }
    }
}

/// How often something happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// What, in a few words.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// One second of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Second {
    /// Its beginning, in seconds of the run.
    pub at_s: f64,
    /// Connections that are open at its end.
    pub connections: u64,
    /// Heartbeats in it.
    pub beats: u64,
    /// Posts acknowledged in it.
    pub posts: u64,
    /// Notices to the second party in it.
    pub notices: u64,
    /// How late those were, p99; none if there was no notice.
    pub lateness_p99_us: Option<u64>,
    /// Resident memory of the target at its end.
    pub resident: u64,
    /// Processor time of the target in it, in cores: 1.0 is one core fully used.
    pub cores: f64,
    /// The same of the generator.
    pub generator_cores: f64,
}
