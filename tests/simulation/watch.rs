//! The watcher of a world: an independent record of what widgets, agents and the disk saw, and the
//! checks against that record. No rule that is checked is taken from the product.

mod agents;
mod audit;
mod chat;
mod customer;
mod death;
mod feeds;
mod law;
mod presence;
mod restart;
mod restore;
mod setting;
mod stats;

use std::collections::{BTreeMap, BTreeSet};

use holdline::domain::conversation::command::{Answer, Command};
use holdline::domain::conversation::event::{Author, Event};
use holdline::domain::id::{AgentId, ConversationId, SessionId};
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::time::Timestamp;
use serde_json::Value;

use crate::plan::{Plan, StreamPlan};
use crate::server::{Account, Call, Millis, Row, Seen, Ticket};
use crate::settings;
use crate::watch::agents::Console;
use crate::watch::chat::Chat;
use crate::watch::customer::{Tokens, Visitor};
use crate::watch::feeds::Feeds;
pub use crate::watch::law::{Check, Violation};
use crate::watch::restore::Backup;
use crate::watch::setting::Setting;
pub use crate::watch::stats::Stats;

/// The record of one world.
#[derive(Debug)]
pub struct Watch {
    pub stats: Stats,
    violation: Option<Violation>,
    now: Millis,
    is_up: bool,
    /// When the server started, and how far its clock was then ahead of the world's time.
    starts: Vec<(Millis, i64)>,
    is_writable: bool,
    /// The last moment at which the server, or its disk, could not do what it should.
    trouble: Millis,
    /// How far the server's clock is ahead of the world's time.
    clock: i64,
    calm_by: Option<Millis>,
    passed_at: Millis,
    chats: BTreeMap<ConversationId, Chat>,
    visitors: BTreeMap<SessionId, Visitor>,
    tokens: Tokens,
    streams: Vec<Setting<StreamPlan>>,
    units: BTreeMap<AgentId, Setting<u32>>,
    serving: Vec<Setting<Vec<AgentId>>>,
    calls: BTreeMap<Ticket, Call>,
    /// The room of each agent who was ready when nothing was last on its way, and of whom nothing
    /// was heard since.
    rested: BTreeMap<AgentId, u32>,
    consoles: BTreeMap<AgentId, Console>,
    feeds: Feeds,
    /// When the last death of a conversation's actor was.
    died_at: Option<Millis>,
    /// Agents who were deleted and not put again.
    deleted: BTreeSet<AgentId>,
    /// How many restores there were: places from before the last one mean nothing after it.
    history: u32,
    backup: Option<Backup>,
}

impl Watch {
    pub fn new(plan: &Plan) -> Self {
        let agents = plan.agents.iter().enumerate();
        let serving = |queue: usize| {
            let serves = |it: &usize| plan.agents[*it].queues.contains(&queue);
            (0..plan.agents.len()).filter(serves).map(settings::agent_id).collect()
        };
        Self {
            stats: Stats::default(),
            violation: None,
            now: 0,
            is_up: false,
            starts: Vec::new(),
            is_writable: true,
            trouble: 0,
            clock: 0,
            calm_by: None,
            passed_at: 0,
            chats: BTreeMap::new(),
            visitors: BTreeMap::new(),
            tokens: Tokens::new(),
            streams: plan.streams.iter().copied().map(Setting::new).collect(),
            units: agents
                .map(|(number, it)| (settings::agent_id(number), Setting::new(it.units)))
                .collect(),
            // Each workstream has its own queue, and another that may take its place.
            serving: (0..2 * plan.streams.len()).map(|it| Setting::new(serving(it))).collect(),
            calls: BTreeMap::new(),
            rested: BTreeMap::new(),
            consoles: BTreeMap::new(),
            feeds: Feeds::default(),
            died_at: None,
            deleted: BTreeSet::new(),
            history: 0,
            backup: None,
        }
    }

    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    pub fn take_violation(&mut self) -> Option<Violation> {
        self.violation.take()
    }

    /// Notes that a check has failed; the first counts.
    fn fail(&mut self, check: Check, what: impl Into<String>) {
        if self.violation.is_none() {
            self.violation = Some(Violation::new(check, self.now, what));
        }
    }

    pub fn started(&mut self, now: Millis, clock: Timestamp) {
        self.now = now;
        self.is_up = true;
        self.trouble = now;
        self.clock = clock.as_millis() - i64::try_from(now).unwrap();
        self.starts.push((now, self.clock));
        self.expect_restarts();
    }

    pub fn crashed(&mut self, now: Millis) {
        self.now = now;
        self.is_up = false;
        self.rested.clear();
        self.is_told_no_more(None);
        self.stats.crashes += 1;
        self.calls.clear();
        self.consoles.clear();
        self.feeds.clear();
    }

    /// Nothing goes wrong from now on; by this time everybody must have been told everything.
    pub fn calm(&mut self, by: Millis) {
        self.calm_by = Some(by);
    }

    pub fn stream(&mut self, now: Millis, which: usize, stream: &StreamPlan) {
        self.now = now;
        // The ticket is that of the next call, which asks for the change.
        self.streams[which].ask(now, *stream, Ticket::MAX);
        self.stats.settings += 1;
    }

    pub fn asked(&mut self, now: Millis, ticket: Ticket, call: &Call) {
        self.now = now;
        self.disturb(call);
        if let Call::Change(change) = call {
            match &**change {
                SettingChange::PutWorkstream(put) => {
                    let which = settings::number_of(put.id.as_str());
                    self.streams[which].asked_by(ticket);
                }
                SettingChange::PutAgent(put) => {
                    if let Some(units) = self.units.get_mut(&put.id) {
                        units.ask(now, put.units, ticket);
                    }
                }
                SettingChange::PutQueue(put) => {
                    let which = settings::number_of(put.id.as_str());
                    self.serving[which].ask(now, put.agents.clone(), ticket);
                }
                SettingChange::DeleteAgent(id) => {
                    if let Some(units) = self.units.get_mut(id) {
                        units.ask(now, 0, ticket);
                    }
                    for serving in &mut self.serving {
                        serving.ask_from(now, ticket, |mut agents| {
                            agents.retain(|it| it != id);
                            agents
                        });
                    }
                }
                SettingChange::DeleteQueue(id) => {
                    let which = settings::number_of(id.as_str());
                    self.serving[which].ask(now, Vec::new(), ticket);
                }
                _ => {}
            }
        }
        if let Some(agent) = call.caller() {
            self.heard(agent);
        }
        self.calls.insert(ticket, call.clone());
    }

    /// An agent who may have less room after this call is no longer counted as free.
    fn disturb(&mut self, call: &Call) {
        match call {
            Call::Chat(_, Command::Accept { agent, .. } | Command::Assign { agent, .. })
            | Call::Presence(agent, _) => drop(self.rested.remove(agent)),
            Call::Change(_) => self.rested.clear(),
            Call::Chat(..) => {}
        }
    }

    /// Something was seen of the server.
    pub fn see(&mut self, now: Millis, seen: &Seen) {
        self.now = now;
        match seen {
            Seen::Durable(row) => self.row(row),
            Seen::Frame(session, text) => self.frame(*session, text),
            Seen::Unread(session, text) => self.unread(*session, text),
            Seen::Answered(ticket, answer) => self.answered(*ticket, answer),
            Seen::Feed(agent, name, data) => self.fed(agent, name, data),
            Seen::Fault => {
                self.stats.faults += 1;
                self.trouble = now;
                // Units may be set aside for an offer that was lost.
                self.rested.clear();
            }
            Seen::Died => self.died(),
            Seen::Writable(is_writable) => {
                self.is_writable = *is_writable;
                self.trouble = now;
            }
            Seen::Closed(session, code) => {
                self.is_told_no_more(Some(*session));
                match code {
                    4002 => self.stats.slow += 1,
                    4004 => self.stats.silent += 1,
                    _ => {}
                }
            }
            Seen::Ping(_) => self.stats.pings += 1,
        }
    }

    fn answered(&mut self, ticket: Ticket, answer: &Result<Answer, String>) {
        let call = self.calls.remove(&ticket);
        let now = self.now;
        if answer.is_ok() {
            self.streams.iter_mut().for_each(|it| it.done(now, ticket));
            self.units.values_mut().for_each(|it| it.done(now, ticket));
            self.serving.iter_mut().for_each(|it| it.done(now, ticket));
        }
        if let Some(Call::Change(change)) = &call {
            match (&**change, answer) {
                (SettingChange::DeleteAgent(agent), Ok(_)) => {
                    self.stats.dismissed += 1;
                    self.put(agent, false);
                }
                (SettingChange::PutAgent(put), Ok(_)) => self.put(&put.id, true),
                (SettingChange::DeleteQueue(_), Ok(_)) => self.stats.dropped += 1,
                (_, Err(code)) if code == "in_use" => self.stats.in_use += 1,
                _ => {}
            }
        }
        if let (Some(Call::Presence(agent, _)), Ok(_)) = (&call, answer) {
            self.heard(agent);
        }
        if let (Some(Call::Chat(chat, Command::Accept { agent, .. })), Ok(_)) = (&call, answer) {
            self.accept_told(*chat, agent);
        }
        let (
            Some(Call::Chat(chat, Command::Post { from, id, .. })),
            Ok(Answer::Posted { seq, .. }),
        ) = (call, answer)
        else {
            return;
        };
        self.acknowledged(chat, &from, id.as_str(), seq.number());
    }

    /// The author of a message was told that it stands.
    fn acknowledged(&mut self, chat: ConversationId, from: &Author, id: &str, seq: u32) {
        self.stats.acknowledged += 1;
        let Some(found) = self.chats.get(&chat).and_then(|chat| chat.row(seq)) else {
            let what = format!("{id} was acknowledged at {seq} of {chat}, which is not durable");
            return self.fail(Check::NothingBeforeDurable, what);
        };
        if !chat::is_post(found, from, id) {
            let what = format!("{id} was acknowledged at {seq}, where this stands: {found:?}");
            self.fail(Check::AcknowledgedOnce, what);
        }
    }

    fn fed(&mut self, agent: &AgentId, name: &str, data: &str) {
        if matches!(name, "presence" | "capacity" | "offer" | "offer_withdrawn") {
            self.rested.remove(agent);
        }
        if name == "place_unknown" {
            return self.feeds.forget(agent);
        }
        if !matches!(name, "message" | "conversation" | "offer") {
            return;
        }
        let told: Value = serde_json::from_str(data).expect("an event is JSON");
        let id = told["conversation"].as_str().or(told["id"].as_str()).expect("an id");
        let id: ConversationId = id.parse().expect("an id");
        if name == "offer" {
            return self.offer_told(agent, id);
        }
        let seq = told["seq"].as_u64().expect("a place");
        let durable = self.chats.get(&id).map_or(0, |chat| u64::from(chat.seq()));
        if seq > durable {
            let what = format!("a console was told of place {seq} of {id}; durable is {durable}");
            self.fail(Check::NothingBeforeDurable, what);
        }
        if name == "message" {
            self.message_told(agent, id, u32::try_from(seq).expect("a place"));
        }
    }

    fn accept_told(&mut self, id: ConversationId, agent: &AgentId) {
        let rows = self.chats.get(&id).map(|chat| chat.rows.as_slice()).unwrap_or_default();
        let is_theirs = |row: &Row| match &row.event {
            Event::ChatAccepted { lease, .. } => lease.agent == *agent,
            _ => false,
        };
        if !rows.iter().any(is_theirs) {
            let what = format!("{agent} was told that {id} is theirs, which is not durable");
            self.fail(Check::NothingBeforeDurable, what);
        }
    }

    fn offer_told(&mut self, agent: &AgentId, id: ConversationId) {
        let rows = self.chats.get(&id).map(|chat| chat.rows.as_slice()).unwrap_or_default();
        let is_theirs = |row: &Row| match &row.event {
            Event::ChatOffered { lease, .. } => lease.agent == *agent,
            _ => false,
        };
        if !rows.iter().any(is_theirs) {
            let what = format!("{agent} was told of an offer of {id}, which is not durable");
            self.fail(Check::NothingBeforeDurable, what);
        }
    }

    fn row(&mut self, row: &Row) {
        let id = row.conversation;
        let mut chat = self.chats.remove(&id).unwrap_or_else(|| Chat::new(id));
        self.take_row(&mut chat, row);
        self.chats.insert(id, chat);
    }

    /// Time has passed: everything that happens by itself must have happened when due.
    pub fn pass(&mut self, now: Millis, clock: Option<Timestamp>) {
        self.now = now;
        if !self.is_up || !self.is_writable {
            self.trouble = now;
        }
        if let Some(clock) = clock {
            let ahead = clock.as_millis() - i64::try_from(now).unwrap();
            if ahead != self.clock {
                self.fail(Check::ClockRunsOn, format!("it stepped from {} to {ahead}", self.clock));
            }
        }
        if now >= self.passed_at + 500 {
            self.passed_at = now;
            self.look_for_overdue();
            self.look_for_untold();
        }
    }

    /// Checks the account of all agents and conversations, while nothing is on its way.
    pub fn audit(&mut self, now: Millis, account: &Account) {
        self.now = now;
        if self.is_sorted_out() {
            self.audit_capacity(account);
            self.audit_company(account);
            self.audit_waiting(account);
            self.note_rested(account);
        }
        self.audit_replay(account);
        self.audit_feeds();
        if self.calm_by.is_some_and(|by| now + 1_000 > by && now < by) {
            self.audit_customers();
        }
    }

    /// The world is over.
    pub fn end(&mut self, now: Millis) {
        self.now = now;
        self.stats.chats += self.chats.len() as u64;
        let live: Vec<_> =
            self.chats.values().filter(|chat| chat.is_live()).map(Chat::id).collect();
        if let Some(id) = live.first() {
            self.fail(Check::NeverMissed, format!("{id} is still live at the end of the world"));
        }
        if let Some((ticket, call)) = self.calls.first_key_value() {
            self.fail(Check::CallsAreAnswered, format!("{ticket}, {call:?}, is not answered"));
        }
    }
}
