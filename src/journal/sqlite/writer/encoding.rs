//! Appends with their records written out. The threads that made them write them out, because their
//! caches still hold what happened, and there are several. The writer is one, and everybody waits
//! for it.
//!
//! Those that came together and happened at one time share a row, and what happened to many of them
//! alike stands in it once: when very many windows end at one moment, that is nearly all of it.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::domain::audit::AuditEntry;
use crate::domain::conversation::event::Event;
use crate::domain::id::{AgentId, ConversationId, Seq};
use crate::domain::time::Timestamp;
use crate::journal::record::{self, Record, Stream, StreamName, shared_row};
use crate::journal::{Append, Done, Ticket, audit};
use crate::limits;

/// How many different records of a shared row are compared with what happened next.
const ALIKE_COMPARED: usize = 4;

/// Appends that came together.
pub(in crate::journal::sqlite) struct Encoded {
    sheets: SmallVec<[Sheet; 1]>,
    entries: SmallVec<[Entry; 1]>,
    /// Their bodies, one behind the other: UTF-8.
    bodies: Box<[u8]>,
    /// What is noted of them.
    noted: Vec<AuditEntry>,
}

/// What is to be written in one row.
struct Sheet {
    at: Timestamp,
    form: Form,
    /// How many of the entries it holds.
    entries: usize,
}

/// How a row says what happened.
#[derive(Clone, Copy)]
enum Form {
    /// Of one append: a record of this kind.
    Alone(&'static str),
    /// Of several: the records end here among the bodies, and its members follow.
    Shared(usize),
    /// Not at all: it is noted in the audit stream alone.
    Noted,
}

/// One append.
pub(in crate::journal::sqlite) struct Entry {
    pub(in crate::journal::sqlite) owner: Owner,
    /// The place of the first of its events.
    pub(super) first: Seq,
    /// How many positions it takes: one for each event.
    pub(super) positions: u32,
    /// Where its body, or its member of a shared one, ends among the others, which is where the
    /// next begins.
    end: usize,
    /// Whether it is not to be written after all.
    pub(super) is_refused: bool,
}

/// Whose append it is, and who waits for it if it is not a conversation's.
pub(in crate::journal::sqlite) enum Owner {
    Conversation(ConversationId, Ticket),
    Agent(AgentId, Done),
    Settings(Done),
    Audit(Done),
}

/// A row that is to be written, with the positions that it takes.
pub(super) struct Line<'a> {
    pub(super) stream: &'a str,
    pub(super) seq: Seq,
    pub(super) at: Timestamp,
    pub(super) kind: &'static str,
    pub(super) body: &'a [u8],
    pub(super) positions: u64,
}

#[derive(Default)]
struct Room {
    bodies: Vec<u8>,
    /// Of the shared row that is being written.
    records: Vec<u8>,
    members: Vec<u8>,
}

impl Encoded {
    /// Writes these out.
    pub(in crate::journal::sqlite) fn of(appends: impl IntoIterator<Item = Append>) -> Self {
        let mut appends = appends.into_iter().peekable();
        let mut draft = Draft::for_appends(appends.size_hint().0);
        while let Some(append) = appends.next() {
            let shares = appends.peek().is_some_and(|next| happened_alike(&append, next));
            draft.take(append, shares);
        }
        draft.finish()
    }

    /// How many appends they are.
    pub(in crate::journal::sqlite) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Gives each row of what is not refused; `room` is to put bodies together in.
    pub(super) fn each_line<F>(
        &self,
        room: &mut Vec<u8>,
        mut give: impl FnMut(&Line<'_>) -> Result<(), F>,
    ) -> Result<(), F> {
        let (mut left, mut begin) = (self.entries.as_slice(), 0);
        for Sheet { at, form, entries } in &self.sheets {
            let (entries, others) = left.split_at((*entries).min(left.len()));
            left = others;
            let records = match form {
                Form::Alone(_) | Form::Noted => &[],
                Form::Shared(end) => self.part(&mut begin, *end),
            };
            let parts: SmallVec<[_; limits::SHARED_ROW_APPENDS_MAX]> =
                entries.iter().map(|entry| (entry, self.part(&mut begin, entry.end))).collect();
            let written = parts.iter().filter(|(entry, _)| !entry.is_refused);
            let positions = written.clone().map(|(entry, _)| u64::from(entry.positions)).sum();
            match (form, entries) {
                (Form::Alone(kind), [entry]) if !entry.is_refused => {
                    let body = parts.first().map_or(&[][..], |(_, body)| body);
                    entry.with_stream(|stream| {
                        let (seq, at) = (entry.first, *at);
                        give(&Line { stream, seq, at, kind, body, positions })
                    })?;
                }
                (Form::Alone(_) | Form::Noted, _) => {}
                (Form::Shared(_), _) => {
                    room.clear();
                    let members = written.map(|(_, member)| *member);
                    let Some(kind) = shared_row::put_together(records, members, room) else {
                        continue;
                    };
                    if entries.iter().any(|entry| entry.is_refused) {
                        shared_row::keep_named(room);
                    }
                    let stream = &Stream::Several.name();
                    let (seq, at) = (Seq::ZERO, *at);
                    give(&Line { stream, seq, at, kind, body: room, positions })?;
                }
            }
        }
        Ok(())
    }

    fn part(&self, begin: &mut usize, end: usize) -> &[u8] {
        let part = self.bodies.get(*begin..end).unwrap_or_default();
        *begin = end;
        part
    }

    /// What is noted of them, in order.
    pub(super) fn noted(&self) -> &[AuditEntry] {
        &self.noted
    }

    pub(super) fn entries_mut(&mut self) -> &mut [Entry] {
        &mut self.entries
    }

    pub(in crate::journal::sqlite) fn into_entries(self) -> SmallVec<[Entry; 1]> {
        self.entries
    }
}

/// Whether both are of conversations, and of one time.
fn happened_alike(one: &Append, next: &Append) -> bool {
    match (one, next) {
        (Append::Conversation { at, .. }, Append::Conversation { at: next, .. }) => at == next,
        _ => false,
    }
}

/// What is being written out.
struct Draft {
    room: Room,
    sheets: SmallVec<[Sheet; 1]>,
    entries: SmallVec<[Entry; 1]>,
    noted: Vec<AuditEntry>,
    /// The row that further appends may share.
    open: Option<Open>,
}

/// A row that is shared.
struct Open {
    at: Timestamp,
    /// What has happened to some of those in it, the latest last.
    alike: Vec<Arc<[Event]>>,
    entries: usize,
}

impl Draft {
    fn for_appends(count: usize) -> Self {
        Self {
            room: Room::default(),
            sheets: SmallVec::new(),
            entries: SmallVec::with_capacity(count),
            noted: Vec::new(),
            open: None,
        }
    }

    /// Takes the next append; `shares` says whether the one behind it may stand in one row with it.
    fn take(&mut self, append: Append, shares: bool) {
        let append = match append {
            Append::Conversation { id, first, at, events, ticket } => {
                if self.open.is_some() || shares {
                    self.share(id, first, at, events, ticket);
                    if !shares {
                        self.close();
                    }
                    return;
                }
                Append::Conversation { id, first, at, events, ticket }
            }
            other => other,
        };
        let (entry, sheet) = write_alone(append, &mut self.room.bodies, &mut self.noted);
        self.entries.push(entry);
        self.sheets.push(sheet);
    }

    fn share(
        &mut self,
        id: ConversationId,
        first: Seq,
        at: Timestamp,
        events: Arc<[Event]>,
        ticket: Ticket,
    ) {
        let Room { records, members, .. } = &mut self.room;
        let open = self.open.get_or_insert_with(|| Open { at, alike: Vec::new(), entries: 0 });
        let positions = u32::try_from(events.len()).unwrap_or(u32::MAX);
        let mut compared = open.alike.iter().enumerate().rev().take(ALIKE_COMPARED);
        let known = compared.find(|(_, other)| **other == events).map(|(number, _)| number);
        let record = known.unwrap_or_else(|| {
            shared_row::write_record(&events, records);
            open.alike.push(events);
            open.alike.len() - 1
        });
        shared_row::write_member(id, first, record, members);
        let owner = Owner::Conversation(id, ticket);
        let end = members.len();
        self.entries.push(Entry { owner, first, positions, end, is_refused: false });
        open.entries += 1;
        let is_full = open.entries == limits::SHARED_ROW_APPENDS_MAX
            || records.len() + members.len() >= limits::SHARED_ROW_BYTES;
        if is_full {
            self.close();
        }
    }

    /// Ends the row that is shared, if there is one.
    fn close(&mut self) {
        let Some(Open { at, entries, .. }) = self.open.take() else { return };
        let Room { bodies, records, members } = &mut self.room;
        bodies.append(records);
        let records_end = bodies.len();
        bodies.append(members);
        let begin = self.entries.len() - entries;
        for entry in &mut self.entries[begin..] {
            entry.end += records_end;
        }
        self.sheets.push(Sheet { at, form: Form::Shared(records_end), entries });
    }

    fn finish(mut self) -> Encoded {
        self.close();
        let bodies = self.room.bodies.into_boxed_slice();
        Encoded { sheets: self.sheets, entries: self.entries, bodies, noted: self.noted }
    }
}

/// Writes an append that has a row of its own, or none, behind what stands in `bodies`, and what
/// is noted of it behind what stands in `noted`.
fn write_alone(
    append: Append,
    bodies: &mut Vec<u8>,
    noted: &mut Vec<AuditEntry>,
) -> (Entry, Sheet) {
    let mut one = |owner, at, Record { kind, body }: Record| {
        bodies.extend_from_slice(body.as_bytes());
        (owner, Seq::ZERO, 1, at, kind)
    };
    let (owner, first, positions, at, kind) = match append {
        Append::Conversation { id, first, at, events, ticket } => {
            let kind = record::write_events(&events, bodies);
            let positions = u32::try_from(events.len()).unwrap_or(u32::MAX);
            (Owner::Conversation(id, ticket), first, positions, at, kind)
        }
        Append::Presence { agent, presence, by, at, done } => {
            one(Owner::Agent(agent, done), at, Record::of_presence(presence, by.as_ref()))
        }
        Append::Setting { change, by, at, done } => {
            let record = Record::of_setting(&change, by.as_ref());
            noted.extend(audit::of_change(&change, by.as_ref(), at, &record));
            one(Owner::Settings(done), at, record)
        }
        Append::Audit { entry, done } => {
            let at = entry.at;
            noted.push(*entry);
            let end = bodies.len();
            let (owner, first) = (Owner::Audit(done), Seq::ZERO);
            let entry = Entry { owner, first, positions: 0, end, is_refused: false };
            return (entry, Sheet { at, form: Form::Noted, entries: 1 });
        }
    };
    let entry = Entry { owner, first, positions, end: bodies.len(), is_refused: false };
    (entry, Sheet { at, form: Form::Alone(kind), entries: 1 })
}

impl Entry {
    /// The place of the last of its events.
    pub(super) const fn through(&self) -> Seq {
        Seq::new(self.first.number().saturating_add(self.positions).saturating_sub(1))
    }

    /// Uses the name of its stream.
    fn with_stream<T>(&self, use_it: impl FnOnce(&str) -> T) -> T {
        match &self.owner {
            Owner::Conversation(id, _) => use_it(StreamName::default().of_conversation(*id)),
            Owner::Agent(agent, _) => use_it(&Stream::Agent(agent.clone()).name()),
            Owner::Settings(_) | Owner::Audit(_) => use_it(&Stream::Settings.name()),
        }
    }
}
