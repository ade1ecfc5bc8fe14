//! How a simulated node serves: it starts and dies, takes what the world does to it, and does one
//! thing after the other.

use std::sync::Arc;

use holdline::behavior::message::{RequestId, ToAgent};
use holdline::domain::agent::Presence;
use holdline::domain::cause::Cause;
use holdline::domain::id::{AgentId, ConversationId, SessionId, WidgetId};
use holdline::domain::settings::registry::Registry;
use holdline::domain::time::{Span, Timestamp};

use crate::node::change::Changes;
use crate::node::chat::Beginning;
use crate::node::disk::{Outcome, What, trouble};
use crate::node::mail::{Mail, Party};
use crate::node::questions::Asker;
use crate::node::session::{Input, Visit};
use crate::node::sockets::Socket;
use crate::node::threads::Thread;
use crate::node::timers::{Actor, Timer};
use crate::node::{Node, chat, desk};
use crate::reached::{Came, Fate, Journal, Standing};
use crate::server::{Account, Call, Cut, Doom, Millis, Seen, Server, Ticket, Weather};

impl Server for Node {
    fn start(&mut self, wall: Timestamp) {
        let (news, fates) = self.disk.open();
        self.follow_fates(fates);
        self.seen.extend(news.into_iter().map(Seen::Durable));
        self.base = wall.max(self.disk.latest);
        self.started = self.now;
        self.is_up = true;
        let registry = Arc::new(self.disk.settings.clone());
        self.settings = registry.clone();
        // Drawn though nothing follows from it, so that kept seeds stay the worlds they were.
        let _drawn = self.dice.one_in(2);
        let anew = self.follow(&Registry::default(), &registry);
        let mut open = self.disk.recovered();
        open.sort_unstable_by_key(|one| (one.started_at(), one.id()));
        for conversation in open {
            // Each restart is written in turn, or when something happens in its conversation.
            let write_within = Span::from_millis(self.dice.below(2_000));
            self.enter(conversation, Beginning::Recovered(write_within));
        }
        self.have_heard_at_start(anew);
        self.go_on();
    }

    fn crash(&mut self) {
        self.meet_all(Came::Killed);
        self.doors.crash(Self::clock(self));
        let gathered = self.threads.take_appends();
        self.disk.crash(&mut self.dice, gathered);
        self.threads.clear();
        self.doom = None;
        self.is_up = false;
        self.mailboxes.clear();
        self.timers.clear();
        self.directory.clear();
        self.dead.clear();
        self.chats.clear();
        self.loads.clear();
        self.agents.clear();
        self.desks.clear();
        self.consoles.clear();
        self.queues.clear();
        self.lines.clear();
        self.changes = Changes::default();
        self.sessions.clear();
        self.sockets.clear();
        self.visitors.clear();
        self.firsts.clear();
        self.questions.clear();
        self.pulses.clear();
    }

    fn back_up(&mut self) {
        self.disk.back_up();
    }

    fn restore(&mut self) {
        for chat in self.disk.chats.values() {
            let standing = Standing::of(&chat.conversation);
            self.reached.meet(Came::Undone, standing, Journal::Settled);
        }
        self.disk.restore();
    }

    fn is_up(&self) -> bool {
        self.is_up
    }

    fn clock(&self) -> Timestamp {
        Self::clock(self)
    }

    fn connect(&mut self, widget: &WidgetId) -> Option<SessionId> {
        if !self.is_up || self.is_starting() || !self.disk.is_writable() {
            return None;
        }
        let heartbeat = self.settings.workstream_of_widget(widget)?.heartbeat;
        self.minted += 1;
        let id = SessionId::from_bits(self.minted);
        let mut actor = Actor::new(Visit::new(widget.clone(), heartbeat, Self::clock(self)));
        self.rearm(&mut actor.alarm, actor.behavior.dialogue.wake_at(), Party::Session(id));
        self.sessions.insert(id, actor);
        self.sockets.insert(id, Socket::default());
        Some(id)
    }

    fn say(&mut self, session: SessionId, frame: &str) {
        self.from_socket(session, Input::Text(frame.into()));
    }

    fn pong(&mut self, session: SessionId) {
        self.from_socket(session, Input::Pong);
    }

    fn cut(&mut self, session: SessionId, cut: Cut) {
        let cause = match cut {
            Cut::Closed(code) => Cause::Closed(code),
            Cut::Reset => Cause::Reset,
        };
        self.from_socket(session, Input::Ended(cause));
    }

    fn stall(&mut self, session: SessionId, stalled: bool) {
        self.stall_socket(session, stalled);
    }

    fn call(&mut self, ticket: Ticket, call: Call) {
        if let Some(caller) =
            call.caller().filter(|caller| !self.settings.agents.contains_key(*caller))
        {
            let refused = Err(format!("{caller} has no token"));
            return self.seen.push(Seen::Answered(ticket, refused));
        }
        self.touch(&call);
        match call {
            Call::Chat(id, command) => self.call_chat(ticket, id, command),
            Call::Presence(agent, presence) => {
                let request = self.questions.ask(Asker::Call(ticket));
                self.tell_agent(&agent, ToAgent::ChoosePresence(presence, None, request));
            }
            Call::Change(change) => self.ask_change(*change, ticket),
        }
    }

    fn feed(&mut self, agent: &AgentId, open: bool) -> bool {
        self.turn_console(agent, open)
    }

    fn doom(&mut self, doom: Doom) {
        self.doom = Some(doom);
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
            && !self.timers.are_reading()
            && self.threads.all().iter().all(Thread::is_idle)
            && self.firsts.is_empty()
            && self.dead.is_empty()
            && self.questions.is_empty()
            && self.changes.is_idle()
            && self.doors.is_idle()
            && self.agents.values().all(|agent| agent.behavior.is_settled())
            && self.chats.values().all(|chat| chat.behavior.is_settled());
        let live = |(id, epoch): (&ConversationId, &u64)| {
            self.chats.get(&(*id, *epoch)).and_then(|chat| chat.behavior.conversation().view())
        };
        is_quiet.then(|| Account {
            agents: self.agents.values().map(|agent| desk::account(&agent.behavior)).collect(),
            live: self.directory.iter().filter_map(live).collect(),
        })
    }
}

impl Node {
    fn from_socket(&mut self, session: SessionId, input: Input) {
        if self.sessions.contains_key(&session) {
            self.send(Party::Socket(session), Mail::Session(input));
        }
    }

    /// Counts something that comes to every live conversation.
    fn meet_all(&mut self, came: Came) {
        let is_writable = self.disk.is_writable();
        for Actor { behavior, .. } in self.chats.values() {
            let standing = Standing::of(behavior.conversation());
            self.reached.meet(came, standing, Journal::of(behavior, is_writable));
        }
    }

    fn follow_fates(&mut self, fates: Vec<(Came, Fate)>) {
        for (came, fate) in fates {
            self.reached.follow(came, fate);
        }
    }

    fn note_writable(&mut self) {
        let is_writable = self.disk.is_writable();
        if is_writable != self.was_writable {
            self.was_writable = is_writable;
            self.seen.push(Seen::Writable(is_writable));
        }
    }

    /// Does one thing that is due; chance chooses which.
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
        match (to, mail) {
            (Party::Chat(id, epoch), Mail::Chat(input)) => self.turn_chat((id, epoch), input),
            (Party::Agent(id, epoch), Mail::Agent(input)) => self.turn_agent((id, epoch), input),
            (Party::Queue(id, epoch), Mail::Queue(input)) => self.turn_queue((id, epoch), input),
            (Party::Session(id) | Party::Socket(id), Mail::Session(input)) => {
                self.turn_session(id, input);
            }
            (to, mail) => unreachable!("{to:?} is never told {mail:?}"),
        }
    }

    fn ring(&mut self, timer: Timer) {
        match timer {
            Timer::Wake(party) => self.wake(party),
            Timer::First(id, epoch) => {
                if let Some(first) = self.firsts.remove(&(id, epoch)) {
                    self.tell_actor(id, epoch, first);
                }
            }
            Timer::Reopen(id) => self.reopen(id),
            Timer::Appends(number) => self.send_appends(number),
            Timer::Mail(number) => self.send_mail(number),
            Timer::Free(number) => self.free_those_put_off(number),
            Timer::Read(id, epoch, read) => self.answer_read(id, epoch, *read),
        }
    }

    /// Tells the actors the result of a write.
    fn settle(&mut self, outcome: Outcome) {
        self.follow_fates(outcome.fates);
        self.seen.extend(outcome.rows.into_iter().map(Seen::Durable));
        self.hand_out(outcome.receipts);
        for id in outcome.lost {
            self.give_live(id, chat::Input::Lost(trouble()));
        }
        for what in outcome.done {
            match what {
                What::Presence(agent, presence, ask) => {
                    self.presence_written(agent, presence, ask, true);
                }
                What::Setting(change, ticket) => self.changed(change, ticket),
                What::Chat(..) => {}
            }
        }
        for what in outcome.refused {
            match what {
                What::Presence(agent, presence, ask) => {
                    self.presence_written(agent, presence, ask, false);
                }
                What::Setting(_, ticket) => {
                    self.changes.refused(ticket);
                    self.seen.push(Seen::Answered(ticket, Err("fault".to_owned())));
                }
                What::Chat(..) => {}
            }
        }
        self.serve_loads();
    }

    pub(super) fn give_live(&mut self, id: ConversationId, input: chat::Input) {
        if let Some(epoch) = self.directory.get(&id).copied() {
            self.send(Party::Chat(id, epoch), Mail::Chat(input));
        }
    }

    fn presence_written(
        &mut self,
        (agent, epoch): (AgentId, u64),
        presence: Presence,
        ask: RequestId,
        is_written: bool,
    ) {
        let choice = desk::Choice { presence, by: None, request: ask };
        let written = is_written.then_some(()).ok_or_else(trouble);
        let input = desk::Input::PresenceWritten(choice, written);
        self.send(Party::Agent(agent, epoch), Mail::Agent(input));
    }
}
