//! The second party of centrifuge: it is pushed every join and leave of the channel that all share.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;

use super::dialect::{Reply, upgrade};
use crate::dialect::{Message, Say};
use crate::peer::client::Client;
use crate::peer::listener::{Listen, Listener};
use crate::watch::{Ear, News};

const PATIENCE: Duration = Duration::from_secs(10);

/// Starts it; it is subscribed when this returns.
pub fn start(address: SocketAddr, ear: Ear) -> anyhow::Result<Listener> {
    let mut client = Client::open(address, &upgrade())?;
    client.say(|say| {
        say.text(format_args!("{{\"connect\":{{\"data\":{{\"agent\":true}}}},\"id\":1}}"));
    })?;
    client.hear_until(PATIENCE, |message, _| match message {
        Message::Text(text) if memchr::memmem::find(text, b"\"error\"").is_some() => {
            bail!("refused: {}", String::from_utf8_lossy(text))
        }
        Message::Text(text) => Ok(memchr::memmem::find(text, b"\"connect\"").is_some()),
        _ => Ok(false),
    })?;
    Ok(Listener::start(client, Agent, PATIENCE, ear))
}

struct Agent;

impl Listen for Agent {
    fn hear(
        &mut self,
        message: Message<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(u32, News),
    ) -> anyhow::Result<()> {
        let Message::Text(text) = message else { return Ok(()) };
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if line == b"{}" {
                say.text(format_args!("{{}}"));
                continue;
            }
            let reply: Reply = serde_json::from_slice(line)?;
            let Some(push) = reply.push else { continue };
            let (whose, news) = match (push.join, push.leave) {
                (Some(joined), _) => (joined.info.user, News::Accepted),
                (_, Some(left)) => (left.info.user, News::Away),
                _ => continue,
            };
            if let Ok(customer) = whose.parse() {
                tell(customer, news);
            }
        }
        Ok(())
    }
}
