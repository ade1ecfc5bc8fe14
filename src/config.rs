//! What the operator decides: one typed value, read once from flags, the environment and a file,
//! in this order of precedence. It is checked as a whole, and everything that is wrong with it is
//! told at once: which key, where it came from, and what it must be.

mod fault;
mod flags;
mod sign_in;
mod sources;
mod strangers;
mod tls;
mod values;

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser as _;

use crate::access::{GivenToken, SignInRules};
use crate::config::sources::Sources;
use crate::tls::Files;

pub use crate::config::fault::{ConfigFault, Mistake};
pub use crate::config::flags::{DataFlags, Flags};
pub use crate::config::strangers::StrangerRules;
pub use crate::config::values::LogFormat;

/// What the operator decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// The file that some of it was read from. When the file is read again, only the
    /// administrator's token changes; the other settings are for the start alone.
    pub file: Option<PathBuf>,
    /// Where connections are taken.
    pub listen: SocketAddr,
    /// Where operators ask for metrics and the like; nothing for the same address.
    pub operator_listen: Option<SocketAddr>,
    /// The certificate for TLS at both addresses; nothing where there is no TLS.
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
    /// The issuer whose tokens sign people in, beside the tokens that are made here.
    pub sign_in: Option<SignInRules>,
    /// Whether time begins at what the clock of the machine says, although the journal ends later.
    /// For one start, and so only a flag.
    pub set_clock_back: bool,
}

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
        let listen = sources.take("listen", values::address);
        let operator_listen = sources.take("operator_listen", values::address);
        let tls = tls::take(&mut sources, operator_listen.is_some());
        let page = sources.take("page", values::page);
        let data = sources.take("data", values::directory);
        let threads = sources.take("threads", values::threads);
        let demo = sources.take("demo", values::demo);
        let admin_from = sources.origin("admin_token").unwrap_or_default();
        let admin_token = sources.take("admin_token", values::admin_token);
        let admin_token = admin_token.map(|token| GivenToken::new(token, admin_from));
        let log = sources.take("log", values::filter);
        let log_format = sources.take("log_format", values::log_format);
        let log_addresses = sources.take("log_addresses", values::switch);
        let drain = sources.take("drain_s", values::drain);
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
