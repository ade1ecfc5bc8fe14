//! What the watcher knows of a session: what it said, and what it was told.

use std::collections::{BTreeMap, BTreeSet};

use holdline::domain::conversation::event::{Author, Event};
use holdline::domain::id::{ConversationId, SessionId};
use serde_json::Value;

use crate::server::{Millis, Row};
use crate::watch::Watch;
use crate::watch::chat::Chat;
use crate::watch::law::Check;

/// How long a session may wait to be told what it missed.
const TOLD_WITHIN: Millis = 40_000;

/// A session, as the world saw it.
#[derive(Debug, Default)]
pub struct Visitor {
    tab: usize,
    pub joined: Millis,
    pub heartbeat: Millis,
    pub cut: Option<Millis>,
    /// When any input of the session reached the server.
    heard: Vec<Millis>,
    /// When the session was let in: what it said before may have waited until then.
    pub let_in: Millis,
    /// The chat whose token the session named, and what it had seen of that chat.
    named: Option<(ConversationId, u32)>,
    chat: Option<ConversationId>,
    /// The place up to which the session knew everything when it came in.
    base: u32,
    told: BTreeSet<(u32, String)>,
    /// The ids that the session posted, in the order in which they reached the server.
    said: Vec<(String, Millis)>,
    refused: BTreeSet<String>,
    /// Whether the session ever stopped reading, so that it may not have seen a refusal.
    was_stalled: bool,
    hello_at: Millis,
    /// What the session must still be told of a chat that was over when it came.
    past: Option<Past>,
}

/// What a session has to be told of a chat that is over.
#[derive(Debug)]
struct Past {
    chat: ConversationId,
    last: u32,
    until: u32,
    since: Millis,
}

impl Visitor {
    /// When the session was last heard of before a moment.
    pub fn heard_before(&self, at: Millis) -> Millis {
        self.heard.iter().rev().find(|heard| **heard < at).copied().unwrap_or(0)
    }

    /// The latest moment at which the session may count as heard of.
    pub fn latest(&self) -> Millis {
        self.heard.last().copied().unwrap_or(0).max(self.let_in).max(self.joined)
    }

    /// What the session said after this message, and when, if it said this one.
    pub fn said_after(&self, id: &str) -> Option<&[(String, Millis)]> {
        let place = self.said.iter().position(|(said, _)| said == id)?;
        let is_told = !self.was_stalled && !self.refused.contains(id);
        is_told.then(|| &self.said[place + 1..])
    }

    fn last_told(&self) -> u32 {
        self.told.iter().next_back().map_or(self.base, |(seq, _)| (*seq).max(self.base))
    }
}

impl Watch {
    pub fn connected(&mut self, now: Millis, session: SessionId, tab: usize) {
        self.now = now;
        self.visitors.insert(session, Visitor { tab, ..Visitor::default() });
    }

    pub fn ponged(&mut self, now: Millis, session: SessionId) {
        self.now = now;
        if let Some(visitor) = self.visitors.get_mut(&session) {
            visitor.heard.push(now);
        }
    }

    pub fn stalled(&mut self, session: SessionId) {
        if let Some(visitor) = self.visitors.get_mut(&session) {
            visitor.was_stalled = true;
        }
    }

    /// Nothing more comes to this session, or to any session if none is named.
    pub(super) fn is_told_no_more(&mut self, session: Option<SessionId>) {
        let gone = |id: &SessionId| session.is_none_or(|session| session == *id);
        self.visitors.iter_mut().filter(|(id, _)| gone(id)).for_each(|(_, it)| it.past = None);
    }

    /// A session that is there is soon told what it missed of a chat that is over.
    pub(super) fn look_for_untold(&mut self) {
        let now = self.now;
        let is_late = |it: &&Visitor| {
            let since = it.past.as_ref().map(|past| past.since);
            since.is_some_and(|since| now > since + TOLD_WITHIN) && !it.was_stalled
        };
        let late = self.visitors.values().find(is_late).map(|it| it.tab);
        if let Some(tab) = late {
            let what = format!("tab {tab} waits in vain for the rest of a chat that is over");
            self.fail(Check::ResumedWhole, what);
        }
    }

    pub fn cut(&mut self, now: Millis, session: SessionId) {
        self.now = now;
        if let Some(visitor) = self.visitors.get_mut(&session) {
            visitor.cut = Some(now);
            visitor.past = None;
        }
    }

    /// A frame of a session's reached the server.
    pub fn said(&mut self, now: Millis, session: SessionId, text: &str) {
        self.ponged(now, session);
        let frame: Value = serde_json::from_str(text).expect("a frame is JSON");
        let kind = frame["type"].as_str().unwrap_or_default();
        let Some(visitor) = self.visitors.get_mut(&session) else { return };
        match kind {
            "post" => {
                let id = frame["id"].as_str().unwrap_or_default().to_owned();
                if visitor.said.iter().any(|(said, _)| *said == id) {
                    self.stats.duplicates += 1;
                } else {
                    visitor.said.push((id, now));
                }
            }
            "hello" => {
                visitor.hello_at = now;
                let after = u32::try_from(frame["after"].as_u64().unwrap_or(0)).unwrap();
                let token = frame["token"].as_str().map(str::to_owned);
                let named = token.and_then(|token| self.tokens.get(&token).copied());
                let is_of_before = named.is_some_and(|(_, history)| history != self.history);
                self.stats.told_anew += u64::from(is_of_before && after > 0);
                let after = if is_of_before { 0 } else { after };
                let visitor = self.visitors.get_mut(&session).expect("it was just found");
                visitor.named = named.map(|(chat, _)| (chat, after));
            }
            _ => {}
        }
    }

    /// The server tells a session something.
    pub(super) fn frame(&mut self, session: SessionId, text: &str) {
        let frame: Value = serde_json::from_str(text).expect("a frame is JSON");
        let kind = frame["type"].as_str().unwrap_or_default();
        if kind == "queue" {
            return;
        }
        if self.visitors.get(&session).is_some_and(|it| it.past.is_some()) && kind != "bye" {
            return self.past_line(session, kind, &frame);
        }
        match kind {
            "welcome" => self.welcomed(session, &frame),
            "started" => self.let_in(session, &frame, true),
            "posted" => {
                let seq = place(&frame);
                let id = frame["id"].as_str().unwrap_or_default().to_owned();
                if let Some(chat) = self.visitors.get(&session).and_then(|it| it.chat) {
                    self.acknowledged(chat, &Author::Customer, &id, seq);
                    self.check_order(session, chat, &id);
                }
                self.told(session, seq, "posted");
            }
            "refused" => {
                let reference = frame["ref"].as_str().unwrap_or_default().to_owned();
                if let Some(visitor) = self.visitors.get_mut(&session) {
                    visitor.refused.insert(reference);
                }
            }
            "state" if frame["ref"].is_string() => self.told(session, place(&frame), "done"),
            kind @ ("message" | "state" | "joined" | "left" | "agent") => {
                self.line(session, kind, &frame);
            }
            _ => {}
        }
    }

    /// A session is told a line of a chat that is over.
    fn past_line(&mut self, session: SessionId, kind: &str, frame: &Value) {
        let Some(visitor) = self.visitors.get_mut(&session) else { return };
        let Some(past) = visitor.past.as_mut() else { return };
        let seq = place(frame);
        let rows = self.chats.get(&past.chat).map(|chat| chat.rows.as_slice()).unwrap_or_default();
        let is_line = rows.iter().any(|row| row.seq.number() == seq && says(row, kind, frame));
        if !is_line {
            let what = format!("{session} had to be told of {}, and was told {frame}", past.last);
            return self.fail(Check::ResumedWhole, what);
        }
        let is_skipped =
            |row: &&Row| (past.last + 1..seq).contains(&row.seq.number()) && is_for_customers(row);
        if let Some(skipped) = rows.iter().find(is_skipped).map(|row| row.seq) {
            let what = format!("{session} was told of {seq}, never of {skipped}");
            return self.fail(Check::ResumedWhole, what);
        }
        if seq < past.last || (seq == past.last && kind != "state") {
            let what = format!("{session}, who knew {}, was told again {frame}", past.last);
            return self.fail(Check::ResumedOnce, what);
        }
        past.last = seq;
        if seq >= past.until {
            visitor.past = None;
        }
    }

    fn welcomed(&mut self, session: SessionId, frame: &Value) {
        self.note_past(session, &frame["ended"]);
        if frame["conversation"].is_object() {
            return self.let_in(session, &frame["conversation"].clone(), false);
        }
        let Some(visitor) = self.visitors.get_mut(&session) else { return };
        visitor.let_in = self.now;
        let (hello_at, named) = (visitor.hello_at, visitor.named);
        let Some(chat) = named.and_then(|(chat, _)| self.chats.get(&chat)) else { return };
        if chat.is_live() {
            let what = format!("{session} came back to {}, and was turned away", chat.id());
            self.fail(Check::ReturnOrDeadline, what);
        } else if chat.expired.is_some_and(|expired| hello_at < expired) {
            let what = format!("{session} came back at {hello_at} to {}, and lost", chat.id());
            self.fail(Check::ReturnOrDeadline, what);
        }
    }

    /// A session is told that its chat is over: the part that it missed must follow.
    fn note_past(&mut self, session: SessionId, ended: &Value) {
        let (until, now) = (place(ended), self.now);
        // A session that is gone is told nothing more, though the answer to its hello is still
        // written.
        let is_told = |it: &&mut Visitor| ended.is_object() && it.cut.is_none();
        let Some(visitor) = self.visitors.get_mut(&session).filter(is_told) else { return };
        let Some((chat, after)) = visitor.named else { return };
        if after < until {
            visitor.past = Some(Past { chat, last: after, until, since: now });
            self.stats.told_late += 1;
        }
        let durable = self.chats.get(&chat).map_or(0, Chat::seq);
        if until > durable || ended["id"] != chat.to_string() {
            let what = format!("{session} was told that {chat} is over: {ended}; {durable}");
            self.fail(Check::NothingBeforeDurable, what);
        }
    }

    /// A session is in a chat now.
    fn let_in(&mut self, session: SessionId, live: &Value, is_start: bool) {
        let id = live["id"].as_str().or(live["conversation"].as_str()).expect("an id");
        let id: ConversationId = id.parse().expect("an id");
        let token = live["token"].as_str().expect("a token").to_owned();
        self.tokens.insert(token, (id, self.history));
        let durable = self.chats.get(&id).map_or(0, Chat::seq);
        if place(live) > durable || durable == 0 {
            let what = format!("{session} was let in to {id} at {}; {durable}", place(live));
            self.fail(Check::NothingBeforeDurable, what);
        }
        // The session that began the chat knows of its beginning.
        let began = |chat: &Chat| {
            let second = chat.row(2).map(|row| &row.event);
            matches!(second, Some(Event::SessionJoined { session: first, .. }) if *first == session)
        };
        let began = is_start && self.chats.get(&id).is_some_and(began);
        let now = self.now;
        let Some(visitor) = self.visitors.get_mut(&session) else { return };
        visitor.let_in = now;
        let same = visitor.chat == Some(id);
        visitor.chat = Some(id);
        if same {
            return;
        }
        visitor.told.clear();
        visitor.base = match visitor.named {
            Some((named, after)) if named == id && !is_start => after,
            _ => u32::from(began),
        };
        if visitor.base > 1 {
            self.stats.resumed += 1;
        }
    }

    /// A session is told a line of the transcript.
    fn line(&mut self, session: SessionId, kind: &str, frame: &Value) {
        let seq = place(frame);
        let Some(visitor) = self.visitors.get(&session) else { return };
        let Some(chat) = visitor.chat.and_then(|chat| self.chats.get(&chat)) else { return };
        let Some(row) = chat.row(seq) else {
            let what = format!("{session} was told of {seq}, which is not durable: {frame}");
            return self.fail(Check::NothingBeforeDurable, what);
        };
        if !says(row, kind, frame) {
            let what = format!("{session} was told {frame} of {:?}", row.event);
            return self.fail(Check::CustomerSeesTheirs, what);
        }
        if seq <= visitor.base || visitor.told.contains(&(seq, kind.to_owned())) {
            let what = format!("{session}, who knew {}, was told again {frame}", visitor.base);
            return self.fail(Check::ResumedOnce, what);
        }
        self.told(session, seq, kind);
    }

    /// A session was told of a place: it must already know everything before that place.
    fn told(&mut self, session: SessionId, seq: u32, kind: &str) {
        let Some(visitor) = self.visitors.get(&session) else { return };
        let Some(chat) = visitor.chat.and_then(|chat| self.chats.get(&chat)) else { return };
        let last = visitor.last_told();
        let missed = (last + 1..seq).find(|it| chat.row(*it).is_some_and(is_for_customers));
        if let Some(missed) = missed {
            let what = format!("{session} was told of {last}, then of {seq}, never of {missed}");
            return self.fail(Check::ResumedWhole, what);
        }
        if let Some(visitor) = self.visitors.get_mut(&session) {
            visitor.told.insert((seq, kind.to_owned()));
        }
    }

    /// Every session that is there knows everything.
    pub(super) fn audit_customers(&mut self) {
        let mut missing = None;
        for chat in self.chats.values().filter(|chat| chat.is_live()) {
            let last = chat.rows.iter().rev().find(|row| is_for_customers(row));
            let Some(last) = last.map(|row| row.seq.number()) else { continue };
            for session in chat.present.keys() {
                let Some(visitor) = self.visitors.get(session) else { continue };
                if visitor.chat == Some(chat.id()) && visitor.last_told() < last {
                    let what = format!(
                        "{session} of tab {} was told up to {}, and not of {last}",
                        visitor.tab,
                        visitor.last_told()
                    );
                    missing = Some(what);
                }
            }
        }
        if let Some(what) = missing {
            self.fail(Check::ResumedWhole, what);
        }
    }
}

fn place(frame: &Value) -> u32 {
    u32::try_from(frame["seq"].as_u64().unwrap_or(0)).unwrap()
}

/// Which rows customers may be told of: the watcher's own list.
fn is_for_customers(row: &Row) -> bool {
    matches!(
        row.event,
        Event::ConversationStarted(_)
            | Event::MessagePosted { .. }
            | Event::ChatAccepted { .. }
            | Event::AgentLeft { .. }
            | Event::AgentAway { .. }
            | Event::AgentBack { .. }
            | Event::CustomerReminded { .. }
            | Event::WrapupStarted { .. }
            | Event::ConversationClosed { .. }
    )
}

/// Whether a frame says what is in the row, and customers may see that.
fn says(row: &Row, kind: &str, frame: &Value) -> bool {
    let state = frame["state"].as_str().unwrap_or_default();
    match (&row.event, kind) {
        (Event::ConversationStarted(_) | Event::AgentLeft { .. }, "state") => state == "open",
        (
            Event::ChatAccepted { .. } | Event::AgentAway { .. } | Event::AgentBack { .. },
            "state",
        ) => state == "active",
        (Event::ChatAccepted { .. }, "joined") | (Event::AgentLeft { .. }, "left") => true,
        (Event::AgentAway { .. }, "agent") => state == "away",
        (Event::AgentBack { .. }, "agent") => state == "back",
        (Event::WrapupStarted { .. }, "state") => state == "wrapup",
        (Event::ConversationClosed { .. }, "state") => state == "closed",
        (Event::CustomerReminded { .. }, "message") => frame["from"] == "system",
        (Event::MessagePosted { id, from, text, .. }, "message") => {
            let by = match from {
                Author::Customer => "customer",
                Author::Agent(_) => "agent",
            };
            frame["id"] == id.as_str() && frame["from"] == by && frame["text"] == text.as_str()
        }
        _ => false,
    }
}

/// The tokens that were given out, with the chat to which each leads back, and the history of its
/// places.
pub type Tokens = BTreeMap<String, (ConversationId, u32)>;
