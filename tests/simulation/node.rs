//! A simulated node: the real machines, driven in one thread as the engine's actors drive them,
//! with every mailbox in order and every actor served when chance says so.

mod calls;
mod change;
pub mod chat;
mod death;
pub mod desk;
pub mod disk;
pub mod facts;
mod gathering;
mod mail;
mod perform;
mod questions;
mod reading;
mod serve;
pub mod session;
mod sockets;
mod threads;
mod timers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use holdline::access::Secret;
use holdline::behavior::message::{FromSession, Join, ToAgent, ToConversation, ToQueue};
use holdline::behavior::queue;
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::command::StartRequest;
use holdline::domain::id::{
    AgentId, ConversationId, QueueId, SessionId, VisitorId, WidgetId, fnv1a,
};
use holdline::domain::queue::QueueCommand;
use holdline::domain::settings::Workstream;
use holdline::domain::settings::registry::Registry;
use holdline::domain::time::{Span, Timestamp};
use holdline::wire::refusal::RefusalCode;

use crate::node::change::Changes;
use crate::node::chat::{Beginning, Chat};
use crate::node::desk::{Consoles, Desk};
use crate::node::disk::Disk;
use crate::node::facts::Pulses;
use crate::node::mail::{Mail, Party};
use crate::node::questions::Questions;
use crate::node::session::Visit;
use crate::node::sockets::Socket;
use crate::node::threads::Threads;
use crate::node::timers::{Actor, Alarm, Timer, Timers};
use crate::random::Dice;
use crate::reached::Reached;
use crate::server::{Doom, Millis, Seen};
use crate::settings;
use crate::wrong::Rules;
use crate::wrong::doors::Doors;

/// How often leases are repeated and asked for, as in the engine.
const AUDIT_EVERY: Span = Span::from_secs(60);

/// Entries in one page of missed messages; the engine's is 100, and no chat here is that long.
const PAGE_ENTRIES: usize = 3;

/// Frames on their way to one socket; the engine's bound is 256, and no reader here is that slow.
const OUTBOX_FRAMES: usize = 9;

/// The node, with its disk.
#[derive(Debug)]
pub struct Node {
    pub rules: Rules,
    doors: Doors,
    pub disk: Disk,
    pub reached: Reached,
    dice: Dice,
    now: Millis,
    is_up: bool,
    /// What the clock said at the start, and when that was.
    base: Timestamp,
    started: Millis,
    was_writable: bool,
    seen: Vec<Seen>,
    secret: Secret,
    minted: u64,
    settings: Arc<Registry>,
    /// What waits for each actor, in the order in which it was sent. Input from a session's socket
    /// is a queue of its own.
    mailboxes: BTreeMap<Party, VecDeque<Mail>>,
    timers: Timers,
    threads: Threads,
    /// The death that awaits a conversation's actor, if one does.
    doom: Option<Doom>,
    directory: BTreeMap<ConversationId, u64>,
    /// Conversations in the directory whose actors have died and that are not yet opened again.
    dead: BTreeSet<(ConversationId, u64)>,
    chats: BTreeMap<(ConversationId, u64), Actor<Chat>>,
    loads: Vec<(ConversationId, u64)>,
    /// The actors of agents and queues, and which actor each name leads to.
    agents: BTreeMap<(AgentId, u64), Actor<Desk>>,
    desks: BTreeMap<AgentId, u64>,
    consoles: Consoles,
    queues: BTreeMap<(QueueId, u64), Actor<queue::Behavior>>,
    lines: BTreeMap<QueueId, u64>,
    changes: Changes,
    sessions: BTreeMap<SessionId, Actor<Visit>>,
    sockets: BTreeMap<SessionId, Socket>,
    visitors: BTreeMap<(WidgetId, VisitorId), ConversationId>,
    /// The first words of chats that were entered and have not begun.
    firsts: BTreeMap<(ConversationId, u64), ToConversation>,
    questions: Questions,
    pulses: Pulses,
    /// The settings of a conversation of which nothing is known.
    fallback: Arc<Workstream>,
}

impl Node {
    /// A node that has never run, with an empty disk.
    pub fn new(seed: u64, rules: Rules) -> Self {
        Self {
            rules,
            doors: Doors::new(rules),
            disk: Disk::new(),
            reached: Reached::default(),
            dice: Dice::new(seed, 2),
            now: 0,
            is_up: false,
            base: Timestamp::default(),
            started: 0,
            was_writable: true,
            seen: Vec::new(),
            secret: Secret::from_bytes([7; 32]),
            minted: 0,
            settings: Arc::default(),
            mailboxes: BTreeMap::new(),
            timers: Timers::default(),
            threads: Threads::new(seed),
            doom: None,
            directory: BTreeMap::new(),
            dead: BTreeSet::new(),
            chats: BTreeMap::new(),
            loads: Vec::new(),
            agents: BTreeMap::new(),
            desks: BTreeMap::new(),
            consoles: Consoles::new(),
            queues: BTreeMap::new(),
            lines: BTreeMap::new(),
            changes: Changes::default(),
            sessions: BTreeMap::new(),
            sockets: BTreeMap::new(),
            visitors: BTreeMap::new(),
            firsts: BTreeMap::new(),
            questions: Questions::default(),
            pulses: Pulses::default(),
            fallback: Arc::new(settings::fallback()),
        }
    }

    fn clock(&self) -> Timestamp {
        self.base + Span::from_millis(self.now - self.started)
    }

    /// A number that was never given out before, and looks like any other.
    fn mint(&mut self) -> u128 {
        self.minted += 1;
        let half =
            |salt: u8| u128::from(fnv1a(&[&[salt], &self.minted.to_le_bytes()[..]].concat()));
        half(1) << 64 | half(2)
    }

    fn send(&mut self, to: Party, mail: Mail) {
        self.mailboxes.entry(to).or_default().push_back(mail);
    }

    /// Tells an agent something. False if the agent has no actor; then no caller waits for it,
    /// either.
    fn tell_agent(&mut self, id: &AgentId, told: ToAgent) -> bool {
        self.give_agent(id, desk::Input::Told(told))
    }

    fn give_agent(&mut self, id: &AgentId, input: desk::Input) -> bool {
        let Some(epoch) = self.desks.get(id).copied() else {
            self.deny(desk::request(&input));
            return false;
        };
        self.send(Party::Agent(id.clone(), epoch), Mail::Agent(input));
        true
    }

    fn tell_queue(&mut self, id: &QueueId, command: QueueCommand) {
        if let Some(epoch) = self.lines.get(id).copied() {
            let told = queue::Input::Told(ToQueue::Command(command));
            self.send(Party::Queue(id.clone(), epoch), Mail::Queue(told));
        }
    }

    fn arm(&mut self, at: Millis, timer: Timer) -> Alarm {
        self.timers.arm(at, timer)
    }

    /// Arms a timer for a time of the node's own clock.
    fn arm_at(&mut self, at: Timestamp, timer: Timer) -> Alarm {
        let wait = at.since(self.clock()).as_millis();
        self.arm(self.now + wait, timer)
    }

    fn disarm(&mut self, alarm: Alarm) {
        self.timers.disarm(alarm);
    }

    /// Tells a conversation something; opens the conversation from the disk if it is not live.
    fn tell_chat(&mut self, id: ConversationId, told: ToConversation) {
        let epoch = match self.directory.get(&id).copied() {
            Some(epoch) if !self.dead.remove(&(id, epoch)) => epoch,
            Some(_) | None => self.enter(Conversation::new(id), Beginning::Unread),
        };
        self.tell_actor(id, epoch, told);
    }

    /// Tells a conversation something if it is live; a conversation whose actor died is opened
    /// again.
    fn tell_live(&mut self, id: ConversationId, told: ToConversation) {
        match self.directory.get(&id).copied() {
            Some(_) => self.tell_chat(id, told),
            None => self.deny(told.request()),
        }
    }

    fn tell_actor(&mut self, id: ConversationId, epoch: u64, told: ToConversation) {
        self.send(Party::Chat(id, epoch), Mail::Chat(chat::Input::Told(told)));
    }

    fn enter(&mut self, conversation: Conversation, beginning: Beginning) -> u64 {
        self.minted += 1;
        let (id, epoch) = (conversation.id(), self.minted);
        let begins_at = self.doors.begins_at(beginning, self.clock());
        let chat = chat::begin(conversation, self.doors.beginning(beginning), begins_at);
        self.chats.insert((id, epoch), Actor::new(chat));
        self.directory.insert(id, epoch);
        self.turn_chat((id, epoch), chat::Input::Begin);
        epoch
    }

    fn leave_directory(&mut self, id: ConversationId, epoch: u64) {
        if self.directory.get(&id) == Some(&epoch) {
            self.directory.remove(&id);
        }
    }

    fn chat_of(&self, widget: &WidgetId, visitor: VisitorId) -> Option<ConversationId> {
        if self.rules.forgets_visitors() {
            return None;
        }
        self.visitors.get(&(widget.clone(), visitor)).copied()
    }

    fn free_visitor(&mut self, widget: WidgetId, visitor: VisitorId, id: ConversationId) {
        if self.visitors.get(&(widget.clone(), visitor)) == Some(&id) {
            self.visitors.remove(&(widget, visitor));
        }
    }

    /// Begins a chat for a session; a visitor with a live chat comes back into that one.
    fn start_chat(
        &mut self,
        session: SessionId,
        request: StartRequest,
        mut join: Join,
    ) -> Result<ConversationId, RefusalCode> {
        self.settings.workstream_of_widget(&request.widget).ok_or(RefusalCode::UnknownWidget)?;
        if !self.disk.is_writable() {
            return Err(RefusalCode::Overloaded);
        }
        if let Some(earlier) = self.chat_of(&request.widget, request.visitor) {
            let said = FromSession::Join(Box::new(join));
            self.tell_chat(earlier, ToConversation::Session(session, said));
            return Ok(earlier);
        }
        let id = ConversationId::from_bits(self.mint());
        let epoch = self.enter(Conversation::new(id), Beginning::Fresh);
        self.visitors.insert((request.widget.clone(), request.visitor), id);
        join.start = Some(request);
        let said = FromSession::Join(Box::new(join));
        self.firsts.insert((id, epoch), ToConversation::Session(session, said));
        // Between the claim and the first word the chat's thread may stand still for a moment.
        let mut dice = Dice::new(self.minted, 6);
        let pause = if dice.one_in(8) { dice.below(40) } else { 0 };
        self.arm(self.now + pause, Timer::First(id, epoch));
        Ok(id)
    }
}
