//! The threads of a simulated node, on which its conversations live by their shards. A pressed
//! thread gathers what they do, as the engine's threads do. Each has a table of the conversations
//! that wait for the journal.

use std::collections::{BTreeMap, VecDeque};

use holdline::behavior::message::ToAgent;
use holdline::domain::id::{AgentId, ConversationId, QueueId, VisitorId, WidgetId};
use holdline::domain::queue::QueueCommand;
use holdline::journal::Pressure;

use crate::node::disk::Append;
use crate::random::Dice;

/// The most appends that are gathered; the engine's bound is 128, and no thread here is that busy.
pub const APPENDS_MAX: usize = 4;

/// One thread.
#[derive(Debug, Default)]
pub struct Thread {
    pub pressure: Pressure,
    pub appends: Vec<Append>,
    pub mail: Gathered,
    /// How often gathered mail was sent.
    sent: u64,
    /// Visitors whose chats have freed them, and whose entries are removed a little later.
    pub freed: Vec<(WidgetId, VisitorId, ConversationId)>,
    /// The conversations that wait for the journal; the index is the ticket that comes back with a
    /// receipt.
    tickets: Vec<Option<(ConversationId, u64)>>,
}

/// What conversations of a thread have told agents and queues, but was not sent yet.
#[derive(Debug, Default)]
pub struct Gathered {
    pub agents: BTreeMap<AgentId, Vec<ToAgent>>,
    pub queues: BTreeMap<QueueId, Vec<QueueCommand>>,
}

impl Gathered {
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.queues.is_empty()
    }

    /// Takes everything for agents, in an arbitrary order.
    pub fn take_agents(&mut self, dice: &mut Dice) -> VecDeque<(AgentId, Vec<ToAgent>)> {
        let mut all: VecDeque<_> = std::mem::take(&mut self.agents).into_iter().collect();
        let turned = usize::try_from(dice.below(all.len() as u64)).unwrap_or(0);
        all.rotate_left(turned);
        all
    }
}

impl Thread {
    /// Whether mail is gathered: while the thread is pressed, and behind earlier mail.
    pub fn gathers_mail(&self) -> bool {
        self.pressure != Pressure::Calm || !self.mail.is_empty()
    }

    /// Takes all gathered mail, to be sent.
    pub fn take_mail(&mut self) -> Gathered {
        self.sent += 1;
        std::mem::take(&mut self.mail)
    }

    /// Whether nothing waits on the thread.
    pub fn is_idle(&self) -> bool {
        self.appends.is_empty() && self.mail.is_empty() && self.freed.is_empty()
    }

    /// The ticket of a conversation that appends something: its present one, or a free one.
    pub fn ticket(&mut self, id: ConversationId, epoch: u64) -> usize {
        let held = self.tickets.iter().position(|it| *it == Some((id, epoch)));
        let free = || self.tickets.iter().position(Option::is_none);
        let ticket = held.or_else(free).unwrap_or(self.tickets.len());
        if ticket == self.tickets.len() {
            self.tickets.push(None);
        }
        self.tickets[ticket] = Some((id, epoch));
        ticket
    }

    /// The conversation that has a ticket now, if one has.
    pub fn holder(&self, ticket: usize) -> Option<(ConversationId, u64)> {
        self.tickets.get(ticket).copied().flatten()
    }

    /// A conversation no longer waits for the journal.
    pub fn give_back(&mut self, id: ConversationId, epoch: u64) {
        for held in self.tickets.iter_mut().filter(|it| **it == Some((id, epoch))) {
            *held = None;
        }
    }
}

/// All threads of a node.
#[derive(Debug)]
pub struct Threads {
    all: Vec<Thread>,
    dice: Dice,
}

impl Threads {
    /// Makes two or three threads.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 11);
        let count = dice.from_to(2, 3);
        Self { all: (0..count).map(|_| Thread::default()).collect(), dice }
    }

    /// The number of the thread on which a conversation lives.
    pub fn number_of(&self, id: ConversationId) -> usize {
        usize::from(id.shard().number()) % self.all.len()
    }

    /// The thread on which a conversation lives.
    pub fn of(&mut self, id: ConversationId) -> &mut Thread {
        let number = self.number_of(id);
        &mut self.all[number]
    }

    pub fn at(&mut self, number: usize) -> &mut Thread {
        &mut self.all[number]
    }

    pub fn all(&self) -> &[Thread] {
        &self.all
    }

    /// How often each thread will have sent mail once everything gathered by now is sent.
    pub fn behind_mail(&self) -> Vec<u64> {
        self.all.iter().map(|it| it.sent + u64::from(!it.mail.is_empty())).collect()
    }

    /// Whether each thread has sent mail that often.
    pub fn have_sent(&self, marks: &[u64]) -> bool {
        self.all.iter().zip(marks).all(|(thread, mark)| thread.sent >= *mark)
    }

    /// Draws how pressed a thread is from now on; it happens with each parcel of receipts.
    pub fn press(&mut self, number: usize) {
        self.all[number].pressure = match self.dice.below(8) {
            0..=4 => Pressure::Calm,
            5..=6 => Pressure::Busy,
            _ => Pressure::Full,
        };
    }

    /// How long something waits: often only for its turn.
    pub fn lateness(&mut self, most: u64) -> u64 {
        if self.dice.one_in(4) { self.dice.below(most) } else { 0 }
    }

    /// True half of the time.
    pub fn toss(&mut self) -> bool {
        self.dice.one_in(2)
    }

    pub fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// Takes all appends that were gathered but not given to the disk.
    pub fn take_appends(&mut self) -> Vec<Append> {
        self.all.iter_mut().flat_map(|thread| std::mem::take(&mut thread.appends)).collect()
    }

    /// The node is killed.
    pub fn clear(&mut self) {
        self.all.iter_mut().for_each(|thread| *thread = Thread::default());
    }
}
