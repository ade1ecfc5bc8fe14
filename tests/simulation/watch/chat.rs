//! The watcher's own account of a conversation, kept from the rows on the disk.

use std::collections::{BTreeMap, BTreeSet};

use holdline::domain::cause::Cause;
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::event::{
    Author, Departure, Event, Hold, OfferEnd, Opening, Reason,
};
use holdline::domain::id::{AgentId, ConversationId, SessionId, VisitorId, WidgetId};
use holdline::domain::time::Timestamp;

use crate::server::{Millis, Row};
use crate::settings;
use crate::watch::Watch;
use crate::watch::law::Check;

/// How long a write and the message after it may take together.
const HEARD_WITHIN: Millis = 10_000;

/// A conversation, as the watcher knows it.
#[derive(Clone, Debug)]
pub struct Chat {
    id: ConversationId,
    pub rows: Vec<Row>,
    /// The product's own replay of the rows, to be held against what is live.
    pub replayed: Conversation,
    pub stream: usize,
    pub queue: usize,
    pub whose: Option<(WidgetId, VisitorId)>,
    pub state: State,
    /// When the phase began, by the world's time and by the server's.
    pub since: Millis,
    pub since_at: Timestamp,
    /// When its last row was seen to be durable: until then the chat decides nothing.
    pub seen: Millis,
    pub excluded: BTreeSet<AgentId>,
    /// The agents who declined it, let its offer lapse or gave it back.
    pub reluctant: BTreeSet<AgentId>,
    /// The sessions that are there.
    pub present: BTreeMap<SessionId, Millis>,
    /// For each session that is gone: until when it was there, and whether it was lost by silence.
    pub there: BTreeMap<SessionId, (Millis, bool)>,
    /// When a person, not the queue, gave it to its agent, or an agent picked it.
    given: Option<Millis>,
    /// Since when the customer has been told that the agent is away.
    pub missed: Option<Millis>,
    /// When the present absence began to be held, by a loss or by a restart.
    pub away: Option<Millis>,
    /// The same before the present event.
    was_away: Option<Millis>,
    pub restarted: Option<Millis>,
    /// The start of the server of which the chat must still tell, if there is one.
    pub restart_due: Option<Millis>,
    /// The place since which it is with its present agent.
    pub theirs_since: u32,
    /// When the window ended, if it has.
    pub expired: Option<Millis>,
    /// Where each message stands, and since when.
    posts: BTreeMap<(Option<AgentId>, String), (u32, Millis)>,
}

/// The phase of a chat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    New,
    Open,
    Offered { agent: AgentId, units: u32 },
    Talking { agent: AgentId, units: u32 },
    Wrapup { agent: AgentId, units: Option<u32> },
    Closed,
}

impl State {
    /// The agent to whom it is offered, or with whom it is.
    pub fn with(&self) -> Option<&AgentId> {
        match self {
            Self::Offered { agent, .. } | Self::Talking { agent, .. } => Some(agent),
            Self::New | Self::Open | Self::Wrapup { .. } | Self::Closed => None,
        }
    }
}

impl Chat {
    pub fn new(id: ConversationId) -> Self {
        Self {
            id,
            rows: Vec::new(),
            replayed: Conversation::new(id),
            stream: 0,
            queue: 0,
            whose: None,
            state: State::New,
            since: 0,
            since_at: Timestamp::default(),
            seen: 0,
            excluded: BTreeSet::new(),
            reluctant: BTreeSet::new(),
            present: BTreeMap::new(),
            there: BTreeMap::new(),
            given: None,
            missed: None,
            away: None,
            was_away: None,
            restarted: None,
            restart_due: None,
            theirs_since: 0,
            expired: None,
            posts: BTreeMap::new(),
        }
    }

    pub fn id(&self) -> ConversationId {
        self.id
    }

    pub fn seq(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap()
    }

    /// The row at a place.
    pub fn row(&self, seq: u32) -> Option<&Row> {
        self.rows.get(usize::try_from(seq).ok()?.checked_sub(1)?)
    }

    pub fn is_live(&self) -> bool {
        matches!(self.state, State::Open | State::Offered { .. } | State::Talking { .. })
    }

    /// The units of an agent that it holds.
    pub fn holds(&self) -> Option<(&AgentId, u32)> {
        match &self.state {
            State::Offered { agent, units } | State::Talking { agent, units } => {
                Some((agent, *units))
            }
            State::Wrapup { agent, units } => units.map(|units| (agent, units)),
            State::New | State::Open | State::Closed => None,
        }
    }
}

/// Whether this row is this message.
pub fn is_post(row: &Row, from: &Author, id: &str) -> bool {
    matches!(&row.event, Event::MessagePosted { id: posted, from: by, .. }
        if posted.as_str() == id && by == from)
}

impl Watch {
    /// A row has become durable.
    pub(super) fn take_row(&mut self, chat: &mut Chat, row: &Row) {
        if row.seq.number() != chat.seq() + 1 {
            let what = format!("{} has {} after {}", chat.id, row.seq, chat.seq());
            return self.fail(Check::LawfulHistory, what);
        }
        if chat.state == State::Closed {
            return self.fail(Check::LawfulHistory, format!("after Closed: {row:?}"));
        }
        if (chat.state == State::New) != matches!(row.event, Event::ConversationStarted(_)) {
            return self.fail(Check::LawfulHistory, format!("a chat begins once: {row:?}"));
        }
        chat.replayed.apply(&row.event, row.at);
        chat.rows.push(row.clone());
        chat.was_away = chat.away;
        self.take_restart(chat, row);
        self.take_presence(chat, row);
        self.take_event(chat, row);
        self.count(&row.event);
        chat.seen = self.now;
    }

    fn take_event(&mut self, chat: &mut Chat, row: &Row) {
        let before = chat.state.clone();
        self.take_absence(chat, row);
        match &row.event {
            Event::ConversationStarted(opening) => self.begun(chat, opening),
            Event::ChatOffered { lease, by, .. } => {
                let (agent, units) = (lease.agent.clone(), lease.units);
                self.rested.remove(&agent);
                if by.is_none() {
                    self.offered(chat, row, &agent, units);
                    self.offered_in_turn(chat, &agent);
                }
                chat.given = by.as_ref().map(|_| row.appended);
                chat.state = State::Offered { agent, units };
            }
            Event::OfferEnded { agent, end, excluded, .. } => {
                if *end == OfferEnd::AgentGone {
                    self.rested.remove(agent);
                }
                if *end == OfferEnd::Lapsed {
                    self.lapsed(chat, row);
                }
                if *excluded {
                    chat.excluded.insert(agent.clone());
                }
                if end.is_decline() {
                    chat.reluctant.insert(agent.clone());
                }
                chat.state = State::Open;
            }
            Event::ChatAccepted { lease, .. } => {
                let (agent, units) = (lease.agent.clone(), lease.units);
                if before == State::Open {
                    chat.given = Some(row.appended);
                }
                chat.state = State::Talking { agent, units };
            }
            Event::AgentLeft { agent, why, .. } => {
                if *why == Departure::Released {
                    chat.reluctant.insert(agent.clone());
                }
                chat.state = State::Open;
            }
            Event::WrapupStarted { reason, hold, .. } => {
                self.ended(chat, row, *reason);
                if let State::Talking { agent, units } = before.clone() {
                    let units = (*hold != Hold::No).then_some(units);
                    chat.state = State::Wrapup { agent, units };
                } else {
                    self.fail(Check::LawfulHistory, format!("a wrap-up of no talk: {row:?}"));
                }
            }
            Event::LeaseReleased { agent } => {
                chat.state = State::Wrapup { agent: agent.clone(), units: None };
            }
            Event::ConversationClosed { reason, .. } => {
                if !matches!(before, State::Wrapup { .. }) {
                    self.ended(chat, row, *reason);
                }
                chat.state = State::Closed;
            }
            Event::MessagePosted { id, from, .. } => self.posted(chat, row, id.as_str(), from),
            _ => {}
        }
        let by_the_queue = matches!(row.event, Event::ChatOffered { by: None, .. });
        if before == State::Open && chat.state != State::Open && !by_the_queue {
            // Units may be set aside for an offer of a chat that no longer waits.
            self.rested.clear();
        }
        if before.with() != chat.state.with() {
            chat.theirs_since = row.seq.number();
        }
        let same_phase = std::mem::discriminant(&before) == std::mem::discriminant(&chat.state);
        if !same_phase {
            chat.since = row.appended;
            chat.since_at = row.at;
        }
    }

    fn begun(&mut self, chat: &mut Chat, opening: &Opening) {
        chat.stream = settings::number_of(opening.workstream.as_str());
        chat.queue = settings::number_of(opening.queue.as_str());
        chat.state = State::Open;
        let whose = (opening.widget.clone(), opening.visitor);
        let mut others = self.chats.values();
        let other = others.find(|it| it.is_live() && it.whose.as_ref() == Some(&whose));
        if let Some(other) = other.map(Chat::id) {
            let what = format!("{} and {other} are {whose:?}'s", chat.id);
            self.fail(Check::OneChatAVisitor, what);
        }
        chat.whose = Some(whose);
    }

    fn offered(&mut self, chat: &Chat, row: &Row, agent: &AgentId, units: u32) {
        // A queue may ask an agent who has not yet heard of a chat that a person gave them.
        let is_news = |it: &Chat| it.given.is_some_and(|at| at + HEARD_WITHIN > row.appended);
        let held = |it: &Chat| {
            let holds = it.holds().filter(|(who, _)| *who == agent && !is_news(it));
            holds.map(|(_, units)| units)
        };
        let used: u32 = self.chats.values().filter_map(held).sum();
        let most = self.units.get(agent).map(|it| it.at(row.appended)).unwrap_or_default();
        let most = most.into_iter().max().unwrap_or(0);
        if used + units > most {
            let what = format!("{agent} uses {used} of {most} and is offered {}", chat.id);
            self.fail(Check::WithinCapacity, what);
        }
    }

    fn lapsed(&mut self, chat: &Chat, row: &Row) {
        let least = self.streams[chat.stream].at(chat.since).iter().map(|it| it.offer).min();
        let from = chat.since.max(chat.restarted.unwrap_or(0));
        if row.appended <= from + least.unwrap_or(0) * 1_000 && chat.restarted.is_none() {
            let what = format!("an offer of {from} lapsed at {}", row.appended);
            self.fail(Check::TimersAreServed, what);
        }
    }

    /// The chat has ended. If the customer's absence ended it, the reason must say so.
    fn ended(&mut self, chat: &Chat, row: &Row, reason: Reason) {
        let disconnected = chat.expired == Some(row.appended);
        let is_clock =
            matches!(reason, Reason::CustomerIdle | Reason::OpenTooLong | Reason::ActiveTooLong);
        if let (true, Some(away)) = (is_clock, chat.was_away) {
            let what = format!("{} was held since {away} and ended as {reason:?}", chat.id);
            self.fail(Check::AbsentAreHeld, what);
        }
        let expected = match (&chat.state, disconnected) {
            (_, false) => None,
            (State::Talking { .. }, true) => Some(Reason::CustomerDisconnectedWhileActive),
            (_, true) => Some(Reason::CustomerDisconnectedWhileOpen),
        };
        let says_so = matches!(
            reason,
            Reason::CustomerDisconnectedWhileOpen | Reason::CustomerDisconnectedWhileActive
        );
        let right = expected.map_or(!says_so, |expected| expected == reason);
        if !right {
            let what = format!("in {:?} it ended as {reason:?}", chat.state);
            self.fail(Check::LawfulHistory, what);
        }
    }

    fn posted(&mut self, chat: &mut Chat, row: &Row, id: &str, from: &Author) {
        let by = match from {
            Author::Customer => None,
            Author::Agent(agent) => Some(agent.clone()),
        };
        let seq = row.seq.number();
        let place = (seq, row.appended);
        if let Some((first, _)) = chat.posts.insert((by, id.to_owned()), place) {
            let what = format!("{id} stands at {first} and at {seq}");
            self.fail(Check::AcknowledgedOnce, what);
        }
    }

    /// A session is told that its message stands. The message was overtaken if the session said it
    /// before one that was written first. Only now it is known whether an earlier copy was refused:
    /// a refusal waits, too, until everything before it is durable.
    pub(super) fn check_order(&mut self, session: SessionId, chat: ConversationId, id: &str) {
        let Some(posts) = self.chats.get(&chat).map(|chat| &chat.posts) else { return };
        let place_of = |id: &str| posts.get(&(None, id.to_owned())).copied();
        let Some((seq, _)) = place_of(id) else { return };
        let stands_before = |later: &str, said: Millis| {
            place_of(later).is_some_and(|(place, since)| place < seq && since >= said)
        };
        let later = self.visitors.get(&session).and_then(|visitor| visitor.said_after(id));
        let mut later = later.unwrap_or_default().iter();
        if let Some((later, _)) = later.find(|(it, said)| stands_before(it, *said)) {
            let what = format!("{later} stands before {id} at {seq}");
            self.fail(Check::AcknowledgedInOrder, what);
        }
    }

    fn count(&mut self, event: &Event) {
        let stats = &mut self.stats;
        let count = match event {
            Event::CustomerDisconnected { .. } => &mut stats.expiries,
            Event::CustomerReturned { .. } => &mut stats.returns,
            Event::ChatOffered { by: None, .. } => &mut stats.offers,
            Event::ChatOffered { .. } => &mut stats.assigned,
            Event::ChatAccepted { .. } => &mut stats.accepted,
            Event::OfferEnded { end: OfferEnd::Declined, .. } => &mut stats.declined,
            Event::OfferEnded { end: OfferEnd::Lapsed, .. } => &mut stats.lapsed,
            Event::OfferEnded { end: OfferEnd::AgentGone, .. } => &mut stats.agents_gone,
            Event::AgentLeft { .. } => &mut stats.released,
            Event::ConversationClosed { reason: Reason::ForceClosed, .. } => &mut stats.forced,
            Event::WrapupStarted { .. } => &mut stats.wrapups,
            Event::CustomerReminded { .. } => &mut stats.reminders,
            Event::ServerRestarted { .. } => &mut stats.restarts,
            _ => return,
        };
        *count += 1;
    }
}

/// Whether a session's loss was found by its silence.
pub fn is_silence(cause: Cause) -> bool {
    matches!(cause, Cause::Silent | Cause::Left(_))
}
