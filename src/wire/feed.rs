//! The events of an agent's feed, as they stand in the stream. Each function renders one event;
//! the engine decides what is sent to whom, and with which id.

mod kind;

use bytestring::ByteString;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::Object;

pub use crate::wire::feed::kind::FeedKind;

use crate::domain::agent::Presence;
use crate::domain::conversation::attendance::Absence;
use crate::domain::conversation::event::{Author, Event, OfferEnd, Recorded, Withdrawal};
use crate::domain::conversation::view::View;
use crate::domain::id::{AgentId, ConversationId, Seq};
use crate::domain::lease::Lease;
use crate::domain::time::{Span, Timestamp};
use crate::wire::narrative;
use crate::wire::objects::{ConversationObject, CustomerObject, LeaseObject};
use crate::wire::time::At;

/// One event of a feed: what it is, and its JSON, which holds no line break.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rendered {
    /// What it is.
    pub kind: FeedKind,
    /// The JSON.
    pub data: ByteString,
}

impl Withdrawal {
    /// The name that the feed uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ended(OfferEnd::Declined) => "declined",
            Self::Ended(OfferEnd::Lapsed) => "lapsed",
            Self::Ended(OfferEnd::AgentGone) => "agent_gone",
            Self::Ended(OfferEnd::Reassigned) => "reassigned",
            Self::Accepted => "accepted",
            Self::Closed => "closed",
        }
    }
}

/// The feed is open. It comes first, and has no id.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenEvent {
    /// What to call the feed when its console beats.
    pub feed: String,
    /// How often to beat. One that has beaten and does not for two of these is taken for hung.
    pub heartbeat_ms: u64,
}

/// A chat is offered to the agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferEvent {
    /// The chat.
    pub conversation: String,
    /// When the offer lapses.
    pub until: At,
    /// How long that is from now.
    pub remaining_ms: u64,
    /// From which queue.
    pub queue: String,
    /// Under which workstream.
    pub workstream: String,
    /// Through which widget.
    pub widget: String,
    /// When the chat began.
    pub started_at: At,
    /// The customer.
    pub customer: CustomerObject,
}

/// An offer does not stand any more.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferWithdrawnEvent {
    /// The chat.
    pub conversation: String,
    /// Why.
    #[schema(schema_with = withdrawals)]
    pub reason: &'static str,
}

/// Somebody said something.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageEvent {
    /// Where.
    pub conversation: String,
    /// Its place.
    pub seq: u32,
    /// The id that its author gave it.
    pub id: String,
    /// `customer` or `agent`.
    pub from: &'static str,
    /// Which agent, for an agent's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Who posted it, where that was a supervisor in the agent's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What they said.
    pub text: String,
    /// When.
    pub at: At,
}

/// The customer is away and held.
#[derive(Debug, Serialize, ToSchema)]
pub struct AwayEvent {
    /// Of which chat.
    pub conversation: String,
    /// From when the absence counts.
    pub away_since: At,
    /// The last moment at which a return is in time.
    pub until: At,
    /// How long that is from now.
    pub remaining_ms: u64,
    /// Why the last connection was lost.
    pub cause: &'static str,
    /// The evidence for it, for people.
    pub evidence: String,
}

/// The customer is back.
#[derive(Debug, Serialize, ToSchema)]
pub struct BackEvent {
    /// In which chat.
    pub conversation: String,
    /// How long they were away; null where that is not known.
    pub after_ms: Option<u64>,
}

/// An agent's presence changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct PresenceEvent {
    /// Whose.
    pub agent: String,
    /// The presence that others see.
    pub presence: &'static str,
    /// The presence that they chose last.
    pub chosen: &'static str,
}

/// An agent's capacity, or what is held of it, changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CapacityEvent {
    /// Whose.
    pub agent: String,
    /// How much they may be given at once.
    pub units: u32,
    /// The sum of the leases' units.
    pub used: u32,
    /// What they hold.
    pub leases: Vec<LeaseObject>,
}

/// `open`: the feed is open.
pub fn open(feed: &str, heartbeat: Span) -> Rendered {
    let event = OpenEvent { feed: feed.to_owned(), heartbeat_ms: heartbeat.as_millis() };
    rendered(FeedKind::Open, &event)
}

/// `offer`: the chat is offered to the agent; nothing while it is not offered to anybody.
pub fn offer(view: &View, now: Timestamp) -> Option<Rendered> {
    let until = view.offer_until?;
    let event = OfferEvent {
        conversation: view.id.to_string(),
        until: At(until),
        remaining_ms: until.since(now).as_millis(),
        queue: view.queue.to_string(),
        workstream: view.workstream.to_string(),
        widget: view.widget.to_string(),
        started_at: At(view.started_at),
        customer: CustomerObject::from(&view.customer),
    };
    Some(rendered(FeedKind::Offer, &event))
}

/// `offer_withdrawn`: the offer does not stand any more.
pub fn offer_withdrawn(conversation: ConversationId, why: Withdrawal) -> Rendered {
    let event = OfferWithdrawnEvent { conversation: conversation.to_string(), reason: why.name() };
    rendered(FeedKind::OfferWithdrawn, &event)
}

/// `conversation`: the whole object, at any change of it.
pub fn conversation(view: &View) -> Rendered {
    rendered(FeedKind::Conversation, &ConversationObject::from(view))
}

/// `message`: somebody said something; nothing for an event that is no message.
pub fn message(conversation: ConversationId, recorded: &Recorded) -> Option<Rendered> {
    let Event::MessagePosted { id, from, by, text, .. } = &recorded.event else { return None };
    let (from, agent) = match from {
        Author::Customer => ("customer", None),
        Author::Agent(agent) => ("agent", Some(agent.to_string())),
    };
    let event = MessageEvent {
        conversation: conversation.to_string(),
        seq: recorded.seq.number(),
        id: id.to_string(),
        from,
        agent,
        by: by.as_ref().map(ToString::to_string),
        text: text.as_str().to_owned(),
        at: At(recorded.at),
    };
    Some(rendered(FeedKind::Message, &event))
}

/// `away`: the customer is away and held.
pub fn away(conversation: ConversationId, absence: &Absence, now: Timestamp) -> Rendered {
    let event = AwayEvent {
        conversation: conversation.to_string(),
        away_since: At(absence.since),
        until: At(absence.until),
        remaining_ms: absence.until.since(now).as_millis(),
        cause: absence.cause.name(),
        evidence: narrative::evidence(absence.cause),
    };
    rendered(FeedKind::Away, &event)
}

/// `back`: the customer is back.
pub fn back(conversation: ConversationId, after: Option<Span>) -> Rendered {
    let after_ms = after.map(Span::as_millis);
    rendered(FeedKind::Back, &BackEvent { conversation: conversation.to_string(), after_ms })
}

/// `presence`: the agent's presence, as others see it and as it was chosen.
pub fn presence(agent: &AgentId, presence: Presence, chosen: Presence) -> Rendered {
    let event = PresenceEvent {
        agent: agent.to_string(),
        presence: presence.name(),
        chosen: chosen.name(),
    };
    rendered(FeedKind::Presence, &event)
}

/// `capacity`: what the agent may be given, and what is held of it.
pub fn capacity<'a>(
    agent: &AgentId,
    units: u32,
    used: u32,
    leases: impl IntoIterator<Item = (ConversationId, &'a Lease)>,
) -> Rendered {
    let leases = leases.into_iter().map(|(id, lease)| LeaseObject::new(id, lease)).collect();
    rendered(FeedKind::Capacity, &CapacityEvent { agent: agent.to_string(), units, used, leases })
}

/// The customer types, or has stopped. Passing: it is not kept for a feed that comes back.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypingEvent {
    /// In which chat.
    pub conversation: String,
    /// Whether it is so now.
    pub on: bool,
}

/// The customer has read up to a place. Passing, as typing is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadEvent {
    /// In which chat.
    pub conversation: String,
    /// The place.
    pub seq: u32,
}

/// `typing`: the customer types, or has stopped.
pub fn typing(conversation: ConversationId, on: bool) -> Rendered {
    rendered(FeedKind::Typing, &TypingEvent { conversation: conversation.to_string(), on })
}

/// The customer's browser answers and no page of theirs has said anything for four heartbeats, or
/// one has again. Passing, as typing is.
#[derive(Debug, Serialize, ToSchema)]
pub struct AsleepEvent {
    /// In which chat.
    pub conversation: String,
    /// Whether it is so now.
    pub on: bool,
}

/// `asleep`: the customer's pages sleep, or have woken.
pub fn asleep(conversation: ConversationId, on: bool) -> Rendered {
    rendered(FeedKind::Asleep, &AsleepEvent { conversation: conversation.to_string(), on })
}

/// A console came back after a place that is not known here: of a backup that was restored since,
/// or made up. An open feed is told the same when something before its place may not have been
/// told. What follows is the present state. Passing.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceUnknownEvent<'a> {
    /// The id that it gave; in an open feed, the last one of before.
    pub last_event_id: &'a str,
}

/// `place_unknown`: what a console was not told up to this place is not known here.
pub fn place_unknown(last_event_id: &str) -> Rendered {
    rendered(FeedKind::PlaceUnknown, &PlaceUnknownEvent { last_event_id })
}

/// `read`: the customer has read up to a place.
pub fn read(conversation: ConversationId, seq: Seq) -> Rendered {
    let event = ReadEvent { conversation: conversation.to_string(), seq: seq.number() };
    rendered(FeedKind::Read, &event)
}

fn rendered(kind: FeedKind, object: &impl Serialize) -> Rendered {
    // Every object here is made of texts, numbers and lists, which are always JSON.
    let json = serde_json::to_string(object).unwrap_or_else(|_| "{}".to_owned());
    Rendered { kind, data: ByteString::from(json) }
}

fn withdrawals() -> Object {
    use utoipa::openapi::{ObjectBuilder, Type};
    let names = [
        Withdrawal::Ended(OfferEnd::Declined),
        Withdrawal::Ended(OfferEnd::Lapsed),
        Withdrawal::Ended(OfferEnd::AgentGone),
        Withdrawal::Ended(OfferEnd::Reassigned),
        Withdrawal::Accepted,
        Withdrawal::Closed,
    ];
    let names = names.map(Withdrawal::name);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).build()
}
