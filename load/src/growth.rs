//! What more chats cost: the same work at several sizes, drawn as curves. Sizes that sockets cannot
//! reach here come from files, as other commands have written them.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::holdline::target::HoldlineTarget;
use crate::pin::Pin;
use crate::report::figures::{Curve, FORM, Growth, GrowthPoint, Run, Subject};
use crate::report::{curves, page_of_growth, plot};
use crate::run::{RunOptions, run};
use crate::target::Target;
use crate::workload::{Workload, named};

/// Which sizes, and where the curves go.
#[derive(Clone, Debug, clap::Args)]
pub struct GrowthArguments {
    /// Connected chats, for memory and processor time.
    #[arg(long, value_delimiter = ',', default_value = "500,1000,2000,4000,8000,16000")]
    sizes: Vec<u32>,
    /// Chats that are dropped at once, for the lateness of notices.
    #[arg(long, value_delimiter = ',', default_value = "500,1000,2000,4000,8000,16000")]
    drops: Vec<u32>,
    /// Seconds between two heartbeats of a customer.
    #[arg(long, default_value_t = 3.0, value_name = "SECONDS")]
    heartbeat: f64,
    /// Seconds that each size is measured for.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Points that were measured otherwise, as JSON: a list of points, or figures that have one as
    /// `points`. May be given several times.
    #[arg(long, value_name = "FILE")]
    points: Vec<PathBuf>,
    /// Measures nothing; draws the points of the files alone.
    #[arg(long)]
    draw_only: bool,
    /// Another value for a field of each workload, such as `lateness_p99_ms=20`.
    #[arg(long = "set", value_name = "KEY=VALUE", num_args = 1..)]
    settings: Vec<String>,
    /// The cores of the servers and of everybody else, as in `0/1`; auto for the first and the
    /// others.
    #[arg(long, default_value = "none", value_name = "CORES")]
    pin: Pin,
    /// Holdline's program.
    #[arg(long, env = "HOLDLINE_SERVER", value_name = "PATH")]
    server: Option<PathBuf>,
    /// Where the curves (SVG), the figures (JSON) and the page go.
    #[arg(long, value_name = "DIR", default_value = "growth")]
    out: PathBuf,
}

/// Chats that one agent can hold here.
const CHATS: u32 = 1_000;

/// Measures every size, and writes the curves.
///
/// # Errors
/// When a size is not possible on this machine, the server does not start, or a file cannot be read
/// or written. A run that is void gives no point, and says so.
pub fn growth(arguments: &GrowthArguments) -> anyhow::Result<ExitCode> {
    fs::create_dir_all(&arguments.out)
        .with_context(|| format!("{} cannot be made", arguments.out.display()))?;
    let target = HoldlineTarget {
        program: arguments.server.clone().unwrap_or_else(HoldlineTarget::beside),
        data: None,
        arguments: Vec::new(),
    };
    let mut growth = begin(&target);
    for file in &arguments.points {
        growth.points.extend(read_points(file)?);
    }
    if !arguments.draw_only {
        for (size, workload) in works(arguments)? {
            let options = RunOptions {
                program: std::env::current_exe()?,
                shows_progress: true,
                repeat: growth.repeat.clone(),
                pinning: arguments.pin.resolve()?,
            };
            let run = run(&target, &workload, &options)?;
            take(&mut growth, size, &run)?;
            // What took long to measure is kept, even if a later size fails.
            write(arguments, &growth)?;
        }
    }
    if growth.points.is_empty() {
        bail!("there is no point to draw");
    }
    write(arguments, &growth)?;
    Ok(ExitCode::SUCCESS)
}

fn begin(target: &HoldlineTarget) -> Growth {
    let repeat: Vec<String> = std::env::args().skip(1).collect();
    Growth {
        form: FORM,
        about: vec![
            "Memory is the server's own, less the empty server, after 4,608 bytes were received \
             on each socket. Processor time is the server's, at the rate that the remark names."
                .into(),
            "In a mass drop all connections are reset at the same moment, and nobody returns; \
             lateness counts from the end of each window to the notice at the agent."
                .into(),
        ],
        began: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        target: Subject {
            name: target.name().into(),
            version: target.version().unwrap_or_default(),
            ..Subject::default()
        },
        machine: crate::run::machine(),
        repeat: format!("holdline-load {}", repeat.join(" ")),
        points: Vec::new(),
    }
}

/// Every size with its work, the small ones first.
fn works(arguments: &GrowthArguments) -> anyhow::Result<Vec<(u32, Workload)>> {
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

/// Takes the points of a run, or says why it has none.
fn take(growth: &mut Growth, size: u32, run: &Run) -> io::Result<()> {
    let mut out = io::stdout();
    for complaint in run.verdict.void.iter().chain(&run.verdict.faults) {
        writeln!(out, "{} at {size}: {complaint}", run.scenario)?;
    }
    if !run.verdict.void.is_empty() {
        return Ok(());
    }
    let before = growth.points.len();
    let mut add = |curve: Curve, value: f64, remark: String| {
        let of = "sockets".to_owned();
        growth.points.push(GrowthPoint { curve, of, chats: size.into(), value, remark });
    };
    if let Some(work) = run.phases.iter().find(|phase| phase.name == "work") {
        if let (Some(each), "idle") = (work.per_chat, run.scenario.as_str()) {
            let servers = format!("{} server processes", run.target.processes);
            add(Curve::Memory, work.memory.resident as f64, servers);
            add(Curve::MemoryOfEach, each.resident, String::new());
        }
        if let Some(beat) = work.per_beat {
            let rate = format!("{:.0} heartbeats a second", beat.per_s);
            add(Curve::Processor, beat.processor_us, rate);
        }
    }
    if let Some(notice) = run.latencies.iter().find(|latency| latency.name == "notice") {
        let most = format!("{} notices, the last {} ms", notice.count, notice.most_us / 1_000);
        add(Curve::Lateness, notice.p99_us as f64, most);
    }
    for point in &growth.points[before..] {
        let (title, unit) = (point.curve.title(), point.curve.unit());
        writeln!(out, "{size:>8} {title}: {:.1} {unit} {}", point.value, point.remark)?;
    }
    Ok(())
}

/// Points of a file: a list of them, or something that has one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Points {
    List(Vec<GrowthPoint>),
    Within { points: Vec<GrowthPoint> },
}

fn read_points(file: &Path) -> anyhow::Result<Vec<GrowthPoint>> {
    let text =
        fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    match serde_json::from_str(&text) {
        Ok(Points::List(points) | Points::Within { points }) => Ok(points),
        Err(error) => bail!("{} has no points: {error}", file.display()),
    }
}

fn write(arguments: &GrowthArguments, growth: &Growth) -> anyhow::Result<()> {
    let put = |name: &str, text: String| {
        let file = arguments.out.join(name);
        fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))
    };
    put("growth.json", serde_json::to_string_pretty(growth)?)?;
    put("growth.html", page_of_growth(growth)?)?;
    for (name, curve) in curves::curves(growth) {
        if let Some(svg) = plot::draw_alone(&curve)? {
            put(&format!("{name}.svg"), svg)?;
        }
    }
    Ok(())
}
