//! Agents at their consoles, supervisors and administrators.

use std::collections::BTreeMap;

use holdline::domain::conversation::command::{Answer, Authority, Command};
use holdline::domain::conversation::event::Author;
use holdline::domain::id::{AgentId, ConversationId};
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::text::{DisplayName, MessageText};
use serde_json::Value;

use crate::plan::{AgentPlan, Finish, Handling, Reply, What};
use crate::server::{Call, Millis, Server, Ticket};
use crate::settings;
use crate::world::{Asked, Due, World};

/// How long an agent whose call failed waits before they call again.
const AGAIN: Millis = 700;

/// An agent's console.
#[derive(Debug)]
pub struct Console {
    number: usize,
    pub(super) plan: AgentPlan,
    is_open: bool,
    /// Whether the present server knows of it.
    is_known: bool,
    /// Whether the agent was deleted, as far as that has been asked for.
    pub(super) is_deleted: bool,
    pub(super) queues: Vec<usize>,
    handled: usize,
    handling: BTreeMap<ConversationId, Handling>,
    said: u32,
    /// Calls that have failed and are about to be made again.
    repeated: Vec<Call>,
}

/// What an agent does a while after something happened.
#[derive(Clone, Debug)]
pub enum Deed {
    Reply(ConversationId, Handling),
    Say { chat: ConversationId, left: u32, handling: Handling },
    Again(Box<Call>),
    Finish(ConversationId, Handling),
    Close(ConversationId),
    Return,
}

impl Console {
    pub fn new(number: usize, plan: AgentPlan) -> Self {
        Self {
            number,
            is_deleted: false,
            queues: plan.queues.clone(),
            plan,
            is_open: false,
            is_known: false,
            handled: 0,
            handling: BTreeMap::new(),
            said: 0,
            repeated: Vec::new(),
        }
    }

    pub(super) fn id(&self) -> AgentId {
        settings::agent_id(self.number)
    }
}

impl<S: Server> World<S> {
    /// After a start of the server, every agent with an open console opens it again.
    pub(super) fn reopen(&mut self, console: usize) {
        self.consoles[console].is_known = false;
        if self.consoles[console].is_open {
            self.set_console(console, true);
        }
    }

    fn set_console(&mut self, console: usize, open: bool) {
        let one = &mut self.consoles[console];
        one.is_open = open;
        if one.is_known != open && self.server.is_up() {
            let id = one.id();
            let is_there = self.server.feed(&id, open);
            self.consoles[console].is_known = open && is_there;
            if is_there {
                self.watch.console(self.now, &id, open);
            }
        }
    }

    pub(super) fn staff_happening(&mut self, what: What) {
        match what {
            What::Console { agent, open } => self.set_console(agent, open),
            What::Choose { agent, presence } => {
                let id = self.consoles[agent].id();
                self.call(Some(agent), Call::Presence(id, presence));
            }
            What::Pick { agent, chat } => self.with_chat(chat, |world, id| {
                world.accept(agent, id);
            }),
            What::Assign { agent, chat } => self.with_chat(chat, |world, id| {
                let to = world.consoles[agent].id();
                let by = settings::agent_id(99);
                world.call(None, Call::Chat(id, Command::Assign { agent: to, by }));
            }),
            What::ForceClose(chat) => self.with_chat(chat, |world, id| {
                let by = settings::agent_id(98);
                world.call(None, Call::Chat(id, Command::ForceClose { by }));
            }),
            What::TakeBack(chat) => self.with_chat(chat, |world, id| {
                let by = Authority::Supervisor(settings::agent_id(99));
                world.call(None, Call::Chat(id, Command::Release { by }));
            }),
            other => self.administer(other),
        }
    }

    /// The chat with this number, counted from the newest.
    fn with_chat(&mut self, number: usize, act: impl FnOnce(&mut Self, ConversationId)) {
        if let Some(id) = self.chats.iter().rev().nth(number).copied() {
            act(self, id);
        }
    }

    /// A console is told something.
    pub(super) fn fed(&mut self, agent: &AgentId, name: &str, data: &str) {
        if name != "offer" {
            return;
        }
        let told: Value = serde_json::from_str(data).expect("an event is JSON");
        let chat = told["conversation"].as_str().expect("a conversation");
        let chat: ConversationId = chat.parse().expect("an id");
        let number = settings::number_of(agent.as_str());
        let one = &mut self.consoles[number];
        let handling = one.plan.handlings[one.handled % one.plan.handlings.len()];
        one.handled += 1;
        one.handling.insert(chat, handling);
        let at = self.now + handling.after + one.plan.delay;
        self.put(at, Due::Deed(number, Deed::Reply(chat, handling)));
        if let Some((after, what)) = handling.meddled {
            self.watch.stats.meddled += 1;
            self.put(self.now + after, Due::Happening(what));
        }
    }

    fn accept(&mut self, console: usize, chat: ConversationId) {
        let agent = self.consoles[console].id();
        let name = DisplayName::parse(agent.as_str()).expect("a name");
        self.call(Some(console), Call::Chat(chat, Command::Accept { by: None, agent, name }));
    }

    pub(super) fn do_deed(&mut self, console: usize, deed: Deed) {
        let agent = self.consoles[console].id();
        let by = Authority::Agent(agent.clone());
        match deed {
            Deed::Reply(chat, handling) => match handling.reply {
                Reply::Accept => self.accept(console, chat),
                Reply::Decline => {
                    self.call(
                        Some(console),
                        Call::Chat(chat, Command::Decline { by: None, agent }),
                    );
                }
                Reply::Ignore => {}
                Reply::Vanish(lasts) => {
                    self.set_console(console, false);
                    self.put(self.now + lasts, Due::Deed(console, Deed::Return));
                }
            },
            Deed::Return => self.set_console(console, true),
            Deed::Say { chat, left, handling } => self.speak(console, chat, left, handling),
            Deed::Finish(chat, handling) => match handling.finish {
                Finish::End => self.call(Some(console), Call::Chat(chat, Command::End { by })),
                Finish::Release => {
                    self.call(Some(console), Call::Chat(chat, Command::Release { by }));
                }
                Finish::Stay => {}
            },
            Deed::Close(chat) => {
                self.call(Some(console), Call::Chat(chat, Command::Close { by }));
            }
            Deed::Again(call) => {
                self.consoles[console].repeated.retain(|it| *it != *call);
                self.call(Some(console), *call);
            }
        }
    }

    fn speak(&mut self, console: usize, chat: ConversationId, left: u32, handling: Handling) {
        if left == 0 {
            return self.put(self.now, Due::Deed(console, Deed::Finish(chat, handling)));
        }
        let one = &mut self.consoles[console];
        one.said += 1;
        let id = format!("a{console}-{}", one.said);
        let text = MessageText::parse(&format!("agent says {id}")).expect("a text");
        let from = Author::Agent(one.id());
        let id = id.parse().expect("an id");
        let twice = one.said.is_multiple_of(4);
        let call = Call::Chat(chat, Command::Post { by: None, from, id, text });
        self.call(Some(console), call.clone());
        if twice {
            self.call(Some(console), call);
        }
        let next = Deed::Say { chat, left: left - 1, handling };
        self.put(self.now + handling.every, Due::Deed(console, next));
    }

    pub(super) fn answered(&mut self, ticket: Ticket, answer: Result<Answer, String>) {
        let Some(Asked { agent, call, at }) = self.calls.remove(&ticket) else { return };
        let is_late = self.now > at + 60_000;
        if let Err(code) = &answer
            && matches!(code.as_str(), "fault" | "overloaded")
            && !is_late
        {
            // Only an agent repeats a call; an administrator or a supervisor does not.
            if let Some(console) = agent {
                self.call_again(console, call);
            }
            return;
        }
        if let (Call::Change(change), Ok(_)) = (&call, &answer) {
            self.changed(change);
        }
        let (Some(console), Call::Chat(chat, command), Ok(_)) = (agent, call, answer) else {
            return;
        };
        let Some(handling) = self.handling(console, chat) else { return };
        match command {
            Command::Accept { .. } => {
                let left = handling.messages;
                let deed = Deed::Say { chat, left, handling };
                self.put(self.now + handling.every, Due::Deed(console, deed));
            }
            Command::End { .. } => {
                if let Some(wait) = handling.close {
                    self.put(self.now + wait, Due::Deed(console, Deed::Close(chat)));
                }
            }
            _ => {}
        }
    }

    /// An agent makes a call again in a moment, unless they are about to make the same already.
    fn call_again(&mut self, console: usize, call: Call) {
        let repeated = &mut self.consoles[console].repeated;
        if !repeated.contains(&call) {
            repeated.push(call.clone());
            self.put(self.now + AGAIN, Due::Deed(console, Deed::Again(Box::new(call))));
        }
    }

    /// A change is in force: the console of a deleted agent ends, and comes back with the agent.
    fn changed(&mut self, change: &SettingChange) {
        match change {
            SettingChange::DeleteAgent(id) => {
                self.consoles[settings::number_of(id.as_str())].is_known = false;
                self.watch.console(self.now, id, false);
            }
            SettingChange::PutAgent(agent) => {
                let console = settings::number_of(agent.id.as_str());
                self.set_console(console, self.consoles[console].is_open);
            }
            _ => {}
        }
    }

    fn handling(&self, console: usize, chat: ConversationId) -> Option<Handling> {
        let one = &self.consoles[console];
        one.handling.get(&chat).or(one.plan.handlings.first()).copied()
    }
}
