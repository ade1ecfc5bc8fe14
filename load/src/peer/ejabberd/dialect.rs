//! A customer in XMPP over WebSocket (RFC 7395), with stream management (XEP-0198).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use serde::Deserialize;
use serde_json::Value;

use super::accounts;
use crate::dialect::{Dialect, Heard, Link, Message, Say, Upgrade};

/// The upgrade that the server wants.
pub fn upgrade() -> Upgrade {
    Upgrade { path: "/ws".into(), subprotocol: Some("xmpp") }
}

/// The protocol of a customer.
#[derive(Debug)]
pub struct Xmpp {
    window_s: u32,
}

/// How far the opening is.
mod stage {
    /// The customer is not known yet.
    pub const STRANGER: u8 = 0;
    /// The password is said.
    pub const CLAIMED: u8 = 1;
    /// The password was right, and the stream is opened anew.
    pub const KNOWN: u8 = 2;
    /// A new place, or the old one, was asked for.
    pub const PLACED: u8 = 3;
    /// The stream is managed; the opening waits until the agent was told.
    pub const MANAGED: u8 = 4;
    /// The customer is in.
    pub const READY: u8 = 5;
}

/// What opens a stream.
pub const OPEN: &str =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";

/// A ping that the server answers, and that counts as a sign of life for the server, too.
const BEAT: &str = "<iq type='get' to='localhost' id='b'><ping xmlns='urn:xmpp:ping'/></iq>";

impl Xmpp {
    /// A dialect whose sessions are held this long, in seconds.
    ///
    /// # Errors
    /// When that is no number.
    pub fn new(settings: &Value) -> anyhow::Result<Self> {
        Ok(Self { window_s: f64::deserialize(settings)? as u32 })
    }

    fn hear_opening(&self, link: &mut Link, text: &[u8], say: &mut dyn Say) -> Heard {
        if has(text, b"<failure") || has(text, b"<stream:error") {
            return Heard::Refused { code: String::from_utf8_lossy(text).into_owned() };
        }
        match link.stage {
            stage::STRANGER if has(text, b"features") => {
                say_password(&accounts::name(link.customer), say);
                link.stage = stage::CLAIMED;
            }
            stage::CLAIMED if text.starts_with(b"<success") => {
                say.text(format_args!("{OPEN}"));
                link.stage = stage::KNOWN;
            }
            stage::KNOWN if has(text, b"features") => {
                match &link.token {
                    None => say_bind(say),
                    Some(token) => say.text(format_args!(
                        "<resume xmlns='urn:xmpp:sm:3' h='{}' previd='{token}'/>",
                        link.seen
                    )),
                }
                link.stage = stage::PLACED;
            }
            stage::PLACED => return self.hear_placed(link, text, say),
            stage::MANAGED if is_answer(text, b"'b'", b"\"b\"") => {
                link.stage = stage::READY;
                return Heard::Ready { is_resumed: false };
            }
            _ => {}
        }
        Heard::Other
    }

    fn hear_placed(&self, link: &mut Link, text: &[u8], say: &mut dyn Say) -> Heard {
        if text.starts_with(b"<resumed") {
            link.stage = stage::READY;
            return Heard::Ready { is_resumed: true };
        }
        if text.starts_with(b"<failed") {
            // The server has given the customer up, so they need a new place.
            link.token = None;
            say_bind(say);
        } else if text.starts_with(b"<enabled") {
            link.token = attribute(text, "id").map(Into::into);
            link.seen = 0;
            say.text(format_args!("<presence/>"));
            say.text(format_args!("<presence to='agent@localhost/desk'/>"));
            say.text(format_args!("{BEAT}"));
            link.stage = stage::MANAGED;
        } else if has(text, b"urn:ietf:params:xml:ns:xmpp-bind") {
            say.text(format_args!(
                "<enable xmlns='urn:xmpp:sm:3' resume='true' max='{}'/>",
                self.window_s
            ));
        }
        Heard::Other
    }
}

impl Dialect for Xmpp {
    fn upgrade(&self, _link: &Link) -> Upgrade {
        upgrade()
    }

    fn open(&mut self, link: &mut Link, say: &mut dyn Say) {
        link.stage = stage::STRANGER;
        say.text(format_args!("{OPEN}"));
    }

    fn hear(
        &mut self,
        link: &mut Link,
        message: Message<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(Heard),
    ) {
        let Message::Text(text) = message else { return };
        if text.starts_with(b"<r ") {
            // The server asks how many stanzas have come.
            return say.text(format_args!("<a xmlns='urn:xmpp:sm:3' h='{}'/>", link.seen));
        }
        if is_stanza(text) {
            link.seen = link.seen.wrapping_add(1);
        }
        if link.stage < stage::READY {
            tell(self.hear_opening(link, text, say));
        } else if text.starts_with(b"<iq") && has(text, b"urn:xmpp:ping") {
            answer_ping(text, say);
        } else if is_answer(text, b"'b'", b"\"b\"") {
            tell(Heard::Beat);
        } else {
            tell(posted(text).unwrap_or(Heard::Other));
        }
    }

    fn beat(&mut self, _link: &mut Link, say: &mut dyn Say) {
        say.text(format_args!("{BEAT}"));
    }

    /// XMPP allows white space between stanzas for just this, but not over WebSocket. So the
    /// padding is pings with a long name.
    fn pad(&mut self, _link: &mut Link, bytes: usize, say: &mut dyn Say) {
        for _ in 0..bytes.div_ceil(BEAT.len() + PADDING.len()) {
            say.text(format_args!(
                "<iq type='get' to='localhost' id='p{PADDING}'><ping xmlns='urn:xmpp:ping'/></iq>"
            ));
        }
    }

    fn post(&mut self, _link: &mut Link, number: u64, text: &str, say: &mut dyn Say) {
        say.text(format_args!(
            "<message to='agent@localhost/desk' type='chat' id='m{number}'><body>{}</body>\
             </message>",
            Escaped(text)
        ));
        say.text(format_args!(
            "<iq type='get' to='localhost' id='n{number}'><ping xmlns='urn:xmpp:ping'/></iq>"
        ));
    }

    fn answers_beats(&self) -> bool {
        true
    }

    fn end(&mut self, _link: &mut Link, say: &mut dyn Say) {
        say.text(format_args!("<presence type='unavailable'/>"));
        say.text(format_args!("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"));
    }
}

/// Bytes that mean nothing.
const PADDING: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// Text in which the characters that XML reserves are escaped.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write as _;
        self.0.chars().try_for_each(|letter| match letter {
            '<' => formatter.write_str("&lt;"),
            '>' => formatter.write_str("&gt;"),
            '&' => formatter.write_str("&amp;"),
            other => formatter.write_char(other),
        })
    }
}

/// Logs in with a name, which is also the password.
pub fn say_password(name: &str, say: &mut dyn Say) {
    let claim = STANDARD.encode(format!("\0{name}\0{name}"));
    say.text(format_args!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{claim}</auth>"
    ));
}

fn say_bind(say: &mut dyn Say) {
    say.text(format_args!(
        "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
    ));
}

/// Answers a ping of the server.
pub fn answer_ping(text: &[u8], say: &mut dyn Say) {
    if let Some(id) = attribute(text, "id") {
        say.text(format_args!("<iq type='result' to='localhost' id='{id}'/>"));
    }
}

/// Whether this is one of the stanzas that are counted.
fn is_stanza(text: &[u8]) -> bool {
    [&b"<iq"[..], b"<message", b"<presence"].iter().any(|start| text.starts_with(start))
}

fn has(text: &[u8], part: &[u8]) -> bool {
    memmem::find(text, part).is_some()
}

/// Whether this answers the request of this name, written with either kind of quotes.
fn is_answer(text: &[u8], single: &[u8], double: &[u8]) -> bool {
    text.starts_with(b"<iq")
        && (has(text, b"result") || has(text, b"error"))
        && (has(text, single) || has(text, double))
}

/// The post whose ping is answered.
fn posted(text: &[u8]) -> Option<Heard> {
    if !text.starts_with(b"<iq") {
        return None;
    }
    let number = attribute(text, "id")?.strip_prefix('n')?.parse().ok()?;
    Some(Heard::Posted { number })
}

/// The value of an attribute, in the first tag that has it.
pub fn attribute<'a>(text: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(text).ok()?;
    let at = text.match_indices(name).find(|(at, _)| {
        text[..*at].ends_with(' ') && text[at + name.len()..].starts_with(['=', ' '])
    })?;
    let rest = &text[at.0 + name.len()..];
    let quote = rest.find(['\'', '"'])?;
    let mark = &rest[quote..=quote];
    rest[quote + 1..].split(mark).next()
}
