//! The program: carries out a command, or runs the server until it is told to stop.

use std::future::pending;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use holdline::commands::Program;
use holdline::config::{Config, Flags, LogFormat};
use holdline::domain::text::printable_lines;
use holdline::private;
use holdline::server::Server;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    private::close_to_others();
    // Ends the process where the flags are not understood (2), or only help was asked for (0).
    let flags = match Program::parse().asked() {
        Ok(flags) => flags,
        Err(task) => {
            return match task.run() {
                Ok(()) => ExitCode::SUCCESS,
                Err(fault) => fail(&fault),
            };
        }
    };
    let config = match Config::of_this_process(flags.clone()) {
        Ok(config) => config,
        Err(fault) => return fail(&fault),
    };
    log_to_standard_error(&config);
    use_small_pages();
    raise_descriptor_limit();
    actix::System::new().block_on(run(config, flags))
}

async fn run(config: Config, flags: Flags) -> ExitCode {
    let mut signals = match Signals::of(&config) {
        Ok(signals) => signals,
        Err(error) => return fail(&error),
    };
    let server = match Server::start(&config).await {
        Ok(server) => server,
        Err(fault) => return fail(&fault),
    };
    greet(server.greeting());
    while signals.next().await == Told::ReadAgain {
        server.renew_certificates();
        if config.file.is_none() {
            continue;
        }
        match Config::of_this_process(flags.clone()) {
            Ok(config) => server.follow(&config),
            Err(fault) => {
                let fault = printable_lines(&fault.to_string());
                tracing::error!("nothing of the configuration is taken over: {fault}");
            }
        }
    }
    tracing::info!("the server stops: widgets are asked to come back later");
    match server.stop().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => fail(&fault),
    }
}

/// What a running server is told from outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Told {
    /// To read its configuration again.
    ReadAgain,
    /// To stop.
    Stop,
}

/// Whether anything is read from files that may have changed.
const fn can_read_again(config: &Config) -> bool {
    config.file.is_some() || config.tls.is_some()
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Nothing where no file can be read again: there a hangup ends the process, as a terminal
    /// that is closed ends what runs in it.
    hangup: Option<Signal>,
}

impl Signals {
    fn of(config: &Config) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: can_read_again(config).then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    async fn next(&mut self) -> Told {
        let Self { terminate, interrupt, hangup } = self;
        let hangup = async {
            match hangup {
                Some(hangup) => hangup.recv().await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => Told::Stop,
            _ = interrupt.recv() => Told::Stop,
            _ = hangup => Told::ReadAgain,
        }
    }
}

/// Tells the person who started it where to go. Nobody may be reading, and that is fine.
fn greet(greeting: &str) {
    let mut out = io::stdout().lock();
    let _nobody_listens = writeln!(out, "{greeting}").and_then(|()| out.flush());
}

#[expect(clippy::print_stderr, reason = "this is what the program says to whoever started it")]
fn fail(fault: &dyn std::error::Error) -> ExitCode {
    eprintln!("holdline: {}", printable_lines(&fault.to_string()));
    ExitCode::FAILURE
}

/// The parser of requests logs an error for each that it cannot read, so any stranger could fill
/// the disk. These errors are counted instead, and logged only if the filter names the parser.
const QUIET: &str = "actix_http=off";

fn log_to_standard_error(config: &Config) {
    // The configuration has checked the filter.
    let filter = EnvFilter::new(&config.log);
    let filter = match QUIET.parse() {
        Ok(quiet) if !config.log.contains("actix_http") => filter.add_directive(quiet),
        _ => filter,
    };
    // Colours are for a terminal, unless the user asks to do without them (no-color.org).
    let is_asked_to_spare = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let has_colours = io::stderr().is_terminal() && !is_asked_to_spare;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(has_colours)
        .with_writer(io::stderr);
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

/// Huge pages would make the unused halves of small allocations resident: with them an idle chat
/// costs up to 70 % more.
fn use_small_pages() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "the process keeps huge pages, which costs memory");
    }
}

/// A session needs a descriptor, so the process takes as many as it is allowed to.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    let files = getrlimit(Resource::Nofile).current;
    let most = files.map_or_else(|| "any number of".to_owned(), |files| format!("at most {files}"));
    tracing::info!(files, "the process may have {most} connections and files open");
}
