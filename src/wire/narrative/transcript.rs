//! The notices of a transcript: what people who read along are told beside the messages.

use crate::domain::conversation::event::{Actor, Audience, Departure, Event, Reason};
use crate::wire::narrative::ending::{actor, because};
use crate::wire::narrative::loss::evidence;
use crate::wire::narrative::timeline::through;
use crate::wire::time::spoken;

/// What the system says about an event in the copy of this audience. Nothing for a message, which
/// speaks for itself, and for what concerns only a timeline.
pub fn notice(event: &Event, audience: Audience) -> Option<String> {
    if !event.is_seen_by(audience) {
        return None;
    }
    match audience {
        Audience::Agent => for_agents(event),
        Audience::Customer => for_the_customer(event),
    }
}

fn for_agents(event: &Event) -> Option<String> {
    match event {
        Event::CustomerAway { cause, .. } => Some(format!("Customer away: {}", evidence(*cause))),
        Event::CustomerReturned { after, .. } => {
            Some(format!("Customer returned after {}", spoken(*after)))
        }
        Event::CustomerDisconnected { cause, .. } => Some(format!(
            "Customer disconnected: {}, and they did not return in time",
            evidence(*cause)
        )),
        Event::ChatAccepted { name, by, .. } => {
            Some(format!("{name} joined{}", through(by.as_ref())))
        }
        Event::AgentLeft { agent, why, by, .. } => Some(match why {
            Departure::Released => {
                let by = through(by.as_ref());
                format!("Agent {agent} left and gave the chat back to the queue{by}")
            }
            Departure::Gone => {
                format!("Agent {agent} was gone for too long; the chat is back in the queue")
            }
        }),
        Event::AgentAway { agent, .. } => {
            Some(format!("The connection of agent {agent} is interrupted; the chat is held"))
        }
        Event::AgentBack { agent } => Some(format!("Agent {agent} is back")),
        Event::CustomerReminded { .. } => Some("Customer was reminded to answer".to_owned()),
        Event::WrapupStarted { reason, by, .. } => Some(ended(*reason, by)),
        Event::ConversationClosed { reason, by } if ends_with_close(*reason, by) => {
            Some(format!("{}, and closed", ended(*reason, by)))
        }
        Event::ConversationClosed { by, .. } => {
            Some(format!("Conversation closed by {}", actor(by)))
        }
        Event::ConversationStarted(_)
        | Event::SessionJoined { .. }
        | Event::SessionLost { .. }
        | Event::MessagePosted { .. }
        | Event::ChatOffered { .. }
        | Event::OfferEnded { .. }
        | Event::LeaseReleased { .. }
        | Event::ServerRestarted { .. } => None,
    }
}

fn for_the_customer(event: &Event) -> Option<String> {
    match event {
        Event::ChatAccepted { name, .. } => Some(format!("{name} joined")),
        // Customers are not told why the agent left.
        Event::AgentLeft { .. } => Some("The agent left. Somebody else will join you".to_owned()),
        Event::AgentAway { .. } => {
            Some("The agent's connection is interrupted. Your chat is held".to_owned())
        }
        Event::AgentBack { .. } => Some("The agent is back".to_owned()),
        Event::CustomerReminded { .. } => {
            Some("Are you still there? The chat ends soon unless you answer".to_owned())
        }
        Event::WrapupStarted { by, .. } => Some(ended_for_the_customer(by)),
        Event::ConversationClosed { reason, by } => {
            // A customer sees a chat end once; the close of its wrap-up is not for them to see.
            ends_with_close(*reason, by).then(|| ended_for_the_customer(by))
        }
        Event::ConversationStarted(_)
        | Event::SessionJoined { .. }
        | Event::SessionLost { .. }
        | Event::CustomerAway { .. }
        | Event::CustomerReturned { .. }
        | Event::CustomerDisconnected { .. }
        | Event::MessagePosted { .. }
        | Event::ChatOffered { .. }
        | Event::OfferEnded { .. }
        | Event::LeaseReleased { .. }
        | Event::ServerRestarted { .. } => None,
    }
}

/// Whether a close is the end of the chat, and not of its wrap-up.
const fn ends_with_close(reason: Reason, by: &Actor) -> bool {
    match reason {
        Reason::CustomerDisconnectedWhileOpen | Reason::OpenTooLong | Reason::ForceClosed => true,
        Reason::CustomerEnded => matches!(by, Actor::Customer),
        Reason::CustomerDisconnectedWhileActive
        | Reason::CustomerIdle
        | Reason::AgentEnded
        | Reason::ActiveTooLong => false,
    }
}

fn ended(reason: Reason, by: &Actor) -> String {
    match by {
        Actor::Timer => format!("Chat ended, because {}", because(reason)),
        Actor::Customer | Actor::Agent(_) | Actor::Supervisor(_) => {
            format!("Chat ended by {}", actor(by))
        }
    }
}

fn ended_for_the_customer(by: &Actor) -> String {
    match by {
        Actor::Customer => "You ended the chat".to_owned(),
        Actor::Agent(_) => "The agent ended the chat".to_owned(),
        Actor::Supervisor(_) | Actor::Timer => "The chat has ended".to_owned(),
    }
}
