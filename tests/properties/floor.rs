//! A floor: conversations, agents and queues that tell each other what they claim.
//!
//! For every message the floor does what the engine's actors do, in one thread. Messages between
//! two parties keep their order; the script says which pair is served next.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use holdline::domain::agent::command::{AgentCommand, AgentEvent, AgentRefusal};
use holdline::domain::agent::{Agent, FeedNumber};
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::claims::{Claims, Effect, Effects};
use holdline::domain::conversation::command::Command;
use holdline::domain::id::{AgentId, ConversationId, QueueId, Seq};
use holdline::domain::lease::Lease;
use holdline::domain::queue::{Queue, QueueCommand, QueueEvent};
use holdline::domain::settings::{AgentSettings, Role, Workstream};
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};

use crate::script::{DAWN, agent_named, start};

/// A party that is told things.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Party {
    Conversation(ConversationId),
    Agent(AgentId),
    Queue(QueueId),
}

/// What a party is told.
#[derive(Clone, Debug)]
enum Mail {
    Offer(AgentId, u64),
    AgentGone(AgentId),
    MissAgent(AgentId, Timestamp),
    MeetAgent(AgentId),
    ConfirmLease(AgentId),
    StateClaims,
    Agent(AgentCommand),
    Reserve(QueueId, ConversationId, Lease),
    Queue(QueueCommand),
}

/// All parties, and what is on its way between them.
#[derive(Debug)]
pub(crate) struct Floor {
    pub(crate) now: Timestamp,
    pub(crate) workstreams: BTreeMap<QueueId, Workstream>,
    pub(crate) conversations: BTreeMap<ConversationId, (QueueId, Conversation)>,
    pub(crate) agents: BTreeMap<AgentId, Agent>,
    pub(crate) serving: BTreeMap<AgentId, Vec<QueueId>>,
    pub(crate) queues: BTreeMap<QueueId, Queue>,
    links: BTreeMap<(Party, Party), VecDeque<Mail>>,
    /// What is broken, as soon as something is.
    pub(crate) broken: Option<String>,
}

impl Floor {
    /// A floor with these agents. Each is available, with these units, and serves these queues.
    pub(crate) fn new(workstreams: Vec<Workstream>, staff: &[(&str, u32, Vec<QueueId>)]) -> Self {
        let queues = workstreams.iter().map(|one| (one.queue.clone(), Queue::default())).collect();
        let settings = |name: &str, units| AgentSettings {
            id: agent_named(name),
            name: DisplayName::parse(name).expect("a name"),
            role: Role::Agent,
            units,
        };
        let agents = staff.iter().map(|(name, units, _)| {
            let settings = Arc::new(settings(name, *units));
            (agent_named(name), Agent::new(settings, None, DAWN))
        });
        let mut floor = Self {
            now: DAWN,
            workstreams: workstreams.into_iter().map(|one| (one.queue.clone(), one)).collect(),
            conversations: BTreeMap::new(),
            agents: agents.collect(),
            serving: staff.iter().map(|(name, _, all)| (agent_named(name), all.clone())).collect(),
            queues,
            links: BTreeMap::new(),
            broken: None,
        };
        for (name, ..) in staff {
            floor.tell_queues(&agent_named(name));
            floor.ask_agent(&agent_named(name), open_feed(1));
        }
        floor
    }

    /// A new chat in this queue.
    pub(crate) fn begin(&mut self, queue: &QueueId) {
        let id = ConversationId::from_bits(1 + self.conversations.len() as u128);
        self.conversations.insert(id, (queue.clone(), Conversation::new(id)));
        self.ask(id, start());
    }

    /// Asks a conversation. What the conversation answers is its own affair.
    pub(crate) fn ask(&mut self, id: ConversationId, command: Command) -> bool {
        let Some((queue, conversation)) = self.conversations.get_mut(&id) else { return false };
        let workstream = &self.workstreams[queue];
        let Ok(decision) = conversation.decide(command, self.now, workstream) else { return false };
        let before = conversation.claims();
        for event in &decision.events {
            conversation.apply(event, self.now);
        }
        let effects = Claims::effects(&before, &conversation.claims());
        self.carry_out(id, effects);
        true
    }

    /// Asks an agent.
    pub(crate) fn ask_agent(&mut self, id: &AgentId, command: AgentCommand) {
        let _refused = self.perform(id, command);
    }

    /// Lets time pass, and serves every timer that is due.
    pub(crate) fn pass(&mut self, span: Span) {
        self.now = self.now + span;
        let ids: Vec<_> = self.conversations.keys().copied().collect();
        for id in ids {
            let _asked = self.conversations.get_mut(&id).map(|(_, it)| it.ask_quiet(self.now));
            while self.conversations[&id].1.wake_at().is_some_and(|at| at <= self.now) {
                self.ask(id, Command::Wake);
            }
        }
        for id in self.agents.keys().cloned().collect::<Vec<_>>() {
            while self.agents[&id].wake_at().is_some_and(|at| at <= self.now) {
                self.ask_agent(&id, AgentCommand::Wake);
            }
        }
    }

    /// The server stops, loses everything but the journal, and starts again.
    pub(crate) fn restart(&mut self) {
        self.links.clear();
        self.queues.values_mut().for_each(|queue| *queue = Queue::default());
        for agent in self.agents.values_mut() {
            *agent = Agent::new(agent.settings().clone(), Some(agent.chosen()), self.now);
        }
        for id in self.agents.keys().cloned().collect::<Vec<_>>() {
            self.tell_queues(&id);
        }
        for id in self.conversations.keys().copied().collect::<Vec<_>>() {
            self.ask(id, Command::Recover);
            self.state_claims(id);
        }
    }

    /// An administrator says which queues an agent serves.
    pub(crate) fn serve(&mut self, id: &AgentId, queues: Vec<QueueId>) {
        let left: Vec<_> =
            self.serving[id].iter().filter(|it| !queues.contains(it)).cloned().collect();
        for queue in left {
            let command = QueueCommand::AgentLeft(id.clone());
            self.send(Party::Agent(id.clone()), Party::Queue(queue), Mail::Queue(command));
        }
        self.serving.insert(id.clone(), queues);
        self.tell_queues(id);
    }

    /// Delivers the next message of one pair; nothing when no message is on its way.
    pub(crate) fn deliver(&mut self, which: usize) -> bool {
        let waiting = self.links.len();
        let Some(pair) = self.links.keys().nth(which % waiting.max(1)).cloned() else {
            return false;
        };
        let link = self.links.get_mut(&pair).expect("it was just found");
        let mail = link.pop_front().expect("an empty link is removed");
        if link.is_empty() {
            self.links.remove(&pair);
        }
        self.take(pair.1, mail);
        true
    }

    /// Delivers everything that is on its way, and everything that follows from it.
    pub(crate) fn settle(&mut self) {
        let enough = 100_000;
        for turn in 0..enough {
            if !self.deliver(turn) {
                return;
            }
        }
        self.broken = Some("messages go round for ever".to_owned());
    }

    fn send(&mut self, from: Party, to: Party, mail: Mail) {
        self.links.entry((from, to)).or_default().push_back(mail);
    }

    fn take(&mut self, to: Party, mail: Mail) {
        match (to, mail) {
            (Party::Conversation(id), Mail::Offer(agent, reservation)) => {
                self.offer(id, &agent, reservation);
            }
            (Party::Conversation(id), Mail::AgentGone(agent)) => {
                self.ask(id, Command::AgentGone { agent: agent.clone() });
                self.confirm_lease(id, &agent);
            }
            (Party::Conversation(id), Mail::MissAgent(agent, since)) => {
                self.ask(id, Command::MissAgent { agent: agent.clone(), since });
                self.confirm_lease(id, &agent);
            }
            (Party::Conversation(id), Mail::MeetAgent(agent)) => {
                self.ask(id, Command::MeetAgent { agent: agent.clone() });
                self.confirm_lease(id, &agent);
            }
            (Party::Conversation(id), Mail::ConfirmLease(agent)) => self.confirm_lease(id, &agent),
            (Party::Conversation(id), Mail::StateClaims) => self.state_claims(id),
            (Party::Agent(id), Mail::Agent(command)) => self.ask_agent(&id, command),
            (Party::Agent(id), Mail::Reserve(queue, conversation, lease)) => {
                self.reserve(&id, queue, conversation, lease);
            }
            (Party::Queue(id), Mail::Queue(command)) => self.tell_queue(&id, command),
            (to, mail) => unreachable!("{to:?} is never told {mail:?}"),
        }
    }

    fn offer(&mut self, id: ConversationId, agent: &AgentId, reservation: u64) {
        if self.ask(id, Command::Offer { agent: agent.clone() }) {
            return;
        }
        let lease = self.conversations[&id].1.lease();
        if lease.is_some_and(|lease| lease.agent == *agent) {
            return self.confirm_lease(id, agent);
        }
        let mail = Mail::Agent(AgentCommand::TurnDown { conversation: id, reservation });
        self.send(Party::Conversation(id), Party::Agent(agent.clone()), mail);
        self.state_claims(id);
    }

    /// Asks a conversation what it holds of an agent. If the agent has set units aside for it, it
    /// is asked to make the offer.
    fn ask_about(&mut self, id: &AgentId, chat: ConversationId) {
        let held = self.agents[id].leases().get(&chat);
        let mail = match held.and_then(|held| held.reservation) {
            Some(reservation) => Mail::Offer(id.clone(), reservation),
            None => Mail::ConfirmLease(id.clone()),
        };
        self.send(Party::Agent(id.clone()), Party::Conversation(chat), mail);
    }

    fn carry_out(&mut self, id: ConversationId, effects: Effects) {
        let (stream, conversation) = &self.conversations[&id];
        let (units, seq) = (self.workstreams[stream].units, conversation.seq());
        let offers_absent = self.workstreams[stream].offers_absent;
        let stream = stream.clone();
        let from = Party::Conversation(id);
        for effect in effects {
            let (to, mail) = match effect {
                Effect::TakePlace(place) => {
                    let queue = place.queue.clone();
                    let waiting = place.waiting(units, offers_absent);
                    (Party::Queue(queue), Mail::Queue(QueueCommand::Join(id, waiting)))
                }
                Effect::LeavePlace(queue) => {
                    (Party::Queue(queue), Mail::Queue(QueueCommand::Leave(id)))
                }
                Effect::HoldLease(lease) => {
                    (Party::Agent(lease.agent.clone()), adjust(id, seq, Some(lease)))
                }
                Effect::ReturnLease(agent) => (Party::Agent(agent), adjust(id, seq, None)),
                Effect::FreeVisitor(..) | Effect::Retire => continue,
            };
            debug_assert!(!matches!(&to, Party::Queue(queue) if *queue != stream));
            self.send(from.clone(), to, mail);
        }
    }

    fn state_claims(&mut self, id: ConversationId) {
        let claims = self.conversations[&id].1.claims();
        self.carry_out(id, Claims::effects(&Claims::default(), &claims));
        if claims.place.is_none() {
            let queue = self.conversations[&id].0.clone();
            self.carry_out(id, Effects::from_iter([Effect::LeavePlace(queue)]));
        }
    }

    fn confirm_lease(&mut self, id: ConversationId, agent: &AgentId) {
        let conversation = &self.conversations[&id].1;
        let lease = conversation.lease().filter(|lease| lease.agent == *agent).cloned();
        let mail = adjust(id, conversation.seq(), lease);
        self.send(Party::Conversation(id), Party::Agent(agent.clone()), mail);
    }

    fn perform(&mut self, id: &AgentId, command: AgentCommand) -> Result<(), AgentRefusal> {
        let Some(agent) = self.agents.get_mut(id) else { return Ok(()) };
        let before = agent.availability();
        let events = agent.decide(command, self.now)?;
        agent.commit(events.clone(), self.now);
        let changed = agent.availability() != before;
        for event in events {
            let (conversation, mail) = match event {
                AgentEvent::LeaseForfeited { conversation } => {
                    (conversation, Mail::AgentGone(id.clone()))
                }
                AgentEvent::AbsenceNoticed { conversation, since } => {
                    (conversation, Mail::MissAgent(id.clone(), since))
                }
                AgentEvent::ReturnNoticed { conversation } => {
                    (conversation, Mail::MeetAgent(id.clone()))
                }
                _ => continue,
            };
            self.send(Party::Agent(id.clone()), Party::Conversation(conversation), mail);
        }
        if changed {
            self.tell_queues(id);
        }
        Ok(())
    }

    fn tell_queues(&mut self, id: &AgentId) {
        for queue in self.serving[id].clone() {
            self.tell_one_queue(id, queue);
        }
    }

    fn tell_one_queue(&mut self, id: &AgentId, queue: QueueId) {
        let changed = QueueCommand::AgentChanged(self.agents[id].availability());
        self.send(Party::Agent(id.clone()), Party::Queue(queue), Mail::Queue(changed));
    }

    fn reserve(&mut self, id: &AgentId, queue: QueueId, chat: ConversationId, lease: Lease) {
        let from = Party::Agent(id.clone());
        let answer = self.perform(id, AgentCommand::Reserve { conversation: chat, lease });
        let command = match answer {
            Ok(()) => {
                let agent = &self.agents[id];
                if agent.used() > agent.settings().units {
                    self.broken = Some(format!("{id} was given more than they may be"));
                }
                self.ask_about(id, chat);
                QueueCommand::Granted(chat, id.clone())
            }
            Err(refusal) => {
                if refusal == AgentRefusal::AlreadyHeld {
                    let to = Party::Conversation(chat);
                    self.ask_about(id, chat);
                    self.send(from.clone(), to, Mail::StateClaims);
                }
                QueueCommand::Refused(chat, id.clone())
            }
        };
        self.send(from, Party::Queue(queue.clone()), Mail::Queue(command));
        self.tell_one_queue(id, queue);
    }

    fn tell_queue(&mut self, id: &QueueId, command: QueueCommand) {
        let may_match = command.may_match();
        let queue = self.queues.get_mut(id).expect("queues are never removed here");
        let Some(event) = queue.decide(command) else { return };
        queue.apply(&event, self.now);
        while let Some(event) = queue.decide(QueueCommand::Match).filter(|_| may_match) {
            let QueueEvent::Asked(chat, agent) = event.clone() else { break };
            let lease = queue.provisional_lease(chat, agent.clone());
            queue.apply(&event, self.now);
            let mail = Mail::Reserve(id.clone(), chat, lease);
            let link = (Party::Queue(id.clone()), Party::Agent(agent));
            self.links.entry(link).or_default().push_back(mail);
        }
    }
}

/// The agent opens a feed with this number.
pub(crate) const fn open_feed(feed: FeedNumber) -> AgentCommand {
    AgentCommand::OpenFeed { feed, heartbeat: Span::from_secs(15) }
}

fn adjust(conversation: ConversationId, seq: Seq, lease: Option<Lease>) -> Mail {
    Mail::Agent(AgentCommand::Adjust { conversation, seq, lease })
}
