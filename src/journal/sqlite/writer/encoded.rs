//! Appends with their records written out: by the thread that made them, whose cache still holds
//! what happened, and of which there are several. The writer is one, and everybody waits for it.

use std::cell::RefCell;

use smallvec::SmallVec;

use crate::domain::id::{AgentId, ConversationId, Seq};
use crate::domain::time::Timestamp;
use crate::journal::record::{self, Record, Stream, StreamName};
use crate::journal::{Append, Done, Ticket};

thread_local! {
    /// Room to write in, so that the bodies take from the heap just what they need.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Room that is kept: what is written at once is seldom larger, except while very many wait.
const ROOM_KEPT: usize = 65_536;

/// Appends that came together.
pub(in crate::journal::sqlite) struct Encoded {
    entries: SmallVec<[Entry; 1]>,
    /// What they say, one behind the other: UTF-8.
    bodies: Box<[u8]>,
}

/// What is to be written in one row.
pub(in crate::journal::sqlite) struct Entry {
    pub(in crate::journal::sqlite) owner: Owner,
    /// The place of the first of its events.
    pub(super) first: Seq,
    /// How many positions it takes: one for each event.
    pub(super) positions: u32,
    pub(super) at: Timestamp,
    pub(super) kind: &'static str,
    /// Where its body ends among the others, which is where the next begins.
    end: usize,
    /// Whether it is not to be written after all.
    pub(super) is_refused: bool,
}

/// Whose it is, and who waits for it if it is not a conversation's.
pub(in crate::journal::sqlite) enum Owner {
    Conversation(ConversationId, Ticket),
    Agent(AgentId, Done),
    Settings(Done),
}

impl Encoded {
    /// Writes these out.
    pub(in crate::journal::sqlite) fn of(appends: impl IntoIterator<Item = Append>) -> Self {
        ROOM.with_borrow_mut(|room| {
            room.clear();
            let entries = appends.into_iter().map(|append| Entry::write(append, room)).collect();
            let bodies = Box::from(room.as_slice());
            room.shrink_to(ROOM_KEPT);
            Self { entries, bodies }
        })
    }

    /// How many appends they are.
    pub(in crate::journal::sqlite) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Each of them, with its body.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Entry, &[u8])> {
        let mut begin = 0;
        self.entries.iter().map(move |entry| {
            let body = self.bodies.get(begin..entry.end).unwrap_or_default();
            begin = entry.end;
            (entry, body)
        })
    }

    pub(super) fn entries_mut(&mut self) -> &mut [Entry] {
        &mut self.entries
    }

    pub(in crate::journal::sqlite) fn into_entries(self) -> SmallVec<[Entry; 1]> {
        self.entries
    }
}

impl Entry {
    /// Writes what happened behind what stands in `bodies`.
    fn write(append: Append, bodies: &mut Vec<u8>) -> Self {
        let mut alone = |owner, at, Record { kind, body }: Record| {
            bodies.extend_from_slice(body.as_bytes());
            (owner, Seq::ZERO, 1, at, kind)
        };
        let (owner, first, positions, at, kind) = match append {
            Append::Conversation { id, first, at, events, ticket } => {
                let kind = record::write_events(&events, bodies);
                let positions = u32::try_from(events.len()).unwrap_or(u32::MAX);
                (Owner::Conversation(id, ticket), first, positions, at, kind)
            }
            Append::Presence { agent, presence, at, done } => {
                alone(Owner::Agent(agent, done), at, Record::of_presence(presence))
            }
            Append::Setting { change, at, done } => {
                alone(Owner::Settings(done), at, Record::of_setting(&change))
            }
        };
        Self { owner, first, positions, at, kind, end: bodies.len(), is_refused: false }
    }

    /// The place of the last of its events.
    pub(super) const fn through(&self) -> Seq {
        Seq::new(self.first.number().saturating_add(self.positions).saturating_sub(1))
    }

    /// Uses the name of its stream.
    pub(super) fn with_stream<T>(&self, use_it: impl FnOnce(&str) -> T) -> T {
        match &self.owner {
            Owner::Conversation(id, _) => use_it(StreamName::default().of_conversation(*id)),
            Owner::Agent(agent, _) => use_it(&Stream::Agent(agent.clone()).name()),
            Owner::Settings(_) => use_it(&Stream::Settings.name()),
        }
    }
}
