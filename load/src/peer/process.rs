//! A peer's process: it has a folder of its own, and is ended by its id.

use std::env;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::clock;
use crate::target::Absent;

/// How long a peer may take until it takes connections.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// How long a peer may take to end when it is asked to, before it is killed.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// How long a peer must do next to nothing to count as calm, and the longest wait for that.
const CALM: Duration = Duration::from_millis(500);
const CALM_PATIENCE: Duration = Duration::from_secs(10);

/// How often a wait checks its condition.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process that runs. Dropping it ends it and removes its folder.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    child: Child,
    folder: TempDir,
}

impl Server {
    /// Starts a command that was made for this folder. Its output goes to a file there.
    ///
    /// # Errors
    /// When the folder cannot be written, or the program not be started.
    pub fn start(name: &'static str, folder: TempDir, command: Command) -> anyhow::Result<Self> {
        let child = spawn(name, &folder, command)?;
        Ok(Self { name, child, folder })
    }

    /// Ends the process and starts it again in the same folder.
    ///
    /// # Errors
    /// As with the first start.
    pub fn start_again(&mut self, command: Command) -> anyhow::Result<()> {
        self.end();
        self.child = spawn(self.name, &self.folder, command)?;
        Ok(())
    }

    /// Waits until the process takes connections here.
    ///
    /// # Errors
    /// When the process ends instead, or takes too long; the error has the end of its output.
    pub fn await_port(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let until = clock::now().after(START_PATIENCE);
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}): {}", self.name, self.output());
            }
            if clock::now() > until {
                bail!("{} takes no connections on {address}: {}", self.name, self.output());
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        self.await_calm();
        Ok(())
    }

    /// Waits until the process has done the work of its start, so that this does not count as the
    /// cost of an empty server. If it never rests, the wait ends after ten seconds.
    fn await_calm(&self) {
        let until = clock::now().after(CALM_PATIENCE);
        let mut before = self.ticks();
        while clock::now() < until {
            std::thread::park_timeout(CALM);
            let now = self.ticks();
            if now.saturating_sub(before) <= 1 {
                return;
            }
            before = now;
        }
    }

    /// Processor time of its processes, in hundredths of a second.
    fn ticks(&self) -> u64 {
        let stats = self.processes().into_iter().filter_map(|id| {
            let process = procfs::process::Process::new(i32::try_from(id).ok()?).ok()?;
            process.stat().ok()
        });
        stats.map(|stat| stat.utime + stat.stime).sum()
    }

    /// Its process, and those that this has started.
    pub fn processes(&self) -> Vec<u32> {
        let mut all = vec![self.child.id()];
        let mut next = 0;
        while let Some(id) = all.get(next) {
            let list = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
            let list = list.unwrap_or_default();
            all.extend(list.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            next += 1;
        }
        all
    }

    /// The last lines that it printed.
    fn output(&self) -> String {
        let text = std::fs::read_to_string(self.folder.path().join("output.log"));
        let text = text.unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join(" | ")
    }
}

/// The program that makes the kernel end a process together with its parent.
const TETHER: &str = "/usr/bin/setpriv";

/// The same command, which also ends when this program is killed and cannot end it any more.
fn tethered(command: Command) -> Command {
    if !Path::new(TETHER).is_file() {
        return command;
    }
    let mut tethered = Command::new(TETHER);
    tethered.args(["--pdeathsig", "KILL", "--"]);
    tethered.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            tethered.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        tethered.current_dir(folder);
    }
    tethered
}

fn spawn(name: &str, folder: &TempDir, command: Command) -> anyhow::Result<Child> {
    let log = File::create(folder.path().join("output.log"))?;
    tethered(command)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("{name} does not start"))
}

impl Server {
    /// Ends the process, politely at first.
    fn end(&mut self) {
        // If the process is gone already, none of this need succeed.
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let (Some(id), Ok(None)) = (id, self.child.try_wait()) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let until = clock::now().after(END_PATIENCE);
        while let Ok(None) = self.child.try_wait() {
            if clock::now() > until {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A folder of its own for a peer.
///
/// # Errors
/// When none can be made.
pub fn folder(name: &str) -> anyhow::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(&format!("holdline-load-{name}-"))
        .tempdir()
        .context("no folder can be made for a peer")
}

/// Ports below the range from which the kernel gives ports to clients, so that no client takes one
/// before the server does.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// An address of loopback that nobody listens on.
///
/// # Errors
/// When none was found.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    (0..100)
        .map(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(PORTS))))
        .find(|address| TcpListener::bind(address).is_ok())
        .context("no port is free")
}

/// Where this tool keeps its own files for the peers.
pub fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// Where `load/peers/install` puts what it builds, unless `HOLDLINE_PEERS` names another folder.
fn built() -> PathBuf {
    env::var_os("HOLDLINE_PEERS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/bin"),
        PathBuf::from,
    )
}

/// Finds a program: one that was built for this tool goes before one of the system.
///
/// # Errors
/// When it is nowhere; says how it would be installed.
pub fn program(name: &'static str, file: &str) -> Result<PathBuf, Absent> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = std::iter::once(built())
        .chain(env::split_paths(&path))
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    places.map(|place| place.join(file)).find(|program| program.is_file()).ok_or_else(|| Absent {
        name,
        reason: format!("there is no program {file}; load/peers/install {name} installs it"),
    })
}

/// What a program prints, whatever its status, in one line.
///
/// # Errors
/// When it cannot be started.
pub fn printed(program: &Path, arguments: &[&str]) -> std::io::Result<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output()?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The first word of a text that looks like a version, as in `mosquitto version 2.0.11`.
pub fn version_in(text: &str) -> Option<String> {
    text.split(|mark: char| mark.is_whitespace() || mark == ',')
        .map(|word| word.trim_start_matches('v'))
        .find(|word| word.contains('.') && word.starts_with(|mark: char| mark.is_ascii_digit()))
        .map(str::to_owned)
}

/// The version that was found of a program, if it is not older than required. What a machine
/// happens to have need not be what was asked for.
///
/// # Errors
/// When it is older, or says no version; the error names both, and how another is installed.
pub fn at_least(
    name: &'static str,
    file: &str,
    found: Option<String>,
    needed: (u32, u32),
) -> Result<String, Absent> {
    let install = format!("load/peers/install {name} installs another");
    let absent = |reason| Absent { name, reason };
    let Some(found) = found else {
        return Err(absent(format!("{file} does not say which version it is; {install}")));
    };
    let mut numbers = found.split('.').map(|number| {
        let digits = number.split(|mark: char| !mark.is_ascii_digit()).next().unwrap_or_default();
        digits.parse::<u32>().unwrap_or_default()
    });
    let version = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if version < needed {
        let (major, minor) = needed;
        let reason =
            format!("{file} {found} is older than {major}.{minor}, which is needed; {install}");
        return Err(absent(reason));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        let found = version_in("mosquitto version 2.0.11 mosquitto is an MQTT broker.");
        assert_eq!(found.as_deref(), Some("2.0.11"));
        assert_eq!(version_in("nats-server: v2.15.2").as_deref(), Some("2.15.2"));
        assert_eq!(version_in("no version"), None);
    }

    #[test]
    fn what_is_older_than_needed_is_not_there() {
        let judged = |found: &str| at_least("nats", "nats-server", Some(found.into()), (2, 10));
        assert_eq!(judged("2.10.0").unwrap(), "2.10.0");
        assert_eq!(judged("3.0-beta").unwrap(), "3.0-beta");
        for old in ["2.9.10", "1.99.0", "2"] {
            let reason = judged(old).unwrap_err().reason;
            assert!(reason.contains(&format!("nats-server {old} is older than 2.10")), "{reason}");
            assert!(reason.contains("load/peers/install nats"), "{reason}");
        }
        let silent = at_least("nats", "nats-server", None, (2, 10)).unwrap_err().reason;
        assert!(silent.contains("does not say which version it is"), "{silent}");
    }

    #[test]
    fn a_process_is_ended_when_its_server_is_dropped() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let server = Server::start("sleep", folder("sleep").unwrap(), command).unwrap();
        let [id] = server.processes()[..] else { panic!("sleep has no children") };
        assert!(Path::new(&format!("/proc/{id}")).exists());
        drop(server);
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn a_peer_that_is_not_there_says_how_to_install_it() {
        let absent = program("mosquitto", "no-such-program").unwrap_err();
        assert!(absent.to_string().contains("load/peers/install mosquitto"), "{absent}");
    }
}
