//! The second party of NATS: the system account, which is told of every connection that is lost.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;

use super::lines::{self, Said};
use crate::dialect::{Message, Say, Upgrade};
use crate::peer::client::Client;
use crate::peer::listener::{Listen, Listener};
use crate::watch::{Ear, News};

const PATIENCE: Duration = Duration::from_secs(10);

/// How often this client pings. The server pings by itself, so this can be rare.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// The stream that keeps the posts.
const STREAM: &str = "{\"name\":\"POSTS\",\"subjects\":[\"posts.>\"],\"storage\":\"file\",\
                      \"retention\":\"limits\",\"num_replicas\":1}";

/// Makes the server keep posts in a file.
pub fn make_stream(address: SocketAddr) -> anyhow::Result<()> {
    let mut words = lines::connect("customer", "setup");
    words += "SUB _INBOX.setup 1\r\nPUB $JS.API.STREAM.CREATE.POSTS _INBOX.setup ";
    words += &[&STREAM.len().to_string(), "\r\n", STREAM, "\r\n"].concat();
    open(address, &words, |said| match said {
        Said::Delivery(_, payload) if memchr::memmem::find(payload, b"\"error\"").is_some() => {
            bail!("no stream for the posts: {}", String::from_utf8_lossy(payload))
        }
        Said::Delivery(..) => Ok(true),
        _ => Ok(false),
    })?;
    Ok(())
}

/// Starts it; its subscriptions are made when this returns.
pub fn start(address: SocketAddr, ear: Ear) -> anyhow::Result<Listener> {
    let mut words = lines::connect("watch", "watch");
    words.push_str("SUB $SYS.ACCOUNT.CHATS.CONNECT 1\r\n");
    words.push_str("SUB $SYS.ACCOUNT.CHATS.DISCONNECT 2\r\nPING\r\n");
    let client = open(address, &words, |said| Ok(said == Said::Pong))?;
    Ok(Listener::start(client, Watcher, BEAT_EVERY, ear))
}

/// Connects, sends this, and waits until a line satisfies the condition.
fn open(
    address: SocketAddr,
    words: &str,
    is_enough: impl Fn(Said<'_>) -> anyhow::Result<bool>,
) -> anyhow::Result<Client> {
    let mut client = Client::open(address, &Upgrade { path: "/".into(), subprotocol: None })?;
    client.say(|say| say.binary(words.as_bytes()))?;
    client.hear_until(PATIENCE, |message, say| {
        let Message::Binary(mut bytes) = message else { return Ok(false) };
        while let Some(said) = lines::take(&mut bytes) {
            match said {
                Said::Ping => say.binary(b"PONG\r\n"),
                Said::Wrong(wrong) => bail!("refused: {}", String::from_utf8_lossy(wrong)),
                said if is_enough(said)? => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    })?;
    Ok(client)
}

struct Watcher;

/// What the server tells of a connection that was made or lost.
#[derive(Debug, Deserialize)]
struct Change {
    client: Lone,
}

#[derive(Debug, Deserialize)]
struct Lone {
    #[serde(default)]
    name: String,
}

impl Listen for Watcher {
    fn hear(
        &mut self,
        message: Message<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(u32, News),
    ) -> anyhow::Result<()> {
        let Message::Binary(mut bytes) = message else { return Ok(()) };
        while let Some(said) = lines::take(&mut bytes) {
            match said {
                Said::Ping => say.binary(b"PONG\r\n"),
                Said::Delivery(subject, payload) => {
                    let change: Change = serde_json::from_slice(payload)?;
                    let is_lost = subject.ends_with(b".DISCONNECT");
                    let news = if is_lost { News::Away } else { News::Accepted };
                    // A connection that is not a customer's has another kind of name.
                    change.client.name.parse().into_iter().for_each(|who| tell(who, news));
                }
                Said::Wrong(wrong) => bail!("refused: {}", String::from_utf8_lossy(wrong)),
                Said::Pong | Said::Other => {}
            }
        }
        Ok(())
    }

    fn beat(&mut self, say: &mut dyn Say) {
        say.binary(b"PING\r\n");
    }
}
