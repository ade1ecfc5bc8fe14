//! The second party of Centrifugo: it is in the channel of each customer. The server pushes to it
//! who joins and leaves the channel, and what is published there.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;

use super::dialect::{Push, Reply, upgrade};
use super::token::minted;
use crate::dialect::{Message, Say};
use crate::peer::client::Client;
use crate::peer::listener::{Listen, Listener};
use crate::watch::{Ear, News};

const PATIENCE: Duration = Duration::from_secs(10);

/// Subscriptions in one frame, which must not be larger than the server takes.
const AT_ONCE: u32 = 500;

/// Starts it; it is subscribed to the channels of this many customers when this returns.
pub fn start(address: SocketAddr, customers: u32, ear: Ear) -> anyhow::Result<Listener> {
    let mut client = Client::open(address, &upgrade())?;
    let token = minted("agent", "{}");
    client.say(|say| {
        say.text(format_args!("{{\"connect\":{{\"token\":\"{token}\"}},\"id\":1}}"));
    })?;
    await_answers(&mut client, 1)?;
    for first in (0..customers).step_by(AT_ONCE as usize) {
        let count = AT_ONCE.min(customers - first);
        let commands: Vec<String> = (first..first + count).map(subscribe).collect();
        client.say(|say| say.text(format_args!("{}", commands.join("\n"))))?;
        await_answers(&mut client, count)?;
    }
    Ok(Listener::start(client, Agent, PATIENCE, ear))
}

fn subscribe(customer: u32) -> String {
    let id = u64::from(customer) + 2;
    format!("{{\"subscribe\":{{\"channel\":\"chat:{customer}\",\"join_leave\":true}},\"id\":{id}}}")
}

/// Waits until this many commands have been answered.
fn await_answers(client: &mut Client, count: u32) -> anyhow::Result<()> {
    let mut answered = 0;
    client.hear_until(PATIENCE, |message, say| {
        for line in lines(message, say) {
            let reply: Reply = serde_json::from_slice(line)?;
            if reply.error.is_some() {
                bail!("refused: {}", String::from_utf8_lossy(line));
            }
            answered += u32::from(reply.push.is_none());
        }
        Ok(answered >= count)
    })
}

/// The lines of a message; a ping is answered.
fn lines<'a>(message: Message<'a>, say: &mut dyn Say) -> Vec<&'a [u8]> {
    let Message::Text(text) = message else { return Vec::new() };
    let mut lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
    lines.retain(|line| {
        if *line == b"{}" {
            say.text(format_args!("{{}}"));
        }
        !line.is_empty() && *line != b"{}"
    });
    lines
}

struct Agent;

impl Listen for Agent {
    fn hear(
        &mut self,
        message: Message<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(u32, News),
    ) -> anyhow::Result<()> {
        for line in lines(message, say) {
            let reply: Reply = serde_json::from_slice(line)?;
            // The agent's own join is pushed, too, and has no customer's name.
            if let Some((whose, news)) = reply.push.and_then(understand)
                && let Ok(customer) = whose.parse()
            {
                tell(customer, news);
            }
        }
        Ok(())
    }
}

fn understand(push: Push) -> Option<(String, News)> {
    if let Some(joined) = push.join {
        return Some((joined.info.user, News::Accepted));
    }
    if let Some(left) = push.leave {
        return Some((left.info.user, News::Away));
    }
    let published = push.published?;
    Some((published.info?.user, News::Message(published.data.post?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the agent was pushed, with its own coming as the first.
    const PUSHED: [&str; 4] = [
        "{\"push\":{\"channel\":\"chat:7\",\"join\":\
         {\"info\":{\"user\":\"agent\",\"client\":\"21f\"}}}}",
        "{\"push\":{\"channel\":\"chat:7\",\"join\":\
         {\"info\":{\"user\":\"7\",\"client\":\"b8c\"}}}}",
        "{\"push\":{\"channel\":\"chat:7\",\"pub\":{\"data\":\
         {\"post\":30064771076,\"text\":\"hi\"},\"info\":{\"user\":\"7\"},\"offset\":1}}}",
        "{\"push\":{\"channel\":\"chat:7\",\"leave\":\
         {\"info\":{\"user\":\"7\",\"client\":\"b8c\"}}}}",
    ];

    #[test]
    fn the_agent_tells_of_customers_and_not_of_itself() {
        let text = PUSHED.join("\n");
        let mut told = Vec::new();
        let message = Message::Text(text.as_bytes());
        Agent.hear(message, &mut Mute, &mut |customer, news| told.push((customer, news))).unwrap();
        let expected = [News::Accepted, News::Message(7 << 32 | 4), News::Away];
        assert_eq!(told, expected.map(|news| (7, news)));
    }

    /// Drops everything that is said.
    struct Mute;

    impl Say for Mute {
        fn text(&mut self, body: std::fmt::Arguments<'_>) {
            panic!("it says {body}");
        }

        fn binary(&mut self, _body: &[u8]) {
            panic!("it says something");
        }

        fn ping(&mut self, _body: &[u8]) {
            panic!("it pings");
        }
    }
}
