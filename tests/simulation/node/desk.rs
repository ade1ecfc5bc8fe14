//! The simulated behavior of an agent: it sets units aside, keeps the copies of their leases, tells
//! queues whether there is room, and feeds their console.

use std::sync::Arc;

use holdline::behavior::message::{
    Answered, Denial, FeedItem, RequestId, ToAgent, ToConversation, Trouble,
};
use holdline::domain::agent::command::{AgentCommand, AgentEvent, AgentRefusal};
use holdline::domain::agent::{Agent, Availability, FeedNumber, Presence};
use holdline::domain::id::{AgentId, ConversationId, QueueId};
use holdline::domain::lease::Lease;
use holdline::domain::queue::QueueCommand;
use holdline::domain::settings::AgentSettings;
use holdline::domain::time::{Span, Timestamp};

use crate::node::AUDIT_EVERY;
use crate::server::AgentAccount;

const SORTED_OUT_WITHIN: Span = Span::from_millis(200);

/// What an agent is given, one after the other.
#[derive(Debug)]
pub enum Input {
    /// They begin to be served.
    Begin,
    /// Somebody tells them something.
    Told(ToAgent),
    /// Their console is opened, or closed.
    Console(bool),
    /// What has become of a presence that was to be written.
    PresenceWritten { ask: RequestId, presence: Presence, is_written: bool },
    /// The time has come that they wanted to be woken at.
    Wake,
}

/// What is to be done for them, in this order.
#[derive(Debug)]
pub enum Output {
    ToConversation(ConversationId, ToConversation),
    ToQueue(QueueId, QueueCommand),
    /// Their console is told something.
    Feed(FeedItem),
    /// A presence is written: [`Input::PresenceWritten`] follows.
    WritePresence {
        ask: RequestId,
        presence: Presence,
    },
    Answer(RequestId, Result<Answered, Denial>),
    Stop,
}

impl Input {
    /// The request that waits for an answer to it.
    pub fn request(&self) -> Option<RequestId> {
        match self {
            Self::Told(told) => told.request(),
            Self::PresenceWritten { ask, .. } => Some(*ask),
            Self::Begin | Self::Console(_) | Self::Wake => None,
        }
    }
}

/// An agent, as their actor has them.
#[derive(Debug)]
pub struct Desk {
    agent: Agent,
    queues: Vec<QueueId>,
    told: Availability,
    /// Whether their console is open.
    has_feed: bool,
    /// The number of its feed.
    feed: FeedNumber,
    audit_at: Timestamp,
    /// Queues that are told how they are, once it is sorted out who has a chat.
    sorted_out_at: Vec<(Timestamp, QueueId)>,
}

impl Desk {
    /// An agent who hears all claims before they are given work.
    pub fn hearing(
        settings: Arc<AgentSettings>,
        chosen: Option<Presence>,
        queues: Vec<QueueId>,
        now: Timestamp,
    ) -> Self {
        let agent = Agent::hearing(settings, chosen, now);
        let told = agent.availability();
        let audit_at = now + AUDIT_EVERY;
        let sorted_out_at = Vec::new();
        Self { agent, queues, told, has_feed: false, feed: 0, audit_at, sorted_out_at }
    }

    /// The agent as they are here.
    pub const fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Whether nothing is still to be sorted out.
    pub fn is_settled(&self) -> bool {
        self.sorted_out_at.is_empty()
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

    /// When they want to be woken.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let sorted_out = self.sorted_out_at.iter().map(|(at, _)| *at);
        self.agent.wake_at().into_iter().chain([self.audit_at]).chain(sorted_out).min()
    }

    /// Deals with one input.
    pub fn handle(&mut self, input: Input, now: Timestamp, out: &mut Vec<Output>) {
        match input {
            Input::Begin => self.tell_queues(out),
            Input::Told(told) => self.take(told, now, out),
            Input::Console(open) => self.console(open, now, out),
            Input::PresenceWritten { ask, presence, is_written } => {
                let answer = if is_written {
                    self.perform(AgentCommand::ChoosePresence(presence), now, out);
                    Ok(Answered::Done)
                } else {
                    Err(Denial::Trouble(Trouble { is_of_writing: true, text: "the disk".into() }))
                };
                out.push(Output::Answer(ask, answer));
            }
            Input::Wake => self.wake(now, out),
        }
    }

    fn take(&mut self, told: ToAgent, now: Timestamp, out: &mut Vec<Output>) {
        match told {
            ToAgent::Command(command) => self.perform(command, now, out),
            ToAgent::ChoosePresence(presence, _, ask) => {
                out.push(Output::WritePresence { ask, presence });
            }
            ToAgent::Reserve(queue, chat, lease) => self.reserve(queue, chat, lease, now, out),
            ToAgent::Adjust { conversation, seq, lease, .. } => {
                let command = AgentCommand::Adjust { conversation, seq, lease };
                self.perform(command, now, out);
            }
            ToAgent::AskAbout(chat) => self.ask_about(chat, now, out),
            ToAgent::Serve(queues) => self.serve(queues, out),
            ToAgent::Tell(told) if self.has_feed => {
                out.extend(told.into_iter().map(Output::Feed));
            }
            ToAgent::Shown(feed, told) if self.has_feed && feed == self.feed => {
                out.extend(told.into_iter().map(Output::Feed));
            }
            ToAgent::Tell(_) | ToAgent::Shown(..) => {}
            ToAgent::Dismiss(request) => self.dismiss(request, out),
            ToAgent::Expect(grace, request) => {
                let expected = self.agent.expected_by(grace, now);
                let answer = expected.map(Answered::Expected).map_err(|_| Denial::AgentGone);
                out.push(Output::Answer(request, answer));
            }
            other => unreachable!("nobody here tells an agent {other:?}"),
        }
    }

    fn id(&self) -> AgentId {
        self.agent.settings().id.clone()
    }

    /// What is refused here is asked with an answer elsewhere.
    fn perform(&mut self, command: AgentCommand, now: Timestamp, out: &mut Vec<Output>) {
        let _refused = self.try_perform(command, now, out);
    }

    fn try_perform(
        &mut self,
        command: AgentCommand,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) -> Result<(), AgentRefusal> {
        let events = self.agent.decide(command, now)?;
        self.agent.commit(&events, now);
        for event in &events {
            let agent = self.id();
            let (chat, told) = match event {
                AgentEvent::LeaseForfeited { conversation } => {
                    (*conversation, ToConversation::AgentGone(agent))
                }
                AgentEvent::AbsenceNoticed { conversation, since } => {
                    (*conversation, ToConversation::MissAgent(agent, *since))
                }
                AgentEvent::ReturnNoticed { conversation } => {
                    (*conversation, ToConversation::MeetAgent(agent))
                }
                _ => continue,
            };
            out.push(Output::ToConversation(chat, told));
        }
        let availability = self.agent.availability();
        if availability != self.told {
            self.told = availability;
            self.tell_queues(out);
        }
        Ok(())
    }

    fn console(&mut self, open: bool, now: Timestamp, out: &mut Vec<Output>) {
        if open && !self.has_feed {
            self.has_feed = true;
            self.feed += 1;
            let heartbeat = Span::from_secs(15);
            self.perform(AgentCommand::OpenFeed { feed: self.feed, heartbeat }, now, out);
            for chat in self.agent.leases().keys() {
                let show = ToConversation::ShowTo(self.id(), Some(self.feed));
                out.push(Output::ToConversation(*chat, show));
            }
        } else if !open && self.has_feed {
            self.has_feed = false;
            self.perform(AgentCommand::CloseFeed(self.feed), now, out);
        }
    }

    fn tell_queues(&self, out: &mut Vec<Output>) {
        for queue in &self.queues {
            self.tell_availability(queue.clone(), out);
        }
    }

    fn tell_availability(&self, queue: QueueId, out: &mut Vec<Output>) {
        let changed = QueueCommand::AgentChanged(self.agent.availability());
        out.push(Output::ToQueue(queue, changed));
    }

    fn reserve(
        &mut self,
        queue: QueueId,
        chat: ConversationId,
        lease: Lease,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let agent = self.id();
        match self.try_perform(AgentCommand::Reserve { conversation: chat, lease }, now, out) {
            Ok(()) => {
                out.push(Output::ToQueue(queue, QueueCommand::Granted(chat, agent)));
                self.ask_about(chat, now, out);
            }
            Err(refusal) => {
                out.push(Output::ToQueue(queue.clone(), QueueCommand::Refused(chat, agent)));
                if refusal == AgentRefusal::AlreadyHeld {
                    self.ask_about(chat, now, out);
                    out.push(Output::ToConversation(chat, ToConversation::StateClaims(None)));
                    self.sorted_out_at.push((now + SORTED_OUT_WITHIN, queue));
                } else {
                    self.tell_availability(queue, out);
                }
            }
        }
    }

    fn serve(&mut self, queues: Vec<QueueId>, out: &mut Vec<Output>) {
        for queue in self.queues.iter().filter(|it| !queues.contains(it)) {
            out.push(Output::ToQueue(queue.clone(), QueueCommand::AgentLeft(self.id())));
        }
        self.queues = queues;
        self.tell_queues(out);
    }

    /// They are not an agent any more.
    fn dismiss(&self, request: RequestId, out: &mut Vec<Output>) {
        for queue in &self.queues {
            out.push(Output::ToQueue(queue.clone(), QueueCommand::AgentLeft(self.id())));
        }
        for chat in self.agent.leases().keys() {
            out.push(Output::ToConversation(*chat, ToConversation::AgentGone(self.id())));
        }
        out.extend([Output::Answer(request, Ok(Answered::Done)), Output::Stop]);
    }

    fn wake(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        self.perform(AgentCommand::Wake, now, out);
        if self.audit_at <= now {
            self.audit_at = now + AUDIT_EVERY;
            for chat in self.agent.leases().keys().copied().collect::<Vec<_>>() {
                self.ask_about(chat, now, out);
            }
        }
        for (_, queue) in
            self.sorted_out_at.extract_if(.., |(at, _)| *at <= now).collect::<Vec<_>>()
        {
            self.tell_availability(queue, out);
        }
    }

    /// Asks a conversation what it holds of this agent.
    fn ask_about(&mut self, chat: ConversationId, now: Timestamp, out: &mut Vec<Output>) {
        if !self.agent.keeps_reservations() {
            self.perform(AgentCommand::Withdraw { conversation: chat }, now, out);
        }
        let held = self.agent.leases().get(&chat);
        let reserved = held.and_then(|held| Some((held.reservation?, held)));
        let told = match reserved {
            Some((number, held)) if held.withdrawn => ToConversation::Withdraw(self.id(), number),
            Some((number, held)) => ToConversation::Offer(self.id(), number, held.lease.units),
            None => ToConversation::ConfirmLease(self.id()),
        };
        out.push(Output::ToConversation(chat, told));
    }
}
