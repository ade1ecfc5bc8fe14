//! What a driver counts and measures.

use std::collections::BTreeMap;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};
use serde::{Deserialize, Serialize};

/// The longest time that a histogram tells apart from longer ones: twenty minutes.
const MICROS_MAX: u64 = 1_200_000_000;

/// A histogram of microseconds, to three digits.
///
/// # Panics
/// Never: its bounds are constant and in order.
#[expect(clippy::expect_used, reason = "the bounds are constant")]
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MICROS_MAX, 3).expect("the bounds are in order")
}

/// The latencies of one driver or of a whole run, in microseconds.
#[derive(Clone, Debug)]
pub struct Latencies {
    /// From the due time of a connect to the answer to the upgrade.
    pub connect: Histogram<u64>,
    /// From the answer to the upgrade until the customer is in the chat.
    pub ready: Histogram<u64>,
    /// From the due time of a heartbeat to its answer.
    pub beat: Histogram<u64>,
    /// From the due time of a post to its acknowledgement.
    pub post: Histogram<u64>,
    /// From the due time of a return until the customer is in their chat again.
    pub resume: Histogram<u64>,
    /// How late the generator itself was.
    pub lateness: Histogram<u64>,
    /// Heartbeats of customers who stay.
    pub staying_beat: Parted,
    /// Posts of customers who stay.
    pub staying_post: Parted,
}

/// The latencies of customers who stay, by when these were due.
#[derive(Clone, Debug)]
pub struct Parted {
    /// Before the storm.
    pub before: Histogram<u64>,
    /// In it.
    pub storm: Histogram<u64>,
    /// After it.
    pub after: Histogram<u64>,
}

impl Default for Parted {
    fn default() -> Self {
        Self { before: histogram(), storm: histogram(), after: histogram() }
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            connect: histogram(),
            ready: histogram(),
            beat: histogram(),
            post: histogram(),
            resume: histogram(),
            lateness: histogram(),
            staying_beat: Parted::default(),
            staying_post: Parted::default(),
        }
    }
}

/// The latencies as text.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Packed(BTreeMap<String, String>);

impl Latencies {
    /// Each histogram with its name.
    pub fn each(&self) -> [(&'static str, &Histogram<u64>); 12] {
        [
            ("connect", &self.connect),
            ("ready", &self.ready),
            ("beat", &self.beat),
            ("post", &self.post),
            ("resume", &self.resume),
            ("lateness", &self.lateness),
            ("beat before", &self.staying_beat.before),
            ("beat in storm", &self.staying_beat.storm),
            ("beat after", &self.staying_beat.after),
            ("post before", &self.staying_post.before),
            ("post in storm", &self.staying_post.storm),
            ("post after", &self.staying_post.after),
        ]
    }

    /// Writes the histograms as text.
    pub fn pack(&self) -> Packed {
        let mut packed = BTreeMap::new();
        for (name, histogram) in self.each() {
            let mut bytes = Vec::new();
            // Writing to memory does not fail.
            if V2Serializer::new().serialize(histogram, &mut bytes).is_ok() {
                packed.insert(name.to_owned(), STANDARD.encode(bytes));
            }
        }
        Packed(packed)
    }

    /// Adds what another driver has written.
    ///
    /// # Errors
    /// When the text is not what [`Latencies::pack`] writes.
    pub fn add(&mut self, packed: &Packed) -> anyhow::Result<()> {
        let all = [
            ("connect", &mut self.connect),
            ("ready", &mut self.ready),
            ("beat", &mut self.beat),
            ("post", &mut self.post),
            ("resume", &mut self.resume),
            ("lateness", &mut self.lateness),
            ("beat before", &mut self.staying_beat.before),
            ("beat in storm", &mut self.staying_beat.storm),
            ("beat after", &mut self.staying_beat.after),
            ("post before", &mut self.staying_post.before),
            ("post in storm", &mut self.staying_post.storm),
            ("post after", &mut self.staying_post.after),
        ];
        for (name, histogram) in all {
            let text = packed.0.get(name).with_context(|| format!("no histogram {name}"))?;
            let bytes = STANDARD.decode(text)?;
            let other: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice())?;
            histogram.add(other)?;
        }
        Ok(())
    }
}

/// What a driver has counted so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Customers who were in their chat at any time.
    pub entered: u64,
    /// Customers who are in their chat now.
    pub ready: u64,
    /// Heartbeats said since the beginning of the work.
    pub beats: u64,
    /// Heartbeats answered since then.
    pub beats_answered: u64,
    /// Posts said, the repeated ones not counted.
    pub posts: u64,
    /// Posts acknowledged.
    pub posted: u64,
    /// Posts said again after a return.
    pub reposts: u64,
    /// Posts that were due while no customer could say them.
    pub posts_skipped: u64,
    /// Messages of agents that were heard.
    pub heard: u64,
    /// Customers lost by plan.
    pub lost: u64,
    /// Customers who came back to their chat.
    pub resumed: u64,
    /// Customers who came back and found it over.
    pub restarted: u64,
    /// Customers who ended their chat.
    pub ended: u64,
    /// Chats that were over without the customer's doing.
    pub over: u64,
    /// Connects that failed.
    pub connects_failed: u64,
    /// Goodbyes of the server.
    pub byes: u64,
    /// Sockets that the server closed after a goodbye, or where the plan expects it, by how.
    pub closes_expected: BTreeMap<String, u64>,
    /// Sockets that the server closed without a reason in the plan, by how.
    pub closes_unexpected: BTreeMap<String, u64>,
    /// Requests refused, by code.
    pub refusals: BTreeMap<String, u64>,
    /// Processor time of the driver in microseconds, since the beginning of the work.
    pub processor_us: u64,
    /// Microseconds since the beginning of the work.
    pub elapsed_us: u64,
    /// The resident memory of the driver, in bytes.
    pub resident: u64,
}

impl Counts {
    /// Adds what another driver has counted. Times are added too.
    pub fn add(&mut self, other: &Self) {
        for (sum, part) in [
            (&mut self.entered, other.entered),
            (&mut self.ready, other.ready),
            (&mut self.beats, other.beats),
            (&mut self.beats_answered, other.beats_answered),
            (&mut self.posts, other.posts),
            (&mut self.posted, other.posted),
            (&mut self.reposts, other.reposts),
            (&mut self.posts_skipped, other.posts_skipped),
            (&mut self.heard, other.heard),
            (&mut self.lost, other.lost),
            (&mut self.resumed, other.resumed),
            (&mut self.restarted, other.restarted),
            (&mut self.ended, other.ended),
            (&mut self.over, other.over),
            (&mut self.connects_failed, other.connects_failed),
            (&mut self.byes, other.byes),
            (&mut self.processor_us, other.processor_us),
            (&mut self.resident, other.resident),
        ] {
            *sum += part;
        }
        self.elapsed_us = self.elapsed_us.max(other.elapsed_us);
        for (map, part) in [
            (&mut self.closes_expected, &other.closes_expected),
            (&mut self.closes_unexpected, &other.closes_unexpected),
            (&mut self.refusals, &other.refusals),
        ] {
            for (name, count) in part {
                *map.entry(name.clone()).or_default() += count;
            }
        }
    }
}
