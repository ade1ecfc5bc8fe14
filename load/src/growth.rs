//! What more chats cost: the same work at several sizes, drawn as curves. With sockets as far as
//! descriptors reach, and as live actors without sockets beyond that.

mod held;
mod sockets;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::floor::FloorOptions;
use crate::floor::target::FloorTarget;
use crate::holdline::target::HoldlineTarget;
use crate::pin::Pin;
use crate::report::figures::{FORM, Growth, GrowthPoint, Subject};
use crate::report::{curves, page_of_growth, plot};
use crate::run::RunOptions;
use crate::target::Target;

/// Which sizes, and where the curves go.
#[derive(Clone, Debug, clap::Args)]
pub struct GrowthArguments {
    /// Connected chats, for memory and processor time.
    #[arg(long, value_delimiter = ',', value_name = "CHATS")]
    sizes: Vec<u32>,
    /// Puts these sizes on the floor as well, for the budget of a heartbeat.
    #[arg(long)]
    floor: bool,
    /// Connected chats that are dropped at once, for the lateness of notices.
    #[arg(long, value_delimiter = ',', value_name = "CHATS")]
    drops: Vec<u32>,
    /// Held chats without sockets, for memory.
    #[arg(long, value_delimiter = ',', value_name = "CHATS")]
    held: Vec<u64>,
    /// Held chats without sockets whose windows all end at one moment, for how late that is told.
    #[arg(long, value_delimiter = ',', value_name = "CHATS")]
    expiring: Vec<u64>,
    /// Held chats that a start reads back from the disk, for how long it takes.
    #[arg(long, value_delimiter = ',', value_name = "CHATS")]
    starts: Vec<u64>,
    /// Seconds between two heartbeats of a customer.
    #[arg(long, default_value_t = 3.0, value_name = "SECONDS")]
    heartbeat: f64,
    /// Seconds that each size is measured for.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// How often each size is measured; a curve goes through the medians.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Points that were measured before, as JSON: a list of points, or figures that have one as
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
    /// Where the curves (SVG) and the figures (JSON) go.
    #[arg(long, value_name = "DIR", default_value = "growth")]
    out: PathBuf,
    /// Writes a page to read.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

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
        tls: false,
        data: None,
        arguments: Vec::new(),
    };
    let mut growth = begin(&target);
    for file in &arguments.points {
        read_points(file, &mut growth, arguments.draw_only)?;
    }
    if !arguments.draw_only {
        measure(arguments, &target, &mut growth)?;
    }
    if growth.points.is_empty() {
        bail!(
            "there is no point to draw; say which --sizes, --drops, --held, --expiring, --starts"
        );
    }
    write(arguments, &growth)?;
    Ok(ExitCode::SUCCESS)
}

/// Measures every size of every kind. What took long to measure is kept, even if a later size
/// fails.
fn measure(
    arguments: &GrowthArguments,
    target: &HoldlineTarget,
    growth: &mut Growth,
) -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let floor = FloorTarget { program: program.clone(), options: FloorOptions::default() };
    let options = RunOptions {
        program,
        shows_progress: true,
        repeat: growth.repeat.clone(),
        pinning: arguments.pin.resolve()?,
    };
    growth.about.extend(options.pinning.iter().map(crate::pin::Pinning::sentence));
    for _ in 0..arguments.rounds {
        for (size, workload) in sockets::works(arguments)? {
            sockets::measure(target, size, &workload, &options, growth)?;
            write(arguments, growth)?;
            if arguments.floor && workload.name == "idle" {
                sockets::measure(&floor, size, &workload, &options, growth)?;
                write(arguments, growth)?;
            }
        }
        for work in held::works(arguments) {
            held::measure(&options.program, work, growth)?;
            write(arguments, growth)?;
        }
    }
    Ok(())
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
            "Held chats have no sockets: a real engine starts with them, and all their windows \
             end at one moment; lateness counts until the engine counts them as told. Their memory \
             is all that the engine and the journal have."
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

/// Adds points, and prints a line about each.
fn add(growth: &mut Growth, points: Vec<GrowthPoint>) -> io::Result<()> {
    for point in points {
        let (title, unit) = (point.curve.title(), point.curve.unit());
        let GrowthPoint { of, chats, value, remark, .. } = &point;
        writeln!(io::stdout(), "{chats:>8} {title}, {of}: {value:.1} {unit} {remark}")?;
        growth.points.push(point);
    }
    Ok(())
}

/// The points of a file: a list of them, or figures that have one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Points {
    Whole(Box<Growth>),
    List(Vec<GrowthPoint>),
}

/// Takes the points of a file. If nothing is measured now, takes also where and when they were
/// measured.
fn read_points(file: &Path, growth: &mut Growth, is_their_own: bool) -> anyhow::Result<()> {
    let text =
        fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    match serde_json::from_str(&text) {
        Ok(Points::List(points)) => growth.points.extend(points),
        Ok(Points::Whole(mut whole)) => {
            let points = std::mem::take(&mut growth.points);
            if is_their_own && !whole.began.is_empty() {
                *growth = Growth { points, ..(*whole).clone() };
            }
            growth.points.append(&mut whole.points);
        }
        Err(error) => bail!("{} has no points: {error}", file.display()),
    }
    Ok(())
}

fn write(arguments: &GrowthArguments, growth: &Growth) -> anyhow::Result<()> {
    let put = |file: &Path, text: String| {
        fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    };
    let out = &arguments.out;
    put(&out.join("growth.json"), serde_json::to_string_pretty(growth)?)?;
    for (name, curve) in curves::curves(growth) {
        if let Some(svg) = plot::draw_alone(&curve)? {
            put(&out.join(format!("{name}.svg")), svg)?;
        }
    }
    if let Some(file) = &arguments.html {
        put(file, page_of_growth(growth)?)?;
    }
    Ok(())
}
