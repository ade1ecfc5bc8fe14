//! The long chaos trial. The real server is killed with `kill -9` again and again, while hundreds
//! of widgets and agents talk through a proxy that breaks their connections, and strangers use
//! everything that they may. Nothing that was acknowledged may be lost, doubled or reordered. No
//! window may end early, late or twice. No agent's capacity may drift, and nobody may be turned
//! away because of strangers.
//!
//! `cargo build --release && cargo run --release --example chaos -- --minutes 10 --kills 50`
//!
//! It exits with 1 if anything was wrong, and then keeps the data directory.
#![expect(clippy::print_stdout, reason = "it is what the program is for")]

#[path = "chaos/mod.rs"]
mod chaos;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use chaos::addresses::FIRST_OF_STRANGERS;
use chaos::run::run;
use chaos::strangers::StrangersPlan;
use chaos::world::Plan;
use clap::Parser;

/// Kills the server and breaks its sockets, and checks that nothing is lost.
#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    #[arg(long, default_value_t = 60)]
    kills: usize,
    /// Sockets of customers, all through the proxy.
    #[arg(long, default_value_t = 400)]
    widgets: usize,
    #[arg(long, default_value_t = 24)]
    agents: usize,
    /// Posts a second of each widget while it is connected; a socket may send 20 frames a second.
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    /// Messages a second of each agent.
    #[arg(long, default_value_t = 5.0)]
    agent_rate: f64,
    /// Seconds after which a connection through the proxy is broken, on average.
    #[arg(long, default_value_t = 8.0)]
    fault_every: f64,
    /// Attempts of strangers in a second; 0 for none.
    #[arg(long, default_value_t = 200.0)]
    strangers: f64,
    /// Addresses that the strangers come from.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=250))]
    stranger_addresses: u8,
    /// Milliseconds that a window's end may be late on a busy machine.
    #[arg(long, default_value_t = 2_000)]
    tolerance_ms: u64,
    /// Repeats the plan of a trial, though not its real time.
    #[arg(long)]
    seed: Option<u64>,
    /// The server's program; if absent, `holdline` beside the directory of the examples.
    #[arg(long)]
    server: Option<PathBuf>,
}

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    let beside = std::env::current_exe()?.ancestors().nth(2).map(|dir| dir.join("holdline"));
    let program = arguments.server.or(beside).filter(|program| program.exists());
    let program = program.ok_or_else(|| io::Error::other("build the server first"))?;
    let now = chaos::server::now_ms().unsigned_abs();
    let plan = Plan {
        program: program.canonicalize()?,
        length: Duration::from_secs_f64(arguments.minutes * 60.0),
        kills: arguments.kills,
        widgets: arguments.widgets,
        agents: arguments.agents,
        rate: arguments.rate,
        agent_rate: arguments.agent_rate,
        posts: (40, 400),
        window: Duration::from_secs(5),
        heartbeat: Duration::from_secs(1),
        fault_every: Duration::from_secs_f64(arguments.fault_every),
        tolerance: Duration::from_millis(arguments.tolerance_ms),
        seed: arguments.seed.unwrap_or(now),
        strangers: StrangersPlan {
            per_second: arguments.strangers,
            addresses: arguments.stranger_addresses,
            first: FIRST_OF_STRANGERS,
        },
        environment: Vec::new(),
        progress_every: Duration::from_secs(5),
    };
    println!("{plan:?}");
    let (tally, _) = run(plan)?;
    Ok(if tally.wrongs.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
