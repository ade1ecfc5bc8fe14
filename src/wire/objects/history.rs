//! What was said in a conversation, and what happened in it.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::conversation::event::{Audience, Author, Event, Recorded};
use crate::domain::conversation::view::View;
use crate::domain::id::{ConversationId, Seq};
use crate::domain::queue::Standing;
use crate::domain::timeline::{Change, Replay, Step};
use crate::limits;
use crate::wire::enumeration::names;
use crate::wire::narrative::{self, Attended, Grounds, Sessions};
use crate::wire::time::At;

/// One entry of a transcript: a message, or a notice.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TranscriptEntry {
    /// Its place. What this audience may not see, and what is no entry, leaves a gap.
    pub seq: u32,
    /// `message`, or `notice` for what the system says.
    #[schema(schema_with = kinds)]
    pub kind: &'static str,
    /// Whose it is: `customer`, `agent`, or `system` for a notice.
    #[schema(schema_with = sources)]
    pub from: &'static str,
    /// Which agent, for an agent's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Who posted it, where that was a supervisor in the agent's place; in the agents' copy alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The text.
    pub text: String,
    /// When.
    pub at: At,
    /// The id that its author gave it, for a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl TranscriptEntry {
    /// The entry that an event makes in the copy of this audience, if it makes one.
    pub fn of(recorded: &Recorded, audience: Audience) -> Option<Self> {
        if !recorded.event.is_seen_by(audience) {
            return None;
        }
        let (seq, at) = (recorded.seq.number(), At(recorded.at));
        if let Event::MessagePosted { id, from, by, text, .. } = &recorded.event {
            let (from, agent) = match from {
                Author::Customer => ("customer", None),
                Author::Agent(agent) => ("agent", Some(agent.to_string())),
            };
            let (id, text) = (Some(id.to_string()), text.as_str().to_owned());
            let by = by.as_ref().filter(|_| audience == Audience::Agent).map(ToString::to_string);
            return Some(Self { seq, kind: "message", from, agent, by, text, at, id });
        }
        let text = narrative::notice(&recorded.event, audience)?;
        let (agent, by, id) = (None, None, None);
        Some(Self { seq, kind: "notice", from: "system", agent, by, text, at, id })
    }
}

/// A page of a transcript, in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct TranscriptPage {
    /// The entries.
    pub entries: Vec<TranscriptEntry>,
    /// What to pass as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One event of a conversation, told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// Its place.
    pub seq: u32,
    /// When.
    pub at: At,
    /// What kind of event, such as `customer_away`.
    pub kind: &'static str,
    /// One sentence: what happened, why, and on what evidence.
    pub text: String,
    /// The facts of the sentence, for programs.
    #[schema(value_type = Object)]
    pub details: Map<String, Value>,
    /// What it changed: the state, the lease, each timer that was set, moved, stopped or fired.
    pub changes: Vec<TimelineChange>,
}

/// One thing that an event changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimelineChange {
    /// `state`, `lease` or `timer`.
    #[schema(schema_with = changed)]
    pub what: &'static str,
    /// The change in a few words.
    pub text: String,
    /// Which timer: `window`, `offer`, `auto-close`, `reminder`, `idle` or `wrap-up block`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer: Option<&'static str>,
    /// What became of the timer: `set`, `moved`, `stopped` or `fired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<&'static str>,
    /// Until when the timer runs now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<At>,
}

impl From<&Change> for TimelineChange {
    fn from(change: &Change) -> Self {
        let (what, timer) = match change {
            Change::State { .. } => ("state", None),
            Change::Lease { .. } => ("lease", None),
            Change::Timer(timer, turn) => ("timer", Some((timer, turn))),
        };
        Self {
            what,
            text: narrative::in_words(change),
            timer: timer.map(|(timer, _)| timer.name()),
            turn: timer.map(|(_, turn)| turn.name()),
            until: timer.and_then(|(_, turn)| turn.until()).map(At),
        }
    }
}

impl TimelineEntry {
    /// About how many bytes it has. Its facts repeat what its sentence says.
    fn weight(&self) -> usize {
        let changes = self.changes.iter().map(|change| change.text.len());
        2 * self.text.len() + changes.sum::<usize>() + 64 * (1 + self.changes.len())
    }
}

impl From<&Step> for TimelineEntry {
    fn from(step: &Step) -> Self {
        let Step { recorded, changes } = step;
        Self {
            seq: recorded.seq.number(),
            at: At(recorded.at),
            kind: narrative::kind(&recorded.event),
            text: narrative::sentence(&recorded.event),
            details: narrative::details(&recorded.event),
            changes: changes.iter().map(TimelineChange::from).collect(),
        }
    }
}

/// One session of the customer's, from its coming to its end.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionSummary {
    /// The session.
    pub session: String,
    /// The program it says it is: the browser's `User-Agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// How often it was asked to beat, in milliseconds.
    pub heartbeat_ms: u64,
    /// When it joined.
    pub joined_at: At,
    /// How it ended; absent while it is there, and after the chat is over if it still was then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<SessionEnd>,
}

/// How a session ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionEnd {
    /// When that was noted.
    pub at: At,
    /// The cause, such as `closed`.
    pub cause: &'static str,
    /// When it was last heard of; absent when the server had stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<At>,
    /// How often it was heard of.
    pub heard: u32,
    /// The longest silence between two signs of life, in milliseconds.
    pub widest_silence_ms: u64,
}

impl From<&Attended> for SessionSummary {
    fn from(attended: &Attended) -> Self {
        Self {
            session: attended.session.to_string(),
            program: attended.program.as_deref().map(str::to_owned),
            heartbeat_ms: attended.heartbeat.as_millis(),
            joined_at: At(attended.joined_at),
            end: attended.end.map(|end| SessionEnd {
                at: At(end.at),
                cause: end.cause.name(),
                heard_at: end.heard_at.map(At),
                heard: end.evidence.heard,
                widest_silence_ms: end.evidence.widest.as_millis(),
            }),
        }
    }
}

/// Why a chat that waits is with nobody.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WaitingObject {
    /// The same in one sentence.
    pub why: String,
    /// Its position in the line, from 1; absent in the middle of a line of thousands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// Whether it is not offered for now, because its customer is away.
    pub is_held: bool,
    /// How many agents of the queue could be asked.
    pub free: usize,
    /// How many are available and have too little room.
    pub full: usize,
    /// How many are not available.
    pub not_available: usize,
    /// How many declined it, or let its offer lapse, too often to be asked again.
    pub excluded: usize,
}

impl From<&Standing> for WaitingObject {
    fn from(standing: &Standing) -> Self {
        let Standing { position, is_held, staffing, .. } = *standing;
        Self {
            why: narrative::why_with_nobody(standing),
            position,
            is_held,
            free: staffing.free,
            full: staffing.full,
            not_available: staffing.not_ready,
            excluded: staffing.excluded,
        }
    }
}

/// A page of a timeline, in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelinePage {
    /// One sentence: why the chat is in this state now.
    pub why: String,
    /// Why it is with nobody, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingObject>,
    /// The sessions of the customer's, the latest 200 in the order in which they joined; on every
    /// page.
    pub sessions: Vec<SessionSummary>,
    /// How many there were before those; the entries tell of them.
    pub earlier_sessions: usize,
    /// The entries.
    pub entries: Vec<TimelineEntry>,
    /// What to pass as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

fn kinds() -> utoipa::openapi::Object {
    names(["message", "notice"])
}

/// A page of a timeline that is made while the history goes by from its first event on, of which it
/// keeps only what stands on the page. What an event changed is found by replay.
#[derive(Debug)]
pub struct Timeline {
    replay: Replay,
    grounds: Grounds,
    sessions: Sessions,
    after: Seq,
    entries_left: usize,
    bytes_left: usize,
    entries: Vec<TimelineEntry>,
}

impl Timeline {
    /// A page of what comes after a place: at most so many entries, and within
    /// [`HTTP_PAGE_BYTES_MAX`](limits::HTTP_PAGE_BYTES_MAX), but at least one if there is any.
    pub fn page(id: ConversationId, after: Seq, entries: usize) -> Self {
        Self {
            replay: Replay::new(id),
            grounds: Grounds::default(),
            sessions: Sessions::new(limits::SESSIONS_NAMED_MAX),
            after,
            entries_left: entries,
            bytes_left: limits::HTTP_PAGE_BYTES_MAX,
            entries: Vec::new(),
        }
    }

    /// All of it, with every session: for whoever has memory for one.
    pub fn whole(id: ConversationId) -> Self {
        Self {
            sessions: Sessions::new(usize::MAX),
            bytes_left: usize::MAX,
            ..Self::page(id, Seq::ZERO, usize::MAX)
        }
    }

    /// Takes the next event; what was said in it is not needed.
    pub fn take(&mut self, recorded: Recorded) {
        self.grounds.take(&recorded);
        self.sessions.take(&recorded);
        if recorded.seq <= self.after {
            self.replay.pass(&recorded);
        } else if self.entries_left > 0 {
            let entry = TimelineEntry::from(&self.replay.step(recorded));
            let weight = entry.weight();
            if weight > self.bytes_left && !self.entries.is_empty() {
                // All later entries are for the next page, too.
                self.entries_left = 0;
                return;
            }
            self.bytes_left = self.bytes_left.saturating_sub(weight);
            self.entries_left -= 1;
            self.entries.push(entry);
        }
    }

    /// The place of the last entry; nothing when there is none.
    pub fn last(&self) -> Option<Seq> {
        self.entries.last().map(|entry| Seq::new(entry.seq))
    }

    /// The view as of the last event that stands on the page.
    pub fn view(&self) -> Option<View> {
        self.replay.conversation().view()
    }

    /// The page of a chat that is shown so.
    pub fn finish(
        self,
        view: &View,
        waiting: Option<WaitingObject>,
        next: Option<String>,
    ) -> TimelinePage {
        TimelinePage {
            why: narrative::why(view, &self.grounds.events()),
            waiting,
            sessions: self.sessions.latest().map(SessionSummary::from).collect(),
            earlier_sessions: self.sessions.earlier(),
            entries: self.entries,
            next,
        }
    }
}

fn changed() -> utoipa::openapi::Object {
    names(["state", "lease", "timer"])
}

fn sources() -> utoipa::openapi::Object {
    names(["customer", "agent", "system"])
}
