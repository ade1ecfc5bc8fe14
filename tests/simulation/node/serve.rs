//! How a simulated node serves: it starts and dies, takes what the world does to it, and does one
//! thing after the other.

use std::sync::Arc;

use holdline::domain::cause::Cause;
use holdline::domain::conversation::command::Command;
use holdline::domain::id::{AgentId, ConversationId, SessionId, WidgetId};
use holdline::domain::settings::registry::Registry;
use holdline::domain::time::Timestamp;

use crate::node::Node;
use crate::node::change::Changes;
use crate::node::chat::Chat;
use crate::node::desk::Desk;
use crate::node::disk::{Append, Outcome, What};
use crate::node::mail::{Mail, Party};
use crate::node::session::Visit;
use crate::node::timers::Timer;
use crate::server::{Account, Call, Cut, Millis, Seen, Server, Ticket, Weather};

impl Server for Node {
    fn start(&mut self, wall: Timestamp) {
        let news = self.disk.open();
        self.seen.extend(news.into_iter().map(Seen::Durable));
        self.base = wall.max(self.disk.latest);
        self.started = self.now;
        self.is_up = true;
        let registry = Arc::new(self.disk.settings.clone());
        self.settings = registry.clone();
        // Nobody can come back before all are live: who is new may hear of that sooner, or later.
        let is_asked_first = self.dice.one_in(2);
        let anew = self.follow(&Registry::default(), &registry);
        if is_asked_first {
            self.have_heard(anew.clone());
        }
        let mut open = self.disk.recovered();
        open.sort_unstable_by_key(|one| (one.started_at(), one.id()));
        for conversation in open {
            let id = conversation.id();
            let epoch = self.enter(id, |node, _, epoch| Chat::new(node, conversation, epoch));
            self.with_chat(id, epoch, Chat::recover);
        }
        if !is_asked_first {
            self.have_heard(anew);
        }
        self.go_on();
    }

    fn crash(&mut self) {
        self.disk.crash(&mut self.dice);
        self.is_up = false;
        self.mailboxes.clear();
        self.timers.clear();
        self.directory.clear();
        self.chats.clear();
        self.loads.clear();
        self.agents.clear();
        self.desks.clear();
        self.queues.clear();
        self.lines.clear();
        self.changes = Changes::default();
        self.sessions.clear();
        self.visitors.clear();
        self.firsts.clear();
    }

    fn back_up(&mut self) {
        self.disk.back_up();
    }

    fn restore(&mut self) {
        self.disk.restore();
    }

    fn is_up(&self) -> bool {
        self.is_up
    }

    fn clock(&self) -> Timestamp {
        Self::clock(self)
    }

    fn connect(&mut self, widget: &WidgetId) -> Option<SessionId> {
        if !self.is_up || !self.disk.is_writable() {
            return None;
        }
        let heartbeat = self.settings.workstream_of_widget(widget)?.heartbeat;
        self.minted += 1;
        let id = SessionId::from_bits(self.minted);
        let mut visit = Visit::new(id, widget.clone(), heartbeat, Self::clock(self));
        visit.started(self);
        self.sessions.insert(id, visit);
        Some(id)
    }

    fn say(&mut self, session: SessionId, frame: &str) {
        self.from_socket(session, Mail::Text(frame.to_owned()));
    }

    fn pong(&mut self, session: SessionId) {
        self.from_socket(session, Mail::Pong);
    }

    fn cut(&mut self, session: SessionId, cut: Cut) {
        let cause = match cut {
            Cut::Closed(code) => Cause::Closed(code),
            Cut::Reset => Cause::Reset,
        };
        self.from_socket(session, Mail::Ended(cause));
    }

    fn stall(&mut self, session: SessionId, stalled: bool) {
        if let Some(mut visit) = self.sessions.remove(&session) {
            visit.stall(self, stalled);
            self.sessions.insert(session, visit);
        }
    }

    fn call(&mut self, ticket: Ticket, call: Call) {
        let at = Self::clock(self);
        if let Some(caller) =
            call.caller().filter(|caller| !self.settings.agents.contains_key(*caller))
        {
            let refused = Err(format!("{caller} has no token"));
            return self.seen.push(Seen::Answered(ticket, refused));
        }
        self.touch(&call);
        let what = match call {
            Call::Chat(id, Command::Assign { ref agent, .. }) if !self.is_expected(id, agent) => {
                return self.seen.push(Seen::Answered(ticket, Err("agent_gone".to_owned())));
            }
            Call::Chat(id, command) => {
                return self.tell_chat(id, Mail::Ask(ticket, command));
            }
            Call::Presence(agent, presence) => {
                let epoch = self.desks.get(&agent).copied();
                self.changes.choosing.extend(epoch.map(|epoch| (ticket, epoch)));
                What::Presence(agent, presence, ticket)
            }
            Call::Change(change) => return self.ask_change(*change, ticket),
        };
        let append = Append { appended: self.now, at, what };
        self.disk.append(append).expect("only a conversation must continue anything");
    }

    fn feed(&mut self, agent: &AgentId, open: bool) -> bool {
        self.tell_agent(agent, Mail::Feed(open))
    }

    fn weather(&mut self, weather: Weather) {
        self.disk.set_weather(weather);
        self.note_writable();
    }

    fn due(&self) -> Option<Millis> {
        if !self.is_up {
            return None;
        }
        if !self.mailboxes.is_empty() {
            return Some(self.now);
        }
        let due = self.timers.first().into_iter().chain(self.disk.sync_at()).min();
        due.map(|at| at.max(self.now))
    }

    fn advance(&mut self, now: Millis, most: usize) -> bool {
        self.now = now;
        for _ in 0..most {
            if !self.step() {
                return false;
            }
            self.note_writable();
        }
        self.due().is_some_and(|due| due <= now)
    }

    fn seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }

    fn account(&self) -> Option<Account> {
        let is_quiet = self.is_up
            && self.mailboxes.is_empty()
            && self.disk.is_idle()
            && self.loads.is_empty()
            && self.firsts.is_empty()
            && self.changes.is_idle()
            && !self.timers.any(|it| {
                matches!(it, Timer::Reopen(..) | Timer::Availability(..) | Timer::Page(..))
            })
            && self.chats.values().all(Chat::is_settled);
        let live = |(id, epoch): (&ConversationId, &u64)| {
            self.chats.get(&(*id, *epoch)).and_then(|chat| chat.conversation.view())
        };
        is_quiet.then(|| Account {
            agents: self.agents.values().map(Desk::account).collect(),
            live: self.directory.iter().filter_map(live).collect(),
        })
    }
}

impl Node {
    fn from_socket(&mut self, session: SessionId, mail: Mail) {
        if self.sessions.contains_key(&session) {
            self.send(Party::Socket(session), mail);
        }
    }

    fn note_writable(&mut self) {
        let is_writable = self.disk.is_writable();
        if is_writable != self.was_writable {
            self.was_writable = is_writable;
            self.seen.push(Seen::Writable(is_writable));
        }
    }

    /// Does one thing that is due: chance says which.
    fn step(&mut self) -> bool {
        let syncs = self.disk.sync_at().is_some_and(|at| at <= self.now);
        let rings = self.timers.first().is_some_and(|at| at <= self.now);
        let mails = self.mailboxes.len() as u64;
        let choices = mails + u64::from(syncs) + u64::from(rings);
        if !self.is_up || choices == 0 {
            return false;
        }
        let choice = self.dice.below(choices);
        if choice < mails {
            self.deliver(choice);
        } else if syncs && choice == mails {
            let outcome = self.disk.sync(self.now, &mut self.dice);
            self.settle(outcome);
        } else if let Some(timer) = self.timers.take_due(self.now) {
            self.ring(timer);
        }
        self.go_on();
        true
    }

    fn deliver(&mut self, choice: u64) {
        let choice = usize::try_from(choice).unwrap_or(0);
        let to = self.mailboxes.keys().nth(choice).cloned().expect("it was counted");
        let mailbox = self.mailboxes.get_mut(&to).expect("it was just found");
        let turned = self.rules.turns_messages_round() && mailbox.iter().all(Mail::is_post);
        let next = if turned { mailbox.pop_back() } else { mailbox.pop_front() };
        let mail = next.expect("an empty one is removed");
        if mailbox.is_empty() {
            self.mailboxes.remove(&to);
        }
        match to {
            Party::Chat(id, epoch) => self.with_chat(id, epoch, |chat, node| {
                chat.handle(node, mail);
            }),
            Party::Agent(id, epoch) => self.tell_desk((id, epoch), mail),
            Party::Queue(id, epoch) => self.tell_line((id, epoch), mail),
            Party::Session(id) | Party::Socket(id) => {
                self.with_session(id, |visit, node| visit.handle(node, mail));
            }
        }
    }

    fn with_chat(
        &mut self,
        id: ConversationId,
        epoch: u64,
        act: impl FnOnce(&mut Chat, &mut Self),
    ) {
        if let Some(mut chat) = self.chats.remove(&(id, epoch)) {
            act(&mut chat, self);
            self.chats.insert((id, epoch), chat);
        }
    }

    fn with_agent(&mut self, it: (AgentId, u64), act: impl FnOnce(&mut Desk, &mut Self)) {
        if let Some(mut desk) = self.agents.remove(&it) {
            act(&mut desk, self);
            self.agents.insert(it, desk);
        }
    }

    fn tell_desk(&mut self, it: (AgentId, u64), mail: Mail) {
        let Mail::Dismiss(_until_gone) = mail else {
            return self.with_agent(it, |desk, node| desk.handle(node, mail));
        };
        if let Some(desk) = self.agents.remove(&it) {
            if self.desks.get(&it.0) == Some(&it.1) {
                self.desks.remove(&it.0);
            }
            desk.dismiss(self);
        }
    }

    fn with_session(&mut self, id: SessionId, act: impl FnOnce(&mut Visit, &mut Self) -> bool) {
        if let Some(mut visit) = self.sessions.remove(&id)
            && act(&mut visit, self)
        {
            self.sessions.insert(id, visit);
        }
    }

    fn ring(&mut self, timer: Timer) {
        match timer {
            Timer::Chat(id, epoch) => self.with_chat(id, epoch, Chat::wake),
            Timer::First(id, epoch) => {
                if let Some(first) = self.firsts.remove(&(id, epoch)) {
                    self.send(Party::Chat(id, epoch), first);
                }
            }
            Timer::Linger(id, epoch) => self.with_chat(id, epoch, Chat::linger),
            Timer::Farewell(id, epoch) => drop(self.chats.remove(&(id, epoch))),
            Timer::Reopen(id, epoch, agents) => {
                if let Some(chat) = self.chats.remove(&(id, epoch)) {
                    chat.make_way(self, agents);
                }
            }
            Timer::Page(id, epoch, session) => {
                self.with_chat(id, epoch, |chat, node| chat.read_missed(node, session));
            }
            Timer::Agent(id, epoch) => self.with_agent((id, epoch), Desk::wake),
            Timer::Audit(id, epoch) => {
                self.with_agent((id, epoch), |desk, node| desk.audit(node));
            }
            Timer::Availability(id, epoch, queue) => {
                self.with_agent((id, epoch), |desk, node| desk.tell_availability(node, &queue));
            }
            Timer::Session(id) => self.with_session(id, |visit, node| {
                visit.wake(node);
                visit.goes_on(node)
            }),
        }
    }

    /// Tells everybody what has become of a write.
    fn settle(&mut self, outcome: Outcome) {
        self.seen.extend(outcome.rows.into_iter().map(Seen::Durable));
        for (id, receipt) in outcome.receipts {
            self.tell_live(id, Mail::Durable(receipt));
        }
        for id in outcome.lost {
            self.tell_live(id, Mail::Lost);
        }
        for what in outcome.done {
            match what {
                What::Presence(agent, presence, ticket) => {
                    let epoch = self.changes.choosing.remove(&ticket);
                    let chooser = epoch.map(|epoch| (agent, epoch));
                    let chooser = chooser.filter(|it| self.agents.contains_key(it));
                    let is_there = chooser.is_some();
                    if let Some((agent, epoch)) = chooser {
                        self.send(Party::Agent(agent, epoch), Mail::Presence(presence));
                    }
                    self.answer(ticket, is_there);
                }
                What::Setting(change, ticket) => self.changed(change, ticket),
                What::Chat(..) => {}
            }
        }
        for ticket in outcome.refused {
            self.changes.choosing.remove(&ticket);
            self.changes.refused(ticket);
            self.answer(ticket, false);
        }
        self.serve_loads();
    }

    fn tell_live(&mut self, id: ConversationId, mail: Mail) {
        if let Some(epoch) = self.directory.get(&id).copied() {
            self.send(Party::Chat(id, epoch), mail);
        }
    }

    pub(super) fn answer(&mut self, ticket: Ticket, done: bool) {
        let answer = holdline::domain::conversation::command::Answer::Done;
        let answer = if done { Ok(answer) } else { Err("fault".to_owned()) };
        self.seen.push(Seen::Answered(ticket, answer));
    }
}
