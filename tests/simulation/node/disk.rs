//! The disk of a simulated node: an append-only file of checked frames, in the real record form. It
//! syncs slowly, refuses writes, fails in the middle of a write, and loses what was not synced.

mod append;

use std::collections::{BTreeMap, BTreeSet};

use holdline::behavior::message::Trouble;
use holdline::domain::agent::Presence;
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::event::{Audience, Event, Recorded};
use holdline::domain::decision::Receipt;
use holdline::domain::id::{AgentId, ConversationId, History, Seq};
use holdline::domain::settings::registry::Registry;
use holdline::domain::time::Timestamp;
use holdline::journal::record::{Entry, Stream};
use holdline::journal::snapshot;
use serde_json::Value;

pub use crate::node::disk::append::{Append, Origin, What};

use crate::node::disk::append::{encode, frame_at};
use crate::random::Dice;
use crate::reached::{Came, Fate};
use crate::server::{Millis, Row, Weather};

/// The disk, and what a reader has found on it so far.
#[derive(Debug)]
pub struct Disk {
    bytes: Vec<u8>,
    read: usize,
    /// The contents at the last backup, if there was one.
    backup: Option<Vec<u8>>,
    /// The history to which its places belong; every restore begins another.
    pub history: History,
    weather: Weather,
    is_broken: bool,
    writing: Vec<Append>,
    queued: Vec<Append>,
    sync_at: Option<Millis>,
    /// Where the next append of a conversation must begin.
    expected: BTreeMap<ConversationId, Seq>,
    pub chats: BTreeMap<ConversationId, Chat>,
    pub settings: Registry,
    pub presences: BTreeMap<AgentId, Presence>,
    pub latest: Timestamp,
    /// How often a write was torn in the middle, or kept without a receipt.
    pub torn: u64,
    /// What was being written when the node was killed.
    cut_off: Vec<Append>,
}

/// A conversation on the disk.
#[derive(Clone, Debug)]
pub struct Chat {
    pub conversation: Conversation,
    pub rows: Vec<Recorded>,
}

/// What actors are told of a write that has failed.
pub fn trouble() -> Trouble {
    Trouble { is_of_writing: true, text: "the disk".into() }
}

/// Says that a conversation is durable up to a place.
#[derive(Clone, Copy, Debug)]
pub struct Confirmed {
    pub id: ConversationId,
    pub ticket: usize,
    pub receipt: Receipt,
}

/// The result of a write.
#[derive(Debug, Default)]
pub struct Outcome {
    pub rows: Vec<Row>,
    pub receipts: Vec<Confirmed>,
    pub lost: BTreeSet<ConversationId>,
    pub done: Vec<What>,
    pub refused: Vec<What>,
    /// The fates of decisions, each with what had come when it was made.
    pub fates: Vec<(Came, Fate)>,
}

impl Disk {
    pub fn new() -> Self {
        Self {
            bytes: Vec::new(),
            read: 0,
            backup: None,
            history: History::new(1),
            weather: Weather::Fine(0),
            is_broken: false,
            writing: Vec::new(),
            queued: Vec::new(),
            sync_at: None,
            expected: BTreeMap::new(),
            chats: BTreeMap::new(),
            settings: Registry::default(),
            presences: BTreeMap::new(),
            latest: Timestamp::default(),
            torn: 0,
            cut_off: Vec::new(),
        }
    }

    pub fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    pub fn is_writable(&self) -> bool {
        !self.is_broken && self.weather != Weather::Full
    }

    pub fn sync_at(&self) -> Option<Millis> {
        self.sync_at
    }

    pub fn is_idle(&self) -> bool {
        self.writing.is_empty() && self.queued.is_empty()
    }

    /// Whether a write of this conversation is not settled.
    pub fn is_unsettled(&self, id: ConversationId) -> bool {
        let mut all = self.writing.iter().chain(&self.queued);
        all.any(|append| matches!(append.what, What::Chat(of, ..) if of == id))
    }

    /// Takes an append; refuses one that does not continue what was taken before.
    pub fn append(&mut self, append: Append) -> Result<(), ()> {
        if let What::Chat(id, first, events) = &append.what {
            let durable = self.chats.get(id).map_or(Seq::ZERO, |chat| chat.conversation.seq());
            let expected = self.expected.get(id).copied().unwrap_or(durable.next());
            if expected != *first {
                return Err(());
            }
            self.expected.insert(*id, first.plus(u32::try_from(events.len()).unwrap()));
        }
        if self.writing.is_empty() {
            self.begin(append.appended, vec![append]);
        } else {
            self.queued.push(append);
        }
        Ok(())
    }

    fn begin(&mut self, now: Millis, writing: Vec<Append>) {
        let takes = match self.weather {
            Weather::Fine(takes) => takes,
            Weather::FailNext | Weather::TearNext | Weather::SyncFails | Weather::Full => 1,
        };
        self.writing = writing;
        self.sync_at = Some(now + takes);
    }

    /// The running write has ended, well or badly.
    pub fn sync(&mut self, now: Millis, dice: &mut Dice) -> Outcome {
        self.sync_at = None;
        let batch = std::mem::take(&mut self.writing);
        let outcome = match self.weather {
            _ if self.is_broken => self.fail(batch, 0, dice),
            Weather::Fine(_) => self.succeed(&batch),
            Weather::FailNext => {
                self.weather = Weather::Fine(1);
                self.fail(batch, 0, dice)
            }
            Weather::TearNext => {
                self.weather = Weather::Fine(1);
                let most = batch.iter().map(|append| encode(append).len()).sum();
                self.fail(batch, most, dice)
            }
            Weather::Full => self.fail(batch, 0, dice),
            Weather::SyncFails => {
                self.is_broken = true;
                let most = batch.iter().map(|append| encode(append).len()).sum();
                self.fail(batch, most, dice)
            }
        };
        let queued = std::mem::take(&mut self.queued);
        if !queued.is_empty() {
            self.begin(now, queued);
        }
        outcome
    }

    fn succeed(&mut self, batch: &[Append]) -> Outcome {
        batch.iter().for_each(|append| self.bytes.extend(encode(append)));
        let mut outcome = Outcome { rows: self.read_on(), ..Outcome::default() };
        for append in batch {
            if let What::Chat(id, first, events) = &append.what {
                let through = first.plus(u32::try_from(events.len()).unwrap() - 1);
                let receipt = Receipt::issue(through);
                outcome.receipts.extend(append.origin.map(|origin| Confirmed {
                    id: *id,
                    ticket: origin.ticket,
                    receipt,
                }));
                let came = append.origin.map(|origin| origin.came);
                outcome.fates.extend(came.map(|came| (came, Fate::Written)));
            } else {
                outcome.done.push(append.what.clone());
            }
        }
        outcome
    }

    /// Keeps at most this many bytes of what was to be written, and loses whatever was decided on
    /// top of it.
    fn fail(&mut self, batch: Vec<Append>, most: usize, dice: &mut Dice) -> Outcome {
        self.keep_some(&batch, most, dice);
        let mut outcome = Outcome { rows: self.read_on(), ..Outcome::default() };
        let concerned = |append: &Append| match &append.what {
            What::Chat(id, ..) => Some(*id),
            What::Presence(..) | What::Setting(..) => None,
        };
        outcome.lost = batch.iter().filter_map(concerned).collect();
        let lost = outcome.lost.clone();
        let is_lost = |append: &mut Append| concerned(append).is_some_and(|id| lost.contains(&id));
        let dropped: Vec<_> = self.queued.extract_if(.., is_lost).collect();
        let all = batch.iter().chain(&dropped);
        outcome.fates = self.fates(all, Fate::FailedButKept, Fate::Failed).collect();
        self.expected.retain(|id, _| !outcome.lost.contains(id));
        outcome.refused = batch
            .iter()
            .filter_map(|append| match &append.what {
                What::Presence(..) | What::Setting(..) => Some(append.what.clone()),
                What::Chat(..) => None,
            })
            .collect();
        outcome
    }

    /// The fates of appends that have no receipt: whether they are on the disk.
    fn fates<'a>(
        &self,
        appends: impl Iterator<Item = &'a Append>,
        kept: Fate,
        lost: Fate,
    ) -> impl Iterator<Item = (Came, Fate)> {
        appends.filter_map(move |append| {
            let What::Chat(id, first, _) = &append.what else { return None };
            let chat = self.chats.get(id);
            let is_kept = chat.is_some_and(|chat| chat.conversation.seq() >= *first);
            append.origin.map(|origin| (origin.came, if is_kept { kept } else { lost }))
        })
    }

    fn keep_some(&mut self, batch: &[Append], most: usize, dice: &mut Dice) {
        let all: Vec<u8> = batch.iter().flat_map(encode).collect();
        // Half of the time it keeps whole frames, so that something stands without a receipt.
        let whole = dice.below(batch.len() as u64 + 1) as usize;
        let whole = batch.iter().take(whole).map(|append| encode(append).len()).sum::<usize>();
        let kept = dice.below(most as u64 + 1) as usize;
        let kept = if dice.one_in(2) { whole.min(most) } else { kept };
        if kept > 0 && !all.is_empty() {
            self.torn += 1;
            self.bytes.extend_from_slice(&all[..kept.min(all.len())]);
        }
    }

    /// The node is killed: some bytes of what was not synced may be there.
    pub fn crash(&mut self, dice: &mut Dice, gathered: Vec<Append>) {
        let mut batch = std::mem::take(&mut self.writing);
        batch.append(&mut self.queued);
        let most = batch.iter().map(|append| encode(append).len()).sum();
        if dice.one_in(2) {
            self.keep_some(&batch, most, dice);
        }
        self.cut_off = batch;
        self.cut_off.extend(gathered);
        self.sync_at = None;
        self.expected.clear();
        self.is_broken = false;
        if self.weather == Weather::SyncFails {
            self.weather = Weather::Fine(1);
        }
    }

    /// Copies the contents, while the node goes on.
    pub fn back_up(&mut self) {
        self.backup = Some(self.bytes.clone());
    }

    /// Replaces the contents with the last copy, while the node is down.
    pub fn restore(&mut self) {
        let Some(backup) = &self.backup else { return };
        self.bytes.clone_from(backup);
        self.read = self.bytes.len();
        self.latest = Timestamp::default();
        self.cut_off.clear();
        self.history = History::new(self.history.number() + 1);
    }

    /// Reads the whole file again, as a start does. Returns the rows that were not known, and the
    /// fates of what was cut off.
    pub fn open(&mut self) -> (Vec<Row>, Vec<(Came, Fate)>) {
        let known = self.read;
        self.read = 0;
        self.chats.clear();
        self.settings = Registry::default();
        self.presences.clear();
        let _known = self.read_to(known);
        let news = self.read_on();
        let cut_off = std::mem::take(&mut self.cut_off);
        let fates = self.fates(cut_off.iter(), Fate::KilledButKept, Fate::Killed).collect();
        (news, fates)
    }

    /// Every conversation that is not closed, through the form in which it is stored.
    pub fn recovered(&self) -> Vec<Conversation> {
        let open = self.chats.values().map(|chat| &chat.conversation);
        open.filter(|one| !one.is_closed())
            .map(|one| snapshot::decode(&snapshot::encode(one)).expect("a snapshot can be read"))
            .collect()
    }

    /// What a customer may see after a place, by the product's own rule.
    pub fn page(&self, id: ConversationId, after: Seq, entries: usize) -> Vec<Recorded> {
        let rows = self.chats.get(&id).map(|chat| chat.rows.as_slice()).unwrap_or_default();
        let seen =
            rows.iter().filter(|row| row.seq > after && row.event.is_seen_by(Audience::Customer));
        seen.take(entries).cloned().collect()
    }

    fn read_to(&mut self, end: usize) -> Vec<Row> {
        let later = self.bytes.split_off(end);
        let rows = self.read_on();
        self.bytes.extend(later);
        rows
    }

    /// Reads frames up to the first that is not whole, and cuts that one off.
    fn read_on(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        while let Some((body, next)) = frame_at(&self.bytes, self.read) {
            let body: Value = serde_json::from_slice(body).expect("what is whole can be read");
            self.take(&body, &mut rows);
            self.read = next;
        }
        self.bytes.truncate(self.read);
        rows
    }

    fn take(&mut self, body: &Value, rows: &mut Vec<Row>) {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let at = Timestamp::from_millis(body["at"].as_i64().expect("a time"));
        let appended = body["appended"].as_u64().expect("a time");
        self.latest = self.latest.max(at);
        let stream = Stream::read(&text(&body["stream"])).expect("the stream can be read");
        for record in body["records"].as_array().expect("records") {
            let entry = Entry::read(&text(&record[0]), &text(&record[1])).expect("it can be read");
            match (&stream, entry) {
                (Stream::Conversation(id), Entry::Event(event)) => {
                    let row = self.take_event(*id, at, event);
                    let Recorded { seq, at, event } = row;
                    rows.push(Row { conversation: *id, seq, at, appended, event });
                }
                (Stream::Agent(agent), Entry::Presence(presence, _)) => {
                    self.presences.insert(agent.clone(), presence);
                }
                (Stream::Settings, Entry::Setting(change, _)) => self.settings.apply(change),
                (stream, entry) => unreachable!("{entry:?} in {stream:?}"),
            }
        }
    }

    fn take_event(&mut self, id: ConversationId, at: Timestamp, event: Event) -> Recorded {
        let fresh = || Chat { conversation: Conversation::new(id), rows: Vec::new() };
        let chat = self.chats.entry(id).or_insert_with(fresh);
        chat.conversation.apply(&event, at);
        let row = Recorded { seq: chat.conversation.seq(), at, event };
        chat.rows.push(row.clone());
        row
    }
}
