//! The machine that a run is made on: what it is, what it allows, and which plans it cannot hold.

use std::collections::BTreeMap;
use std::fs;

use anyhow::bail;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use crate::workload::Workload;

/// Descriptors that a driver needs besides those of customers.
const DRIVER_SPARE: u64 = 100;

/// Descriptors that a server needs besides those of customers: agents, files, its listener.
const SERVER_SPARE: u64 = 600;

/// Bytes that a customer takes on this machine: both ends in the kernel, the server's part as far
/// as it is known, and the driver's.
const CUSTOMER_BYTES: u64 = 2 * 4_096 + 12_288 + 1_024;

/// What a machine is and allows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The kernel's version.
    pub kernel: String,
    /// The model of the processor.
    pub processor: String,
    /// How many cores may be used.
    pub cores: u64,
    /// Bytes of memory in all.
    pub memory: u64,
    /// Bytes that are available.
    pub available: u64,
    /// Descriptors that a process may have at most, by the hard limit.
    pub descriptors: u64,
    /// Descriptors that the machine may have.
    pub descriptors_in_all: u64,
    /// What the kernel is set to, by name.
    pub settings: BTreeMap<String, String>,
    /// The versions of the server's crates.
    pub crates: BTreeMap<String, String>,
}

/// Settings that a run depends on, as files below `/proc/sys`.
const SETTINGS: [&str; 7] = [
    "net/core/somaxconn",
    "net/ipv4/ip_local_port_range",
    "net/ipv4/tcp_max_syn_backlog",
    "net/ipv4/tcp_max_tw_buckets",
    "net/ipv4/tcp_rmem",
    "net/ipv4/tcp_wmem",
    "fs/nr_open",
];

/// Crates of the server on which its cost depends.
const CRATES: [&str; 9] = [
    "actix",
    "actix-http",
    "actix-rt",
    "actix-web",
    "actix-web-actors",
    "libmimalloc-sys",
    "mimalloc",
    "rusqlite",
    "tokio",
];

impl Machine {
    /// Reads what this machine is, and raises the limit of descriptors for this process and its
    /// children to the hard limit.
    pub fn read() -> Self {
        let limit = getrlimit(Resource::Nofile);
        let most = limit.maximum.unwrap_or(u64::from(u32::MAX));
        // A process may always raise its limit to the hard limit.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit });
        let one_line = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kibibytes = |name: &str| {
            let line = memory.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            number.unwrap_or(0) * 1_024
        };
        let mut settings: BTreeMap<String, String> = SETTINGS
            .iter()
            .map(|name| (name.replace('/', "."), one_line(&format!("/proc/sys/{name}"))))
            .collect();
        let huge = one_line("/sys/kernel/mm/transparent_hugepage/enabled");
        settings.insert("transparent_hugepage".to_owned(), huge);
        Self {
            kernel: one_line("/proc/sys/kernel/osrelease"),
            processor: processor(),
            cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
            memory: kibibytes("MemTotal:"),
            available: kibibytes("MemAvailable:"),
            descriptors: most,
            descriptors_in_all: one_line("/proc/sys/fs/file-max").parse().unwrap_or(u64::MAX),
            settings,
            crates: crates(),
        }
    }

    /// How many servers and drivers a workload takes on this machine.
    ///
    /// # Errors
    /// When this machine cannot hold it: why, and how many customers would be possible.
    pub fn split(&self, workload: &Workload) -> anyhow::Result<Split> {
        let sessions = u64::from(workload.sessions);
        let refuse = |what: &str, possible: u64| {
            bail!("{sessions} customers are not possible here: {what}; {possible} would be")
        };
        let for_server = self.descriptors.saturating_sub(SERVER_SPARE).max(1);
        let for_driver = self.descriptors.saturating_sub(DRIVER_SPARE).max(1);
        let servers = match u64::from(workload.servers) {
            0 => sessions.div_ceil(for_server),
            servers if sessions > servers * for_server => refuse(
                &format!(
                    "a process may have {} descriptors, and servers is {servers}",
                    self.descriptors
                ),
                servers * for_server,
            )?,
            servers => servers,
        };
        let drivers = match u64::from(workload.threads) {
            0 => sessions.div_ceil(for_driver).max(servers),
            drivers if drivers < servers => {
                bail!("threads must be at least the number of servers, {servers}, and is {drivers}")
            }
            drivers if sessions > drivers * for_driver => refuse(
                &format!(
                    "a process may have {} descriptors, and threads is {drivers}",
                    self.descriptors
                ),
                drivers * for_driver,
            )?,
            drivers => drivers,
        };
        let in_all = self.descriptors_in_all / 2;
        if sessions > in_all {
            refuse(&format!("the machine has {} descriptors", self.descriptors_in_all), in_all)?;
        }
        let in_memory = self.available / CUSTOMER_BYTES;
        if sessions > in_memory {
            let mebibytes = self.available >> 20;
            refuse(
                &format!("{mebibytes} MiB are available, and each takes {CUSTOMER_BYTES} bytes"),
                in_memory,
            )?;
        }
        Ok(Split { servers: u32::try_from(servers)?, drivers: u32::try_from(drivers)? })
    }
}

/// How a workload is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Server processes.
    pub servers: u32,
    /// Driver processes.
    pub drivers: u32,
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("model name"));
    line.unwrap_or_default().trim_start_matches([' ', '\t', ':']).to_owned()
}

fn crates() -> BTreeMap<String, String> {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
    let text = fs::read_to_string(lock).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
    let packages = table.get("package").and_then(|packages| packages.as_array());
    let pairs = packages.into_iter().flatten().filter_map(|package| {
        let text = |name: &str| package.get(name)?.as_str().map(str::to_owned);
        Some((text("name")?, text("version")?))
    });
    pairs.filter(|(name, _)| CRATES.contains(&name.as_str())).collect()
}
