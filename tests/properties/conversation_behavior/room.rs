//! A conversation with a journal, and all who hear it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdline::behavior::conversation::{Behavior, Input, Output};
use holdline::behavior::facts::{Facts, Nearby};
use holdline::behavior::message::{
    FromSession, Join, RequestId, ToAgent, ToConversation, ToSession,
};
use holdline::domain::conversation::command::Command;
use holdline::domain::conversation::event::{Audience, Recorded};
use holdline::domain::decision::Receipt;
use holdline::domain::id::{AgentId, ConversationId, Seq, SessionId};
use holdline::domain::liveness::Signs;
use holdline::domain::settings::registry::Registry;
use holdline::domain::settings::{QueueSettings, WidgetSettings, Workstream};
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};
use holdline::wire::view;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::script::{DAWN, Held, agent_named, session_numbered, start};

/// How many entries a page of missed messages has: few, so that there are many pages.
const PAGE: usize = 2;

#[derive(Debug)]
struct Alone;

impl Nearby for Alone {
    fn take_signs(&self, _: SessionId, _: ConversationId) -> Option<Signs> {
        None
    }

    fn has_listened(&self, _: &AgentId) -> bool {
        true
    }

    fn must_wait(&self) -> bool {
        false
    }
}

/// What a session has been told since it joined.
#[derive(Debug)]
struct Told {
    after: Seq,
    places: BTreeSet<Seq>,
    last: Seq,
}

/// A conversation with a journal, and all who hear it.
pub(super) struct Room {
    pub(super) behavior: Behavior,
    settings: Registry,
    fallback: Arc<Workstream>,
    pub(super) now: Timestamp,
    pub(super) journal: Vec<Recorded>,
    pub(super) durable: Seq,
    pub(super) pages: Vec<(SessionId, Seq, Seq)>,
    /// The number of each tab's session: a session that has gone never comes back.
    tabs: [u64; 3],
    /// Sessions that asked to come in, in order, with the place that each has seen; nothing for a
    /// session that begins the chat.
    joining: Vec<(SessionId, Option<Seq>)>,
    told: BTreeMap<SessionId, Told>,
    pub(super) asked: u64,
    pub(super) answered: BTreeMap<RequestId, u32>,
    /// How often an agent was asked what is set aside for this chat.
    pub(super) asked_about: u32,
    pub(super) is_stopped: bool,
}

impl Room {
    pub(super) fn new() -> Self {
        let workstream = Workstream::new(parsed("support"), parsed("line"));
        let mut settings = Registry::default();
        let queue = QueueSettings {
            id: parsed("line"),
            name: DisplayName::parse("Line").expect("a name"),
            agents: vec![agent_named("ada")],
        };
        let widget = WidgetSettings {
            id: parsed("shop"),
            workstream: parsed("support"),
            origins: Vec::new(),
            admission: None,
        };
        settings.queues.insert(queue.id.clone(), Arc::new(queue));
        settings.widgets.insert(widget.id.clone(), Arc::new(widget));
        let fallback = Arc::new(workstream);
        settings.workstreams.insert(fallback.id.clone(), fallback.clone());
        Self {
            behavior: Behavior::entered(ConversationId::from_bits(7), DAWN),
            settings,
            fallback,
            now: DAWN,
            journal: Vec::new(),
            durable: Seq::ZERO,
            pages: Vec::new(),
            tabs: [1, 2, 3],
            joining: Vec::new(),
            told: BTreeMap::new(),
            asked: 0,
            answered: BTreeMap::new(),
            asked_about: 0,
            is_stopped: false,
        }
    }

    pub(super) fn request(&mut self) -> RequestId {
        self.asked += 1;
        RequestId::new(self.asked)
    }

    pub(super) fn join(&mut self, session: SessionId, after: Seq, is_first: bool) -> Held {
        let Command::Start(request) = start() else { unreachable!() };
        self.joining.push((session, (!is_first).then_some(after)));
        self.told(ToConversation::Session(
            session,
            FromSession::Join(Box::new(Join {
                start: is_first.then_some(request),
                after: Some(after),
                heartbeat: Span::from_secs(10),
                program: None,
                of: None,
            })),
        ))
    }

    pub(super) fn told(&mut self, message: ToConversation) -> Held {
        self.give(Input::Told(message))
    }

    pub(super) fn give(&mut self, input: Input) -> Held {
        if self.is_stopped {
            return Ok(());
        }
        let settings = self.settings.clone();
        let fallback = self.fallback.clone();
        let facts = Facts {
            settings: &settings,
            fallback: &fallback,
            is_writable: true,
            audit_every: Span::from_secs(60),
            near: &Alone,
        };
        let mut out = Vec::new();
        self.behavior.handle(input, self.now, &facts, &mut out);
        out.into_iter().try_for_each(|output| self.perform(output))
    }

    fn perform(&mut self, output: Output) -> Held {
        match output {
            Output::Append { first, at, events } => {
                prop_assert_eq!(first.number() as usize, self.journal.len() + 1, "no gap");
                for (event, seq) in events.iter().zip(first.number()..) {
                    let seq = Seq::new(seq);
                    self.journal.push(Recorded { seq, at, event: event.clone() });
                }
            }
            Output::Session(session, message) => self.hear(session, message)?,
            Output::Answer(request, _) => *self.answered.entry(request).or_default() += 1,
            Output::PassOn(message) => {
                // The message is now for the conversation's successor, which is not looked at here.
                if let Some(request) = message.request() {
                    *self.answered.entry(request).or_default() += 1;
                }
            }
            Output::ReadMissed { session, after, through } => {
                self.pages.push((session, after, through));
            }
            Output::Agent(_, ToAgent::AskAbout(_)) => self.asked_about += 1,
            Output::Stop => self.is_stopped = true,
            _ => {}
        }
        Ok(())
    }

    fn hear(&mut self, session: SessionId, message: ToSession) -> Held {
        if !self.tabs.iter().any(|tab| session_numbered(*tab) == session) {
            // The session is gone, and hears nothing.
            return Ok(());
        }
        match message {
            ToSession::Joined { seq, .. } => {
                prop_assert!(seq <= self.durable, "{seq:?} is not durable");
                let after = self.take_joining(session).unwrap_or(seq);
                let after = if after > seq { Seq::ZERO } else { after };
                let told = Told { after, places: BTreeSet::new(), last: after };
                self.told.entry(session).or_insert(told);
            }
            ToSession::NotJoined { .. } => {
                self.take_joining(session);
            }
            ToSession::Frame { seq, .. } if seq > Seq::ZERO => self.note(session, seq)?,
            ToSession::Posted { seq, .. } | ToSession::Done { seq, .. } => {
                prop_assert!(seq <= self.durable, "{seq:?} is not durable");
                if let Some(told) = self.told.get_mut(&session) {
                    told.places.insert(seq);
                }
            }
            ToSession::Over(_) => {
                self.told.remove(&session);
            }
            ToSession::Close(_) => self.leave(session),
            _ => {}
        }
        Ok(())
    }

    fn take_joining(&mut self, session: SessionId) -> Option<Seq> {
        let place = self.joining.iter().position(|(who, _)| *who == session)?;
        self.joining.remove(place).1
    }

    /// Lets a session go. When its tab comes again, the tab has another session.
    pub(super) fn leave(&mut self, session: SessionId) {
        self.told.remove(&session);
        for tab in &mut self.tabs {
            if session_numbered(*tab) == session {
                *tab += 3;
            }
        }
    }

    /// Whether a tab's session hears the chat.
    pub(super) fn hears(&self, tab: usize) -> bool {
        self.told.contains_key(&self.session(tab))
    }

    pub(super) const fn session(&self, tab: usize) -> SessionId {
        SessionId::from_bits(self.tabs[tab])
    }

    pub(super) fn say(&mut self, tab: usize, said: FromSession) -> Held {
        self.told(ToConversation::Session(self.session(tab), said))
    }

    /// Notes a frame of a place. An event may have several frames, which are told one after the
    /// other.
    fn note(&mut self, session: SessionId, seq: Seq) -> Held {
        prop_assert!(seq <= self.durable, "{seq:?} is not durable");
        let told = self.told.get_mut(&session);
        let told = told.ok_or_else(|| TestCaseError::fail("somebody hears who is not there"))?;
        prop_assert!(seq >= told.last, "{seq:?} comes after {:?}", told.last);
        prop_assert!(seq > told.after, "{seq:?} was known already");
        told.last = seq;
        told.places.insert(seq);
        Ok(())
    }

    pub(super) fn confirm(&mut self, but: u32) -> Held {
        let through = self.journal.len().saturating_sub(but as usize);
        let through = Seq::new(u32::try_from(through).expect("few"));
        if through <= self.durable {
            return Ok(());
        }
        self.durable = through;
        self.give(Input::Durable(Receipt::issue(through)))
    }

    pub(super) fn read(&mut self) -> Held {
        if self.pages.is_empty() {
            return Ok(());
        }
        let (session, after, through) = self.pages.remove(0);
        let durable = self.durable;
        let is_missed = |recorded: &&Recorded| {
            recorded.seq > after
                && recorded.seq <= durable
                && recorded.event.is_seen_by(Audience::Customer)
        };
        let entries = self.journal.iter().filter(is_missed).take(PAGE).cloned().collect::<Vec<_>>();
        self.give(Input::Page { session, after, through, entries: Ok(entries) })
    }

    /// Lets everything come to its end.
    pub(super) fn settle(&mut self) -> Held {
        for _ in 0..1_000 {
            self.confirm(0)?;
            if self.pages.is_empty() {
                self.now = self.now + Span::from_millis(100);
                self.give(Input::Wake)?;
            }
            if self.pages.is_empty() && self.durable.number() as usize == self.journal.len() {
                return Ok(());
            }
            self.read()?;
        }
        Err(TestCaseError::fail("it never comes to rest"))
    }

    /// Checks that every session that is still there has heard all that a customer may see.
    pub(super) fn is_complete(&self) -> Held {
        let name_of = |_: &AgentId| None;
        let shows = |recorded: &&Recorded| !view::for_customer(recorded, name_of).is_empty();
        for (session, told) in &self.told {
            for recorded in self.journal.iter().filter(shows) {
                let is_told = recorded.seq <= told.after || told.places.contains(&recorded.seq);
                prop_assert!(is_told, "{session:?} was not told of {:?}", recorded.seq);
            }
        }
        Ok(())
    }
}

pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("well-formed")
}
