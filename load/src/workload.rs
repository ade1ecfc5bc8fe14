//! A workload: what is done to a server, as a file says it. The same file with the same seed does
//! the same.

mod check;
mod scenarios;

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

pub use scenarios::{named, names};

/// What is done to a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// What it shows, in a sentence.
    #[serde(default)]
    pub about: String,
    /// What all choices are drawn from.
    #[serde(default = "one")]
    pub seed: u64,
    /// Whether the next heartbeat waits for the last answer.
    #[serde(default, rename = "loop")]
    pub shape: Shape,
    /// How many customers.
    pub sessions: u32,
    /// How many server processes; 0 for as many as their descriptors ask for.
    #[serde(default)]
    pub servers: u32,
    /// How many driver processes; 0 for as many as their descriptors ask for.
    #[serde(default)]
    pub threads: u32,
    /// Seconds of work once everybody is in.
    pub duration_s: f64,
    /// Seconds in which nothing is measured, after everybody is in.
    #[serde(default = "three")]
    pub settle_s: f64,
    /// Seconds that a lost customer is held.
    pub window_s: f64,
    /// Seconds after the last deadline in which late notices are still waited for.
    #[serde(default = "thirty")]
    pub patience_s: f64,
    /// Whether posts are acknowledged only when they are durable.
    #[serde(default = "yes")]
    pub durable: bool,
    /// The run is void when the generator's own lateness has a higher p99 than this, in
    /// milliseconds.
    #[serde(default = "five")]
    pub lateness_p99_ms: f64,
    /// How customers come in.
    pub ramp: Ramp,
    /// Their heartbeats.
    pub heartbeat: Heartbeat,
    /// Bytes that the server receives on each socket before anything is measured.
    #[serde(default)]
    pub padding: Padding,
    /// Their messages.
    #[serde(default)]
    pub posts: Posts,
    /// The customers who are lost, when and how.
    #[serde(default)]
    pub losses: Vec<Loss>,
    /// A part of the work for which the latencies of those who stay are kept apart.
    #[serde(default)]
    pub storm: Option<Storm>,
    /// The customers who read slowly.
    #[serde(default)]
    pub slow: Slow,
    /// The agents who answer.
    #[serde(default)]
    pub agents: Agents,
    /// When the server is stopped and started again.
    #[serde(default)]
    pub restart: Option<Restart>,
    /// The hostile strangers.
    #[serde(default)]
    pub strangers: Option<Strangers>,
}

/// Whether the plan or the server sets the pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Everything has its due time and is sent then, answered or not; latency counts from there.
    #[default]
    Open,
    /// The next is sent only after the last was answered, and latency counts from the sending. This
    /// hides what a slow server does, and is here to show that.
    Closed,
}

/// How customers come in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// Connects in a second, in all.
    pub per_s: f64,
    /// Seconds after the last connect was due in which everybody must be in.
    #[serde(default = "thirty")]
    pub patience_s: f64,
}

/// Their heartbeats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Seconds between two heartbeats of a customer.
    pub every_s: f64,
    /// Whether all beat at once.
    #[serde(default)]
    pub phase: Phase,
    /// Whether each heartbeat asks to be answered, so that every round trip is measured; otherwise
    /// the protocol decides.
    #[serde(default = "yes")]
    pub answered: bool,
}

/// How the heartbeats of different customers lie relative to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Spread over the period.
    #[default]
    Jittered,
    /// All at once.
    Synchronised,
}

/// Bytes that the server receives on each socket before anything is measured: a buffer that keeps
/// what it grew to shows only after a few KiB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Padding {
    /// How many bytes in all.
    pub bytes: u32,
}

/// Messages of customers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Posts {
    /// How many in a second, of all customers together.
    pub per_s: f64,
    /// The smallest and the largest size, in bytes.
    pub bytes: [u32; 2],
    /// Which customers post.
    pub by: By,
}

/// Who posts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Every customer who is there and reads at the usual speed.
    #[default]
    Everybody,
    /// Only customers for whom no loss is planned.
    Staying,
}

impl Default for Posts {
    fn default() -> Self {
        Self { per_s: 0.0, bytes: [160, 160], by: By::default() }
    }
}

/// A part of the work. For customers who read at the usual speed and for whom no loss is planned,
/// latencies are kept for the time before it, during it and after it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// When it begins, in seconds of the work.
    pub from_s: f64,
    /// When it ends.
    pub to_s: f64,
}

/// Customers who are lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// The share of the customers; different losses strike different customers.
    pub share: f64,
    /// How.
    pub how: How,
    /// Seconds from the beginning of the work.
    #[serde(default)]
    pub at_s: f64,
    /// Seconds over which the losses are spread.
    #[serde(default)]
    pub spread_s: f64,
    /// The share of them who come back.
    #[serde(default)]
    pub back: f64,
    /// The shortest and the longest time until they do, in seconds.
    #[serde(default = "soon")]
    pub back_after_s: [f64; 2],
    /// Seconds after which customers who came back are lost again, over and over; 0 for once.
    #[serde(default)]
    pub again_s: f64,
}

/// How a customer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// The connection is reset.
    Reset,
    /// The connection is closed without a word (FIN).
    Fin,
    /// The socket is closed with a close frame.
    Close,
    /// The page says that it is unloaded, and then closes.
    Leave,
    /// Nothing is said or answered any more, and the socket stays.
    Silent,
    /// The customer ends the chat: this is no loss, and no notice must follow.
    End,
}

/// Customers who read slowly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Slow {
    /// Their share; none of them is also lost.
    pub share: f64,
    /// How many bytes they read at a time.
    pub bytes: u32,
    /// Milliseconds between two reads.
    pub every_ms: u32,
    /// Bytes that they let their kernel keep.
    pub buffer: u32,
}

impl Default for Slow {
    fn default() -> Self {
        Self { share: 0.0, bytes: 4_096, every_ms: 1_000, buffer: 65_536 }
    }
}

/// The people who answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Agents {
    /// How many; without any, chats wait in their queue.
    pub count: u32,
    /// How many chats each can hold at once.
    pub chats: u32,
    /// The shortest and the longest time to accept an offer, in seconds.
    pub accept_s: [f64; 2],
    /// How many messages they send in a second, all together.
    pub posts_per_s: f64,
    /// The size of such a message.
    pub post_bytes: u32,
    /// Seconds that an agent may be gone before their chats go elsewhere.
    pub grace_s: f64,
    /// The share of the agents who leave.
    pub leave_share: f64,
    /// When they leave, in seconds from the beginning of the work.
    pub leave_at_s: f64,
    /// Seconds until they are back; 0 for never.
    pub back_after_s: f64,
}

impl Default for Agents {
    fn default() -> Self {
        Self {
            count: 0,
            chats: 100,
            accept_s: [0.0, 0.0],
            posts_per_s: 0.0,
            post_bytes: 160,
            grace_s: 150.0,
            leave_share: 0.0,
            leave_at_s: 0.0,
            back_after_s: 0.0,
        }
    }
}

/// Strangers who do all the harm that they can, for as long as the work lasts. Customers and
/// strangers then have addresses of their own, as a proxy would name them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strangers {
    /// How many attempts they make in all: to hold sockets without a chat, to begin chats, to post
    /// without pause, to guess tokens, and to connect and say nothing. With 0 there are no
    /// strangers, and the rest is the same.
    pub attempts: u32,
    /// From how many addresses.
    pub addresses: u8,
}

/// A restart of the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Seconds from the beginning of the work.
    pub at_s: f64,
}

impl Workload {
    /// Reads a workload, with settings (`name=value`, `ramp.per_s=500`) that override the file's.
    ///
    /// # Errors
    /// When it is not TOML, a field is unknown, missing or out of its range; the field is named.
    pub fn parse(text: &str, settings: &[String]) -> anyhow::Result<Self> {
        let mut table: toml::Table = text.parse().context("the workload is not TOML")?;
        for setting in settings {
            let Some((key, value)) = setting.split_once('=') else {
                bail!("{setting}: a setting is key=value");
            };
            set(&mut table, key.trim(), value.trim())?;
        }
        let workload: Self = table.try_into()?;
        workload.check()?;
        Ok(workload)
    }

    /// How long a customer is held.
    pub fn window(&self) -> Duration {
        Duration::from_secs_f64(self.window_s)
    }

    /// How often a customer beats.
    pub fn heartbeat(&self) -> Duration {
        Duration::from_secs_f64(self.heartbeat.every_s)
    }
}

/// Puts a value at a dotted key. A number in the key is a place in a list.
fn set(table: &mut toml::Table, key: &str, value: &str) -> anyhow::Result<()> {
    let value = format!("it = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut table| table.remove("it"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let (path, last) = key.rsplit_once('.').unwrap_or(("", key));
    let mut at = table;
    let mut parts = path.split('.').filter(|part| !part.is_empty());
    while let Some(part) = parts.next() {
        let next = at.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        at = match next {
            toml::Value::Table(table) => table,
            toml::Value::Array(items) => {
                let index = parts.next().unwrap_or(last);
                let item = index.parse::<usize>().ok().and_then(|index| items.get_mut(index));
                match item {
                    Some(toml::Value::Table(table)) => table,
                    _ => bail!("{key}: there is no {part}.{index}"),
                }
            }
            _ => bail!("{key}: {part} has no fields"),
        };
    }
    at.insert(last.to_owned(), value);
    Ok(())
}

const fn one() -> u64 {
    1
}

const fn three() -> f64 {
    3.0
}

const fn five() -> f64 {
    5.0
}

const fn thirty() -> f64 {
    30.0
}

const fn yes() -> bool {
    true
}

const fn soon() -> [f64; 2] {
    [1.0, 2.0]
}
