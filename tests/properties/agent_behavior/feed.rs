//! Laws of an agent's feed, whatever its console, the journal and the conversations do, and in
//! whatever order. When a message may have been skipped, the console is told so. No message is told
//! twice, with one exception: the feed had a message from the journal, which then had nothing more
//! for the feed, and the message's conversation tells it afterwards.

use std::collections::{BTreeMap, VecDeque};

use holdline::behavior::agent::{Behavior, Facts, FeedEvent, Input, Opening, Output};
use holdline::behavior::message::{FeedItem, RequestId, ToAgent, ToConversation};
use holdline::domain::agent::FeedNumber;
use holdline::domain::conversation::event::{Author, Event, Recorded};
use holdline::domain::id::{ConversationId, Seq};
use holdline::domain::position::{Located, Position};
use holdline::domain::text::MessageText;
use holdline::domain::time::{Span, Timestamp};
use holdline::wire::feed::{self, FeedKind, Rendered};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{behavior, lease};
use crate::config;
use crate::script::{DAWN, Held};

/// How many events a feed has room for here.
const ROOM: usize = 6;

/// How many events are read at once.
const PAGE: usize = 3;

/// How many chats the agent has.
const CHATS: u128 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// A customer says something.
    Post(u128),
    /// A conversation tells the agent the oldest message that no conversation has told yet.
    Tell,
    /// The engine learns up to which position everything was told.
    Learn,
    /// The actor of a conversation dies before it tells the oldest message that no conversation has
    /// told yet, if there is one.
    Die,
    /// Something was erased.
    Forget,
    /// The console comes, or comes back.
    Open,
    /// The console takes this many events.
    Take(usize),
    /// The console goes.
    Drop,
    /// The oldest read is done, with what there was when it was asked for (`true`) or with what
    /// there is now.
    Read(bool),
    /// The feed that asked for room first has it, if there is any.
    Room,
    /// A conversation shows itself.
    Show,
    Wait(u64),
    /// The server is restarted.
    Restart,
}

fn script() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1..=CHATS).prop_map(Step::Post),
        5 => Just(Step::Tell),
        3 => Just(Step::Learn),
        1 => Just(Step::Die),
        2 => Just(Step::Forget),
        4 => Just(Step::Open),
        6 => (1_usize..8).prop_map(Step::Take),
        2 => Just(Step::Drop),
        10 => any::<bool>().prop_map(Step::Read),
        10 => Just(Step::Room),
        5 => Just(Step::Show),
        2 => (0_u64..12_000).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ];
    vec(step, 0..200)
}

/// The feed that a console has open.
struct Open {
    number: FeedNumber,
    waiting: VecDeque<FeedEvent>,
    has_ended: bool,
    /// The last message of each chat that this feed was told.
    told: BTreeMap<ConversationId, Seq>,
    /// How many messages the agent had been told when the journal had nothing more for this feed.
    told_when_read: usize,
}

/// An agent with some chats and one console.
struct World {
    behavior: Behavior,
    run: u64,
    now: Timestamp,
    /// Whether conversations may tell the agent a message later than at once.
    may_be_late: bool,
    journal: Vec<Located>,
    /// The message that a feed tells with each JSON text.
    messages: BTreeMap<String, (ConversationId, Seq)>,
    /// How many messages of the journal the agent was told.
    told: usize,
    told_through: Position,
    open: Option<Open>,
    feeds: FeedNumber,
    reads: VecDeque<(FeedNumber, Position, usize)>,
    rooms: VecDeque<FeedNumber>,
    shows: VecDeque<(FeedNumber, ConversationId)>,
    /// The last id that the console was given.
    last_id: Option<String>,
    /// The last message of each chat that the console knows of.
    seen: BTreeMap<ConversationId, Seq>,
}

impl World {
    fn new(may_be_late: bool) -> Self {
        let mut world = Self {
            behavior: behavior(1, DAWN),
            run: 1,
            now: DAWN,
            may_be_late,
            journal: Vec::new(),
            messages: BTreeMap::new(),
            told: 0,
            told_through: Position(0),
            open: None,
            feeds: 0,
            reads: VecDeque::new(),
            rooms: VecDeque::new(),
            shows: VecDeque::new(),
            last_id: None,
            seen: BTreeMap::new(),
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        self.give(Input::Begin);
        for chat in (1..=CHATS).map(ConversationId::from_bits) {
            let (seq, lease) = (Seq::new(1), Some(lease()));
            let held = ToAgent::Adjust { conversation: chat, seq, lease, repeated: false };
            self.give(Input::Told(held));
        }
    }

    fn give(&mut self, input: Input) {
        let facts = Facts { told_through: self.told_through, is_draining: false };
        let (mut next, mut following) = (Some(input), VecDeque::new());
        while let Some(input) = next {
            let mut out = Vec::new();
            self.behavior.handle(input, self.now, facts, &mut out);
            for output in out {
                following.extend(self.perform(output));
            }
            next = following.pop_front();
        }
    }

    fn perform(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Feed { feed, is_part, id, kind, data } => {
                let open = self.open.as_mut().filter(|open| open.number == feed)?;
                if open.has_ended {
                    return None;
                }
                if !is_part && open.waiting.len() >= ROOM {
                    open.has_ended = true;
                    return Some(Input::FeedSlow(feed));
                }
                open.waiting.push_back(FeedEvent { id, kind, data });
            }
            Output::EndFeed(feed) | Output::AbandonFeed(feed) => {
                if let Some(open) = self.open.as_mut().filter(|open| open.number == feed) {
                    open.has_ended = true;
                }
            }
            Output::ReadMissed(feed, after) => {
                self.reads.push_back((feed, after, self.journal.len()));
            }
            Output::AwaitRoom(feed) => self.rooms.push_back(feed),
            Output::ToConversation(chat, message) => {
                if let ToConversation::ShowTo(_, Some(feed)) = *message {
                    self.shows.push_back((feed, chat));
                }
            }
            _ => {}
        }
        None
    }

    fn last(&self, chat: ConversationId, among: usize) -> Seq {
        let of_chat = self.journal[..among].iter().filter(|it| it.conversation == chat);
        Seq::new(u32::try_from(of_chat.count()).expect("few"))
    }

    fn post(&mut self, chat: ConversationId) {
        let seq = Seq::new(self.last(chat, self.journal.len()).number() + 1);
        let id = format!("m{}-{}", chat, seq.number()).parse().expect("an id");
        let text = MessageText::parse("a word").expect("a text");
        let from = Author::Customer;
        let event = Event::MessagePosted { id, from, by: None, text, reminder: None };
        let recorded = Recorded { seq, at: self.now, event };
        let Rendered { data, .. } = feed::message(chat, &recorded).expect("a message");
        self.messages.insert(data.to_string(), (chat, seq));
        let position = Position(self.journal.len() as u64 + 1);
        self.journal.push(Located { position, conversation: chat, recorded });
        if !self.may_be_late {
            self.tell();
        }
    }

    fn tell(&mut self) {
        let Some(Located { conversation, recorded, .. }) = self.journal.get(self.told) else {
            return;
        };
        let rendered = feed::message(*conversation, recorded).expect("a message");
        let item = FeedItem::at(rendered, *conversation, recorded.seq);
        self.told += 1;
        self.give(Input::Told(ToAgent::Tell(vec![item])));
    }

    fn open(&mut self) {
        if self.open.is_some() {
            return;
        }
        if self.last_id.is_none() {
            // A console without an id begins with the present state.
            let chats = (1..=CHATS).map(ConversationId::from_bits);
            self.seen = chats.map(|chat| (chat, self.last(chat, self.told))).collect();
        }
        self.feeds += 1;
        let (feed, request) = (self.feeds, RequestId::new(self.feeds));
        let (waiting, told) = (VecDeque::new(), BTreeMap::new());
        let told_when_read = self.told;
        self.open = Some(Open { number: feed, waiting, has_ended: false, told, told_when_read });
        let (after, heartbeat) = (self.last_id.clone(), Span::from_secs(15));
        let opening = Opening { feed, after, watching: false, heartbeat, request };
        self.give(Input::OpenFeed(opening));
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.give(Input::FeedClosed(open.number));
        }
    }

    /// The console takes an event if there is one, and goes when its feed has ended.
    fn take(&mut self) -> Held {
        let Some(open) = &mut self.open else { return Ok(()) };
        let Some(event) = open.waiting.pop_front() else {
            if open.has_ended {
                self.close();
            }
            return Ok(());
        };
        self.last_id = event.id.map(|id| id.to_string()).or(self.last_id.take());
        if event.kind == FeedKind::PlaceUnknown {
            // The console reads for itself what was said.
            open.told.clear();
            let chats = (1..=CHATS).map(ConversationId::from_bits);
            self.seen = chats.map(|chat| (chat, self.last(chat, self.journal.len()))).collect();
            return Ok(());
        }
        if event.kind != FeedKind::Message {
            return Ok(());
        }
        let (chat, seq) = self.messages[&*event.data];
        let seen = self.seen.entry(chat).or_default();
        prop_assert!(seq.number() <= seen.number() + 1, "{chat}: {seen:?}, then {seq:?}");
        *seen = seq.max(*seen);
        if let Some(told) = open.told.insert(chat, seq) {
            let is_it = |it: &Located| (it.conversation, it.recorded.seq) == (chat, seq);
            let was_told_late =
                self.journal.iter().position(is_it).is_some_and(|it| it >= open.told_when_read);
            let is_next = seq.number() == told.number() + 1;
            prop_assert!(is_next || was_told_late, "{chat}: {told:?}, then {seq:?}");
        }
        Ok(())
    }

    fn read(&mut self, as_asked: bool) {
        let Some((feed, after, head)) = self.reads.pop_front() else { return };
        let head = if as_asked { head } else { self.journal.len() };
        let missed = self.journal[..head].iter().filter(|located| located.position > after);
        let page: Vec<_> = missed.take(PAGE).cloned().collect();
        if let Some(open) = self.open.as_mut().filter(|open| open.number == feed && page.is_empty())
        {
            open.told_when_read = self.told;
        }
        self.give(Input::Missed(feed, Ok(page)));
    }

    fn room(&mut self) {
        let Some(feed) = self.rooms.pop_front() else { return };
        let open = self.open.as_ref().filter(|open| open.number == feed && !open.has_ended);
        if open.is_some_and(|open| open.waiting.len() > PAGE) {
            self.rooms.push_back(feed);
        } else {
            self.give(Input::Room(feed));
        }
    }

    fn show(&mut self) {
        let Some((feed, chat)) = self.shows.pop_front() else { return };
        let data = format!("{{\"id\":\"{chat}\"}}").into();
        let shown = FeedItem::from(Rendered { kind: FeedKind::Conversation, data });
        self.give(Input::Told(ToAgent::Shown(feed, vec![shown])));
    }

    fn restart(&mut self) {
        (self.open, self.run) = (None, self.run + 1);
        self.behavior = behavior(self.run, self.now);
        (self.reads, self.rooms, self.shows) = Default::default();
        // After a restart no conversation tells what was said before.
        self.told = self.journal.len();
        self.begin();
    }

    fn step(&mut self, step: Step) -> Held {
        match step {
            Step::Post(chat) => self.post(ConversationId::from_bits(chat)),
            Step::Tell => self.tell(),
            Step::Learn => self.told_through = Position(self.told as u64),
            Step::Die => {
                self.told = self.journal.len().min(self.told + 1);
                self.give(Input::Told(ToAgent::LosePlace));
            }
            Step::Forget => self.give(Input::Told(ToAgent::ForgetKept)),
            Step::Open => self.open(),
            Step::Take(count) => (0..count).try_for_each(|_| self.take())?,
            Step::Drop => self.close(),
            Step::Read(as_asked) => self.read(as_asked),
            Step::Room => self.room(),
            Step::Show => self.show(),
            Step::Wait(millis) => {
                self.now = self.now + Span::from_millis(millis);
                self.give(Input::Wake);
            }
            Step::Restart => self.restart(),
        }
        Ok(())
    }

    /// Goes on until the console knows everything.
    fn settle(&mut self) -> Held {
        use Step::{Open, Read, Room, Show, Take, Tell};
        let round = || [Open, Read(false), Room, Show, Take(9), Tell];
        let rounds = 2 * self.journal.len() + 100;
        (0..rounds).flat_map(|_| round()).try_for_each(|step| self.step(step))
    }
}

fn hold(script: Vec<Step>, may_be_late: bool) -> Held {
    let mut world = World::new(may_be_late);
    for step in script {
        world.step(step)?;
    }
    world.settle()?;
    prop_assert!(world.open.as_ref().is_some_and(|open| open.waiting.is_empty()));
    for chat in (1..=CHATS).map(ConversationId::from_bits) {
        prop_assert_eq!(world.seen[&chat], world.last(chat, world.journal.len()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    /// This holds while conversations tell each message at once.
    #[test]
    fn a_feed_skips_nothing_and_repeats_nothing(script in script()) {
        hold(script, false)?;
    }

    /// It also holds however late they tell.
    #[test]
    fn a_feed_skips_and_repeats_nothing_that_is_told_late(script in script()) {
        hold(script, true)?;
    }
}
