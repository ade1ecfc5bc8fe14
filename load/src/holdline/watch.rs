//! Holdline's agents as the second party, and what the administrator finds at the end.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;

use super::api::Api;
use super::book::customer_number;
use super::dialect::{Side, numbered};
use super::feeds::{Feeds, Signals};
use crate::clock;
use crate::watch::{Accounts, Transcript, Watch};

/// How long all feeds may take to open.
const OPEN_MAX: Duration = Duration::from_secs(30);

/// The agents.
pub(super) struct HoldlineWatch {
    administrator: Api,
    signals: Arc<Signals>,
    failures: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
    /// Which chats each customer had, once the server was asked.
    chats: Option<HashMap<u32, Vec<String>>>,
}

impl HoldlineWatch {
    /// Starts the agents, and waits until all feeds are open.
    pub(super) fn start(
        administrator: Api,
        feeds: Option<Feeds>,
        signals: Arc<Signals>,
        failures: Arc<AtomicU64>,
        agents: u32,
    ) -> anyhow::Result<Self> {
        let thread = feeds.map(|feeds| std::thread::spawn(move || feeds.run()));
        let watch = Self { administrator, signals, failures, thread, chats: None };
        let patience = clock::now().after(OPEN_MAX);
        while watch.signals.open.load(Ordering::Relaxed) < u64::from(agents) {
            if clock::now() > patience {
                bail!("the feeds of the agents did not open");
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Ok(watch)
    }

    fn chats_of(&mut self, customer: u32) -> anyhow::Result<Vec<String>> {
        if self.chats.is_none() {
            let mut chats: HashMap<u32, Vec<String>> = HashMap::new();
            // The newest comes first, so a customer's first chat comes last.
            for chat in self.administrator.all("/v1/conversations", "conversations")? {
                let name = chat["customer"]["name"].as_str().and_then(customer_number);
                if let (Some(customer), Some(id)) = (name, chat["id"].as_str()) {
                    chats.entry(customer).or_default().insert(0, id.to_owned());
                }
            }
            self.chats = Some(chats);
        }
        let chats = self.chats.as_ref().and_then(|chats| chats.get(&customer));
        Ok(chats.cloned().unwrap_or_default())
    }
}

impl Watch for HoldlineWatch {
    fn fault(&mut self) -> Option<String> {
        let failures = self.failures.load(Ordering::Relaxed);
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            return Some("the agents have stopped".to_owned());
        }
        (failures > 0).then(|| format!("{failures} requests of agents failed"))
    }

    fn begin(&mut self) {
        self.signals.begun.store(clock::now().0, Ordering::Relaxed);
    }

    fn transcript(&mut self, customer: u32) -> anyhow::Result<Option<Transcript>> {
        let mut transcript = Transcript::default();
        let chats = self.chats_of(customer)?;
        if chats.is_empty() {
            return Ok(None);
        }
        for chat in chats {
            let path = format!("/v1/conversations/{chat}/transcript?audience=agent");
            for entry in self.administrator.all(&path, "entries")? {
                match entry["id"].as_str().and_then(numbered) {
                    Some((Side::Customer, number)) => transcript.posts.push(number),
                    Some((Side::Agent, number)) => transcript.replies.push(number),
                    None => {}
                }
            }
        }
        Ok(Some(transcript))
    }

    fn accounts(&mut self) -> anyhow::Result<Option<Accounts>> {
        let agents = self.administrator.all("/v1/agents", "agents")?;
        let path = "/v1/conversations?state=active,wrapup";
        let mut named: HashSet<(String, String)> = HashSet::new();
        for chat in self.administrator.all(path, "conversations")? {
            if let (Some(id), Some(agent)) = (chat["id"].as_str(), chat["agent"].as_str()) {
                named.insert((id.to_owned(), agent.to_owned()));
            }
        }
        let mut accounts = Accounts::default();
        for agent in &agents {
            let leases = agent["leases"].as_array().cloned().unwrap_or_default();
            let sum: u64 = leases.iter().filter_map(|lease| lease["units"].as_u64()).sum();
            accounts.unequal += u64::from(agent["used"].as_u64() != Some(sum));
            let id = agent["id"].as_str().unwrap_or_default();
            for lease in &leases {
                accounts.leases += 1;
                let chat = lease["conversation"].as_str().unwrap_or_default();
                let is_named = named.remove(&(chat.to_owned(), id.to_owned()));
                accounts.strayed += u64::from(!is_named);
            }
        }
        accounts.strayed += named.len() as u64;
        let metrics = counters(&self.administrator)?;
        accounts.drift = metrics.get("drift").copied().unwrap_or(0.0) as u64;
        Ok(Some(accounts))
    }
}

impl Drop for HoldlineWatch {
    fn drop(&mut self) {
        self.signals.is_stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread has no more to report.
            let _ = thread.join();
        }
    }
}

/// What the server counts, over all labels, by name without its prefix and ending.
pub(super) fn counters(api: &Api) -> anyhow::Result<BTreeMap<String, f64>> {
    let mut sums = BTreeMap::new();
    for line in api.text("/metrics")?.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, value)) = line.rsplit_once(' ') else { continue };
        let name = name.split('{').next().unwrap_or_default();
        let name = name.strip_prefix("holdline_").unwrap_or(name);
        if name.ends_with("_bucket") {
            continue;
        }
        let name = name.strip_suffix("_total").unwrap_or(name);
        *sums.entry(name.to_owned()).or_default() += value.parse::<f64>().unwrap_or(0.0);
    }
    Ok(sums)
}

/// A text of a document, for messages.
pub(super) fn text_of<'a>(document: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    match document[field].as_str() {
        Some(text) => Ok(text),
        None => bail!("there is no {field} in {document}"),
    }
}
