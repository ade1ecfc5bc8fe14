//! The real server as a process of its own, which is killed and started again on the same directory
//! and port, and what is known of each of its runs.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::addresses;
use super::budgets::BUDGETS;
use super::random::Random;
use super::world::Plan;

/// The administrator's token in a trial.
pub(crate) const ADMINISTRATOR: &str = "the-administrator-of-the-trial";

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The milliseconds since 1970, by this process's own clock.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// One run of the server.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "all of it are times")]
pub(crate) struct Run {
    pub(crate) spawned_at: i64,
    /// When the run had said where it listens; nothing if it was killed before.
    pub(crate) ready_at: Option<i64>,
    pub(crate) killed_at: Option<i64>,
}

/// The server.
#[derive(Debug)]
pub(crate) struct Server {
    program: PathBuf,
    data: PathBuf,
    environment: Vec<(&'static str, &'static str)>,
    pub(crate) address: SocketAddr,
    child: Option<Child>,
}

impl Server {
    /// A server that does not run yet. Its port is free and below those that the kernel gives to
    /// clients, so that no client can take the port while the server is down.
    pub(crate) fn new(plan: &Plan, data: &Path) -> io::Result<Self> {
        let mut random = Random::new(plan.seed ^ u64::from(std::process::id()), 1 << 40);
        for _ in 0..100 {
            let port = u16::try_from(random.between(15_000, 30_000)).map_err(io::Error::other)?;
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            if TcpListener::bind(address).is_ok() {
                let (program, data) = (plan.program.clone(), data.to_owned());
                let environment = plan.environment.clone();
                return Ok(Self { program, data, environment, address, child: None });
            }
        }
        Err(io::Error::other("no port is free"))
    }

    /// Starts the server, which need not be ready when this returns.
    pub(crate) fn spawn(&mut self) -> io::Result<()> {
        let log = std::fs::File::options().create(true).append(true).open(self.log())?;
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HOLDLINE_")) {
            command.env_remove(name);
        }
        command.arg("--data").arg(&self.data).arg("--listen").arg(self.address.to_string());
        command.args(["--no-demo", "--threads", "2", "--log", "warn"]);
        command.env("HOLDLINE_ADMIN_TOKEN", ADMINISTRATOR).current_dir(&self.data);
        let proxies = format!("{},{}", addresses::PROXY, addresses::STRANGERS);
        command.env("HOLDLINE_TRUSTED_PROXIES", proxies).env("HOLDLINE_PROXY_PROTOCOL", "true");
        command.envs(BUDGETS.map(|(variable, most)| (variable, most.to_string())));
        command.envs(self.environment.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        self.child = Some(command.spawn()?);
        Ok(())
    }

    /// Waits until the server says where it listens.
    pub(crate) async fn ready(&mut self) -> io::Result<()> {
        let stdout = self.child.as_mut().and_then(|child| child.stdout.take());
        let mut lines = BufReader::new(stdout.ok_or_else(|| io::Error::other("not started"))?);
        let mut line = String::new();
        let greeting = async {
            loop {
                line.clear();
                if lines.read_line(&mut line).await? == 0 {
                    return Err(io::Error::other("the server did not start; see its log"));
                }
                if line.contains("http://") {
                    return Ok(());
                }
            }
        };
        tokio::time::timeout(PATIENCE, greeting).await.map_err(io::Error::other)??;
        // The output is read to its end, so that the server never waits for its reader.
        tokio::task::spawn_local(async move {
            let mut rest = String::new();
            while lines.read_line(&mut rest).await.is_ok_and(|count| count > 0) {
                rest.clear();
            }
        });
        Ok(())
    }

    /// Kills the server with kill -9, and waits until it is gone.
    pub(crate) async fn kill(&mut self) -> io::Result<()> {
        match self.child.take() {
            Some(mut child) => child.kill().await,
            None => Ok(()),
        }
    }

    /// Asks the server to stop, and waits until it has stopped.
    pub(crate) async fn stop(&mut self) -> io::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let process = child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(process) = process.and_then(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
        }
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
        let status = ended.map_err(io::Error::other)??;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("{status}"))) }
    }

    /// The file with the server's complaints.
    pub(crate) fn log(&self) -> PathBuf {
        self.data.join("server.log")
    }
}
