//! The simulated actor of an agent: it sets units aside, keeps the copies of their leases, tells
//! queues whether there is room, and feeds their consoles.

use std::sync::Arc;

use holdline::domain::agent::command::{AgentCommand, AgentEvent, AgentRefusal};
use holdline::domain::agent::{Agent, Availability, FeedNumber, Presence};
use holdline::domain::id::{AgentId, ConversationId, QueueId};
use holdline::domain::lease::{Lease, Purpose};
use holdline::domain::queue::QueueCommand;
use holdline::domain::settings::AgentSettings;
use holdline::domain::time::{Span, Timestamp};

use crate::node::mail::Mail;
use crate::node::timers::{Alarm, Timer};
use crate::node::{AUDIT_EVERY, Node};
use crate::server::{AgentAccount, Call, Millis, Seen};

const SORTED_OUT_WITHIN: Millis = 200;

/// The actor of one agent.
#[derive(Debug)]
pub struct Desk {
    epoch: u64,
    pub agent: Agent,
    queues: Vec<QueueId>,
    told: Availability,
    /// Whether their console is open.
    has_feed: bool,
    /// The number of its feed.
    feed: FeedNumber,
    timer: Option<(Timestamp, Alarm)>,
}

impl Desk {
    pub fn new(epoch: u64, agent: Agent, queues: Vec<QueueId>) -> Self {
        let told = agent.availability();
        Self { epoch, agent, queues, told, has_feed: false, feed: 0, timer: None }
    }

    fn id(&self) -> AgentId {
        self.agent.settings().id.clone()
    }

    pub fn account(&self) -> AgentAccount {
        let agent = &self.agent;
        let leases = agent.leases().iter().map(|(id, held)| (*id, held.lease.units));
        AgentAccount {
            agent: agent.settings().id.clone(),
            is_ready: agent.presence() == Presence::Available,
            units: agent.settings().units,
            used: agent.used(),
            leases: leases.collect(),
        }
    }

    pub fn started(&self, node: &mut Node) {
        self.tell_queues(node);
        node.arm(node.now + AUDIT_EVERY.as_millis(), Timer::Audit(self.id(), self.epoch));
    }

    pub fn handle(&mut self, node: &mut Node, mail: Mail) {
        match mail {
            Mail::Agent(command) => drop(self.perform(node, command)),
            Mail::Configure(settings) => self.configure(node, settings),
            Mail::Reserve(queue, chat, lease) => self.reserve(node, queue, chat, lease),
            Mail::Repeat(conversation, seq, lease) => {
                let command = AgentCommand::Adjust { conversation, seq, lease: Some(lease) };
                drop(self.perform(node, command));
            }
            Mail::AskAbout(chat) => self.ask_about(node, chat),
            Mail::Serve(queues) => self.serve(node, queues),
            Mail::Tell(told) if self.has_feed => {
                let id = self.id();
                let told = told.into_iter().map(|(name, data)| Seen::Feed(id.clone(), name, data));
                node.seen.extend(told);
            }
            Mail::Tell(_) => {}
            Mail::Feed(open) => self.feed(node, open),
            Mail::Presence(presence) => self.choose(node, presence),
            other => unreachable!("an agent is never told {other:?}"),
        }
        self.rearm(node);
    }

    fn perform(
        &mut self,
        node: &mut Node,
        command: AgentCommand,
    ) -> Result<Vec<AgentEvent>, AgentRefusal> {
        let now = node.clock();
        let events = node.rules.decide_agent(&self.agent, command, now)?;
        self.agent.commit(&events, now);
        for event in &events {
            let (conversation, mail) = match event {
                AgentEvent::LeaseForfeited { conversation } => {
                    (*conversation, Mail::AgentGone(self.id()))
                }
                AgentEvent::AbsenceNoticed { conversation, since } => {
                    (*conversation, Mail::MissAgent(self.id(), *since))
                }
                AgentEvent::ReturnNoticed { conversation } => {
                    if node.rules.forgets_returns() {
                        continue;
                    }
                    (*conversation, Mail::MeetAgent(self.id()))
                }
                _ => continue,
            };
            node.tell_chat(conversation, mail);
        }
        let availability = self.agent.availability();
        if availability != self.told {
            self.told = availability;
            self.tell_queues(node);
        }
        Ok(events)
    }

    fn configure(&mut self, node: &mut Node, settings: Arc<AgentSettings>) {
        drop(self.perform(node, AgentCommand::Configure(settings)));
    }

    fn choose(&mut self, node: &mut Node, presence: Presence) {
        drop(self.perform(node, AgentCommand::ChoosePresence(presence)));
    }

    fn feed(&mut self, node: &mut Node, open: bool) {
        if open && !self.has_feed {
            self.has_feed = true;
            self.feed += 1;
            let heartbeat = Span::from_secs(15);
            drop(self.perform(node, AgentCommand::OpenFeed { feed: self.feed, heartbeat }));
            for chat in self.agent.leases().keys() {
                node.tell_chat(*chat, Mail::ShowTo(self.id()));
            }
        } else if !open && self.has_feed {
            self.has_feed = false;
            drop(self.perform(node, AgentCommand::CloseFeed(self.feed)));
        }
    }

    fn tell_queues(&self, node: &mut Node) {
        for queue in &self.queues {
            self.tell_availability(node, queue);
        }
    }

    pub fn tell_availability(&self, node: &mut Node, queue: &QueueId) {
        let availability = node.rules.availability(self.agent.availability());
        let command = QueueCommand::AgentChanged(availability);
        node.tell_queue(queue, Mail::Queue(command));
    }

    fn reserve(&mut self, node: &mut Node, queue: QueueId, chat: ConversationId, lease: Lease) {
        let agent = self.id();
        match self.perform(node, AgentCommand::Reserve { conversation: chat, lease }) {
            Ok(_) => {
                node.tell_queue(&queue, Mail::Queue(QueueCommand::Granted(chat, agent)));
                self.ask_about(node, chat);
            }
            Err(refusal) => {
                let refused = QueueCommand::Refused(chat, agent.clone());
                node.tell_queue(&queue, Mail::Queue(refused));
                if refusal == AgentRefusal::AlreadyHeld {
                    self.ask_about(node, chat);
                    node.tell_chat(chat, Mail::StateClaims(None));
                    let timer = Timer::Availability(agent, self.epoch, queue);
                    node.arm(node.now + SORTED_OUT_WITHIN, timer);
                } else {
                    self.tell_availability(node, &queue);
                }
            }
        }
    }

    fn serve(&mut self, node: &mut Node, queues: Vec<QueueId>) {
        let left: Vec<_> = self.queues.iter().filter(|it| !queues.contains(it)).cloned().collect();
        for queue in left {
            node.tell_queue(&queue, Mail::Queue(QueueCommand::AgentLeft(self.id())));
        }
        self.queues = queues;
        self.tell_queues(node);
    }

    /// They are not an agent any more.
    pub fn dismiss(&self, node: &mut Node) {
        for queue in &self.queues {
            node.tell_queue(queue, Mail::Queue(QueueCommand::AgentLeft(self.id())));
        }
        if let Some((_, armed)) = self.timer {
            node.disarm(armed);
        }
        for chat in self.agent.leases().keys() {
            node.tell_chat(*chat, Mail::AgentGone(self.id()));
        }
    }

    pub fn wake(&mut self, node: &mut Node) {
        self.timer = None;
        drop(self.perform(node, AgentCommand::Wake));
        self.rearm(node);
    }

    fn rearm(&mut self, node: &mut Node) {
        let wake_at = self.agent.wake_at();
        if self.timer.as_ref().map(|(at, _)| *at) == wake_at {
            return;
        }
        if let Some((_, armed)) = self.timer.take() {
            node.disarm(armed);
        }
        if let Some(at) = wake_at {
            let armed = node.arm_at(at, Timer::Agent(self.id(), self.epoch));
            self.timer = Some((at, armed));
        }
    }

    /// Asks every conversation what it holds of this agent.
    pub fn audit(&mut self, node: &mut Node) {
        for chat in self.agent.leases().keys().copied().collect::<Vec<_>>() {
            self.ask_about(node, chat);
        }
        node.arm(node.now + AUDIT_EVERY.as_millis(), Timer::Audit(self.id(), self.epoch));
    }

    fn ask_about(&mut self, node: &mut Node, chat: ConversationId) {
        if !self.agent.keeps_reservations() && !node.rules.offers_late() {
            let held = self.agent.leases().get(&chat);
            let reservation = held.and_then(|held| held.reservation);
            if let Some(reservation) = reservation.filter(|_| node.rules.turns_down_early()) {
                let turn_down = AgentCommand::TurnDown { conversation: chat, reservation };
                drop(self.perform(node, turn_down));
                return node.tell_chat(chat, Mail::StateClaims(None));
            }
            drop(self.perform(node, AgentCommand::Withdraw { conversation: chat }));
        }
        let held = self.agent.leases().get(&chat);
        let reserved = held.and_then(|held| Some((held.reservation?, held)));
        let mail = match reserved {
            Some((number, held)) if held.withdrawn => Mail::Withdraw(self.id(), number),
            Some((number, held)) => Mail::Offer(self.id(), number, held.lease.units),
            None => Mail::ConfirmLease(self.id()),
        };
        node.tell_chat(chat, mail);
    }
}

impl Node {
    /// Whoever asks for something is heard of by that.
    pub fn touch(&mut self, call: &Call) {
        if let Some(agent) = call.caller() {
            self.tell_agent(agent, Mail::Agent(AgentCommand::Touch));
        }
    }

    /// Whether a supervisor may offer a chat to an agent, who may be away only for a moment.
    pub fn is_expected(&self, id: ConversationId, agent: &AgentId) -> bool {
        let epoch = self.directory.get(&id);
        let chat = epoch.and_then(|epoch| self.chats.get(&(id, *epoch)));
        let opening = chat.and_then(|chat| chat.conversation.opening());
        let workstream = opening.and_then(|it| self.settings.workstreams.get(&it.workstream));
        let Some(desk) = self.desk(agent) else { return false };
        let Some(workstream) = workstream else { return true };
        desk.agent.expected_by(workstream.grace_for(Purpose::Offer), Self::clock(self)).is_ok()
    }
}
