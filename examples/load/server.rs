//! The real server as a process of its own, with a directory of its own for its data.

use std::io::{self, BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::load::{broken, given};

/// A server that runs. It is stopped when this is dropped.
pub(crate) struct Server {
    child: Child,
    data: TempDir,
    address: SocketAddr,
    token: String,
    /// Kept open, or the server could not finish its greeting.
    _greeting: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts the program that stands beside this one, or the one named by `server=`.
    pub(crate) fn start() -> io::Result<Self> {
        let data = TempDir::with_prefix("holdline-figures-")?;
        let mut child = Command::new(program()?)
            .args(["--listen", "127.0.0.1:0", "--no-demo", "--log", "warn", "--data"])
            .arg(data.path())
            .env_remove("HOLDLINE_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| broken("it has no output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let mut after = |what: &str| -> io::Result<String> {
            let line = lines.next().ok_or_else(|| broken("the server did not start"))??;
            let value = line.split_once(what).map(|(_, value)| value.trim().to_owned());
            value.ok_or_else(|| broken(format!("unexpected greeting: {line}")))
        };
        let address = after("http://")?.parse().map_err(|_| broken("an odd address"))?;
        let token = after("token: ")?;
        Ok(Self { child, data, address, token, _greeting: lines })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Where its data is.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Sets up one queue that nobody serves, and a widget whose chats wait in it.
    pub(crate) fn set_up(&self, heartbeat: u32, window: u32) -> io::Result<()> {
        self.put("/v1/queues/load", r#"{"name":"Load","agents":[]}"#)?;
        self.set_times(heartbeat, window)?;
        self.put("/v1/widgets/load", r#"{"workstream":"load","origins":[]}"#)
    }

    /// Sets how often widgets beat, and for how long an away customer is held.
    pub(crate) fn set_times(&self, heartbeat: u32, window: u32) -> io::Result<()> {
        let workstream = format!(
            r#"{{"queue":"load","heartbeat_s":{heartbeat},"window_s":{window},
                "autoclose_s":{{"open":86400,"wrapup":900}}}}"#
        );
        self.put("/v1/workstreams/load", &workstream)
    }

    fn put(&self, path: &str, body: &str) -> io::Result<()> {
        self.request("PUT", path, body).map(drop)
    }

    /// The metrics.
    pub(crate) fn metrics(&self) -> io::Result<String> {
        self.request("GET", "/metrics", "")
    }

    fn request(&self, method: &str, path: &str, body: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: load\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            self.token,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let is_fine = answer.get(9..).is_some_and(|status| status.starts_with('2'));
        if is_fine { Ok(answer) } else { Err(broken(format!("{method} {path}: {answer}"))) }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> io::Result<TempDir> {
        self.end()?;
        let empty = TempDir::with_prefix("holdline-figures-")?;
        Ok(std::mem::replace(&mut self.data, empty))
    }

    fn end(&mut self) -> io::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        if let Some(process) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(process, Signal::TERM)?;
        }
        for _ in 0..300 {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            // There is nothing left to do about it but to say so.
            let _ = writeln!(io::stderr(), "the server could not be stopped: {error}");
        }
    }
}

/// The server's program: `server=PATH`, or `holdline` beside the directory of the examples.
fn program() -> io::Result<PathBuf> {
    let named: String = given("server", String::new())?;
    if !named.is_empty() {
        return Ok(named.into());
    }
    let program = std::env::current_exe()?.ancestors().nth(2).map(|dir| dir.join("holdline"));
    program
        .filter(|program| program.exists())
        .ok_or_else(|| broken("build the server first: cargo build --release"))
}
