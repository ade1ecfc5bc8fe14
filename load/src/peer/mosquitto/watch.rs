//! The second party in MQTT: it subscribes to wills and to what customers write.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;

use super::dialect::{leading_number, upgrade};
use super::packet;
use crate::dialect::{Message, Say};
use crate::peer::client::Client;
use crate::peer::listener::{Listen, Listener};
use crate::watch::{Ear, News};

const PATIENCE: Duration = Duration::from_secs(10);
const KEEPALIVE_S: u16 = 20;
const BEAT_EVERY: Duration = Duration::from_secs(10);

/// Starts it; its subscriptions are made when this returns.
pub fn start(address: SocketAddr, ear: Ear) -> anyhow::Result<Listener> {
    let mut client = Client::open(address, &upgrade())?;
    client.say(|say| say.binary(&packet::connect("agent", KEEPALIVE_S, 3_600, None)))?;
    client.hear_until(PATIENCE, |message, say| {
        let Message::Binary(mut bytes) = message else { return Ok(false) };
        let mut is_subscribed = false;
        while let Some(packet) = packet::take(&mut bytes) {
            match (packet.kind, packet.body) {
                (packet::CONNACK, [_, 0, ..]) => {
                    say.binary(&packet::subscribe(1, &["here/#", "gone/#", "from/#"]));
                }
                (packet::SUBACK, _) => is_subscribed = true,
                (kind, body) => bail!("the broker refuses the agent: {kind} {body:?}"),
            }
        }
        Ok(is_subscribed)
    })?;
    Ok(Listener::start(client, Agent, BEAT_EVERY, ear))
}

struct Agent;

impl Listen for Agent {
    fn hear(
        &mut self,
        message: Message<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(u32, News),
    ) -> anyhow::Result<()> {
        let Message::Binary(mut bytes) = message else { return Ok(()) };
        while let Some(packet) = packet::take(&mut bytes) {
            let Some(published) = packet.published().filter(|_| packet.kind == packet::PUBLISH)
            else {
                continue;
            };
            if let Some(id) = published.id {
                say.binary(&packet::acknowledge(id));
            }
            let topic = String::from_utf8_lossy(published.topic);
            let Some((what, customer)) = topic.split_once('/') else { continue };
            let Ok(customer) = customer.parse() else { continue };
            match (what, leading_number(published.payload)) {
                ("here", _) => tell(customer, News::Accepted),
                ("gone", _) => tell(customer, News::Gone),
                ("from", Some(number)) => tell(customer, News::Message(number)),
                _ => {}
            }
        }
        Ok(())
    }

    fn beat(&mut self, say: &mut dyn Say) {
        say.binary(&packet::PINGREQ);
    }
}
