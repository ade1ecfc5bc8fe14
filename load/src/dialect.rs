//! What a protocol looks like to the driver: whole WebSocket messages in, whole messages out.
//!
//! A dialect holds no sockets and no clock, and knows nothing of how many links there are; so the
//! same driver puts the same work on Holdline, on each of its peers and on the floor.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which dialect a driver speaks, and what that dialect needs to know. A driver is a process of its
/// own, so the dialect is named here, and `dialects::speak` makes a [`Dialect`] of the name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spoken {
    /// The dialect's name, as in `holdline.v1`.
    pub name: String,
    /// What it needs to know, in a form of its own.
    #[serde(default)]
    pub settings: Value,
}

/// How a link asks for its upgrade.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upgrade {
    /// The path with its query, as in `/v1/widget?widget=load`.
    pub path: String,
    /// The subprotocol to ask for.
    pub subprotocol: Option<&'static str>,
}

/// A ping as large as a control frame may be.
const PING: [u8; 125] = [b'x'; 125];

/// One customer's connection, as far as its protocol must remember it. Kept small: a driver holds
/// thousands of them (at most 400 bytes with everything of the driver's own).
#[derive(Debug, Default)]
pub struct Link {
    /// Which customer this is, unique among all drivers of a run.
    pub customer: u32,
    /// Where it is in the opening; each dialect counts for itself, 0 before anything was said.
    pub stage: u8,
    /// Counts the requests of this connection, for protocols whose frames are numbered.
    pub request: u32,
    /// The latest place in the conversation that was seen, where the protocol counts them.
    pub seen: u32,
    /// What brings this customer back to where they were: a token, a session's id.
    pub token: Option<Box<str>>,
}

/// One message of a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A text message.
    Text(&'a [u8]),
    /// A binary message.
    Binary(&'a [u8]),
    /// A ping; the driver answers it by itself, the dialect may take note.
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
}

/// Takes the messages that a link says. The driver frames and masks them.
pub trait Say {
    /// Says a text message.
    fn text(&mut self, body: fmt::Arguments<'_>);
    /// Says a binary message.
    fn binary(&mut self, body: &[u8]);
    /// Says a ping.
    fn ping(&mut self, body: &[u8]);
}

/// What a dialect made of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The opening is over: the customer is where the workload wants them.
    Ready {
        /// They are back in the conversation that they had before.
        is_resumed: bool,
    },
    /// A heartbeat was answered.
    Beat,
    /// The server has taken a post, with whatever its acknowledgement promises.
    Posted {
        /// The number that [`Dialect::post`] was given.
        number: u64,
    },
    /// A message from the other side.
    Message {
        /// The number that its sender gave it.
        number: u64,
    },
    /// The conversation has moved: it is over, or in wrap-up.
    Over,
    /// The server refuses a request.
    Refused {
        /// Its code.
        code: String,
    },
    /// The server is about to close, and says when to come back.
    Bye {
        /// After how many milliseconds.
        retry_after_ms: u64,
    },
    /// Nothing that is measured.
    Other,
}

/// A protocol. One value serves all links of a driver.
pub trait Dialect: Send {
    /// How a link is upgraded.
    fn upgrade(&self, link: &Link) -> Upgrade;

    /// The socket is open, for the first time or again (`link.token` tells which): says what comes
    /// first.
    fn open(&mut self, link: &mut Link, say: &mut dyn Say);

    /// A message came: says what follows, and tells what the message means, which may be several
    /// things.
    fn hear(
        &mut self,
        link: &mut Link,
        message: Message<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(Heard),
    );

    /// A heartbeat is due.
    fn beat(&mut self, link: &mut Link, say: &mut dyn Say);

    /// Sends the server about this many meaningless bytes, so that its buffers grow as they would
    /// in a long chat.
    fn pad(&mut self, _link: &mut Link, bytes: usize, say: &mut dyn Say) {
        for _ in 0..bytes.div_ceil(PING.len()) {
            say.ping(&PING);
        }
    }

    /// A message is due. `number` names it; `text` is its body.
    fn post(&mut self, link: &mut Link, number: u64, text: &str, say: &mut dyn Say);

    /// Whether the server answers each heartbeat, so that its round trip can be measured.
    fn answers_beats(&self) -> bool;

    /// The page is left: says what a browser can still say before the socket closes, if anything.
    fn leave(&mut self, _link: &mut Link, _say: &mut dyn Say) {}

    /// The customer leaves for good, politely (as when End is pressed), before the socket closes.
    fn end(&mut self, link: &mut Link, say: &mut dyn Say);
}
