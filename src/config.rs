//! What the operator decides: one typed value, read once from flags, the environment and a file,
//! in this order of precedence. It is checked as a whole, and everything that is wrong with it is
//! told at once: which key, where it came from, and what it must be.

mod flags;
mod sign_in;
mod sources;
mod strangers;
mod tls;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser as _;

use crate::access::{GivenToken, SignInRules, token};
use crate::tls::Files;

pub use crate::config::flags::{DataFlags, Flags};
use crate::config::sources::Sources;
pub use crate::config::strangers::StrangerRules;

/// What the operator decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// The file that some of it was read from. Others than the administrator's token are for the
    /// start alone.
    pub file: Option<PathBuf>,
    /// Where connections are taken.
    pub listen: SocketAddr,
    /// Where operators ask for metrics and the like; nothing for the same address.
    pub operator_listen: Option<SocketAddr>,
    /// The certificate that TLS is spoken with, at both; nothing where it is not.
    pub tls: Option<Files>,
    /// Whether the demo page is there.
    pub page: bool,
    /// Where everything is kept.
    pub data: PathBuf,
    /// How many threads work; nothing for one for each core.
    pub threads: Option<usize>,
    /// Whether the demo is set up; nothing for "when nothing else is, and only this machine can
    /// reach it". Where others can, it is never true.
    pub demo: Option<bool>,
    /// The administrator's token, if it was given.
    pub admin_token: Option<GivenToken>,
    /// What is logged.
    pub log: String,
    /// How it is written.
    pub log_format: LogFormat,
    /// Whether the log tells where strangers come from.
    pub log_addresses: bool,
    /// How long a stop may take.
    pub drain: Duration,
    /// How strangers are treated.
    pub strangers: StrangerRules,
    /// Whose tokens sign people in beside those that are made here.
    pub sign_in: Option<SignInRules>,
    /// Whether time begins at what the clock of the machine says, although the journal ends later.
    /// For one start, and so only a flag.
    pub set_clock_back: bool,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum ConfigFault {
    /// The flags were not understood, or only help was asked for. Printing it says which.
    Usage(Box<clap::Error>),
    /// The file could not be read.
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Some settings are wrong; each is told.
    Invalid(Vec<Mistake>),
}

/// One setting that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// Which setting, as it is called in the file.
    pub key: String,
    /// Where it came from, such as `--listen` or `holdline.toml`.
    pub source: String,
    /// What it must be.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, source, message } = self;
        write!(formatter, "{key} (from {source}) {message}")
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(formatter),
            Self::File { path, source } => {
                write!(formatter, "the configuration {} cannot be read: {source}", path.display())
            }
            Self::Invalid(mistakes) => {
                formatter.write_str("the configuration is wrong:")?;
                mistakes.iter().try_for_each(|mistake| write!(formatter, "\n  {mistake}"))
            }
        }
    }
}

impl std::error::Error for ConfigFault {}

impl Config {
    /// The configuration of these flags (the program's name first), this environment and the file
    /// that either of them names.
    pub fn load(
        flags: impl IntoIterator<Item = OsString>,
        environment: impl Fn(&str) -> Option<OsString>,
        read_file: impl Fn(&Path) -> io::Result<String>,
    ) -> Result<Self, ConfigFault> {
        let flags = Flags::try_parse_from(flags);
        let flags = flags.map_err(|error| ConfigFault::Usage(Box::new(error)))?;
        Self::gather(flags, environment, read_file)
    }

    /// The configuration of this process, started with these flags.
    pub fn of_this_process(flags: Flags) -> Result<Self, ConfigFault> {
        let unknown = sources::unknown_variables(std::env::vars_os().map(|(name, _)| name));
        let read = Self::gather(
            flags,
            |name| std::env::var_os(name),
            |path| std::fs::read_to_string(path),
        );
        match read {
            Err(ConfigFault::Invalid(mistakes)) => {
                Err(ConfigFault::Invalid(mistakes.into_iter().chain(unknown).collect()))
            }
            Ok(_) if !unknown.is_empty() => Err(ConfigFault::Invalid(unknown)),
            read => read,
        }
    }

    fn gather(
        flags: Flags,
        environment: impl Fn(&str) -> Option<OsString>,
        read_file: impl Fn(&Path) -> io::Result<String>,
    ) -> Result<Self, ConfigFault> {
        let set_clock_back = flags.set_clock_back;
        let mut sources = Sources::gather(flags, environment, read_file)?;
        let demo_from = sources.origin("demo");
        let listen = sources.take("listen", address);
        let operator_listen = sources.take("operator_listen", address);
        let tls = tls::take(&mut sources, operator_listen.is_some());
        let page = sources.take("page", page);
        let data = sources.take("data", directory);
        let threads = sources.take("threads", threads);
        let demo = sources.take("demo", demo);
        let admin_from = sources.origin("admin_token").unwrap_or_default();
        let admin_token = sources.take("admin_token", admin_token);
        let admin_token = admin_token.map(|token| GivenToken::new(token, admin_from));
        let log = sources.take("log", filter);
        let log_format = sources.take("log_format", log_format);
        let log_addresses = sources.take("log_addresses", switch);
        let drain = sources.take("drain_s", drain);
        let strangers = StrangerRules::take(&mut sources);
        let sign_in = sign_in::take(&mut sources);
        let listen = listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8_080)));
        let has_agent_tokens = sign_in.as_ref().is_none_or(|rules| rules.agent_tokens);
        if let (Some(Some(true)), Some(from)) = (demo, demo_from) {
            if !is_loopback(listen) {
                let message = format!(
                    "must not be on where connections are taken at {listen}, where others than \
                     this machine can reach it: one of the demo's people reads every chat"
                );
                sources.refuse("demo", from, message);
            } else if !has_agent_tokens {
                let message = "must not be on with agent_tokens = false, which lets nobody in by \
                               the tokens that the demo's people have";
                sources.refuse("demo", from, message.to_owned());
            }
        }
        let file = sources.finish()?;
        Ok(Self {
            file,
            listen,
            operator_listen,
            tls,
            page: page.flatten().unwrap_or_else(|| is_loopback(listen)),
            data: data.unwrap_or_else(|| PathBuf::from("./holdline-data")),
            threads: threads.flatten(),
            demo: demo.flatten().or((!has_agent_tokens).then_some(false)),
            admin_token,
            log: log.unwrap_or_else(|| "info".to_owned()),
            log_format: log_format.unwrap_or(LogFormat::Text),
            log_addresses: log_addresses.unwrap_or(false),
            drain: drain.unwrap_or(Duration::from_secs(10)),
            strangers,
            sign_in,
            set_clock_back,
        })
    }
}

/// Whether only this machine can reach an address.
pub fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

impl DataFlags {
    /// The data directory that a server of this process with the same flags would use. The whole
    /// configuration is checked with it, as the server would.
    pub fn directory(&self) -> Result<PathBuf, ConfigFault> {
        let Self { data, config } = self.clone();
        let mut flags = Flags::parse_from(["holdline"]);
        (flags.data, flags.config) = (data, config);
        Config::of_this_process(flags).map(|config| config.data)
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let Ok(port) = port.parse::<u16>() else {
        let message = "must be an address and a port, such as 127.0.0.1:8080, localhost:8080, \
                       [::]:8080, or :8080 for every address of this machine";
        return Err(message.to_owned());
    };
    if host.is_empty() {
        return Ok(SocketAddr::from(([0, 0, 0, 0], port)));
    }
    let found = (host, port)
        .to_socket_addrs()
        .map_err(|error| format!("must name a host that is known here ({error})"))?;
    // Where a name has both, most of those who connect try the older one at least as a second.
    let found: Vec<_> = found.collect();
    let chosen = found.iter().find(|address| address.is_ipv4()).or(found.first());
    chosen.copied().ok_or_else(|| "must name a host that has an address".to_owned())
}

fn directory(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("must name a directory".to_owned()) } else { Ok(text.into()) }
}

fn threads(text: &str) -> Result<Option<usize>, String> {
    match text.parse::<usize>() {
        Ok(0) => Ok(None),
        Ok(count @ 1..=256) => Ok(Some(count)),
        _ => Err("must be from 1 to 256, or 0 for one for each core".to_owned()),
    }
}

fn demo(text: &str) -> Result<Option<bool>, String> {
    match text {
        "true" | "1" | "on" => Ok(Some(true)),
        "false" | "0" | "off" => Ok(Some(false)),
        "auto" => Ok(None),
        _ => Err("must be true, false, or auto (on when nothing is set up, and only this machine \
                  can reach it)"
            .to_owned()),
    }
}

fn page(text: &str) -> Result<Option<bool>, String> {
    match text {
        "auto" => Ok(None),
        text => switch(text).map(Some).map_err(|message| {
            format!("{message}, or auto (there where only this machine can reach it)")
        }),
    }
}

fn admin_token(text: &str) -> Result<String, String> {
    if token::is_long_enough(text) { Ok(text.to_owned()) } else { Err(token::RULE.to_owned()) }
}

fn filter(text: &str) -> Result<String, String> {
    match text.parse::<tracing_subscriber::EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            Err(format!("must be a log filter, such as info or holdline=debug,warn: {error}"))
        }
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be text or json".to_owned()),
    }
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "on" => Ok(true),
        "false" | "0" | "off" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

fn drain(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u64>().ok().filter(|seconds| *seconds <= 300);
    let message = || "must be a whole number of seconds from 0 to 300".to_owned();
    seconds.map(Duration::from_secs).ok_or_else(message)
}
