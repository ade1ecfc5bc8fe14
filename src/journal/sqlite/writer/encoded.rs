//! An append with its record written out: by the thread that made it, whose cache still holds what
//! happened, and of which there are several. The writer is one, and everybody waits for it.

use std::cell::RefCell;

use crate::domain::id::{AgentId, ConversationId, Seq};
use crate::domain::time::Timestamp;
use crate::journal::record::{self, Record, Stream, StreamName};
use crate::journal::{Append, Done};

thread_local! {
    /// Room to write in, so that each body takes from the heap just what it needs.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Room that is kept: a body is seldom larger.
const ROOM_KEPT: usize = 4_096;

/// What is to be written in one row.
pub(in crate::journal::sqlite) struct Encoded {
    pub(in crate::journal::sqlite) owner: Owner,
    /// The place of the first of its events.
    pub(super) first: Seq,
    /// How many positions it takes: one for each event.
    pub(super) positions: u32,
    pub(super) at: Timestamp,
    pub(super) kind: &'static str,
    /// UTF-8.
    pub(super) body: Box<[u8]>,
}

/// Whose it is, and who waits for it if it is not a conversation's.
pub(in crate::journal::sqlite) enum Owner {
    Conversation(ConversationId),
    Agent(AgentId, Done),
    Settings(Done),
}

impl From<Append> for Encoded {
    fn from(append: Append) -> Self {
        let alone = |owner, at, Record { kind, body }: Record| Self {
            owner,
            first: Seq::ZERO,
            positions: 1,
            at,
            kind,
            body: body.into_bytes().into_boxed_slice(),
        };
        match append {
            Append::Conversation { id, first, at, events } => {
                let (kind, body) = ROOM.with_borrow_mut(|room| {
                    room.clear();
                    let kind = record::write_events(&events, room);
                    let body = Box::from(room.as_slice());
                    room.shrink_to(ROOM_KEPT);
                    (kind, body)
                });
                let positions = u32::try_from(events.len()).unwrap_or(u32::MAX);
                Self { owner: Owner::Conversation(id), first, positions, at, kind, body }
            }
            Append::Presence { agent, presence, at, done } => {
                alone(Owner::Agent(agent, done), at, Record::of_presence(presence))
            }
            Append::Setting { change, at, done } => {
                alone(Owner::Settings(done), at, Record::of_setting(&change))
            }
        }
    }
}

impl Encoded {
    /// The place of the last of its events.
    pub(super) const fn through(&self) -> Seq {
        Seq::new(self.first.number().saturating_add(self.positions).saturating_sub(1))
    }

    /// Uses the name of its stream.
    pub(super) fn with_stream<T>(&self, use_it: impl FnOnce(&str) -> T) -> T {
        match &self.owner {
            Owner::Conversation(id) => use_it(StreamName::default().of_conversation(*id)),
            Owner::Agent(agent, _) => use_it(&Stream::Agent(agent.clone()).name()),
            Owner::Settings(_) => use_it(&Stream::Settings.name()),
        }
    }
}
