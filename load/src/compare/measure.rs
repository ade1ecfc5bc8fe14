//! What is measured of each target, and where it stands in a run.

use super::contestant::Contestant;
use crate::report::figures::{Compared, Latency, Measure, Phase, Run};

const RESIDENT: &str = "resident memory of a chat";
const SLAB: &str = "kernel memory of its socket";
const BEAT: &str = "processor time of a heartbeat";
const TRIP: &str = "round trip of a heartbeat, p99";
const CONNECTS: &str = "connects";
const COMING: &str = "processor time of a connect";
const NOTICE: &str = "drop told after the window, p99";
const NOTICE_MEDIAN: &str = "drop told after the window, median";
const RESUME: &str = "return, p99";

/// The measures, before anything was measured.
pub(super) fn measures(contestant: &Contestant) -> Vec<Measure> {
    let measure = |name: &str, unit: &str, missing: Option<&str>| Measure {
        name: name.into(),
        unit: unit.into(),
        is_more_better: name == CONNECTS,
        missing: missing.map(str::to_owned),
        ..Measure::default()
    };
    vec![
        measure(RESIDENT, "B", None),
        measure(SLAB, "B", None),
        measure(BEAT, "µs", None),
        measure(TRIP, "ms", contestant.no_round_trip),
        measure(CONNECTS, "/s", None),
        measure(COMING, "µs", None),
        measure(NOTICE_MEDIAN, "ms", contestant.no_grace),
        measure(NOTICE, "ms", contestant.no_grace),
        measure(RESUME, "ms", contestant.no_return),
    ]
}

/// Takes the measures from a run.
pub(super) fn take(compared: &mut Compared, round: u32, run: &Run) {
    let mut add = |name: &str, value: Option<f64>| {
        let measure = compared.measures.iter_mut().find(|measure| measure.name == name);
        if let (Some(measure), Some(value)) = (measure, value)
            && measure.missing.is_none()
        {
            measure.add(round, value);
        }
    };
    let latency = |name: &str| run.latencies.iter().find(|latency| latency.name == name);
    let ms = |us: u64| us as f64 / 1_000.0;
    if run.scenario == "idle" {
        let work = phase(run, "work");
        let each = work.and_then(|work| work.per_chat);
        add(RESIDENT, each.map(|each| each.resident));
        add(SLAB, each.map(|each| each.slab));
        add(BEAT, work.and_then(|work| work.per_beat).map(|each| each.processor_us));
        add(TRIP, latency("heartbeat").map(|trips| ms(trips.p99_us)));
    } else {
        add(CONNECTS, latency("connect").and_then(connects_per_s));
        add(COMING, phase(run, "ramp").and_then(per_connect));
        add(NOTICE_MEDIAN, latency("notice").map(|notices| ms(notices.p50_us)));
        add(NOTICE, latency("notice").map(|notices| ms(notices.p99_us)));
        add(RESUME, latency("resume").map(|returns| ms(returns.p99_us)));
    }
}

fn phase<'a>(run: &'a Run, name: &str) -> Option<&'a Phase> {
    run.phases.iter().find(|phase| phase.name == name)
}

/// A rate for connects that are all due at nearly the same moment: 99 of 100 of them, divided by
/// the time that these took.
fn connects_per_s(connects: &Latency) -> Option<f64> {
    (connects.p99_us > 0).then(|| connects.count as f64 * 0.99 / (connects.p99_us as f64 / 1e6))
}

fn per_connect(ramp: &Phase) -> Option<f64> {
    (ramp.chats > 0).then(|| (ramp.user_us + ramp.system_us) as f64 / ramp.chats as f64)
}
