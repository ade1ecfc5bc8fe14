//! A customer of socket.io: its packets (version 5) in those of Engine.IO (version 4).

use serde::Deserialize;
use serde_json::Value;

use crate::dialect::{Dialect, Heard, Link, Message, Say, Upgrade};
use crate::plan::number;

/// The protocol of a customer. The server pings, and a customer answers.
#[derive(Clone, Copy, Debug)]
pub struct SocketIoDialect;

/// The upgrade that the server wants.
pub fn upgrade() -> Upgrade {
    Upgrade { path: "/socket.io/?EIO=4&transport=websocket".into(), subprotocol: None }
}

/// A sign of life is asked for, and given.
pub const PING: &[u8] = b"2";
/// The answer to it.
pub const PONG: &str = "3";

/// The server's name for a connection, and the private name by which it may be resumed.
#[derive(Deserialize)]
struct Named {
    sid: Box<str>,
    pid: Option<Box<str>>,
}

/// What brings a customer back: the connection's former name, the private name, the place.
fn parts(token: &str) -> (&str, &str, &str) {
    let mut words = token.split(' ');
    let mut next = || words.next().unwrap_or_default();
    (next(), next(), next())
}

impl Dialect for SocketIoDialect {
    fn upgrade(&self, _link: &Link) -> Upgrade {
        upgrade()
    }

    /// The server speaks first.
    fn open(&mut self, _link: &mut Link, _say: &mut dyn Say) {}

    fn hear(
        &mut self,
        link: &mut Link,
        message: Message<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(Heard),
    ) {
        let Message::Text(text) = message else { return };
        match text {
            PING => {
                say.text(format_args!("{PONG}"));
                tell(Heard::Beat);
            }
            [b'0', ..] => connect(link, say),
            [b'4', b'0', named @ ..] => tell(hear_named(link, named)),
            [b'4', b'2', event @ ..] => tell(hear_event(link, event)),
            [b'4', b'3', answer @ ..] => tell(hear_answer(link, answer)),
            [b'4', b'4', wrong @ ..] => {
                tell(Heard::Refused { code: String::from_utf8_lossy(wrong).into_owned() });
            }
            _ => tell(Heard::Other),
        }
    }

    /// The server asks by itself.
    fn beat(&mut self, _link: &mut Link, _say: &mut dyn Say) {}

    fn post(&mut self, _link: &mut Link, number: u64, text: &str, say: &mut dyn Say) {
        let which = number & u64::from(u32::MAX);
        say.text(format_args!("42{which}[\"post\",\"{number}\",{}]", Value::from(text)));
    }

    fn answers_beats(&self) -> bool {
        false
    }

    fn end(&mut self, _link: &mut Link, say: &mut dyn Say) {
        say.text(format_args!("41"));
    }
}

fn connect(link: &Link, say: &mut dyn Say) {
    let customer = link.customer;
    match link.token.as_deref().map(parts) {
        Some((_, pid, offset)) if !offset.is_empty() => say.text(format_args!(
            "40{{\"customer\":{customer},\"pid\":\"{pid}\",\"offset\":\"{offset}\"}}"
        )),
        _ => say.text(format_args!("40{{\"customer\":{customer}}}")),
    }
}

/// The server has named the connection, by the former name if it knows the connection again.
fn hear_named(link: &mut Link, named: &[u8]) -> Heard {
    let Ok(Named { sid, pid }) = serde_json::from_slice(named) else {
        return Heard::Refused { code: String::from_utf8_lossy(named).into_owned() };
    };
    if link.token.as_deref().is_some_and(|token| parts(token).0 == &*sid) {
        return Heard::Ready { is_resumed: true };
    }
    link.token = Some(format!("{sid} {}", pid.as_deref().unwrap_or_default()).into());
    Heard::Other
}

/// An event has come. The last of its values is its place, which a return must name.
fn hear_event(link: &mut Link, event: &[u8]) -> Heard {
    let Ok(Value::Array(values)) = serde_json::from_slice(event) else { return Heard::Other };
    let (Some(name), Some(offset)) =
        (values.first().and_then(Value::as_str), values.last().and_then(Value::as_str))
    else {
        return Heard::Other;
    };
    if values.len() > 1
        && let Some(token) = link.token.as_deref()
    {
        let (sid, pid, _) = parts(token);
        link.token = Some(format!("{sid} {pid} {offset}").into());
    }
    match (name, values.get(1).and_then(Value::as_u64)) {
        ("welcome", _) => Heard::Ready { is_resumed: false },
        ("message", Some(number)) => Heard::Message { number },
        _ => Heard::Other,
    }
}

fn hear_answer(link: &Link, answer: &[u8]) -> Heard {
    let end = memchr::memchr(b'[', answer).unwrap_or(answer.len());
    let which = std::str::from_utf8(&answer[..end]).ok().and_then(|which| which.parse().ok());
    which.map_or(Heard::Other, |which| Heard::Posted { number: number(link.customer, which) })
}
