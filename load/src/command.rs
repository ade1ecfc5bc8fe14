//! The command line.

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use holdline::domain::text::printable_lines;

use crate::actors;
use crate::compare::{CompareArguments, compare};
use crate::drive::drive;
use crate::floor::target::FloorTarget;
use crate::floor::{self, FloorOptions, Tampering};
use crate::growth::{GrowthArguments, growth};
use crate::holdline::target::HoldlineTarget;
use crate::peer;
use crate::pin::Pin;
use crate::report::figures::Judgement;
use crate::report::page_of_run;
use crate::report::{ReportArguments, report};
use crate::run::{RunOptions, run};
use crate::summary::summary;
use crate::target::Target;
use crate::workload::{Workload, named, names};

/// Drives chat servers with very many sockets, and says what each costs and what each loses.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Puts a workload on a server.
    Run(RunArguments),
    /// Puts Holdline, its peers and the floor under the same work, in turn.
    Compare(CompareArguments),
    /// Makes a page to read of figures that were written as JSON.
    Report(ReportArguments),
    /// Runs several sizes, and draws what more chats cost.
    Growth(GrowthArguments),
    /// Lists the workloads that come with the program.
    List,
    /// Shows a workload as a file, to be changed and run.
    Show {
        /// Its name, or a file.
        scenario: String,
    },
    /// Serves as the least server that could hold such chats.
    Floor(FloorArguments),
    /// Holds very many chats as live actors, without sockets, and has some expire at once.
    Actors(actors::Args),
    /// Works as a driver; started by `run`.
    #[command(hide = true)]
    Drive,
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    /// The name of a workload, or a file.
    scenario: String,
    /// What it is put on: holdline, floor, or a peer by its name.
    #[arg(long, default_value = "holdline")]
    target: String,
    /// Another value for a field of the workload, such as `sessions=500` or `ramp.per_s=100`.
    #[arg(long = "set", value_name = "KEY=VALUE", num_args = 1..)]
    settings: Vec<String>,
    /// Holdline's program.
    #[arg(long, env = "HOLDLINE_SERVER", value_name = "PATH")]
    server: Option<PathBuf>,
    /// An argument for Holdline's program; may be given several times.
    #[arg(long, value_name = "ARGUMENT", allow_hyphen_values = true)]
    server_argument: Vec<String>,
    /// Everybody comes to Holdline over TLS, through a bridge of this program's. It takes two more
    /// descriptors for each.
    #[arg(long)]
    tls: bool,
    /// The cores of the servers and of everybody else, as in `0/1` or `0-1/2-3`; auto for the
    /// first and the others.
    #[arg(long, default_value = "none", value_name = "CORES")]
    pin: Pin,
    /// Where the server's data goes; its disk is then what posts wait for.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The floor stands still for so many milliseconds at a time.
    #[arg(long, default_value_t = 0)]
    stall_ms: u64,
    /// How often it does, in milliseconds.
    #[arg(long, default_value_t = 1_000)]
    stall_every_ms: u64,
    /// Writes all figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes a page to read, with plots.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Shows no progress.
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, clap::Args)]
struct FloorArguments {
    /// Where connections are taken.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// Stands still for so many milliseconds at a time.
    #[arg(long, default_value_t = 0)]
    stall_ms: u64,
    /// How often it does, in milliseconds.
    #[arg(long, default_value_t = 1_000)]
    stall_every_ms: u64,
    /// What it does wrong with messages.
    #[arg(long, value_enum, default_value_t = Tampering::None)]
    tamper: Tampering,
}

/// Carries out the command line. The exit code is 1 if a run is void or has failed, and 2 if it
/// could not be made.
pub fn command() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(arguments) => run_one(&arguments),
        Command::Compare(arguments) => compare(&arguments),
        Command::Report(arguments) => report(&arguments),
        Command::Growth(arguments) => growth(&arguments),
        Command::List => list(),
        Command::Show { scenario } => show(&scenario),
        Command::Floor(arguments) => {
            let options = floor_options(arguments.stall_ms, arguments.stall_every_ms);
            let options = FloorOptions { tampering: arguments.tamper, ..options };
            floor::serve(arguments.listen, options).map(|()| ExitCode::SUCCESS)
        }
        Command::Actors(arguments) => actors::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Drive => drive().map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        // If this line cannot be printed, nothing can.
        let told = printable_lines(&format!("{error:#}")).replace('\n', "\n    ");
        let _ = writeln!(io::stderr(), "error: {told}");
        ExitCode::from(2)
    })
}

/// Checks a command line as far as that is possible without carrying it out: its arguments are
/// understood, its targets known, and its workload is within every range. The arguments do not
/// include the name of the program.
///
/// # Errors
/// Says what is wrong.
pub fn check(arguments: &[String]) -> anyhow::Result<()> {
    let program = ["holdline-load".to_owned()];
    match Arguments::try_parse_from(program.iter().chain(arguments))?.command {
        Command::Run(arguments) => {
            Workload::parse(&text_of(&arguments.scenario)?, &arguments.settings)?;
            check_tls(&arguments)?;
            if !["holdline", "floor"].contains(&arguments.target.as_str()) {
                peer::named(&arguments.target)
                    .with_context(|| format!("there is no target {}", arguments.target))?;
            }
        }
        Command::Compare(arguments) => arguments.check()?,
        Command::Show { scenario } => drop(text_of(&scenario)?),
        Command::Report(_)
        | Command::Growth(_)
        | Command::List
        | Command::Floor(_)
        | Command::Actors(_)
        | Command::Drive => {}
    }
    Ok(())
}

/// Only Holdline is given a certificate, so no other target takes `--tls`.
fn check_tls(arguments: &RunArguments) -> anyhow::Result<()> {
    if arguments.tls && arguments.target != "holdline" {
        bail!("--tls is for holdline, and not for {}", arguments.target);
    }
    Ok(())
}

fn floor_options(stall_ms: u64, stall_every_ms: u64) -> FloorOptions {
    FloorOptions {
        stall: Duration::from_millis(stall_ms),
        stall_every: Duration::from_millis(stall_every_ms.max(1)),
        tampering: Tampering::None,
    }
}

fn run_one(arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    let workload = Workload::parse(&text_of(&arguments.scenario)?, &arguments.settings)?;
    let program = std::env::current_exe()?;
    let target = target(arguments, &program)?;
    let repeat: Vec<String> = std::env::args().skip(1).collect();
    let repeat = format!("holdline-load {}", repeat.join(" "));
    let options = RunOptions {
        program,
        shows_progress: !arguments.quiet,
        repeat,
        pinning: arguments.pin.resolve()?,
    };
    let run = run(target.as_ref(), &workload, &options)?;
    io::stdout().write_all(summary(&run).as_bytes())?;
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&run)?;
        fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    if let Some(file) = &arguments.html {
        let page = page_of_run(&run)?;
        fs::write(file, page).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(match run.verdict.judgement() {
        Judgement::Passed => ExitCode::SUCCESS,
        Judgement::Failed | Judgement::Void => ExitCode::FAILURE,
    })
}

/// The target that a workload is put on.
fn target(arguments: &RunArguments, program: &Path) -> anyhow::Result<Box<dyn Target>> {
    check_tls(arguments)?;
    Ok(match arguments.target.as_str() {
        "holdline" => Box::new(HoldlineTarget {
            program: arguments.server.clone().unwrap_or_else(HoldlineTarget::beside),
            data: arguments.data.clone(),
            arguments: arguments.server_argument.clone(),
            tls: arguments.tls,
        }),
        "floor" => Box::new(FloorTarget {
            program: program.to_owned(),
            options: floor_options(arguments.stall_ms, arguments.stall_every_ms),
        }),
        name => {
            let Some(peer) = peer::named(name) else {
                let peers: Vec<&str> = peer::all().iter().map(|peer| peer.name()).collect();
                bail!("{name} is not holdline, floor or one of {}", peers.join(", "));
            };
            peer.version()?;
            peer
        }
    })
}

fn list() -> anyhow::Result<ExitCode> {
    for name in names() {
        let workload = Workload::parse(named(name).unwrap_or_default(), &[])?;
        writeln!(io::stdout(), "{name:16} {}", workload.about)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(scenario: &str) -> anyhow::Result<ExitCode> {
    io::stdout().write_all(text_of(scenario)?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The text of a workload: one that comes with the program, or a file.
fn text_of(scenario: &str) -> anyhow::Result<String> {
    if let Some(text) = named(scenario) {
        return Ok(text.to_owned());
    }
    let file = PathBuf::from(scenario);
    if !file.exists() {
        let known: Vec<&str> = names().collect();
        bail!("{scenario} is neither a file nor one of {}", known.join(", "));
    }
    fs::read_to_string(&file).with_context(|| format!("{scenario} cannot be read"))
}
