//! The second party in XMPP: customers show it their presence, and it is told when that ends.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;
use memchr::memmem;

use super::accounts::AGENT;
use super::dialect::{OPEN, answer_ping, attribute, say_password, upgrade};
use crate::dialect::{Message, Say};
use crate::peer::client::Client;
use crate::peer::listener::{Listen, Listener};
use crate::watch::{Ear, News};

const PATIENCE: Duration = Duration::from_secs(10);
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// Starts it; it is present when this returns.
pub fn start(address: SocketAddr, ear: Ear) -> anyhow::Result<Listener> {
    let mut client = Client::open(address, &upgrade())?;
    client.say(|say| say.text(format_args!("{OPEN}")))?;
    let mut is_known = false;
    client.hear_until(PATIENCE, |message, say| {
        let Message::Text(text) = message else { return Ok(false) };
        let has = |part: &[u8]| memmem::find(text, part).is_some();
        if has(b"<failure") || has(b"<stream:error") {
            bail!("refused: {}", String::from_utf8_lossy(text));
        } else if text.starts_with(b"<success") {
            is_known = true;
            say.text(format_args!("{OPEN}"));
        } else if has(b"features") && !is_known {
            say_password(AGENT, say);
        } else if has(b"features") {
            say.text(format_args!(
                "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
                 <resource>desk</resource></bind></iq>"
            ));
        } else if has(b"urn:ietf:params:xml:ns:xmpp-bind") {
            say.text(format_args!("<presence/>"));
        }
        // The server sends the agent's own presence back.
        Ok(text.starts_with(b"<presence"))
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
        let Message::Text(text) = message else { return Ok(()) };
        if text.starts_with(b"<iq") && memmem::find(text, b"urn:xmpp:ping").is_some() {
            answer_ping(text, say);
            return Ok(());
        }
        let from = attribute(text, "from").and_then(|from| from.strip_prefix('c'));
        let customer = from.and_then(|from| from.split('@').next()?.parse().ok());
        let Some(customer) = customer else { return Ok(()) };
        if text.starts_with(b"<presence") {
            match attribute(text, "type") {
                None => tell(customer, News::Accepted),
                Some("unavailable") => tell(customer, News::Gone),
                Some(_) => {}
            }
        } else if text.starts_with(b"<message")
            && let Some(number) = attribute(text, "id").and_then(|id| id.strip_prefix('m'))
        {
            tell(customer, News::Message(number.parse()?));
        }
        Ok(())
    }

    fn beat(&mut self, say: &mut dyn Say) {
        say.text(format_args!(
            "<iq type='get' to='localhost' id='b'><ping xmlns='urn:xmpp:ping'/></iq>"
        ));
    }
}
