//! Figures that every thread changes all the time. Each figure has several parts, on cache lines of
//! their own, and nearly always each thread has its own part; a reader adds them up. A number that
//! two cores change in turn travels between them, which costs more than the counting, and a million
//! windows may end at once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crossbeam_utils::CachePadded;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::counter::{self, Counter};
use prometheus_client::metrics::gauge::{self, Gauge};
use prometheus_client::metrics::{MetricType, TypedMetric};

use crate::limits;

/// Bounds of a [`Spread`]: from a tenth of a millisecond to 13 seconds, each twice the one before.
const BOUNDS: usize = 18;

/// The first bound, in nanoseconds.
const FIRST_BOUND: u64 = 100_000;

/// A number that only grows.
pub(in crate::engine) type Count = Counter<u64, Striped<AtomicU64>>;

/// A number that rises and falls.
pub(in crate::engine) type Level = Gauge<i64, Striped<AtomicI64>>;

/// Bits of a place within a thread's stack: one that Rust starts has 2 MiB.
const STACK_BITS: u32 = 21;

/// The parts of one figure.
#[derive(Debug, Default)]
pub(in crate::engine) struct Striped<T>([CachePadded<T>; limits::FIGURE_PARTS]);

/// The part of the calling thread. Threads are told apart by where their stacks lie, one beside the
/// other. That costs nothing, and needs no number that callers would have to pass. Two threads that
/// share a part, or one that has two, only count more slowly.
fn part() -> usize {
    let mark = 0_u8;
    (std::ptr::from_ref(&mark).addr() >> STACK_BITS) % limits::FIGURE_PARTS
}

impl<T> Striped<T> {
    /// The part of the thread that calls.
    fn mine(&self) -> &T {
        &self.0[part()]
    }

    fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|part| &**part)
    }
}

impl counter::Atomic<u64> for Striped<AtomicU64> {
    fn inc(&self) -> u64 {
        self.inc_by(1)
    }

    fn inc_by(&self, by: u64) -> u64 {
        self.mine().fetch_add(by, Ordering::Relaxed)
    }

    fn get(&self) -> u64 {
        self.all().map(|part| part.load(Ordering::Relaxed)).sum()
    }
}

impl gauge::Atomic<i64> for Striped<AtomicI64> {
    fn inc(&self) -> i64 {
        self.inc_by(1)
    }

    fn inc_by(&self, by: i64) -> i64 {
        self.mine().fetch_add(by, Ordering::Relaxed)
    }

    fn dec(&self) -> i64 {
        self.inc_by(-1)
    }

    fn dec_by(&self, by: i64) -> i64 {
        self.inc_by(-by)
    }

    fn set(&self, to: i64) -> i64 {
        let before = self.get();
        self.inc_by(to - before);
        before
    }

    fn get(&self) -> i64 {
        self.all().map(|part| part.load(Ordering::Relaxed)).sum()
    }
}

/// How long something took, as a histogram.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Spread(Arc<Striped<Times>>);

#[derive(Default)]
struct Times {
    nanoseconds: AtomicU64,
    /// How many were within each bound and above the one before it; last, those above all.
    counts: [AtomicU64; BOUNDS + 1],
}

impl fmt::Debug for Times {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Times").finish_non_exhaustive()
    }
}

impl Spread {
    /// Counts something that took this long.
    pub(in crate::engine) fn observe(&self, took: std::time::Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let over_first = nanoseconds.saturating_sub(1) / FIRST_BOUND;
        let bound = over_first.checked_ilog2().map_or(0, |doublings| doublings as usize + 1);
        let times = self.0.mine();
        times.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        times.counts[bound.min(BOUNDS)].fetch_add(1, Ordering::Relaxed);
    }
}

impl TypedMetric for Spread {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Spread {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let count_at = |bound: usize| -> u64 {
            self.0.all().map(|times| times.counts[bound].load(Ordering::Relaxed)).sum()
        };
        let mut buckets = Vec::with_capacity(BOUNDS + 1);
        let mut upper = seconds(FIRST_BOUND);
        for bound in 0..BOUNDS {
            buckets.push((upper, count_at(bound)));
            upper *= 2.0;
        }
        buckets.push((f64::INFINITY, count_at(BOUNDS)));
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = self.0.all().map(|times| times.nanoseconds.load(Ordering::Relaxed)).sum();
        encoder.encode_histogram::<NoLabelSet>(seconds(sum), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    std::time::Duration::from_nanos(nanoseconds).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use crate::engine::metrics::stripes::{Count, Level, Spread, part};

    const THREADS: u64 = 24;

    #[test]
    fn what_each_thread_counts_is_added_up() {
        let (count, level, spread) = (Count::default(), Level::default(), Spread::default());
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    count.inc_by(2);
                    level.inc();
                    spread.observe(Duration::from_micros(100));
                });
            }
        });
        level.dec_by(4);
        let all = THREADS;
        assert_eq!((count.get(), level.get()), (2 * all, all.cast_signed() - 4));
        level.set(7);
        assert_eq!(level.get(), 7);
        let text = rendered(spread);
        assert!(text.contains(&format!("took_bucket{{le=\"0.0001\"}} {all}\n")), "{text}");
        assert!(text.contains(&format!("took_count {all}\n")), "{text}");
    }

    #[test]
    fn threads_beside_each_other_have_parts_of_their_own() {
        let all_are_there = std::sync::Barrier::new(4);
        let parts: BTreeSet<usize> = std::thread::scope(|scope| {
            let of_thread = || {
                let part = part();
                all_are_there.wait();
                part
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(of_thread)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        // Others may start threads in between.
        assert!(parts.len() > 1, "all four have part {parts:?}");
    }

    #[test]
    fn a_time_counts_within_the_first_bound_that_it_does_not_exceed() {
        let spread = Spread::default();
        for micros in [0, 100, 101, 200, 201, 400, 13_107_200, 13_107_201, 60_000_000] {
            spread.observe(Duration::from_micros(micros));
        }
        let text = rendered(spread);
        for (bound, count) in [("0.0001", 2), ("0.0002", 4), ("0.0004", 6), ("13.1072", 7)] {
            assert!(text.contains(&format!("took_bucket{{le=\"{bound}\"}} {count}\n")), "{text}");
        }
        assert!(text.contains("took_bucket{le=\"+Inf\"} 9\n"), "{text}");
    }

    fn rendered(spread: Spread) -> String {
        let mut registry = Registry::default();
        registry.register("took", "How long it took", spread);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }
}
