//! What is written in one piece, and the checked frame in which it stands in the file.

use holdline::behavior::message::RequestId;
use holdline::domain::agent::Presence;
use holdline::domain::conversation::event::Event;
use holdline::domain::id::{AgentId, ConversationId, Seq, fnv1a};
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::time::Timestamp;
use holdline::journal::record::{Record, Stream};
use serde_json::{Value, json};

use crate::reached::Came;
use crate::server::{Millis, Ticket};

/// Something that is written in one piece.
#[derive(Clone, Debug)]
pub struct Append {
    /// When it was decided, by the world's time.
    pub appended: Millis,
    pub at: Timestamp,
    pub what: What,
    /// Where it comes from, if from a conversation.
    pub origin: Option<Origin>,
}

/// The actor that an append comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The epoch of the conversation's actor.
    pub epoch: u64,
    /// The ticket that comes back with the receipt.
    pub ticket: usize,
    /// What had come to the conversation when it decided this.
    pub came: Came,
}

/// What is written.
#[derive(Clone, Debug)]
pub enum What {
    Chat(ConversationId, Seq, Vec<Event>),
    /// A presence, with the agent's actor, and the request that waits for it.
    Presence((AgentId, u64), Presence, RequestId),
    Setting(SettingChange, Ticket),
}

/// The frame of an append.
pub fn encode(append: &Append) -> Vec<u8> {
    let record = |record: Record| json!([record.kind, record.body]);
    let (stream, records) = match &append.what {
        What::Chat(id, _, events) => {
            let records = events.iter().map(|event| record(Record::of_event(event)));
            (Stream::Conversation(*id), records.collect())
        }
        What::Presence((agent, _), presence, _) => {
            (Stream::Agent(agent.clone()), vec![record(Record::of_presence(*presence, None))])
        }
        What::Setting(change, _) => {
            (Stream::Settings, vec![record(Record::of_setting(change, None))])
        }
    };
    let body = json!({
        "stream": stream.name(),
        "at": append.at.as_millis(),
        "appended": append.appended,
        "records": Value::Array(records),
    });
    let body = body.to_string().into_bytes();
    let mut frame = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
    frame.extend(fnv1a(&body).to_le_bytes());
    frame.extend(body);
    frame
}

/// The body of the whole frame that begins here, and the start of the next frame.
pub fn frame_at(bytes: &[u8], start: usize) -> Option<(&[u8], usize)> {
    let head = bytes.get(start..start + 12)?;
    let length = u32::from_le_bytes(head[..4].try_into().ok()?) as usize;
    let body = bytes.get(start + 12..start + 12 + length)?;
    (fnv1a(body).to_le_bytes() == head[4..]).then_some((body, start + 12 + length))
}
