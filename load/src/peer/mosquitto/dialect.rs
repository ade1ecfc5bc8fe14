//! A customer in MQTT 5.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::packet;
use crate::dialect::{Dialect, Heard, Link, Message, Say, Upgrade};
use crate::plan::number;
use crate::target::Demands;

/// The upgrade that a broker wants.
pub fn upgrade() -> Upgrade {
    Upgrade { path: "/mqtt".into(), subprotocol: Some("mqtt") }
}

/// What the dialect needs to know. MQTT counts in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    keepalive_s: u16,
    window_s: u32,
}

/// The settings under these demands. A broker takes a client for silent after one and a half
/// keepalives; the keepalive is chosen so that this is after two heartbeats.
pub fn settings(demands: &Demands) -> Settings {
    let keepalive = (demands.heartbeat.as_secs_f64() * 4.0 / 3.0).ceil();
    Settings {
        keepalive_s: keepalive.clamp(1.0, f64::from(u16::MAX)) as u16,
        window_s: demands.window.as_secs_f64().ceil() as u32,
    }
}

/// The protocol of a broker's customers.
#[derive(Debug)]
pub struct Mqtt {
    settings: Settings,
}

/// How many seconds longer than the window a broker keeps a customer's subscription. When the
/// subscription ends, the will is published, too.
const KEPT_LONGER_S: u32 = 30;

/// Packets are numbered in 16 bits, and none is 0.
const IDS: u32 = 65_535;

impl Mqtt {
    /// A dialect of these settings.
    ///
    /// # Errors
    /// When they are not of this form.
    pub fn new(settings: &Value) -> anyhow::Result<Self> {
        Ok(Self { settings: Settings::deserialize(settings)? })
    }

    fn hear_packet(
        link: &mut Link,
        packet: &packet::Packet<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(Heard),
    ) {
        match packet.kind {
            packet::CONNACK => match packet.body {
                // The broker remembers the customer, and with them their subscription.
                [1, 0, ..] => Self::enter(link, true, tell),
                [0, 0, ..] => {
                    let topic = format!("to/{}", link.customer);
                    say.binary(&packet::subscribe(1, &[&topic]));
                }
                [_, code, ..] => tell(Heard::Refused { code: format!("connack_{code:#04x}") }),
                _ => {}
            },
            packet::SUBACK => {
                // The second party learns that there is a customer, as at the beginning of any
                // chat.
                let topic = format!("here/{}", link.customer);
                say.binary(&packet::publish_unsure(&topic, b""));
                Self::enter(link, false, tell);
            }
            packet::PINGRESP => tell(Heard::Beat),
            packet::PUBACK => match (packet.id(), packet.body.get(2)) {
                // The broker also accepts a message without a subscriber, and says so.
                (Some(id), None | Some(0 | 0x10)) => {
                    tell(Heard::Posted { number: number(link.customer, unfold(link.request, id)) });
                }
                (_, code) => tell(Heard::Refused { code: format!("puback_{code:?}") }),
            },
            packet::PUBLISH => {
                let Some(published) = packet.published() else { return };
                if let Some(id) = published.id {
                    say.binary(&packet::acknowledge(id));
                }
                if let Some(number) = leading_number(published.payload) {
                    tell(Heard::Message { number });
                }
            }
            packet::DISCONNECT => {
                let code = packet.body.first().copied().unwrap_or(0);
                tell(Heard::Refused { code: format!("disconnect_{code:#04x}") });
            }
            _ => tell(Heard::Other),
        }
    }

    fn enter(link: &mut Link, is_resumed: bool, tell: &mut dyn FnMut(Heard)) {
        // The broker knows its customers by name; the token only says that it does.
        link.token = Some("kept".into());
        tell(Heard::Ready { is_resumed });
    }
}

impl Dialect for Mqtt {
    fn upgrade(&self, _link: &Link) -> Upgrade {
        upgrade()
    }

    fn open(&mut self, link: &mut Link, say: &mut dyn Say) {
        let will = format!("gone/{}", link.customer);
        let Settings { keepalive_s, window_s } = self.settings;
        say.binary(&packet::connect(
            &format!("c{}", link.customer),
            keepalive_s,
            window_s.saturating_add(KEPT_LONGER_S),
            Some((&will, window_s)),
        ));
    }

    fn hear(
        &mut self,
        link: &mut Link,
        message: Message<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(Heard),
    ) {
        let Message::Binary(mut bytes) = message else { return };
        while let Some(packet) = packet::take(&mut bytes) {
            Self::hear_packet(link, &packet, say, tell);
        }
    }

    fn beat(&mut self, _link: &mut Link, say: &mut dyn Say) {
        say.binary(&packet::PINGREQ);
    }

    /// Sends a message to nobody, without an acknowledgement. A broker of this version closes
    /// sockets that send WebSocket pings faster than it answers them.
    fn pad(&mut self, _link: &mut Link, bytes: usize, say: &mut dyn Say) {
        for _ in 0..bytes.div_ceil(PADDING.len()) {
            say.binary(&packet::publish_unsure("padding", &PADDING));
        }
    }

    fn post(&mut self, link: &mut Link, number: u64, text: &str, say: &mut dyn Say) {
        let which = (number & u64::from(u32::MAX)) as u32;
        link.request = link.request.max(which);
        let topic = format!("from/{}", link.customer);
        let head = format!("{number} ");
        say.binary(&packet::publish(&topic, fold(which), &[head.as_bytes(), text.as_bytes()]));
    }

    fn answers_beats(&self) -> bool {
        true
    }

    fn end(&mut self, _link: &mut Link, say: &mut dyn Say) {
        say.binary(&packet::LEAVE);
    }
}

/// Bytes that mean nothing.
const PADDING: [u8; 116] = [b'x'; 116];

/// The packet id of a customer's post.
fn fold(which: u32) -> u16 {
    (which % IDS) as u16 + 1
}

/// The post that a packet id stands for: the latest that has this id.
fn unfold(latest: u32, id: u16) -> u32 {
    let back = (latest % IDS + IDS + 1 - u32::from(id)) % IDS;
    latest.saturating_sub(back)
}

/// The number at the front of a payload.
pub fn leading_number(payload: &[u8]) -> Option<u64> {
    let end = memchr::memchr(b' ', payload).unwrap_or(payload.len());
    std::str::from_utf8(&payload[..end]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packets_number_leads_back_to_the_post() {
        for latest in [1_u32, 7, 65_534, 65_535, 65_536, 200_000] {
            for which in latest.saturating_sub(20).max(1)..=latest {
                assert_eq!(unfold(latest, fold(which)), which, "{which} of {latest}");
            }
        }
    }
}
