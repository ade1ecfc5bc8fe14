//! What a simulated node does for its actors: it gives each actor its next input, performs the
//! outputs in order, and wakes the actor when it wants to be woken.

use std::collections::VecDeque;
use std::sync::Arc;

use holdline::behavior::facts::Facts;
use holdline::behavior::message::{ToAgent, ToConversation, ToSession};
use holdline::behavior::queue;
use holdline::domain::id::{AgentId, ConversationId, QueueId, Seq, SessionId};
use holdline::domain::settings::Workstream;
use holdline::domain::settings::registry::Registry;
use holdline::domain::time::{Span, Timestamp};

use crate::node::desk::FACTS;
use crate::node::disk::{Append, Origin, What};
use crate::node::facts::Near;
use crate::node::mail::{Mail, Party};
use crate::node::questions::Asker;
use crate::node::timers::{Alarm, Timer};
use crate::node::{AUDIT_EVERY, Node, chat, desk, session};
use crate::reached::{Came, Fate, Journal, Standing};
use crate::server::Seen;

/// What follows from what is performed.
#[derive(Debug, Default)]
struct Following {
    /// Inputs that the conversation is given at once.
    inputs: VecDeque<(chat::Input, Timestamp)>,
    /// Sessions for which a frame found no room: they are told nothing until they are closed.
    slow: Vec<SessionId>,
    /// Whether the actor stops.
    stops: bool,
    /// The last input.
    came: Option<Came>,
}

impl Node {
    /// A conversation deals with one input, and with the inputs that follow from it at once.
    pub(super) fn turn_chat(&mut self, it: (ConversationId, u64), input: chat::Input) {
        let Some(mut actor) = self.chats.remove(&it) else {
            return self.deny(chat::request(&input));
        };
        let doom = self.doom_of(&actor.behavior);
        if doom.is_some_and(|doom| !doom.is_late) {
            self.meet_death(&actor.behavior, &input);
            self.deny(chat::request(&input));
            return self.die(it, actor);
        }
        let (now, settings) = (self.clock(), self.doors.settings(&self.settings));
        let (mut out, mut following) = (Vec::new(), Following::default());
        let (is_writable, fallback) = (self.disk.is_writable(), self.fallback.clone());
        let (must_wait, is_deaf) = (self.must_wait(it.0), self.doors.hears_nobody(&input));
        let near = Near { pulses: &self.pulses, is_writable, must_wait, is_deaf };
        let facts = facts_of(&settings, &fallback, &near);
        following.inputs = self.doors.into_chat(&actor.behavior, input, now, &facts, &mut out);
        while let Some((input, at)) = following.inputs.pop_front() {
            let near = Near { pulses: &self.pulses, is_writable, must_wait, is_deaf };
            let facts = facts_of(&settings, &fallback, &near);
            let came = Came::of(&input, &actor.behavior, at);
            let standing = Standing::of(actor.behavior.conversation());
            self.reached.meet(came, standing, Journal::of(&actor.behavior, is_writable));
            following.came = Some(came);
            let request = chat::request(&input);
            actor.behavior.handle(input, at, &facts, &mut out);
            if doom.is_some() {
                self.reached.follow(came, Fate::Died);
                self.deny(request);
                return self.die(it, actor);
            }
            self.doors.out_of_chat(&actor.behavior, &facts, &mut out);
            for output in out.drain(..) {
                self.perform_for_chat(&it, output, at, &mut following);
            }
            if let Some(request) = request {
                self.questions.keep(request, it);
            }
        }
        let near = Near { pulses: &self.pulses, is_writable, must_wait, is_deaf };
        let facts = facts_of(&settings, &fallback, &near);
        let due = actor.behavior.wake_at(now, &facts).filter(|_| !following.stops);
        let due = self.doors.wake_of_chat(&actor.behavior, due, now);
        self.rearm(&mut actor.alarm, due, Party::Chat(it.0, it.1));
        if following.stops || !actor.behavior.is_in_flight() {
            self.threads.of(it.0).give_back(it.0, it.1);
        }
        if !following.stops {
            self.chats.insert(it, actor);
        }
    }

    fn perform_for_chat(
        &mut self,
        it: &(ConversationId, u64),
        output: chat::Output,
        at: Timestamp,
        following: &mut Following,
    ) {
        use chat::{Input, Note, Output};
        let (id, epoch) = *it;
        match output {
            Output::Append { first, at: decided_at, events } => {
                let early = self.doors.after_append(first, events.len());
                following.inputs.extend(early.map(|receipt| (receipt, at)));
                let what = What::Chat(id, first, events.to_vec());
                let ticket = self.threads.of(id).ticket(id, epoch);
                let origin = following.came.map(|came| Origin { epoch, ticket, came });
                let append = Append { appended: self.now, at: decided_at, what, origin };
                self.append_from(id, append);
            }
            Output::Session(session, told) => {
                let is_close = matches!(told, ToSession::Close(_));
                if following.slow.contains(&session) && !is_close {
                    return;
                }
                let is_line = matches!(told, ToSession::Frame { seq, .. } if seq > Seq::ZERO);
                if !self.tell_session(session, told) && is_line {
                    following.slow.push(session);
                    following.inputs.push_back((Input::Slow(session), at));
                }
            }
            Output::Agent(agent, told) => self.tell_agent_from(id, agent, told),
            Output::Lease(seq, lease) => self.tell_lease_from(id, seq, lease),
            Output::Queue(queue, command) => self.tell_queue_from(id, queue, command),
            Output::MakeWay => {
                self.leave_directory(id, epoch);
                self.tell_chat(id, ToConversation::StateClaims(None));
            }
            Output::PassOn(told) => self.tell_chat(id, told),
            Output::Answer(request, answer) => self.answer(request, answer),
            Output::ClaimVisitor(widget, visitor) => {
                self.visitors.entry((widget, visitor)).or_insert(id);
            }
            Output::FreeVisitor(widget, visitor) => self.free_visitor_from(widget, visitor, id),
            Output::Load => {
                // The decisions of another actor with this id can be read only once they are
                // written.
                self.send_appends(self.threads.number_of(id));
                self.loads.push(*it);
                self.serve_loads();
            }
            Output::ReadMissed { session, after, through } => {
                if !self.has_room_for_page(session) {
                    return following.inputs.push_back((Input::NoRoom(session), at));
                }
                self.read_page(*it, session, (after, through));
            }
            Output::LeaveDirectory => self.leave_directory(id, epoch),
            Output::Stop => following.stops = true,
            Output::Note(Note::GaveUp(_)) => self.seen.push(Seen::Fault),
            Output::Note(_) => {}
        }
    }

    /// An agent deals with one input, and with those that follow at once.
    pub(super) fn turn_agent(&mut self, it: (AgentId, u64), input: desk::Input) {
        let Some(mut actor) = self.agents.remove(&it) else {
            return self.deny(desk::request(&input));
        };
        let (now, mut out, mut stops) = (self.clock(), Vec::new(), false);
        let mut inputs = VecDeque::from([self.doors.into_agent(input)]);
        while let Some(input) = inputs.pop_front() {
            actor.behavior.handle(input, now, FACTS, &mut out);
            inputs.extend(self.doors.out_of_agent(&actor.behavior, &mut out));
            for output in out.drain(..) {
                stops |= self.perform_for_agent(&it, output);
            }
        }
        let due = actor.behavior.wake_at(FACTS).filter(|_| !stops);
        self.rearm(&mut actor.alarm, due, Party::Agent(it.0.clone(), it.1));
        if !stops {
            self.agents.insert(it, actor);
        } else if self.desks.get(&it.0) == Some(&it.1) {
            self.desks.remove(&it.0);
        }
    }

    /// True when the agent's actor stops.
    fn perform_for_agent(&mut self, it: &(AgentId, u64), output: desk::Output) -> bool {
        use desk::Output;
        match output {
            Output::ToConversation(id, told) => self.tell_chat(id, *told),
            Output::ToQueue(queue, command) => self.tell_queue(&queue, *command),
            Output::Feed { feed, kind, data, .. } => {
                if self.consoles.get(it) == Some(&feed) {
                    self.seen.push(Seen::Feed(it.0.clone(), kind.name(), data.to_string()));
                }
            }
            Output::AwaitRoom(feed) => {
                let party = Party::Agent(it.0.clone(), it.1);
                self.send(party, Mail::Agent(desk::Input::Room(feed)));
            }
            Output::WritePresence(choice, _) => {
                let what = What::Presence(it.clone(), choice.presence, choice.request);
                let append = Append { appended: self.now, at: self.clock(), what, origin: None };
                self.disk.append(append).expect("only a conversation must continue anything");
            }
            Output::Answer(request, answer) => self.answer(request, *answer),
            Output::Stop(request) => {
                self.deny(Some(request));
                return true;
            }
            // Every console listens, none is slow, and none has missed anything.
            Output::Listened | Output::Note(_) => {}
            Output::EndFeed(_) | Output::AbandonFeed(_) | Output::ReadMissed(..) => {
                unreachable!("no feed ends by the server's doing: {it:?}")
            }
        }
        false
    }

    /// A console comes, or goes. False when the agent is not there.
    pub(super) fn turn_console(&mut self, agent: &AgentId, open: bool) -> bool {
        let Some(epoch) = self.desks.get(agent).copied() else { return false };
        let it = (agent.clone(), epoch);
        if !open {
            return self
                .consoles
                .remove(&it)
                .is_none_or(|feed| self.give_agent(agent, desk::Input::FeedClosed(feed)));
        }
        if self.consoles.contains_key(&it) {
            return true;
        }
        self.minted += 1;
        let (feed, request) = (self.minted, self.questions.ask(Asker::Console));
        self.consoles.insert(it, feed);
        let heartbeat = Span::from_secs(15);
        let opening = desk::Opening { feed, after: None, watching: false, heartbeat, request };
        self.give_agent(agent, desk::Input::OpenFeed(opening))
    }

    /// A queue deals with one input, and with those that follow at once.
    pub(super) fn turn_queue(&mut self, it: (QueueId, u64), input: queue::Input) {
        let Some(mut actor) = self.queues.remove(&it) else { return self.deny(request_of(&input)) };
        let asks_nobody = self.doors.asks_nobody(&input);
        let (now, mut out, mut stops) = (self.clock(), Vec::new(), false);
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            actor.behavior.handle(input, now, &mut out);
            out.retain(|output| !asks_nobody || !matches!(output, queue::Output::Reserve(..)));
            for output in out.drain(..) {
                match output {
                    queue::Output::Reserve(agent, id, lease) => {
                        let reserve = ToAgent::Reserve(it.0.clone(), id, lease);
                        if !self.tell_agent(&agent, reserve) {
                            inputs.push_back(queue::Input::Missing(id, agent));
                        }
                    }
                    queue::Output::Position(id, position, wait) => {
                        self.tell_live(id, ToConversation::Position { position, wait });
                    }
                    queue::Output::Waiting(_) => {}
                    queue::Output::Answer(request, answer) => self.answer(request, Ok(answer)),
                    queue::Output::Stop => stops = true,
                }
            }
        }
        let due = actor.behavior.wake_at().filter(|_| !stops);
        self.rearm(&mut actor.alarm, due, Party::Queue(it.0.clone(), it.1));
        if !stops {
            self.queues.insert(it, actor);
        }
    }

    /// The time at which an actor wanted to be woken has come.
    pub(super) fn wake(&mut self, party: Party) {
        match party {
            Party::Chat(id, epoch) => {
                if let Some(actor) = self.chats.get_mut(&(id, epoch)) {
                    actor.alarm = None;
                    if !self.rules.misses_last_words() {
                        self.read_last_words(id, epoch);
                    }
                    self.turn_chat((id, epoch), chat::Input::Wake);
                }
            }
            Party::Agent(id, epoch) => {
                let it = (id, epoch);
                if let Some(actor) = self.agents.get_mut(&it) {
                    actor.alarm = None;
                    self.turn_agent(it, desk::Input::Wake);
                }
            }
            Party::Queue(id, epoch) => {
                let it = (id, epoch);
                if let Some(actor) = self.queues.get_mut(&it) {
                    actor.alarm = None;
                    self.turn_queue(it, queue::Input::Wake);
                }
            }
            Party::Session(id) | Party::Socket(id) => {
                if let Some(actor) = self.sessions.get_mut(&id) {
                    actor.alarm = None;
                    self.turn_session(id, session::Input::Wake);
                }
            }
        }
    }

    /// A session that is gone has left its last signs of life in the mailbox, as its pulse is no
    /// longer found. A conversation reads them before it takes a session for silent.
    fn read_last_words(&mut self, id: ConversationId, epoch: u64) {
        let party = Party::Chat(id, epoch);
        loop {
            let Some(mailbox) = self.mailboxes.get_mut(&party) else { return };
            if !mailbox.iter().any(|mail| matches!(mail, Mail::Chat(chat::Input::Heard(_)))) {
                return;
            }
            let next = mailbox.pop_front();
            if mailbox.is_empty() {
                self.mailboxes.remove(&party);
            }
            if let Some(Mail::Chat(input)) = next {
                self.turn_chat((id, epoch), input);
            }
        }
    }

    /// Sets an actor's one alarm, unless the alarm is early enough already.
    pub(super) fn rearm(
        &mut self,
        alarm: &mut Option<(Timestamp, Alarm)>,
        due: Option<Timestamp>,
        party: Party,
    ) {
        if let (Some((armed_at, _)), Some(due)) = (&alarm, due)
            && *armed_at <= due
        {
            return;
        }
        if let Some((_, armed)) = alarm.take() {
            self.disarm(armed);
        }
        *alarm = due.map(|at| (at, self.arm_at(at, Timer::Wake(party))));
    }
}

fn facts_of<'a>(
    settings: &'a Registry,
    fallback: &'a Arc<Workstream>,
    near: &'a Near<'_>,
) -> Facts<'a> {
    let (is_writable, audit_every) = (near.is_writable, AUDIT_EVERY);
    Facts { settings, fallback, is_writable, audit_every, near }
}

fn request_of(input: &queue::Input) -> Option<holdline::behavior::message::RequestId> {
    match input {
        queue::Input::Told(told) => told.request(),
        queue::Input::Missing(..) | queue::Input::Wake => None,
    }
}
