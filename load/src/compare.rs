//! Holdline beside its peers and the floor: the same work on each, in turn, several times over.

mod contestant;
mod measure;
mod posts;
mod pour;
mod table;
mod works;

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use holdline::domain::text::printable;

use crate::compare::contestant::Contestant;
use crate::compare::works::Works;
use crate::pin::Pin;
use crate::report;
use crate::report::figures::{Compared, Comparison, FORM, Run, Subject};
use crate::run::{RunOptions, run};

/// What is compared, and how often.
#[derive(Clone, Debug, clap::Args)]
pub struct CompareArguments {
    /// Who takes part, in the order of their turns; all of whom something is known, by default.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    targets: Vec<String>,
    /// Customers.
    #[arg(long, default_value_t = 500)]
    sessions: u32,
    /// How often each has its turn.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Heartbeats in a second, of all customers together.
    #[arg(long, default_value_t = 500.0, value_name = "RATE")]
    heartbeats_per_second: f64,
    /// Seconds for which the heartbeats are measured in each round.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds that a lost customer is held.
    #[arg(long, default_value_t = 5.0)]
    window: f64,
    /// The run is void when the generator's own lateness has a higher p99 than this.
    #[arg(long, default_value_t = 20.0, value_name = "MILLISECONDS")]
    lateness: f64,
    /// Compares how many posts are acknowledged in a second instead, by those who write them down.
    #[arg(long)]
    posts: bool,
    /// Posts that each customer has outstanding, with --posts.
    #[arg(long, default_value_t = 1)]
    outstanding: u32,
    /// Posts in a second of one customer at most, with --posts.
    #[arg(long, default_value_t = 18.0, value_name = "RATE")]
    pace: f64,
    /// The cores of the servers and of everybody else, as in `0/1` or `0-1/2-3`; auto for the
    /// first and the others, where there are two; none for no such thing.
    #[arg(long, default_value = "auto", value_name = "CORES")]
    pin: Pin,
    /// Holdline's program.
    #[arg(long, env = "HOLDLINE_SERVER", value_name = "PATH")]
    server: Option<PathBuf>,
    /// Writes all figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes a page to read.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Shows no progress.
    #[arg(long)]
    quiet: bool,
}

impl CompareArguments {
    /// Checks that every contestant that is named is known.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.contestants().map(drop)
    }

    fn contestants(&self) -> anyhow::Result<Vec<Contestant>> {
        let names: Vec<&str> = match (self.targets.is_empty(), self.posts) {
            (false, _) => self.targets.iter().map(String::as_str).collect(),
            (true, false) => contestant::NAMES.to_vec(),
            (true, true) => contestant::NAMES_OF_WRITERS.to_vec(),
        };
        names.into_iter().map(|name| contestant::named(name, self.server.as_deref())).collect()
    }

    fn say(&self, line: &str) {
        if !self.quiet {
            // If the line cannot be printed, the comparison still goes on.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}

/// Compares, prints the table, and writes what was asked for.
///
/// # Errors
/// When a name is not known, none of the named targets is installed, or a file cannot be written.
/// If the run of a target fails, the table shows its complaint.
pub fn compare(arguments: &CompareArguments) -> anyhow::Result<ExitCode> {
    if arguments.rounds == 0 || arguments.pace <= 0.0 {
        bail!("there must be one round at least, and a pace above 0");
    }
    let contestants = arguments.contestants()?;
    let mut comparison = begin(arguments, &contestants)?;
    if comparison.targets.iter().all(|target| target.absent.is_some()) {
        bail!("none of those who were to take part is here");
    }
    for round in 1..=arguments.rounds {
        let mut turns: Vec<_> = contestants.iter().zip(&mut comparison.targets).collect();
        // Every other round goes backwards, so that no target always follows the same other one.
        if round.is_multiple_of(2) {
            turns.reverse();
        }
        for (contestant, compared) in turns {
            if compared.absent.is_some() {
                continue;
            }
            arguments.say(&format!("round {round}: {}", contestant.name));
            let done = if arguments.posts {
                posts::take_turn(arguments, contestant, round, compared)
            } else {
                take_turn(arguments, contestant, round, compared)
            };
            if let Err(error) = done {
                complain(compared, &format!("round {round}: {error:#}"));
            }
        }
    }
    io::stdout().write_all(table::table(&comparison).as_bytes())?;
    write(arguments, &comparison)?;
    Ok(ExitCode::SUCCESS)
}

/// What is known before the first round.
fn begin(arguments: &CompareArguments, contestants: &[Contestant]) -> anyhow::Result<Comparison> {
    let mut about = if arguments.posts {
        posts::about(arguments)
    } else {
        Works::of(arguments)?.about(arguments)
    };
    about.push(match arguments.pin.resolve()? {
        Some(pinning) => pinning.sentence(),
        None => "Servers, drivers and second parties shared all cores.".into(),
    });
    let repeat: Vec<String> = std::env::args().skip(1).collect();
    Ok(Comparison {
        form: FORM,
        name: if arguments.posts { "Posts acknowledged" } else { "Side by side" }.into(),
        about,
        began: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        rounds: arguments.rounds,
        machine: crate::run::machine(),
        repeat: format!("holdline-load {}", repeat.join(" ")),
        targets: contestants.iter().map(|contestant| entry(arguments, contestant)).collect(),
    })
}

fn entry(arguments: &CompareArguments, contestant: &Contestant) -> Compared {
    let demands = posts::demands(arguments, contestant);
    let version = contestant.target.version();
    let measures = if arguments.posts { posts::measures() } else { measure::measures(contestant) };
    Compared {
        target: Subject {
            name: contestant.name.into(),
            version: version.as_ref().cloned().unwrap_or_default(),
            promise: contestant.target.promise(&demands).map(str::to_owned),
            ..Subject::default()
        },
        absent: version.err().map(|absent| printable(&absent.reason).into_owned()),
        measures,
        ..Compared::default()
    }
}

/// One round of one target: connected and idle, then lost and back.
fn take_turn(
    arguments: &CompareArguments,
    contestant: &Contestant,
    round: u32,
    compared: &mut Compared,
) -> anyhow::Result<()> {
    let works = Works::of(arguments)?;
    let options = RunOptions {
        program: std::env::current_exe()?,
        shows_progress: false,
        repeat: format!("holdline-load {}", std::env::args().skip(1).collect::<Vec<_>>().join(" ")),
        pinning: arguments.pin.resolve()?,
    };
    for workload in [works.idle(contestant)?, works.drop(contestant)?] {
        let run = run(contestant.target.as_ref(), &workload, &options)?;
        for complaint in complaints(&run) {
            complain(compared, &format!("{}: {complaint}", run.scenario));
        }
        compared.target.processes = run.target.processes;
        // A void run says nothing about the server, so it gives no figures.
        if run.verdict.void.is_empty() {
            measure::take(compared, round, &run);
        }
        compared.runs.push(run);
    }
    Ok(())
}

fn complaints(run: &Run) -> impl Iterator<Item = &String> {
    run.verdict.void.iter().chain(&run.verdict.faults)
}

fn complain(compared: &mut Compared, complaint: &str) {
    // The text may come from a server.
    let complaint = printable(complaint).into_owned();
    if !compared.complaints.contains(&complaint) {
        compared.complaints.push(complaint);
    }
}

fn write(arguments: &CompareArguments, comparison: &Comparison) -> anyhow::Result<()> {
    if let Some(file) = &arguments.json {
        fs::write(file, serde_json::to_string_pretty(comparison)?)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    if let Some(file) = &arguments.html {
        fs::write(file, report::page_of_comparison(comparison)?)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(())
}
