//! How many posts are acknowledged in a second, by targets that write them down first.

use std::time::Duration;

use super::contestant::Contestant;
use super::pour::{Amount, Poured, pour};
use super::{CompareArguments, complain};
use crate::pin::{self, Pinning};
use crate::report::figures::{Compared, Latency, Measure};
use crate::report::number;
use crate::target::Demands;

const RATE: &str = "posts acknowledged";
const MEDIAN: &str = "acknowledgement, median";
const P99: &str = "acknowledgement, p99";

/// Time before anything is counted.
const WARM: Duration = Duration::from_secs(2);

/// Bytes of a post.
const BYTES: usize = 160;

/// How the targets are made equal.
pub(super) fn about(arguments: &CompareArguments) -> Vec<String> {
    vec![
        format!(
            "{} customers; each has {} outstanding (of {BYTES} bytes) and sends the next when one \
             is acknowledged, but not more than {} in a second, for Holdline refuses more than 20 \
             of one customer. Counted for {} s, after {} s that are not. So no more than {} in a \
             second are asked.",
            arguments.sessions,
            arguments.outstanding,
            number(arguments.pace),
            arguments.seconds,
            WARM.as_secs(),
            number(f64::from(arguments.sessions) * arguments.pace)
        ),
        "What an acknowledgement promises differs, and stands below; only like promises compare. \
         The floor promises nothing: it shows what the generator itself can do."
            .into(),
    ]
}

/// What is asked of a target.
pub(super) fn demands(arguments: &CompareArguments, contestant: &Contestant) -> Demands {
    Demands {
        customers: arguments.sessions,
        heartbeat: Duration::from_secs(60),
        window: Duration::from_secs(180),
        durable: contestant.is_durable,
        answered: true,
        ..Demands::default()
    }
}

/// The measures, before anything was measured.
pub(super) fn measures() -> Vec<Measure> {
    [(RATE, "/s"), (MEDIAN, "ms"), (P99, "ms")]
        .map(|(name, unit)| Measure {
            name: name.into(),
            unit: unit.into(),
            is_more_better: name == RATE,
            ..Measure::default()
        })
        .into()
}

/// One round of one target.
pub(super) fn take_turn(
    arguments: &CompareArguments,
    contestant: &Contestant,
    round: u32,
    compared: &mut Compared,
) -> anyhow::Result<()> {
    let pinning = arguments.pin.resolve()?;
    let _pinned = pinning.as_ref().map(Pinning::begin).transpose()?;
    let demands = demands(arguments, contestant);
    let running = pin::start(pinning.as_ref(), || contestant.target.start(&demands))?;
    let (ear, _told) = std::sync::mpsc::channel();
    let watch = running.watch(ear)?;
    let time = Duration::from_secs_f64(arguments.seconds);
    let text = "x".repeat(BYTES);
    let amount = Amount {
        customers: arguments.sessions,
        outstanding: arguments.outstanding,
        pause: Duration::from_secs_f64(f64::from(arguments.outstanding) / arguments.pace),
        warm: WARM,
        time,
    };
    let poured = pour(running.as_ref(), amount, &text)?;
    drop(watch);
    let Poured { times, refused } = poured;
    for (code, count) in refused {
        complain(compared, &format!("{count} posts refused: {code}"));
    }
    let latency = Latency::of("post", "from its sending to the acknowledgement", &times);
    let values = [
        latency.count as f64 / arguments.seconds,
        latency.p50_us as f64 / 1_000.0,
        latency.p99_us as f64 / 1_000.0,
    ];
    for (measure, value) in compared.measures.iter_mut().zip(values) {
        measure.add(round, value);
    }
    Ok(())
}
