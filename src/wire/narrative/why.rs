//! Why a chat is in its state, in one sentence.

use crate::domain::conversation::State;
use crate::domain::conversation::event::{Event, Recorded};
use crate::domain::conversation::view::{Stage, View};
use crate::wire::narrative::{because, evidence};
use crate::wire::time::rfc3339;

/// Why the chat is in its state. `history` may be any part of its events; what of it explains the
/// state is told as evidence.
pub fn why(view: &View, history: &[Recorded]) -> String {
    let agent = view.agent.as_ref().map_or("nobody", |agent| agent.as_str());
    let state = match (view.state, view.stage) {
        (State::Open, _) => format!("Open: the chat waits in queue {} for an agent", view.queue),
        (State::Active, Some(Stage::Offered)) => {
            let until = view
                .offer_until
                .map_or_else(String::new, |until| format!(" until {}", rfc3339(until)));
            format!("Active, offered: agent {agent} is asked{until} whether they take the chat")
        }
        (State::Active, Some(Stage::Talking) | None) => {
            format!("Active: agent {agent} is in the chat")
        }
        (State::Waiting, _) => "Waiting: between two talks".to_owned(),
        (State::Wrapup, _) => format!("Wrap-up: agent {agent} finishes the notes{}", ended(view)),
        (State::Closed, _) => format!("Closed{}", ended(view)),
    };
    let moves = view
        .due_at
        .map_or_else(String::new, |at| format!("; it moves on by itself at {}", rfc3339(at)));
    format!("{state}{}{moves}.", customer(view, history))
}

fn ended(view: &View) -> String {
    view.reason.map_or_else(String::new, |reason| format!(", because {}", because(reason)))
}

fn customer(view: &View, history: &[Recorded]) -> String {
    if let Some(absence) = &view.customer.absence {
        return format!(
            "; the customer is away since {} because {}, and is held until {}",
            rfc3339(absence.since),
            evidence(absence.cause),
            rfc3339(absence.until)
        );
    }
    match view.state {
        State::Open | State::Active | State::Waiting => "; the customer is there".to_owned(),
        State::Wrapup | State::Closed => disconnected(history).unwrap_or_default(),
    }
}

fn disconnected(history: &[Recorded]) -> Option<String> {
    history.iter().rev().find_map(|recorded| match &recorded.event {
        Event::CustomerDisconnected { since, cause } => Some(format!(
            " (away since {} because {}, disconnected at {})",
            rfc3339(*since),
            evidence(*cause),
            rfc3339(recorded.at)
        )),
        _ => None,
    })
}
