//! Events, states and capacities in the words of people.

use holdline::domain::agent::Agent;
use holdline::domain::cause::Cause;
use holdline::domain::conversation::claims::Place;
use holdline::domain::conversation::command::Answer;
use holdline::domain::conversation::event::{
    Actor, Audience, Author, Departure, Event, Hold, OfferEnd,
};
use holdline::domain::conversation::{Conversation, Phase};
use holdline::domain::id::{AgentId, SessionId};
use holdline::domain::queue::Waiting;
use holdline::domain::time::Timestamp;

use crate::time::{point, span};

/// An event with its place. A star marks an event that the customer sees, too.
pub(crate) fn event(event: &Event, place: u32, at: Timestamp) -> String {
    let star = if event.is_seen_by(Audience::Customer) { "*" } else { " " };
    format!("  #{place}{star} {}: {}", point(at), happened(event))
}

fn happened(event: &Event) -> String {
    match event {
        Event::ConversationStarted(opening) => {
            format!("the customer starts a chat, {}", closes(opening.close_at))
        }
        Event::SessionJoined { session, .. } => format!("{} joins", tab(*session)),
        Event::SessionLost { session, cause: why, there_until, .. } => {
            let until = point(*there_until);
            format!("{} is lost ({}), and was there until {until}", tab(*session), cause(*why))
        }
        Event::CustomerAway { since, until, cause: why } => format!(
            "the customer is away since {} ({}), held until {}",
            point(*since),
            cause(*why),
            point(*until)
        ),
        Event::CustomerReturned { after, reminder } => {
            let owes = reminder.map(|it| format!(", and owes an answer by {}", point(it.at)));
            format!("the customer returns after {}{}", span(*after), owes.unwrap_or_default())
        }
        Event::CustomerDisconnected { since, .. } => {
            format!("the customer, away since {}, is disconnected", point(*since))
        }
        Event::MessagePosted { id, from, text, reminder, by } => {
            let minds = reminder.map(|it| format!(", to be answered by {}", point(it.at)));
            let (from, text, minds) = (author(from), text.as_str(), minds.unwrap_or_default());
            format!("{from} says {text:?} ({id}){}{minds}", through(by.as_ref()))
        }
        Event::AgentAway { agent, since, until } => format!(
            "{agent} is away since {}, and the chat is held for them until {}",
            point(*since),
            point(*until)
        ),
        Event::AgentBack { agent } => format!("{agent} is back"),
        Event::CustomerReminded { until } => {
            format!("the customer is reminded to answer by {}", point(*until))
        }
        Event::LeaseReleased { agent } => format!("{agent} is free for other work"),
        Event::ServerRestarted { until, .. } => {
            format!("the server was down; a customer who is held is held until {}", point(*until))
        }
        _ => worked(event),
    }
}

/// The supervisor who did it in an agent's place.
fn through(by: Option<&AgentId>) -> String {
    by.map_or_else(String::new, |by| format!(" (by {by})"))
}

/// Tells an event of the agents' side.
fn worked(event: &Event) -> String {
    match event {
        Event::ChatOffered { lease, until, by } => {
            let by = by.as_ref().map(|supervisor| format!(" by {supervisor}"));
            format!("offered to {}{} until {}", lease.agent, by.unwrap_or_default(), point(*until))
        }
        Event::OfferEnded { agent, end, excluded, close_at, by } => {
            let why = match end {
                OfferEnd::Declined => "declines",
                OfferEnd::Lapsed => "lets the offer lapse",
                OfferEnd::AgentGone => "is gone, the offer ends",
                OfferEnd::Reassigned => "loses the offer to somebody else",
            };
            let again = if *excluded { ", and is not asked again" } else { "" };
            let by = through(by.as_ref());
            format!("{agent} {why}{by}{again}; the chat waits, {}", closes(*close_at))
        }
        Event::ChatAccepted { lease, close_at, by, .. } => {
            let by = through(by.as_ref());
            format!("{} takes the chat{by}, {}", lease.agent, closes(*close_at))
        }
        Event::AgentLeft { agent, why, close_at, by } => {
            let why = match why {
                Departure::Released => "gives the chat back",
                Departure::Gone => "is gone",
            };
            format!("{agent} {why}{}; the chat waits, {}", through(by.as_ref()), closes(*close_at))
        }
        Event::WrapupStarted { reason, by, hold, close_at } => {
            let hold = match hold {
                Hold::No => "nothing held".to_owned(),
                Hold::Until(until) => format!("units held until {}", point(*until)),
                Hold::UntilClosed => "units held until it closes".to_owned(),
            };
            let closes = closes(*close_at);
            format!("the chat is over ({}, by {}), {hold}, {closes}", reason.name(), actor(by))
        }
        Event::ConversationClosed { reason, by } => {
            format!("closed ({}, by {})", reason.name(), actor(by))
        }
        other => format!("{other:?}"),
    }
}

/// The answer to a repeated message, which is the first answer again.
pub(crate) fn answer(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Done => None,
        Answer::Posted { seq, at } => Some(format!("  it stands since {} as #{seq}", point(*at))),
    }
}

/// A session that is asked for a sign of life.
pub(crate) fn probe(session: SessionId, answers: bool, at: Timestamp) -> String {
    let then = if answers { ", and answers" } else { "" };
    format!("  {}: {} is asked for a sign of life{then}", point(at), tab(session))
}

/// A place in the line.
pub(crate) fn place(place: &Place) -> String {
    let Waiting { is_held, excluded, not_first, .. } = place.clone().waiting(1, false);
    let named = |what: &str, agents: &[AgentId]| {
        let names: Vec<_> = agents.iter().map(AgentId::as_str).collect();
        if names.is_empty() { String::new() } else { format!(", {what} {}", names.join(", ")) }
    };
    let not_for = named("not for", &excluded);
    let others_first = named("others before", &not_first);
    let back = if place.waiting_since == place.since {
        String::new()
    } else {
        format!(", again since {}", point(place.waiting_since))
    };
    let held = if is_held { ", and is not offered meanwhile" } else { "" };
    let since = point(place.since);
    format!("  waits in {} since {since}{back}{not_for}{others_first}{held}", place.queue)
}

/// An agent: presence and capacity.
pub(crate) fn agent(agent: &Agent) -> String {
    let (id, units) = (&agent.settings().id, agent.settings().units);
    let held: Vec<_> = agent.leases().values().map(|it| it.lease.purpose.name()).collect();
    let held = if held.is_empty() { String::new() } else { format!(" ({})", held.join(", ")) };
    format!("  {id}: {}, {} of {units} used{held}", agent.presence().name(), agent.used())
}

/// How the chat stands: state, agent, customer, and when it wakes.
pub(crate) fn standing(conversation: &Conversation) -> String {
    let state = match conversation.phase() {
        Phase::New => "new".to_owned(),
        Phase::Open { .. } => "open".to_owned(),
        Phase::Offered { lease, .. } => format!("active, offered to {}", lease.agent),
        Phase::Talking { lease, .. } => format!("active, with {}", lease.agent),
        Phase::Wrapup { agent, .. } => format!("wrap-up, with {agent}"),
        Phase::Closed { agent: Some(agent), .. } => format!("closed, was with {agent}"),
        Phase::Closed { agent: None, .. } => "closed, was with nobody".to_owned(),
    };
    let reason = conversation.reason().map(|reason| format!(" ({})", reason.name()));
    let customer = match (conversation.is_live(), conversation.absence()) {
        (true, Some(_)) => ", customer away",
        _ => "",
    };
    let wakes = conversation.wake_at().map(|at| format!(", wakes at {}", point(at)));
    let wakes = wakes.unwrap_or_else(|| ", never wakes".to_owned());
    format!("{state}{}{customer}{wakes}", reason.unwrap_or_default())
}

fn closes(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never closes by itself".to_owned(), |at| format!("until {}", point(at)))
}

fn tab(session: SessionId) -> String {
    format!("tab{}", session.as_bits())
}

fn author(author: &Author) -> String {
    match author {
        Author::Customer => "the customer".to_owned(),
        Author::Agent(agent) => agent.to_string(),
    }
}

fn actor(actor: &Actor) -> String {
    match actor {
        Actor::Customer => "the customer".to_owned(),
        Actor::Agent(agent) => agent.to_string(),
        Actor::Supervisor(supervisor) => format!("supervisor {supervisor}"),
        Actor::Timer => "a timer".to_owned(),
    }
}

fn cause(cause: Cause) -> String {
    match cause {
        Cause::Closed(code) => format!("closed {code}"),
        Cause::Left(how) => format!("left, {}", how.name()),
        other => other.name().to_owned(),
    }
}
