//! The engine without sockets: how much a held chat costs at counts that descriptors do not allow,
//! and how late the last of very many expiries is when all windows end at one moment.
//!
//! ```text
//!   journal filled ──> start ──> held ──deadline──> expired ──> proved
//! ```
//!
//! The past of every chat is appended to a real journal on the disk, and a real engine starts with
//! these chats, as after a restart. Making ten million chats through the actors would take hours,
//! at five or more events each. With `--through-recovery` a process of its own writes the journal
//! and waits until everything is projected; then the chats are read back from the disk. Without it,
//! the engine is given what it would read, and the projection follows while everything else is
//! measured.
//!
//! A start gives every held customer the whole window again, all from one moment. So if nobody
//! comes back after a restart, all windows end at one deadline. That is the worst that a server can
//! meet, and it is what is measured. Early, missed and repeated expiries are counted in the
//! journal.

mod expiry;
mod prepare;
mod process;
mod proof;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use holdline::domain::time::Timestamp;
use holdline::engine::{Engine, Options, Starting, Threads};
use holdline::journal::Journal;
use holdline::journal::sqlite::SqliteJournal;
use serde::Serialize;
use tokio::time::Instant;

use crate::actors::expiry::{Expiry, Watch};
use crate::actors::proof::Proof;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// At most this many chats are asked for their deadlines.
const ASKED_MAX: u64 = 10_000;

/// The deadlines may lie this many milliseconds apart and still count as one moment.
const ONE_MOMENT_MS: u64 = 50;

/// How long after a start the memory is read.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// Holds very many chats as live actors, without sockets, and has some of them expire at once.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// How many chats are held.
    #[arg(long, default_value_t = 1_000_000)]
    held: u64,
    /// How many of them expire at one deadline.
    #[arg(long, default_value_t = 100_000)]
    expire: u64,
    /// How many of a thousand chats are with an agent; the others wait in a queue.
    #[arg(long, default_value_t = 900)]
    with_agent: u64,
    /// Threads of the engine; as many as there are cores when absent.
    #[arg(long)]
    threads: Option<usize>,
    /// Where the journal is made; a temporary directory when absent.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Where the figures are written as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Reads the chats back from the disk, once they are projected.
    #[arg(long)]
    through_recovery: bool,
    /// Only writes the journal: what this program starts itself for.
    #[arg(long, hide = true)]
    prepare_only: bool,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Figures {
    held: u64,
    expire: u64,
    with_agent_per_mille: u64,
    threads: usize,
    /// Seconds to write and project the journal; only through recovery.
    prepare_s: Option<f64>,
    /// Seconds to read the chats, or to append their past and make them.
    read_s: f64,
    start_s: f64,
    armed: u64,
    resident_bytes: u64,
    resident_bytes_each: f64,
    /// How far apart the deadlines of the chats that were asked lie, in milliseconds. Lateness
    /// counts from the last deadline.
    deadlines_within_ms: u64,
    expiry: Option<Expiry>,
    proof: Option<Proof>,
    resident_bytes_after: u64,
}

/// Runs the measurement.
pub fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(args.expire <= args.held, "no more can expire than are held");
    if args.prepare_only {
        let dir = args.dir.as_deref().context("a journal is prepared in a directory")?;
        return prepare::prepare(dir, &args.plan());
    }
    let temporary = tempfile::tempdir()?;
    let dir = args.dir.clone().unwrap_or_else(|| temporary.path().join("data"));
    let prepare_s = if args.through_recovery { prepare_apart(&dir, args)? } else { None };
    let figures = actix::System::new().block_on(measure(&dir, args, prepare_s))?;
    figures.print()?;
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_vec_pretty(&figures)?)?;
    }
    ensure!(figures.proof.as_ref().is_none_or(Proof::holds), "a law was broken: see the figures");
    Ok(())
}

impl Args {
    fn plan(&self) -> prepare::Plan {
        prepare::Plan { held: self.held, expire: self.expire, with_agent: self.with_agent }
    }
}

/// Writes the journal in a process of its own, unless it is there.
fn prepare_apart(dir: &Path, args: &Args) -> anyhow::Result<Option<f64>> {
    if dir.join("journal.db").exists() {
        return Ok(None);
    }
    let began = Instant::now();
    let status = Command::new(std::env::current_exe()?)
        .args(["actors", "--prepare-only", "--dir"])
        .arg(dir)
        .args(["--held", &args.held.to_string(), "--expire", &args.expire.to_string()])
        .args(["--with-agent", &args.with_agent.to_string()])
        .status()?;
    ensure!(status.success(), "the journal could not be prepared");
    Ok(Some(began.elapsed().as_secs_f64()))
}

async fn measure(dir: &Path, args: &Args, prepare_s: Option<f64>) -> anyhow::Result<Figures> {
    let empty = process::resident()?;
    let began = Instant::now();
    let starting = Starting::default();
    let watch = Arc::new(Watch::over(starting.receipts()));
    let (journal, mut recovered) = SqliteJournal::open(dir, watch.clone())?;
    if recovered.conversations.is_empty() {
        recovered = prepare::fill(&journal, &args.plan())?;
    }
    let read = began.elapsed();
    ensure!(recovered.conversations.len() as u64 == args.held, "every chat is held");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (threads, arbiters) = Threads::start(args.threads.unwrap_or(cores));
    let journal: Arc<dyn Journal> = Arc::new(journal);
    let head = journal.head();
    let engine = starting.start(Options::default(), threads, journal.clone(), recovered).await;
    let live = began.elapsed();
    // Memory that only the start needed is freed a moment later.
    tokio::time::sleep(SETTLED_AFTER).await;
    let resident = process::resident()?.saturating_sub(empty);
    let mut figures = Figures {
        held: args.held,
        expire: args.expire,
        with_agent_per_mille: args.with_agent,
        threads: engine.thread_count(),
        prepare_s,
        read_s: read.as_secs_f64(),
        start_s: live.saturating_sub(read).as_secs_f64(),
        armed: armed(&engine),
        resident_bytes: resident,
        resident_bytes_each: resident as f64 / args.held.max(1) as f64,
        deadlines_within_ms: 0,
        expiry: None,
        proof: None,
        resident_bytes_after: 0,
    };
    figures.print_held();
    if args.expire > 0 {
        let (first, last) = deadlines(&engine, args.expire).await?;
        figures.deadlines_within_ms = last.since(first).as_millis();
        ensure!(
            figures.deadlines_within_ms <= ONE_MOMENT_MS,
            "void: the start took {:.1} s, longer than the windows had been put off for it, so they \
             end {} ms apart and not at one moment; other work may have had the cores",
            figures.start_s,
            figures.deadlines_within_ms,
        );
        figures.expiry = Some(expiry::expire(&engine, &watch, last, args.expire).await?);
        figures.proof = Some(proof::prove(dir, head.0, first, args.expire)?);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    figures.resident_bytes_after = process::resident()?.saturating_sub(empty);
    for arbiter in arbiters {
        arbiter.stop();
    }
    Ok(figures)
}

/// Chats whose customer is away: each has its window armed.
fn armed(engine: &Engine) -> u64 {
    expiry::metric(&engine.metrics(), "holdline_away")
}

/// When the first and the last window end, of the expiring chats that are asked. All end at once,
/// unless the start took so long that its moment had passed for some.
async fn deadlines(engine: &Engine, expire: u64) -> anyhow::Result<(Timestamp, Timestamp)> {
    let mut ends: Option<(Timestamp, Timestamp)> = None;
    let step = expire.div_ceil(ASKED_MAX).max(1);
    for chat in (0..expire).step_by(usize::try_from(step)?) {
        let view = engine.view(prepare::id(chat, true)).await?;
        let until = view.customer.absence.context("its customer is held")?.until;
        let (first, last) = ends.unwrap_or((until, until));
        ends = Some((first.min(until), last.max(until)));
    }
    ends.context("nobody expires")
}

impl Figures {
    #[expect(clippy::print_stderr, reason = "a long run says how far it is")]
    fn print_held(&self) {
        eprintln!(
            "{} held chats live on {} threads: {:.2} s to read, {:.2} s to start, {} windows \
             armed, {:.0} bytes resident for each",
            self.held,
            self.threads,
            self.read_s,
            self.start_s,
            self.armed,
            self.resident_bytes_each,
        );
    }

    #[expect(clippy::print_stdout, reason = "the figures are what this command is for")]
    fn print(&self) -> anyhow::Result<()> {
        println!("{}", serde_json::to_string_pretty(self)?);
        Ok(())
    }
}
