//! A customer's tab: it says hello and start, posts, beats and answers pings. It notices that it
//! hears nothing, comes back and says again what was not acknowledged.

mod timers;

use holdline::domain::id::ConversationId;
use serde_json::{Value, json};

use crate::plan::TabPlan;
use crate::server::{Cut, Millis, Server};
use crate::world::network::{Down, Link, Up};
use crate::world::{Due, World};

/// How long a tab waits before it tries again.
const AGAIN: Millis = 1_000;

/// One tab.
#[derive(Debug)]
pub struct Tab {
    pub plan: TabPlan,
    pub link: Option<usize>,
    /// Grows with every connection and loss, so that timers of earlier ones are recognised.
    generation: u64,
    is_open: bool,
    /// Whether the tab may not connect, as in a tunnel.
    is_away: bool,
    is_locked: bool,
    pub is_throttled: bool,
    is_joined: bool,
    wants_chat: bool,
    heartbeat: Millis,
    heard_at: Millis,
    token: Option<String>,
    conversation: Option<ConversationId>,
    after: u64,
    /// The history of the server's journal to which its places belong.
    history: String,
    /// The place up to which it is told of an earlier chat that was over.
    past: u64,
    /// Messages that are not acknowledged: the id and the text.
    outbox: Vec<(String, String)>,
    said: u64,
}

/// What a tab's timers are for.
#[derive(Clone, Copy, Debug)]
pub enum TabTimer {
    Beat,
    Connect,
    Return,
    Start,
    Unlock,
}

impl Tab {
    pub fn new(plan: TabPlan) -> Self {
        Self {
            plan,
            link: None,
            generation: 0,
            is_open: false,
            is_away: false,
            is_locked: false,
            is_throttled: false,
            is_joined: false,
            wants_chat: false,
            heartbeat: 10_000,
            heard_at: 0,
            token: None,
            conversation: None,
            after: 0,
            history: String::new(),
            past: 0,
            outbox: Vec::new(),
            said: 0,
        }
    }

    fn hello(&self) -> String {
        let mut hello = json!({
            "type": "hello",
            "visitor": format!("{:032x}", 0xabcd_0000_u128 + u128::from(self.plan.visitor)),
        });
        if let Some(token) = &self.token {
            hello["token"] = json!(token);
            hello["after"] = json!(self.after);
        }
        hello.to_string()
    }
}

impl<S: Server> World<S> {
    pub(super) fn open(&mut self, tab: usize) {
        let one = &mut self.tabs[tab];
        one.wants_chat = true;
        if one.is_open {
            return self.ask_to_start(tab);
        }
        one.is_open = true;
        self.connect_tab(tab);
    }

    /// A page is opened from another one.
    pub(super) fn copy(&mut self, from: usize, to: usize) {
        if self.tabs[to].is_open || self.tabs[from].token.is_none() {
            return;
        }
        let (plan, generation) = (self.tabs[to].plan, self.tabs[to].generation);
        let Tab { token, conversation, after, history, heartbeat, .. } = &self.tabs[from];
        let (token, conversation, history) = (token.clone(), *conversation, history.clone());
        let (after, heartbeat) = (*after, *heartbeat);
        let fresh = Tab::new(plan);
        self.tabs[to] = Tab { generation, token, conversation, after, history, heartbeat, ..fresh };
        self.watch.stats.copied += 1;
        self.open(to);
    }

    fn connect_tab(&mut self, tab: usize) {
        let one = &mut self.tabs[tab];
        if !one.is_open || one.is_away || one.is_locked || one.link.is_some() {
            return;
        }
        one.generation += 1;
        one.heard_at = self.now;
        one.is_joined = false;
        one.past = 0;
        one.link = Some(self.links.len());
        let hello = one.hello();
        let (generation, heartbeat) = (one.generation, one.heartbeat);
        self.links.push(Link {
            tab,
            session: None,
            up: None,
            down: None,
            is_over: false,
            is_ended: false,
            is_stalled: false,
        });
        self.send_up(self.links.len() - 1, Up::Connect(hello));
        if self.tabs[tab].plan.is_hasty {
            self.watch.stats.hasty += 1;
            self.ask_to_start(tab);
        }
        self.put(self.now + heartbeat, Due::Tab(tab, generation, TabTimer::Beat));
    }

    /// The tab has no connection any more, and tries again later if it may.
    fn lose_link(&mut self, tab: usize, again: Option<Millis>) {
        let one = &mut self.tabs[tab];
        if let Some(link) = one.link.take() {
            self.links[link].is_over = true;
        }
        one.is_joined = false;
        one.generation += 1;
        let generation = one.generation;
        if let Some(wait) = again {
            self.put(self.now + wait, Due::Tab(tab, generation, TabTimer::Connect));
        }
    }

    pub(super) fn cut(&mut self, tab: usize, away: Millis) {
        let Some(link) = self.tabs[tab].link else { return };
        self.watch.stats.cuts += 1;
        self.give_up_link(link, Cut::Reset);
        self.lose_link(tab, None);
        // The way back must take as long as the loss took to be noticed, so that the time between
        // the two is the server's, to the millisecond.
        self.tabs[tab].is_away = true;
        let generation = self.tabs[tab].generation;
        self.put(self.now + away, Due::Tab(tab, generation, TabTimer::Return));
    }

    pub(super) fn lock(&mut self, tab: usize, lasts: Millis) {
        if self.tabs[tab].is_locked || !self.tabs[tab].is_open {
            return;
        }
        self.say(tab, &json!({"type": "leaving", "cause": "hidden"}));
        self.tabs[tab].is_locked = true;
        self.watch.stats.locks += 1;
        if let Some(link) = self.tabs[tab].link {
            self.links[link].down.get_or_insert_default();
        }
        let generation = self.tabs[tab].generation;
        self.put(self.now + lasts, Due::Tab(tab, generation, TabTimer::Unlock));
    }

    /// The page is closed for good.
    pub(super) fn leave(&mut self, tab: usize) {
        self.say(tab, &json!({"type": "leaving", "cause": "unloaded"}));
        if let Some(link) = self.tabs[tab].link {
            self.give_up_link(link, Cut::Closed(1001));
        }
        self.lose_link(tab, None);
        self.tabs[tab].is_open = false;
        self.tabs[tab].wants_chat = false;
        self.tabs[tab].outbox.clear();
    }

    fn say(&mut self, tab: usize, frame: &Value) {
        let one = &self.tabs[tab];
        if let Some(link) = one.link.filter(|_| !one.is_locked) {
            self.send_up(link, Up::Text(frame.to_string()));
        }
    }

    pub(super) fn post(&mut self, tab: usize, copies: u32, reorder: bool) {
        let one = &mut self.tabs[tab];
        if one.conversation.is_none() || !one.is_open || one.is_locked {
            return;
        }
        let count = if reorder { 2 } else { 1 };
        let mut fresh = Vec::new();
        for _ in 0..count {
            one.said += 1;
            let id = format!("c{tab}-{}", one.said);
            fresh.push((id.clone(), format!("customer says {id}")));
        }
        fresh.reverse();
        one.outbox.extend(fresh.iter().cloned());
        if one.is_joined {
            for (id, text) in fresh {
                for _ in 0..copies {
                    self.send_post(tab, &id, &text);
                }
            }
        }
    }

    fn send_post(&mut self, tab: usize, id: &str, text: &str) {
        self.say(tab, &json!({"type": "post", "ref": id, "id": id, "text": text}));
    }

    pub(super) fn end_chat(&mut self, tab: usize) {
        if self.tabs[tab].is_joined {
            self.tabs[tab].wants_chat = false;
            self.say(tab, &json!({"type": "end", "ref": "end"}));
        }
    }

    fn ask_to_start(&mut self, tab: usize) {
        let one = &mut self.tabs[tab];
        if one.link.is_some() && !one.is_joined && one.wants_chat {
            one.said += 1;
            let id = format!("s{tab}-{}", one.said);
            let start = json!({"type": "start", "ref": id, "id": id, "name": "Kim"});
            self.say(tab, &start);
        }
    }

    /// Something reaches the tab.
    pub(super) fn hear(&mut self, link: usize, down: Down) {
        let tab = self.links[link].tab;
        if self.tabs[tab].link != Some(link) {
            return;
        }
        self.tabs[tab].heard_at = self.now;
        match down {
            Down::NotConnected => self.lose_link(tab, Some(AGAIN)),
            Down::Ping => self.send_up(link, Up::Pong),
            Down::Text(text) => {
                let frame: Value = serde_json::from_str(&text).expect("a frame is JSON");
                self.hear_frame(tab, &frame);
            }
            Down::Closed(code) => {
                let back = matches!(code, 1006 | 1011 | 1012 | 1013 | 4002 | 4004);
                self.lose_link(tab, back.then_some(AGAIN));
            }
        }
    }

    fn hear_frame(&mut self, tab: usize, frame: &Value) {
        let text = |name: &str| frame[name].as_str().unwrap_or_default().to_owned();
        let is_line =
            matches!(text("type").as_str(), "message" | "joined" | "left" | "agent" | "state");
        if is_line && self.tabs[tab].past > 0 {
            if frame["seq"].as_u64().is_some_and(|seq| seq >= self.tabs[tab].past) {
                self.tabs[tab].past = 0;
            }
            return;
        }
        match text("type").as_str() {
            "welcome" => self.welcomed(tab, frame),
            "started" => self.joined(tab, frame),
            "posted" => {
                let id = text("id");
                self.tabs[tab].outbox.retain(|(sent, _)| *sent != id);
                self.reach(tab, frame);
            }
            "message" | "joined" | "left" | "agent" => {
                let id = text("id");
                self.tabs[tab].outbox.retain(|(sent, _)| *sent != id);
                self.reach(tab, frame);
            }
            "state" => {
                self.reach(tab, frame);
                if matches!(text("state").as_str(), "wrapup" | "closed") {
                    self.over(tab);
                }
            }
            "refused" => self.refused(tab, &text("ref"), &text("code")),
            _ => {}
        }
    }

    fn reach(&mut self, tab: usize, frame: &Value) {
        let seq = frame["seq"].as_u64().unwrap_or_default();
        self.tabs[tab].after = self.tabs[tab].after.max(seq);
    }

    fn welcomed(&mut self, tab: usize, frame: &Value) {
        self.tabs[tab].heartbeat = frame["heartbeat_ms"].as_u64().expect("a heartbeat");
        let history = frame["history"].as_str().expect("a history");
        if self.tabs[tab].history != history {
            // What the tab has seen may never have happened, so it is told everything again.
            self.tabs[tab].after = 0;
            self.tabs[tab].history = history.to_owned();
        }
        let past = frame["ended"]["seq"].as_u64().unwrap_or(0);
        self.tabs[tab].past = if past > self.tabs[tab].after { past } else { 0 };
        if frame["conversation"].is_object() {
            return self.joined(tab, &frame["conversation"]);
        }
        if self.tabs[tab].token.is_some() {
            self.over(tab);
        }
        if self.tabs[tab].wants_chat {
            self.ask_to_start(tab);
        }
    }

    fn joined(&mut self, tab: usize, chat: &Value) {
        let one = &mut self.tabs[tab];
        let id = chat["id"].as_str().or(chat["conversation"].as_str()).expect("an id");
        let id: ConversationId = id.parse().expect("an id");
        if one.conversation != Some(id) {
            one.outbox.clear();
            // The session that began the chat knows of its beginning; one that found it is told of
            // it.
            one.after = 0;
        }
        one.conversation = Some(id);
        one.token = Some(chat["token"].as_str().expect("a token").to_owned());
        one.is_joined = true;
        for (id, text) in one.outbox.clone() {
            self.send_post(tab, &id, &text);
        }
    }

    /// The chat is over.
    fn over(&mut self, tab: usize) {
        let one = &mut self.tabs[tab];
        one.is_joined = false;
        one.token = None;
        one.conversation = None;
        one.after = 0;
        one.outbox.clear();
        one.wants_chat &= one.plan.persists;
        if one.wants_chat {
            let generation = one.generation;
            self.put(self.now + AGAIN, Due::Tab(tab, generation, TabTimer::Start));
        }
    }

    fn refused(&mut self, tab: usize, reference: &str, code: &str) {
        let one = &mut self.tabs[tab];
        if reference.starts_with('s') && one.wants_chat {
            let generation = one.generation;
            self.put(self.now + AGAIN, Due::Tab(tab, generation, TabTimer::Start));
        } else if code != "overloaded" {
            one.outbox.retain(|(sent, _)| sent != reference);
        }
    }
}
