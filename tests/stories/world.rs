//! One conversation and its agents, driven as the engine drives them, with a clock that jumps.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdline::domain::agent::command::{AgentCommand, AgentEvent, AgentRefusal};
use holdline::domain::agent::{Agent, FeedNumber};
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::claims::{Claims, Effect, Effects};
use holdline::domain::conversation::command::Command;
use holdline::domain::decision::Receipt;
use holdline::domain::id::{AgentId, ConversationId, SessionId};
use holdline::domain::lease::{Lease, Purpose};
use holdline::domain::settings::{AgentSettings, Role, Workstream};
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};

use crate::script::{Manner, Setting, Step};
use crate::tell;
use crate::time::{self, DAWN};

const CHAT: ConversationId = ConversationId::from_bits(1);

/// Every agent has one console.
const FEED: FeedNumber = 1;

fn open_feed() -> AgentCommand {
    AgentCommand::OpenFeed { feed: FEED, heartbeat: Span::from_secs(15) }
}

/// Everything in a story, and what was told of it.
#[derive(Debug)]
pub(crate) struct World {
    now: Timestamp,
    workstream: Workstream,
    conversation: Conversation,
    agents: BTreeMap<AgentId, Agent>,
    /// How each session shows that it is there, and when it last beat.
    sessions: BTreeMap<SessionId, (Manner, Timestamp)>,
    /// How the chat was last told to stand.
    standing: String,
    pub(crate) told: Vec<String>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            now: DAWN,
            workstream: Workstream::new(
                "support".parse().expect("an id"),
                "line".parse().expect("an id"),
            ),
            conversation: Conversation::new(CHAT),
            agents: BTreeMap::new(),
            sessions: BTreeMap::new(),
            standing: String::new(),
            told: Vec::new(),
        }
    }
}

impl World {
    /// Does one step, and tells what came of it.
    pub(crate) fn perform(&mut self, step: Step) {
        match step {
            Step::Configure(settings) => self.configure(settings),
            Step::Hire(agent, units) => self.hire(&agent, units),
            Step::Feed(agent, open) => {
                let command = if open { open_feed() } else { AgentCommand::CloseFeed(FEED) };
                self.ask_agent(&agent, command);
            }
            Step::Choose(agent, presence) => {
                self.ask_agent(&agent, AgentCommand::ChoosePresence(presence));
            }
            Step::Join(session) => {
                let heartbeat = self.workstream.heartbeat;
                if self.ask(Command::Join { session, heartbeat, program: None }) {
                    self.sessions.insert(session, (Manner::Beating, self.now));
                }
            }
            Step::Live(session, manner) => {
                self.sessions.insert(session, (manner, self.now));
            }
            Step::Beat(session) => self.conversation.hear(session, self.now),
            Step::Announce(session, leaving) => {
                self.conversation.hear(session, self.now);
                self.conversation.hear_leaving(session, Some(leaving));
            }
            Step::Offer(agent) => self.offer(&agent),
            Step::Ask(command) => {
                self.ask(command);
            }
            Step::At(span) => self.advance(DAWN + span),
            Step::After(span) => self.advance(self.now + span),
            Step::Stall(span) => self.now = self.now + span,
            Step::Request(agent) => self.ask_agent(&agent, AgentCommand::Touch),
            Step::Restart(span, consoles) => self.restart(span, consoles),
        }
        self.tell_standing();
    }

    fn configure(&mut self, settings: Vec<Setting>) {
        let workstream = &mut self.workstream;
        for setting in settings {
            match setting {
                Setting::Window(span) => workstream.window = span,
                Setting::Heartbeat(span) => workstream.heartbeat = span,
                Setting::Offer(span) => workstream.offer = span,
                Setting::Declines(limit) => workstream.decline_limit = limit,
                Setting::Grace(span) => workstream.agent_grace = span,
                Setting::OfferGrace(span) => workstream.offer_grace = span,
                Setting::Notice(span) => workstream.agent_notice = span,
                Setting::Units(units) => workstream.units = units,
                Setting::Block(block) => workstream.wrapup_block = block,
                Setting::Open(span) => workstream.autoclose.open = span,
                Setting::Active(span) => workstream.autoclose.active = span,
                Setting::Wrapup(span) => workstream.autoclose.wrapup = span,
                Setting::Idle(rule) => workstream.idle = rule,
            }
        }
        let violations = workstream.violations();
        let told = violations.iter().map(|it| format!("  refused: {} {}", it.field, it.message));
        self.told.extend(told);
    }

    fn hire(&mut self, id: &AgentId, units: u32) {
        let settings = AgentSettings {
            id: id.clone(),
            name: DisplayName::parse(id.as_str()).expect("an id is a name"),
            role: Role::Agent,
            units,
        };
        let mut agent = Agent::new(Arc::new(settings), None, self.now);
        let opened = agent.decide(open_feed(), self.now).expect("never refused");
        agent.commit(opened.clone(), self.now);
        self.told.push(tell::agent(&agent));
        self.agents.insert(id.clone(), agent);
    }

    /// The agent's units are set aside first, as they are when a queue asks.
    fn offer(&mut self, id: &AgentId) {
        let (units, grace) = (self.workstream.units, self.workstream.offer_grace);
        let lease = Lease::new(id.clone(), units, Purpose::Offer, grace);
        let reserve = AgentCommand::Reserve { conversation: CHAT, lease };
        let kept = self.agents.get(id).cloned();
        if self.try_agent(id, reserve, false).is_err() {
            return;
        }
        if !self.ask(Command::Offer { agent: id.clone() }) {
            // The units that were set aside are free again, and nobody has heard of it.
            kept.into_iter().for_each(|agent| drop(self.agents.insert(id.clone(), agent)));
        }
    }

    /// Asks the chat, tells what happened, and carries out what follows.
    fn ask(&mut self, command: Command) -> bool {
        let decision = match self.conversation.decide(command, self.now, &self.workstream) {
            Ok(decision) => decision,
            Err(refusal) => {
                self.told.push(format!("  refused: {refusal}"));
                return false;
            }
        };
        if decision.events.is_empty() {
            self.told.extend(tell::answer(&decision.answer));
            return true;
        }
        let pending = self.conversation.commit(decision, self.now);
        let receipt = Receipt::issue(self.conversation.seq());
        let released = pending.release(&receipt).expect("the receipt covers everything");
        for (event, place) in released.events.iter().zip(released.first.number()..) {
            self.told.push(tell::event(event, place, released.at));
        }
        let attendance = self.conversation.attendance();
        self.sessions.retain(|session, _| attendance.find(*session).is_some());
        self.carry_out(released.effects);
        true
    }

    fn carry_out(&mut self, effects: Effects) {
        let seq = self.conversation.seq();
        for effect in effects {
            let (agent, lease) = match effect {
                Effect::HoldLease(lease) => (lease.agent.clone(), Some(lease)),
                Effect::ReturnLease(agent) => (agent, None),
                Effect::TakePlace(place) => {
                    self.told.push(tell::place(&place));
                    continue;
                }
                Effect::LeavePlace(_) | Effect::FreeVisitor(..) | Effect::Retire => continue,
            };
            self.ask_agent(&agent, AgentCommand::Adjust { conversation: CHAT, seq, lease });
        }
    }

    fn ask_agent(&mut self, id: &AgentId, command: AgentCommand) {
        let _told = self.try_agent(id, command, true);
    }

    fn try_agent(
        &mut self,
        id: &AgentId,
        command: AgentCommand,
        tells: bool,
    ) -> Result<(), AgentRefusal> {
        if !self.agents.contains_key(id) {
            self.hire(id, 1);
        }
        let agent = self.agents.get_mut(id).expect("hired just now, if not before");
        let before = tell::agent(agent);
        let events = agent.decide(command, self.now).inspect_err(|refusal| {
            self.told.push(format!("  refused: {refusal}"));
        })?;
        agent.commit(events.clone(), self.now);
        let after = tell::agent(agent);
        if tells && before != after {
            self.told.push(after);
        }
        for event in events {
            let agent = id.clone();
            match event {
                AgentEvent::LeaseForfeited { .. } => drop(self.ask(Command::AgentGone { agent })),
                AgentEvent::AbsenceNoticed { since, .. } => {
                    self.ask(Command::MissAgent { agent, since });
                }
                AgentEvent::ReturnNoticed { .. } => drop(self.ask(Command::MeetAgent { agent })),
                _ => {}
            }
        }
        Ok(())
    }

    /// Lets time pass up to a moment. Everything happens when it is due.
    fn advance(&mut self, until: Timestamp) {
        loop {
            let agents = self.agents.values().filter_map(Agent::wake_at);
            let due = agents.chain(self.conversation.wake_at()).chain(self.next_beat()).min();
            let Some(due) = due.filter(|due| *due <= until) else { break };
            self.now = self.now.max(due);
            self.beat();
            self.serve();
        }
        self.now = self.now.max(until);
    }

    fn next_beat(&self) -> Option<Timestamp> {
        let beating = self.sessions.values().filter(|(manner, _)| *manner == Manner::Beating);
        beating.map(|(_, last)| *last + self.workstream.heartbeat).min()
    }

    fn beat(&mut self) {
        for (session, (manner, last)) in &mut self.sessions {
            if *manner == Manner::Beating && *last + self.workstream.heartbeat <= self.now {
                *last = self.now;
                self.conversation.hear(*session, self.now);
            }
        }
    }

    /// Serves every timer that is due now, as the engine does.
    fn serve(&mut self) {
        for session in self.conversation.ask_quiet(self.now) {
            let answers = self.sessions.get(&session).is_some_and(|(it, _)| *it != Manner::Silent);
            if answers {
                self.conversation.hear(session, self.now);
            }
            self.told.push(tell::probe(session, answers, self.now));
        }
        while self.conversation.wake_at().is_some_and(|at| at <= self.now) {
            self.ask(Command::Wake);
        }
        for id in self.agents.keys().cloned().collect::<Vec<_>>() {
            if self.agents[&id].wake_at().is_some_and(|at| at <= self.now) {
                self.ask_agent(&id, AgentCommand::Wake);
            }
        }
    }

    /// Only what was journaled is still there. Agents open their consoles again, or have none.
    fn restart(&mut self, down: Span, consoles: bool) {
        self.now = self.now + down;
        self.sessions.clear();
        for agent in self.agents.values_mut() {
            *agent = Agent::new(agent.settings().clone(), Some(agent.chosen()), self.now);
        }
        self.ask(Command::Recover);
        self.carry_out(Claims::effects(&Claims::default(), &self.conversation.claims()));
        for id in self.agents.keys().cloned().collect::<Vec<_>>() {
            if consoles {
                self.ask_agent(&id, open_feed());
            }
        }
    }

    fn tell_standing(&mut self) {
        let standing = tell::standing(&self.conversation);
        if standing != self.standing {
            self.told.push(format!("  = {} at {}", standing, time::point(self.now)));
            self.standing = standing;
        }
    }
}
