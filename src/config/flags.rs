//! The flags of the command line. Values are taken as they are; the configuration checks them
//! together with those of the other sources.

#![expect(clippy::doc_markdown, reason = "these comments are printed as they are by --help")]

use clap::{Args, Parser};

/// The flags of a server.
///
/// A flag wins over the environment, the environment over the file.
#[derive(Clone, Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(name = "holdline", version)]
pub struct Flags {
    /// Where connections are taken, such as localhost:8080, or :8080 for every address of this
    /// machine [default: 127.0.0.1:8080; env: HOLDLINE_LISTEN]
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<String>,
    /// Where everything is kept [default: ./holdline-data; env: HOLDLINE_DATA]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<String>,
    /// A TOML file with settings [env: HOLDLINE_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<String>,
    /// How many threads work, 1 to 256 [default: 0, one for each core; env: HOLDLINE_THREADS]
    #[arg(long, value_name = "COUNT")]
    pub(super) threads: Option<String>,
    /// Set up the demo, which only an address of this machine alone may have [default: when nothing
    /// else is set up there; env: HOLDLINE_DEMO]
    #[arg(long, conflicts_with = "no_demo")]
    pub(super) demo: bool,
    /// Do not set up the demo, and end one that is there
    #[arg(long)]
    pub(super) no_demo: bool,
    /// What is logged, such as info or holdline=debug [default: info; env: HOLDLINE_LOG]
    #[arg(long, value_name = "FILTER")]
    pub(super) log: Option<String>,
    /// How the log is written: text or json [default: text; env: HOLDLINE_LOG_FORMAT]
    #[arg(long, value_name = "FORMAT")]
    pub(super) log_format: Option<String>,
    /// Have the log tell where strangers come from [default: false; env: HOLDLINE_LOG_ADDRESSES]
    #[arg(long)]
    pub(super) log_addresses: bool,
    /// Begin at the time that the clock of this machine says, although the journal ends later: for
    /// one start, after a clock that was fast has been set right
    #[arg(long)]
    pub(super) set_clock_back: bool,
    /// How many seconds a stop may take, 0 to 300 [default: 10; env: HOLDLINE_DRAIN_S]
    #[arg(long, value_name = "SECONDS")]
    pub(super) drain_s: Option<String>,
}

/// The flags of a command that needs a data directory and nothing else of the configuration.
#[derive(Clone, Debug, Default, Args)]
pub struct DataFlags {
    /// The data directory [default: ./holdline-data; env: HOLDLINE_DATA]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// The server's TOML file, which may name the data directory [env: HOLDLINE_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,
}

impl Flags {
    /// Each flag that was given, by the key of its setting: its own name and its value.
    pub(super) fn given(self) -> Vec<(&'static str, &'static str, String)> {
        let demo = match (self.demo, self.no_demo) {
            (true, _) => Some(("demo", "--demo", "true".to_owned())),
            (_, true) => Some(("demo", "--no-demo", "false".to_owned())),
            (false, false) => None,
        };
        let valued = [
            ("listen", "--listen", self.listen),
            ("data", "--data", self.data),
            ("threads", "--threads", self.threads),
            ("log", "--log", self.log),
            ("log_format", "--log-format", self.log_format),
            ("drain_s", "--drain-s", self.drain_s),
        ];
        let addresses = self.log_addresses.then(|| "true".to_owned());
        let addresses = addresses.map(|value| ("log_addresses", "--log-addresses", value));
        let valued = valued.into_iter().filter_map(|(key, flag, value)| Some((key, flag, value?)));
        valued.chain(demo).chain(addresses).collect()
    }
}
