//! Holdline's server as a process of its own, with a directory of its own, set up over HTTP.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Context as _, bail};
use holdline::domain::text::printable;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;

use super::api::Api;
use super::bridge::{Bridge, Certificate};
use super::clerks::Clerks;
use super::dialect::{NAME, Settings};
use super::feeds::{Feeds, Signals};
use super::watch::{HoldlineWatch, counters, text_of};
use crate::clock;
use crate::dialect::Spoken;
use crate::target::{Absent, Demands, Probe, Running, Target};
use crate::watch::{Ear, Watch};

/// The administrator's token. The server is on loopback and gone after the run.
const ADMINISTRATOR: &str = "the-administrator-of-the-load";

/// The server's databases. Once it has stopped, no log lies in front of them.
const DATABASES: [(&str, &str); 2] =
    [("journal_bytes", "journal.db"), ("projection_bytes", "chats.db")];

/// How long a start and a stop may take.
const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(60);

/// Holdline.
#[derive(Clone, Debug)]
pub struct HoldlineTarget {
    /// The server's program.
    pub program: PathBuf,
    /// Where its data goes; the system's temporary directory if none is given.
    pub data: Option<PathBuf>,
    /// Arguments of the server besides those that a run needs.
    pub arguments: Vec<String>,
    /// Whether all clients come over TLS.
    pub tls: bool,
}

impl HoldlineTarget {
    /// The server that was built beside this program, and so with the same profile.
    pub fn beside() -> PathBuf {
        let this = std::env::current_exe().unwrap_or_default();
        this.parent().unwrap_or(Path::new("")).join("holdline")
    }
}

impl Target for HoldlineTarget {
    fn name(&self) -> &'static str {
        "holdline"
    }

    fn version(&self) -> Result<String, Absent> {
        let absent = |reason: String| Absent { name: "holdline", reason };
        let program = self.program.display();
        let output = Command::new(&self.program).arg("--version").output();
        let output = output.map_err(|error| {
            absent(format!("{program}: {error}; build it with cargo build --profile dist"))
        })?;
        let printed = String::from_utf8_lossy(&output.stdout);
        Ok(printable(&printed.trim().replace("holdline ", "")).into_owned())
    }

    fn start(&self, demands: &Demands) -> anyhow::Result<Box<dyn Running>> {
        self.version()?;
        let data = match &self.data {
            Some(parent) => TempDir::with_prefix_in("holdline-load-", parent)?,
            None => TempDir::with_prefix("holdline-load-")?,
        };
        // Another process may take the port in between; then the server says so.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let secured = self.tls.then(|| -> anyhow::Result<_> {
            let certificate = Certificate::make(data.path())?;
            Ok((Bridge::open(free, &certificate)?, certificate))
        });
        let secured = secured.transpose()?;
        let entrance = secured.as_ref().map_or(free, |(bridge, _)| bridge.address);
        let api = Api::new(&format!("http://{entrance}"), ADMINISTRATOR);
        let mut running = RunningHoldline {
            child: None,
            target: self.clone(),
            data,
            address: free,
            secured,
            api,
            demands: demands.clone(),
        };
        running.launch()?;
        running.set_up()?;
        Ok(Box::new(running))
    }

    fn promise(&self, _demands: &Demands) -> Option<&'static str> {
        Some("the message is on the disk (synced)")
    }
}

struct RunningHoldline {
    child: Option<Child>,
    target: HoldlineTarget,
    data: TempDir,
    /// Where it listens.
    address: SocketAddr,
    /// The way in, if the server speaks TLS.
    secured: Option<(Bridge, Certificate)>,
    api: Api,
    demands: Demands,
}

impl RunningHoldline {
    fn launch(&mut self) -> anyhow::Result<()> {
        let log = self.data.path().join("server.log");
        let errors = std::fs::File::options().create(true).append(true).open(&log)?;
        let mut command = Command::new(&self.target.program);
        // Variables for another server, or for this program, are not for this server.
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("HOLDLINE_") {
                command.env_remove(variable);
            }
        }
        let child = command
            .args(["--listen", &self.address.to_string(), "--no-demo", "--log", "warn", "--data"])
            .arg(self.data.path().join("data"))
            .args(&self.target.arguments)
            .env("HOLDLINE_ADMIN_TOKEN", ADMINISTRATOR)
            .envs(self.demands.are_named.then_some(("HOLDLINE_TRUSTED_PROXIES", "127.0.0.0/8")))
            .envs(self.secured.iter().flat_map(|(_, certificate)| {
                let Certificate { file, key_file, .. } = certificate;
                [("HOLDLINE_TLS_CERTIFICATE", file), ("HOLDLINE_TLS_KEY", key_file)]
            }))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.target.program.display()))?;
        let child = self.child.insert(child);
        let patience = clock::now().after(START_MAX);
        while self.api.text("/readyz").is_err() {
            if child.try_wait()?.is_some() || clock::now() > patience {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                bail!("the server did not start: {said}");
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Ok(())
    }

    fn set_up(&self) -> anyhow::Result<()> {
        let agents = &self.demands.agents;
        for agent in 0..agents.count {
            let document = json!({"name": name(agent), "role": "agent", "units": agents.chats});
            self.api.put(&format!("/v1/agents/{}", name(agent)), &document)?;
        }
        let names: Vec<String> = (0..agents.count).map(name).collect();
        self.api.put("/v1/queues/load", &json!({"name": "Load", "agents": names}))?;
        let heartbeat = self.demands.heartbeat.as_secs_f64().max(1.0);
        let workstream = json!({
            "queue": "load",
            "heartbeat_s": heartbeat,
            "window_s": self.demands.window.as_secs_f64(),
            "offer_s": 600,
            "agent_grace_s": agents.grace.as_secs_f64().max(2.0),
            "autoclose_s": {"open": 2_592_000, "wrapup": 86_400},
        });
        self.api.put("/v1/workstreams/load", &workstream)?;
        self.api.put("/v1/widgets/load", &json!({"workstream": "load", "origins": ["*"]}))?;
        Ok(())
    }

    /// Asks the server to stop, and waits until it has.
    fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        if let Some(process) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            kill_process(process, Signal::TERM)?;
        }
        let patience = clock::now().after(STOP_MAX);
        while clock::now() < patience {
            if child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        child.kill()?;
        child.wait()?;
        bail!("the server did not stop within {} s", STOP_MAX.as_secs())
    }
}

fn name(agent: u32) -> String {
    format!("agent-{agent}")
}

impl Running for RunningHoldline {
    fn address(&self) -> SocketAddr {
        self.secured.as_ref().map_or(self.address, |(bridge, _)| bridge.address)
    }

    fn processes(&self) -> Vec<u32> {
        self.child.iter().map(Child::id).collect()
    }

    fn dialect(&self) -> Spoken {
        let settings = Settings { widget: "load".to_owned(), answered: self.demands.answered };
        let settings = serde_json::to_value(settings).unwrap_or_default();
        Spoken { name: NAME.to_owned(), settings }
    }

    fn watch(&self, ear: Ear) -> anyhow::Result<Option<Box<dyn Watch>>> {
        let agents = &self.demands.agents;
        let mut tokens = Vec::new();
        for agent in 0..agents.count {
            let made = self.api.post(&format!("/v1/agents/{}/tokens", name(agent)), None)?;
            tokens.push(text_of(&made, "token")?.to_owned());
        }
        let (signals, failures) = (Arc::new(Signals::default()), Arc::new(AtomicU64::new(0)));
        let feeds = if tokens.is_empty() {
            None
        } else {
            let hands = (self.api.clone(), Clerks::start(&ear, &failures));
            let signals = Arc::clone(&signals);
            Some(Feeds::new(self.address(), agents.clone(), tokens, hands, ear, signals)?)
        };
        let api = self.api.clone();
        let watch = HoldlineWatch::start(api, feeds, signals, failures, agents.count)?;
        Ok(Some(Box::new(watch)))
    }

    fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        self.launch()
    }

    fn probe(&self) -> Option<Probe> {
        let api = self.api.clone();
        let asked = match self.demands.agents.count {
            0 => "/v1/agents".to_owned(),
            _ => format!("/v1/agents/{}", name(0)),
        };
        Some(Box::new(move || {
            api.text("/readyz")?;
            api.get(&asked)?;
            Ok(())
        }))
    }

    fn counters(&mut self) -> BTreeMap<String, f64> {
        counters(&self.api).unwrap_or_default()
    }

    fn end(&mut self) -> anyhow::Result<BTreeMap<String, f64>> {
        self.stop()?;
        let data = self.data.path().join("data");
        let sizes = DATABASES.map(|(name, file)| -> anyhow::Result<_> {
            let size = data.join(file).metadata().with_context(|| format!("there is no {file}"))?;
            Ok((name.to_owned(), size.len() as f64))
        });
        sizes.into_iter().collect()
    }
}

impl Drop for RunningHoldline {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // The server's data is thrown away, so it need not finish anything.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
