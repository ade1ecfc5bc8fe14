//! A world around a server: customers' tabs, agents, a network, a disk's weather and a clock on
//! the wall, driven by one loop in one thread, whose time jumps from event to event.

mod administrator;
mod customer;
mod network;
mod restore;
mod staff;

use std::collections::{BTreeMap, VecDeque};

use holdline::domain::id::{ConversationId, SessionId};
use holdline::domain::time::{Span, Timestamp};
use sha2::{Digest, Sha256};

use crate::plan::{Plan, StreamPlan, What};
use crate::random::Dice;
use crate::server::{Call, Cut, Doom, Millis, Seen, Server, Ticket, Weather};
use crate::settings;
use crate::watch::{Violation, Watch};
use crate::world::customer::{Tab, TabTimer};
use crate::world::network::{Down, Link, Up};
use crate::world::restore::Backup;
use crate::world::staff::{Console, Deed};

/// The wall clock's time when a world begins.
pub const DAWN: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// How long tabs and agents have at the end to come back and be told everything.
const CALM: Millis = 60_000;

/// How long a world is then left alone: longer than any of its timers.
const DUSK: Millis = 400_000;

/// More steps than any world of minutes needs; a world that takes more goes round in circles. A
/// world of hours may have as many times more.
const STEPS_MAX: u64 = 400_000;

/// Events kept to be told when a check fails.
const LAST_EVENTS: usize = 40;

/// A world, its server, and the watcher of both.
pub struct World<S> {
    pub server: S,
    pub watch: Watch,
    pub steps: u64,
    pub events: u64,
    plan: Plan,
    now: Millis,
    /// How far the wall clock has stepped away from the world's time.
    stepped: i64,
    agenda: BTreeMap<(Millis, u64), Due>,
    order: u64,
    dice: Dice,
    links: Vec<Link>,
    tabs: Vec<Tab>,
    consoles: Vec<Console>,
    /// Each workstream as it was last put, with the number of its queue.
    streams: Vec<(StreamPlan, usize)>,
    backup: Option<Backup>,
    sessions: BTreeMap<SessionId, usize>,
    calls: BTreeMap<Ticket, Asked>,
    tickets: Ticket,
    /// Every chat, in the order in which they began.
    chats: Vec<ConversationId>,
    digest: Sha256,
    last: VecDeque<String>,
    is_traced: bool,
    /// Whether no sync has failed since the server was last started.
    is_whole: bool,
    /// Since when nothing goes wrong any more.
    calm_at: Option<Millis>,
}

/// Something on the agenda.
#[derive(Clone, Debug)]
enum Due {
    Happening(What),
    Up(usize, Up),
    Down(usize, Down),
    Heal(usize),
    Unstall(usize),
    Tab(usize, u64, TabTimer),
    Deed(usize, Deed),
    Start,
    Calm,
}

/// A call, and which agent made it.
#[derive(Clone, Debug)]
struct Asked {
    agent: Option<usize>,
    call: Call,
    at: Millis,
}

/// Which of the two goes next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turn {
    World,
    Server,
}

impl<S: Server> World<S> {
    /// The world of a plan, with its server started and its settings in force.
    pub fn new(plan: Plan, server: S, is_traced: bool) -> Self {
        let tabs = plan.tabs.iter().map(|tab| Tab::new(*tab)).collect();
        let consoles = plan.agents.iter().cloned().enumerate();
        let consoles = consoles.map(|(number, agent)| Console::new(number, agent)).collect();
        let mut world = Self {
            server,
            watch: Watch::new(&plan),
            steps: 0,
            events: 0,
            now: 0,
            stepped: 0,
            agenda: BTreeMap::new(),
            order: 0,
            dice: Dice::new(plan.seed, 3),
            links: Vec::new(),
            tabs,
            consoles,
            streams: plan.streams.iter().copied().zip(0..).collect(),
            backup: None,
            sessions: BTreeMap::new(),
            calls: BTreeMap::new(),
            tickets: 0,
            chats: Vec::new(),
            digest: Sha256::new(),
            last: VecDeque::new(),
            is_traced,
            is_whole: true,
            calm_at: None,
            plan,
        };
        world.start();
        for change in settings::all(&world.plan) {
            world.call(None, Call::Change(Box::new(change)));
            world.settle();
        }
        let happenings = world.plan.happenings.clone();
        let end = happenings.iter().map(|it| it.at).max().unwrap_or(0);
        for happening in happenings {
            world.put(happening.at + 1_000, Due::Happening(happening.what));
        }
        world.put(end + 2_000, Due::Calm);
        world
    }

    /// Lets everything happen. Gives the digest over all of it.
    pub fn run(&mut self) -> Result<String, Violation> {
        while self.watch.violation().is_none() && self.steps < self.most_steps() {
            let next = self.agenda.keys().next().map(|(at, _)| *at);
            let Some(turn) = self.whose_turn(next) else { break };
            self.steps += 1;
            match turn {
                Turn::Server => self.serve(usize::MAX),
                Turn::World => {
                    let Some(((at, _), due)) = self.agenda.pop_first() else { break };
                    self.now = at;
                    self.advance(0);
                    self.perform(due);
                    self.look();
                }
            }
            let left_alone = (CALM + DUSK) * self.plan.stretched;
            if self.calm_at.is_some_and(|since| self.now > since + left_alone) {
                break;
            }
        }
        if self.watch.violation().is_none() && self.steps < self.most_steps() {
            self.watch.end(self.now);
        }
        match self.watch.take_violation() {
            Some(violation) => Err(violation),
            None if self.steps >= self.most_steps() => Err(Violation::endless()),
            None => Ok(self.digest.clone().finalize().iter().map(|b| format!("{b:02x}")).collect()),
        }
    }

    const fn most_steps(&self) -> u64 {
        STEPS_MAX * self.plan.stretched
    }

    /// The last events before now.
    pub fn last_events(&self) -> impl Iterator<Item = &str> {
        self.last.iter().map(String::as_str)
    }

    /// The earlier one goes first; at the same moment, chance decides.
    fn whose_turn(&mut self, world: Option<Millis>) -> Option<Turn> {
        match (world, self.server.due()) {
            (None, None) => None,
            (Some(_), None) => Some(Turn::World),
            (None, Some(_)) => Some(Turn::Server),
            (Some(world), Some(server)) if world == server => {
                Some(if self.dice.one_in(2) { Turn::World } else { Turn::Server })
            }
            (Some(world), Some(server)) => {
                Some(if world < server { Turn::World } else { Turn::Server })
            }
        }
    }

    /// The server does what is due, and the world sees what comes of it.
    fn serve(&mut self, most: usize) {
        if let Some(due) = self.server.due() {
            self.now = self.now.max(due);
        }
        self.advance(most);
        self.look();
    }

    fn advance(&mut self, most: usize) {
        self.server.advance(self.now, most);
    }

    fn settle(&mut self) {
        for _ in 0..100 {
            if self.server.due().is_none_or(|due| due > self.now + 10) {
                return;
            }
            self.serve(usize::MAX);
        }
    }

    /// The watcher, tabs and consoles look at what was seen of the server.
    fn look(&mut self) {
        for seen in self.server.seen() {
            self.events += 1;
            self.tell(|| format!("{seen:?}"));
            self.watch.see(self.now, &seen);
            self.react(seen);
        }
        if let Some(account) = self.server.account() {
            self.watch.audit(self.now, &account);
        }
        let clock = self.server.is_up().then(|| self.server.clock());
        self.watch.pass(self.now, clock);
    }

    fn react(&mut self, seen: Seen) {
        match seen {
            Seen::Frame(session, text) => self.send_down(session, Down::Text(text)),
            Seen::Ping(session) => self.send_down(session, Down::Ping),
            Seen::Closed(session, code) => self.send_down(session, Down::Closed(code)),
            Seen::Answered(ticket, answer) => self.answered(ticket, answer),
            Seen::Feed(agent, name, data) => self.fed(&agent, name, &data),
            Seen::Durable(row) => {
                if row.seq.number() == 1 {
                    self.chats.push(row.conversation);
                }
            }
            Seen::Fault | Seen::Died | Seen::Writable(_) | Seen::Unread(..) => {}
        }
    }

    fn put(&mut self, at: Millis, due: Due) {
        self.order += 1;
        self.agenda.insert((at, self.order), due);
    }

    /// Notes an event: in the digest, among the last ones, and in print if the run is traced.
    fn tell(&mut self, event: impl FnOnce() -> String) {
        let line = format!("{:>8} {}", self.now, event());
        self.digest.update(line.as_bytes());
        if self.is_traced {
            println!("{line}");
        }
        if self.last.len() >= LAST_EVENTS {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    fn call(&mut self, agent: Option<usize>, call: Call) {
        if !self.server.is_up() {
            return;
        }
        self.tickets += 1;
        self.watch.asked(self.now, self.tickets, &call);
        self.calls.insert(self.tickets, Asked { agent, call: call.clone(), at: self.now });
        self.server.call(self.tickets, call);
    }

    fn start(&mut self) {
        self.advance(0);
        let wall = DAWN + Span::from_millis(self.now);
        let stepped = Timestamp::from_millis(wall.as_millis() + self.stepped);
        self.server.start(stepped);
        self.watch.started(self.now, self.server.clock());
        self.advance(0);
        self.look();
        for console in 0..self.consoles.len() {
            self.reopen(console);
        }
    }

    fn crash(&mut self, steps: u64, down: Millis, step: i64) {
        if !self.server.is_up() {
            return;
        }
        self.advance(usize::try_from(steps).unwrap_or(0));
        self.look();
        self.server.crash();
        self.is_whole = true;
        self.stepped += step;
        self.watch.stats.clock_steps += u64::from(step != 0);
        self.watch.crashed(self.now);
        self.tell(|| "crash".to_owned());
        self.calls.clear();
        for link in 0..self.links.len() {
            self.break_link(link);
        }
        self.put(self.now + down, Due::Start);
    }

    fn perform(&mut self, due: Due) {
        if !matches!(due, Due::Tab(..)) {
            self.tell(|| format!("{due:?}"));
        }
        match due {
            Due::Happening(what) => self.happen(what),
            Due::Up(link, up) => self.arrive(link, up),
            Due::Down(link, down) => self.come_down(link, down),
            Due::Heal(link) => self.heal(link),
            Due::Unstall(link) => self.unstall(link),
            Due::Tab(tab, generation, timer) => self.tab_due(tab, generation, timer),
            Due::Deed(agent, deed) => self.do_deed(agent, deed),
            Due::Start => self.start(),
            Due::Calm => self.calm(),
        }
    }

    /// The end of all trouble: the disk is fine, the network works, and every tab that is open
    /// stays.
    fn calm(&mut self) {
        if !self.server.is_up() {
            return self.put(self.now + 1_000, Due::Calm);
        }
        self.server.weather(Weather::Fine(1));
        if !self.is_whole {
            // A disk whose sync has failed needs a restart of the server, which its operator makes.
            self.crash(0, 100, 0);
            return self.put(self.now + 1_000, Due::Calm);
        }
        self.calm_at = Some(self.now);
        for link in 0..self.links.len() {
            self.heal(link);
            self.unstall(link);
        }
        let calm = CALM * self.plan.stretched;
        self.watch.calm(self.now + calm);
        for tab in 0..self.tabs.len() {
            self.put(self.now + calm, Due::Happening(What::Leave(tab)));
        }
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Open(tab) => self.open(tab),
            What::Copy { from, to } => self.copy(from, to),
            What::Post { tab, copies, reorder } => self.post(tab, copies, reorder),
            What::Cut { tab, away } => self.cut(tab, away),
            What::Block { tab, up, down, lasts } => self.block(tab, up, down, lasts),
            What::Lock { tab, lasts } => self.lock(tab, lasts),
            What::Throttle { tab, on } => self.tabs[tab].is_throttled = on,
            What::Stall { tab, lasts } => self.stall(tab, lasts),
            What::End(tab) => self.end_chat(tab),
            What::Leave(tab) => self.leave(tab),
            What::Storm { within } => {
                for tab in 0..self.tabs.len() {
                    let away = self.dice.below(within);
                    self.cut(tab, away);
                }
                self.watch.stats.storms += 1;
            }
            What::Disk(weather) => {
                self.server.weather(weather);
                self.is_whole &= weather != Weather::SyncFails;
            }
            What::Die { turns, is_late } => self.server.doom(Doom { turns, is_late }),
            What::BackUp => self.back_up(),
            What::Restore { down } => self.restore(down),
            What::Crash { steps, down, step } => self.crash(steps, down, step),
            staff => self.staff_happening(staff),
        }
    }

    fn end_of_link(&mut self, link: usize, cut: Cut) {
        if let Some(session) = self.links[link].session {
            self.watch.cut(self.now, session);
            self.server.cut(session, cut);
        }
    }
}
