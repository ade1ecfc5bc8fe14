//! A customer of NATS.

use super::lines::{self, Said};
use crate::dialect::{Dialect, Heard, Link, Message, Say, Upgrade};
use crate::plan::number;

/// The protocol of a customer: one subscription, and a second one from the first post on.
#[derive(Clone, Copy, Debug)]
pub struct NatsDialect;

/// Waits for the answer that shows that the subscription is made.
const OPENING: u8 = 0;
/// Is in.
const READY: u8 = 1;
/// Has posted, and hears the acknowledgements.
const POSTING: u8 = 2;

/// Bytes that mean nothing, published to nobody.
const PADDING: &str =
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

impl Dialect for NatsDialect {
    fn upgrade(&self, _link: &Link) -> Upgrade {
        Upgrade { path: "/".into(), subprotocol: None }
    }

    fn open(&mut self, link: &mut Link, say: &mut dyn Say) {
        link.stage = OPENING;
        let name = link.customer.to_string();
        let mut words = lines::connect("customer", &name);
        words += &["SUB to.", &name, " 1\r\nPING\r\n"].concat();
        say.binary(words.as_bytes());
    }

    fn hear(
        &mut self,
        link: &mut Link,
        message: Message<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(Heard),
    ) {
        let (Message::Binary(mut bytes) | Message::Text(mut bytes)) = message else { return };
        while let Some(said) = lines::take(&mut bytes) {
            match said {
                Said::Ping => say.binary(b"PONG\r\n"),
                Said::Pong if link.stage == OPENING => {
                    link.stage = READY;
                    // The server keeps nothing of a lost customer.
                    tell(Heard::Ready { is_resumed: false });
                }
                Said::Pong => tell(Heard::Beat),
                Said::Delivery(subject, payload) => tell(delivery(link, subject, payload)),
                Said::Wrong(wrong) => {
                    tell(Heard::Refused { code: String::from_utf8_lossy(wrong).into_owned() });
                }
                Said::Other => tell(Heard::Other),
            }
        }
    }

    fn beat(&mut self, _link: &mut Link, say: &mut dyn Say) {
        say.binary(b"PING\r\n");
    }

    fn pad(&mut self, _link: &mut Link, bytes: usize, say: &mut dyn Say) {
        let message = format!("PUB padding {}\r\n{PADDING}\r\n", PADDING.len());
        for _ in 0..bytes.div_ceil(message.len()) {
            say.binary(message.as_bytes());
        }
    }

    fn post(&mut self, link: &mut Link, number: u64, text: &str, say: &mut dyn Say) {
        let customer = link.customer;
        if link.stage != POSTING {
            link.stage = POSTING;
            say.binary(format!("SUB _INBOX.{customer}.* 2\r\n").as_bytes());
        }
        let which = number & u64::from(u32::MAX);
        let length = text.len();
        let head = format!("PUB posts.{customer} _INBOX.{customer}.{which} {length}\r\n");
        say.binary([&head, text, "\r\n"].concat().as_bytes());
    }

    fn answers_beats(&self) -> bool {
        true
    }

    fn end(&mut self, _link: &mut Link, _say: &mut dyn Say) {}
}

/// What a message is: an acknowledgement, or something from the other side.
fn delivery(link: &Link, subject: &[u8], payload: &[u8]) -> Heard {
    let subject = std::str::from_utf8(subject).unwrap_or_default();
    let Some(inbox) = subject.strip_prefix("_INBOX.") else { return Heard::Other };
    let which = inbox.rsplit('.').next().and_then(|which| which.parse().ok());
    match which {
        Some(which) if memchr::memmem::find(payload, b"\"error\"").is_none() => {
            Heard::Posted { number: number(link.customer, which) }
        }
        _ => Heard::Refused { code: String::from_utf8_lossy(payload).into_owned() },
    }
}
