//! The second party of socket.io: a member of the room to which the notices go.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;

use super::dialect::{PING, PONG, upgrade};
use crate::dialect::{Message, Say};
use crate::peer::client::Client;
use crate::peer::listener::{Listen, Listener};
use crate::watch::{Ear, News};

const PATIENCE: Duration = Duration::from_secs(10);

/// Starts it; it is in the room when this returns.
pub fn start(address: SocketAddr, ear: Ear) -> anyhow::Result<Listener> {
    let mut client = Client::open(address, &upgrade())?;
    client.hear_until(PATIENCE, |message, say| {
        let Message::Text(text) = message else { return Ok(false) };
        match text {
            PING => say.text(format_args!("{PONG}")),
            [b'0', ..] => say.text(format_args!("40{{\"agent\":true}}")),
            [b'4', b'4', ..] => bail!("refused: {}", String::from_utf8_lossy(text)),
            _ => {}
        }
        Ok(text.starts_with(b"42[\"welcome\""))
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
        match text {
            PING => say.text(format_args!("{PONG}")),
            [b'4', b'2', event @ ..] => {
                let values: Vec<Value> = serde_json::from_slice(event)?;
                let word = |place: usize| values.get(place).and_then(Value::as_str);
                let customer = values.get(1).and_then(Value::as_u64);
                let Some(customer) = customer.and_then(|number| u32::try_from(number).ok()) else {
                    return Ok(());
                };
                match (word(0), word(2).and_then(|number| number.parse().ok())) {
                    (Some("here"), _) => tell(customer, News::Accepted),
                    (Some("gone"), _) => tell(customer, News::Gone),
                    (Some("message"), Some(number)) => tell(customer, News::Message(number)),
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }
}
