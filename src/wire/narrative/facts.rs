//! The facts of an event, for programs: what a timeline's sentence tells, field by field.

use serde_json::{Map, Value, json};

use crate::domain::cause::Cause;
use crate::domain::conversation::event::{
    Actor, Author, Departure, Event, Hold, OfferEnd, Reason, Reminder,
};
use crate::domain::id::MessageId;
use crate::domain::lease::Lease;
use crate::domain::time::Timestamp;
use crate::wire::narrative::ending::actor_kind;
use crate::wire::narrative::loss::{code, evidence, lost};
use crate::wire::time::rfc3339;

/// The facts of an event, for programs. What is not there is left out.
pub fn details(event: &Event) -> Map<String, Value> {
    let facts = match event {
        Event::ConversationStarted(opening) => json!({
            "widget": opening.widget.as_str(),
            "workstream": opening.workstream.as_str(),
            "queue": opening.queue.as_str(),
            "close_at": time(opening.close_at),
        }),
        Event::SessionJoined { session, heartbeat, program } => json!({
            "session": session.to_string(),
            "heartbeat_ms": heartbeat.as_millis(),
            "program": program.as_deref(),
        }),
        Event::SessionLost { session, cause, heard_at, there_until, evidence: known } => json!({
            "session": session.to_string(),
            "cause": cause.name(),
            "evidence": lost(*cause, *known),
            "code": code(*cause, *known),
            "heard_at": rfc3339(*heard_at),
            "heard": known.heard,
            "widest_silence_ms": known.widest.as_millis(),
            "asleep": known.asleep,
            "there_until": rfc3339(*there_until),
        }),
        Event::CustomerAway { since, until, cause } => absent(*since, Some(*until), *cause),
        Event::CustomerReturned { after, reminder } => json!({
            "after_ms": after.as_millis(),
            "reminder_at": time(reminder.map(|reminder| reminder.at)),
        }),
        Event::CustomerDisconnected { since, cause } => absent(*since, None, *cause),
        Event::MessagePosted { id, from, reminder, .. } => posted(id, from, *reminder),
        Event::ChatOffered { lease, until, .. } => held(lease, json!({ "until": rfc3339(*until) })),
        Event::OfferEnded { agent, end, excluded, close_at, .. } => json!({
            "agent": agent.as_str(),
            "end": offer_end_kind(*end),
            "excluded": excluded,
            "close_at": time(*close_at),
        }),
        Event::ChatAccepted { lease, name, close_at, .. } => {
            held(lease, json!({ "name": name.as_str(), "close_at": time(*close_at) }))
        }
        Event::AgentLeft { agent, why, close_at, .. } => json!({
            "agent": agent.as_str(),
            "why": match why { Departure::Released => "released", Departure::Gone => "gone" },
            "close_at": time(*close_at),
        }),
        Event::AgentAway { agent, since, until } => json!({
            "agent": agent.as_str(),
            "since": rfc3339(*since),
            "until": rfc3339(*until),
        }),
        Event::CustomerReminded { until } => json!({ "until": rfc3339(*until) }),
        Event::WrapupStarted { reason, by, hold, close_at } => {
            ended(*reason, by, Some(*hold), *close_at)
        }
        Event::AgentBack { agent } | Event::LeaseReleased { agent } => {
            json!({ "agent": agent.as_str() })
        }
        Event::ConversationClosed { reason, by } => ended(*reason, by, None, None),
        Event::ServerRestarted { until, timers } => json!({
            "until": rfc3339(*until),
            "offer_until": time(timers.offer_until),
            "close_at": time(timers.close_at),
            "remind_at": time(timers.reminder.map(|reminder| reminder.at)),
        }),
    };
    let mut facts = present(facts);
    facts.extend(event.by().map(|by| ("by".to_owned(), Value::from(by.as_str()))));
    facts
}

fn absent(since: Timestamp, until: Option<Timestamp>, cause: Cause) -> Value {
    json!({
        "since": rfc3339(since),
        "until": time(until),
        "cause": cause.name(),
        "evidence": evidence(cause),
    })
}

fn posted(id: &MessageId, from: &Author, reminder: Option<Reminder>) -> Value {
    let (from, agent) = match from {
        Author::Customer => ("customer", None),
        Author::Agent(agent) => ("agent", Some(agent.as_str())),
    };
    let remind_at = time(reminder.map(|reminder| reminder.at));
    json!({ "id": id.as_str(), "from": from, "agent": agent, "remind_at": remind_at })
}

/// What an agent holds of a chat, and what else there is to say.
fn held(lease: &Lease, more: Value) -> Value {
    let mut facts = present(json!({
        "agent": lease.agent.as_str(),
        "units": lease.units,
        "grace_ms": lease.grace.as_millis(),
    }));
    facts.extend(present(more));
    Value::Object(facts)
}

fn ended(reason: Reason, by: &Actor, hold: Option<Hold>, close_at: Option<Timestamp>) -> Value {
    let (hold, hold_until) = match hold {
        None => (None, None),
        Some(Hold::No) => (Some("no"), None),
        Some(Hold::Until(at)) => (Some("until"), Some(rfc3339(at))),
        Some(Hold::UntilClosed) => (Some("until_closed"), None),
    };
    let agent = match by {
        Actor::Agent(agent) | Actor::Supervisor(agent) => Some(agent.as_str()),
        Actor::Customer | Actor::Timer => None,
    };
    json!({
        "reason": reason.name(),
        "by": actor_kind(by),
        "agent": agent,
        "hold": hold,
        "hold_until": hold_until,
        "close_at": time(close_at),
    })
}

fn present(facts: Value) -> Map<String, Value> {
    match facts {
        Value::Object(facts) => facts.into_iter().filter(|(_, fact)| !fact.is_null()).collect(),
        _ => Map::new(),
    }
}

const fn offer_end_kind(end: OfferEnd) -> &'static str {
    match end {
        OfferEnd::Declined => "declined",
        OfferEnd::Lapsed => "lapsed",
        OfferEnd::AgentGone => "agent_gone",
        OfferEnd::Reassigned => "reassigned",
    }
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(rfc3339)
}
