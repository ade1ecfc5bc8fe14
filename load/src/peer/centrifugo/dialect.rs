//! A customer of Centrifugo, in its JSON protocol.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::token::minted;
use crate::dialect::{Dialect, Heard, Link, Message, Say, Upgrade};
use crate::plan::number;

/// The protocol of a customer. The server pings, and a customer answers.
#[derive(Clone, Copy, Debug)]
pub struct CentrifugoDialect;

/// The upgrade that the server wants.
pub fn upgrade() -> Upgrade {
    Upgrade { path: "/connection/websocket".into(), subprotocol: None }
}

/// The command that connects is the first.
const CONNECT: u64 = 1;

/// What the server says: an answer, a push, or, if it is empty, a ping.
#[derive(Debug, Deserialize)]
pub struct Reply {
    #[serde(default)]
    id: u64,
    /// The error of a refusal.
    pub error: Option<Wrong>,
    connect: Option<Connected>,
    /// What it says unasked.
    pub push: Option<Push>,
}

/// A refusal.
#[derive(Debug, Deserialize)]
pub struct Wrong {
    code: u32,
}

#[derive(Debug, Deserialize)]
struct Connected {
    #[serde(default)]
    subs: BTreeMap<String, Subscribed>,
}

#[derive(Debug, Deserialize)]
struct Subscribed {
    #[serde(default)]
    recovered: bool,
    #[serde(default)]
    epoch: String,
    #[serde(default)]
    offset: u64,
}

/// An event of a channel.
#[derive(Debug, Deserialize)]
pub struct Push {
    /// A client has joined it.
    pub join: Option<Whose>,
    /// A client has left it.
    pub leave: Option<Whose>,
    /// A message was published in it.
    #[serde(rename = "pub")]
    pub published: Option<Published>,
}

/// A message in a channel.
#[derive(Debug, Deserialize)]
pub struct Published {
    #[serde(default)]
    offset: u64,
    /// What is published.
    pub data: Text,
    /// The client that published it.
    pub info: Option<Info>,
}

/// A message, as it was published.
#[derive(Debug, Deserialize)]
pub struct Text {
    /// The number of a customer's message.
    pub post: Option<u64>,
    /// The number of an agent's message.
    number: Option<u64>,
}

/// A client that joins or leaves.
#[derive(Debug, Deserialize)]
pub struct Whose {
    /// About them.
    pub info: Info,
}

/// About a client.
#[derive(Debug, Deserialize)]
pub struct Info {
    /// Who it is.
    #[serde(default)]
    pub user: String,
}

impl Dialect for CentrifugoDialect {
    fn upgrade(&self, _link: &Link) -> Upgrade {
        upgrade()
    }

    fn open(&mut self, link: &mut Link, say: &mut dyn Say) {
        let customer = link.customer;
        let channels = format!(
            "{{\"chat:{customer}\":{{\"override\":{{\"force_recovery\":{{\"value\":true}}}}}}}}"
        );
        let token = minted(&customer.to_string(), &channels);
        match &link.token {
            None => {
                say.text(format_args!(
                    "{{\"connect\":{{\"token\":\"{token}\"}},\"id\":{CONNECT}}}"
                ));
            }
            Some(epoch) => say.text(format_args!(
                "{{\"connect\":{{\"token\":\"{token}\",\"subs\":{{\"chat:{customer}\":{{\
                 \"recover\":true,\"epoch\":\"{epoch}\",\"offset\":{}}}}}}},\"id\":{CONNECT}}}",
                link.seen
            )),
        }
    }

    fn hear(
        &mut self,
        link: &mut Link,
        message: Message<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(Heard),
    ) {
        let Message::Text(text) = message else { return };
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if line == b"{}" {
                say.text(format_args!("{{}}"));
                tell(Heard::Beat);
                continue;
            }
            match serde_json::from_slice::<Reply>(line) {
                Ok(reply) => tell(hear_reply(link, reply)),
                Err(error) => tell(Heard::Refused { code: error.to_string() }),
            }
        }
    }

    /// The server pings by itself.
    fn beat(&mut self, _link: &mut Link, _say: &mut dyn Say) {}

    fn post(&mut self, link: &mut Link, number: u64, text: &str, say: &mut dyn Say) {
        let customer = link.customer;
        let which = (number & u64::from(u32::MAX)) as u32;
        let text = Value::from(text);
        say.text(format_args!(
            "{{\"publish\":{{\"channel\":\"chat:{customer}\",\"data\":{{\"post\":{number},\
             \"text\":{text}}}}},\"id\":{}}}",
            u64::from(which) + CONNECT
        ));
    }

    fn answers_beats(&self) -> bool {
        false
    }

    fn end(&mut self, _link: &mut Link, _say: &mut dyn Say) {}
}

fn hear_reply(link: &mut Link, reply: Reply) -> Heard {
    if let Some(wrong) = reply.error {
        return Heard::Refused { code: wrong.code.to_string() };
    }
    if let Some(connected) = reply.connect {
        let own = format!("chat:{}", link.customer);
        let Some(subscribed) = connected.subs.get(&own) else {
            return Heard::Refused { code: "not_subscribed".into() };
        };
        link.token = Some(subscribed.epoch.as_str().into());
        link.seen = u32::try_from(subscribed.offset).unwrap_or(u32::MAX);
        return Heard::Ready { is_resumed: subscribed.recovered };
    }
    if let Some(published) = reply.push.and_then(|push| push.published) {
        link.seen = u32::try_from(published.offset).unwrap_or(u32::MAX);
        return published.data.number.map_or(Heard::Other, |number| Heard::Message { number });
    }
    match u32::try_from(reply.id.saturating_sub(CONNECT)) {
        Ok(which) if which > 0 => Heard::Posted { number: number(link.customer, which) },
        _ => Heard::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a customer hears on a return if the channel is as they left it.
    const RETURNED: &str = "{\"id\":1,\"connect\":{\"client\":\"26830fc2\",\"subs\":{\"chat:7\":\
        {\"recoverable\":true,\"epoch\":\"IaVTokfh\",\"recovered\":true,\"offset\":1,\
        \"positioned\":true,\"was_recovering\":true}},\"ping\":1,\"pong\":true}}";

    #[test]
    fn a_recovery_is_a_resumption_and_remembers_its_place() {
        let mut link = Link { customer: 7, ..Link::default() };
        let reply = serde_json::from_str(RETURNED).unwrap();
        assert_eq!(hear_reply(&mut link, reply), Heard::Ready { is_resumed: true });
        assert_eq!((link.token.as_deref(), link.seen), (Some("IaVTokfh"), 1));
        let leave = "{\"push\":{\"channel\":\"chat:7\",\"leave\":{\"info\":{\"user\":\"7\"}}}}";
        let reply: Reply = serde_json::from_str(leave).unwrap();
        assert_eq!(reply.push.unwrap().leave.unwrap().info.user, "7");
    }
}
