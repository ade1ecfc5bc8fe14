//! The timeline: every event as one sentence with its cause.

use crate::domain::conversation::event::{
    Author, Departure, Event, Hold, OfferEnd, Opening, Reminder, RestartTimers,
};
use crate::domain::id::AgentId;
use crate::domain::lease::Lease;
use crate::domain::time::Timestamp;
use crate::wire::narrative::ending::{actor, because};
use crate::wire::narrative::loss::{evidence, heard, lost};
use crate::wire::time::{rfc3339, spoken};

/// The name of the event's kind. It never changes.
pub const fn kind(event: &Event) -> &'static str {
    match event {
        Event::ConversationStarted(_) => "conversation_started",
        Event::SessionJoined { .. } => "session_joined",
        Event::SessionLost { .. } => "session_lost",
        Event::CustomerAway { .. } => "customer_away",
        Event::CustomerReturned { .. } => "customer_returned",
        Event::CustomerDisconnected { .. } => "customer_disconnected",
        Event::MessagePosted { .. } => "message_posted",
        Event::ChatOffered { .. } => "chat_offered",
        Event::OfferEnded { .. } => "offer_ended",
        Event::ChatAccepted { .. } => "chat_accepted",
        Event::AgentLeft { .. } => "agent_left",
        Event::AgentAway { .. } => "agent_away",
        Event::AgentBack { .. } => "agent_back",
        Event::CustomerReminded { .. } => "customer_reminded",
        Event::WrapupStarted { .. } => "wrapup_started",
        Event::LeaseReleased { .. } => "lease_released",
        Event::ConversationClosed { .. } => "conversation_closed",
        Event::ServerRestarted { .. } => "server_restarted",
    }
}

/// What happened, in one English sentence.
pub fn sentence(event: &Event) -> String {
    match event {
        Event::ConversationStarted(opening) => started(opening),
        Event::SessionJoined { session, heartbeat, program } => {
            let with = program.as_ref().map_or_else(String::new, |name| format!(" with {name}"));
            let beat = spoken(*heartbeat);
            format!("Session {session} joined{with}; it is asked to beat every {beat}.")
        }
        Event::SessionLost { session, cause, heard_at, evidence: known, .. } => format!(
            "Session {session} was lost: {}; it was last heard of at {}{}.",
            lost(*cause, *known),
            rfc3339(*heard_at),
            heard(*known)
        ),
        Event::CustomerAway { since, until, cause } => format!(
            "The customer is away since {} because {}; they are held until {}.",
            rfc3339(*since),
            evidence(*cause),
            rfc3339(*until)
        ),
        Event::CustomerReturned { after, reminder } => {
            let warning = warning(reminder.as_ref());
            format!("The customer returned in time, after {}{warning}.", spoken(*after))
        }
        Event::CustomerDisconnected { since, cause } => format!(
            "The customer was disconnected: away since {} because {}, they did not return before \
             the window ended.",
            rfc3339(*since),
            evidence(*cause)
        ),
        Event::MessagePosted { from, by, reminder, .. } => {
            posted(from, by.as_ref(), reminder.as_ref())
        }
        Event::ChatOffered { lease, until, by } => offered(lease, *until, by.as_ref()),
        Event::OfferEnded { agent, end, by, excluded, close_at } => {
            let again = if *excluded { "; they are not offered it again" } else { "" };
            let closing = closing(*close_at);
            let end = offer_end(agent, *end, by.as_ref());
            format!("{end}{again}. The chat waits in its queue{closing}.")
        }
        Event::ChatAccepted { lease, name, by, close_at } => format!(
            "Agent {} took the chat as {name}{}; {} held{}.",
            lease.agent,
            through(by.as_ref()),
            units(lease.units),
            closing(*close_at)
        ),
        Event::AgentLeft { .. } | Event::AgentAway { .. } | Event::AgentBack { .. } => {
            attended(event)
        }
        Event::CustomerReminded { until } => format!(
            "The customer owes an answer and was reminded; the chat ends unless they answer by {}.",
            rfc3339(*until)
        ),
        Event::WrapupStarted { reason, by, hold, close_at } => format!(
            "The chat ended because {}, by {}; {}{}.",
            because(*reason),
            actor(by),
            held(*hold),
            closing(*close_at)
        ),
        Event::LeaseReleased { agent } => {
            format!("Agent {agent} got their units back: the wrap-up block was over.")
        }
        Event::ConversationClosed { reason, by } => {
            let by = actor(by);
            format!("The conversation was closed by {by}; it ended because {}.", because(*reason))
        }
        Event::ServerRestarted { until, timers } => restarted(*until, timers),
    }
}

/// Whether the agent of a chat is there.
fn attended(event: &Event) -> String {
    match event {
        Event::AgentLeft { agent, why, by, close_at } => {
            let why = match why {
                Departure::Released => "gave the chat back",
                Departure::Gone => "was gone for longer than the grace",
            };
            let (by, closing) = (through(by.as_ref()), closing(*close_at));
            format!("Agent {agent} {why}{by}. The chat waits in its queue{closing}.")
        }
        Event::AgentAway { agent, since, until } => format!(
            "The connection of agent {agent} is gone since {}, and the customer was told; unless \
             they are back, the chat goes back to its queue after {}.",
            rfc3339(*since),
            rfc3339(*until)
        ),
        Event::AgentBack { agent } => format!("Agent {agent} is back, and the customer was told."),
        _ => String::new(),
    }
}

fn started(opening: &Opening) -> String {
    let name = opening.name.as_ref().map_or_else(|| "A customer".to_owned(), ToString::to_string);
    format!(
        "{name} asked for a chat in widget {}; it waits in queue {} under workstream {}{}.",
        opening.widget,
        opening.queue,
        opening.workstream,
        closing(opening.close_at)
    )
}

/// Who acted in an agent's place, as a part of a sentence.
pub(super) fn through(by: Option<&AgentId>) -> String {
    by.map_or_else(String::new, |by| format!(" (done by {by} for them)"))
}

fn posted(from: &Author, by: Option<&AgentId>, reminder: Option<&Reminder>) -> String {
    let from = match from {
        Author::Customer => "The customer".to_owned(),
        Author::Agent(agent) => format!("Agent {agent}"),
    };
    format!("{from} posted a message{}{}.", through(by), warning(reminder))
}

fn warning(reminder: Option<&Reminder>) -> String {
    reminder.map_or_else(String::new, |reminder| {
        format!("; the customer is reminded at {} unless they answer", rfc3339(reminder.at))
    })
}

fn offered(lease: &Lease, until: Timestamp, by: Option<&AgentId>) -> String {
    let by = by.map_or_else(|| "the queue".to_owned(), |by| format!("supervisor {by}"));
    format!(
        "The chat was offered to agent {} by {by}; {} held, and the offer lapses at {}.",
        lease.agent,
        units(lease.units),
        rfc3339(until)
    )
}

fn offer_end(agent: &AgentId, end: OfferEnd, by: Option<&AgentId>) -> String {
    let end = match end {
        OfferEnd::Declined => format!("Agent {agent} declined the offer"),
        OfferEnd::Lapsed => format!("Agent {agent} let the offer lapse"),
        OfferEnd::AgentGone => {
            format!("The offer to agent {agent} ended: they were gone for longer than the grace")
        }
        OfferEnd::Reassigned => {
            // A supervisor has taken the offer away; the reason makes no difference.
            let by = by.map_or_else(|| "a supervisor".to_owned(), |by| format!("supervisor {by}"));
            return format!("The offer to agent {agent} ended: {by} took it away");
        }
    };
    format!("{end}{}", through(by))
}

fn units(units: u32) -> String {
    if units == 1 { "1 unit is".to_owned() } else { format!("{units} units are") }
}

fn closing(close_at: Option<Timestamp>) -> String {
    close_at.map_or_else(String::new, |at| format!("; it moves on by itself at {}", rfc3339(at)))
}

fn held(hold: Hold) -> String {
    match hold {
        Hold::No => "the agent's units are given back at once".to_owned(),
        Hold::Until(at) => format!("the agent's units are held until {}", rfc3339(at)),
        Hold::UntilClosed => "the agent's units are held until it is closed".to_owned(),
    }
}

fn restarted(until: Timestamp, timers: &RestartTimers) -> String {
    let RestartTimers { offer_until, close_at, reminder } = timers;
    let named = [
        ("the offer lapses", *offer_until),
        ("it closes by itself", *close_at),
        ("the customer is reminded", reminder.map(|reminder| reminder.at)),
    ];
    let named: String = named
        .into_iter()
        .filter_map(|(what, at)| Some(format!("; {what} at {}", rfc3339(at?))))
        .collect();
    format!(
        "The server had stopped and is back. Every session is lost, and a customer who is held \
         has until {}{named}.",
        rfc3339(until)
    )
}
