//! Chats with sockets: what idle ones cost, and how late a mass drop is told.

use std::io::{self, Write as _};

use anyhow::Context as _;

use super::{GrowthArguments, add};
use holdline::domain::text::printable;

use crate::report::figures::{Curve, Growth, GrowthPoint, Run};
use crate::run::{RunOptions, run};
use crate::target::Target;
use crate::workload::{Workload, named};

/// Chats that one agent can hold here.
const CHATS: u32 = 1_000;

/// Every size with its work, the small ones first.
pub(super) fn works(arguments: &GrowthArguments) -> anyhow::Result<Vec<(u32, Workload)>> {
    let sized = |name: &str, size: u32, more: Vec<String>| {
        let text = named(name).with_context(|| format!("there is no workload {name}"))?;
        let mut settings = vec![format!("sessions={size}")];
        settings.extend(more);
        settings.extend(arguments.settings.iter().cloned());
        Workload::parse(text, &settings).map(|workload| (size, workload))
    };
    let idle = arguments.sizes.iter().map(|size| {
        let every = format!("heartbeat.every_s={}", arguments.heartbeat);
        sized("idle", *size, vec![every, format!("duration_s={}", arguments.seconds)])
    });
    let drops = arguments.drops.iter().map(|size| {
        let agents = format!("agents.count={}", size.div_ceil(CHATS));
        sized("mass-drop-100", *size, vec![agents])
    });
    let mut works = idle.chain(drops).collect::<anyhow::Result<Vec<_>>>()?;
    works.sort_by_key(|(size, _)| *size);
    Ok(works)
}

/// Puts a work on a target, and adds the points of it, or says why there are none.
pub(super) fn measure(
    target: &dyn Target,
    size: u32,
    workload: &Workload,
    options: &RunOptions,
    growth: &mut Growth,
) -> anyhow::Result<()> {
    let run = run(target, workload, options)?;
    for complaint in run.verdict.void.iter().chain(&run.verdict.faults) {
        writeln!(io::stdout(), "{} at {size}: {}", run.scenario, printable(complaint))?;
    }
    if run.verdict.void.is_empty() && run.verdict.faults.is_empty() {
        add(growth, points(&run, size, workload))?;
    }
    Ok(())
}

/// The points of a run.
fn points(run: &Run, size: u32, workload: &Workload) -> Vec<GrowthPoint> {
    let mut points = Vec::new();
    let mut add = |curve: Curve, of: &str, value: f64, remark: String| {
        points.push(GrowthPoint { curve, of: of.into(), chats: size.into(), value, remark });
    };
    let work = run.phases.iter().find(|phase| phase.name == "work");
    let beat = work.and_then(|work| work.per_beat);
    let is_idle = run.scenario == "idle";
    if let Some(beat) = beat.filter(|_| is_idle) {
        let rate = format!("{:.0} heartbeats a second", beat.per_s);
        add(Curve::Processor, &run.target.name, beat.processor_us, rate);
    }
    if run.target.name != "holdline" {
        return points;
    }
    if let (Some(work), true) = (work, is_idle) {
        let processes = run.target.processes;
        let of = if processes == 1 { "sockets, one process" } else { "sockets, several processes" };
        let remark = format!("{processes} server processes");
        let own = work.memory.resident.saturating_sub(run.empty.resident);
        add(Curve::Memory, of, own as f64, remark.clone());
        if let Some(each) = work.per_chat {
            add(Curve::MemoryOfEach, of, each.resident, remark.clone());
            if each.slab > 0.0 {
                let kernel = "the kernel's, one end of a socket";
                add(Curve::MemoryOfEach, kernel, each.slab, String::new());
            }
        }
        let cores = (work.user_us + work.system_us) as f64 / 1e6 / work.took_s.max(0.001);
        let every = format!("a beat every {} s", workload.heartbeat.every_s);
        add(Curve::Cores, &every, cores, remark);
    }
    if let Some(notice) = run.latencies.iter().find(|latency| latency.name == "notice") {
        let remark = format!("{} notices", notice.count);
        for (of, us) in [
            ("median", notice.p50_us),
            ("99 of 100", notice.p99_us),
            ("the latest", notice.most_us),
        ] {
            add(Curve::Lateness, of, us as f64, remark.clone());
        }
    }
    points
}
