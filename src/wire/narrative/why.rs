//! Why a chat is in its state, in one sentence.

use crate::domain::conversation::State;
use crate::domain::conversation::event::{Actor, Event, Reason, Recorded};
use crate::domain::conversation::view::{Stage, View};
use crate::domain::queue::{Staffing, Standing};
use crate::domain::time::Timestamp;
use crate::wire::narrative::ending::{actor, because};
use crate::wire::narrative::loss::{evidence, heard, lost};
use crate::wire::time::{rfc3339, spoken};

/// The events that explain the state of a chat, of a history that is gone through from its first
/// event on. They are few, however long that is.
#[derive(Debug, Default)]
pub struct Grounds {
    /// The last loss, absence and restart.
    latest: Vec<Recorded>,
    /// The same at the moment at which the customer was disconnected, and that event.
    absence: Vec<Recorded>,
    /// How it ended.
    ends: Vec<Recorded>,
}

impl Grounds {
    /// Takes the next event of the history.
    pub fn take(&mut self, recorded: &Recorded) {
        let kept = match &recorded.event {
            Event::SessionLost { .. }
            | Event::CustomerAway { .. }
            | Event::ServerRestarted { .. } => &mut self.latest,
            Event::WrapupStarted { .. } | Event::ConversationClosed { .. } => &mut self.ends,
            Event::CustomerDisconnected { .. } => {
                self.absence.clone_from(&self.latest);
                &mut self.absence
            }
            _ => return,
        };
        let kind = std::mem::discriminant(&recorded.event);
        kept.retain(|known| std::mem::discriminant(&known.event) != kind);
        kept.push(recorded.clone());
    }

    /// They, in order: what [`why`] needs of the history.
    pub fn events(&self) -> Vec<Recorded> {
        [self.absence.as_slice(), self.ends.as_slice()].concat()
    }
}

/// Why the chat is in its state. `history` may be any part of its events; what of it explains the
/// state is told as evidence, so it should hold the last of them.
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
            let away = if view.agent_away { ", and their connection is gone" } else { "" };
            format!("Active: agent {agent} is in the chat{away}")
        }
        (State::Waiting, _) => "Waiting: between two talks".to_owned(),
        (State::Wrapup, _) => {
            let since = ended_at(history)
                .map_or_else(String::new, |(at, _)| format!(" since {}", rfc3339(at)));
            let ended = ended(view.reason, history);
            format!("Wrap-up{since}: agent {agent} finishes the notes{ended}")
        }
        (State::Closed, _) => closed(view, history),
    };
    let moves = view
        .due_at
        .map_or_else(String::new, |at| format!("; it moves on by itself at {}", rfc3339(at)));
    format!("{state}{}{moves}.", customer(view))
}

/// Why a chat that waits is with nobody, in one sentence.
pub fn why_with_nobody(standing: &Standing) -> String {
    let Standing { is_held, is_asked_for, staffing, .. } = standing;
    if *is_held {
        return "It is not offered to anybody while the customer is away, and keeps its place."
            .to_owned();
    }
    if *is_asked_for {
        return "An agent is being asked for it at this moment.".to_owned();
    }
    let Staffing { free, full, not_ready, excluded } = *staffing;
    let counted = [
        (free, "with room for it, who take those first who have waited longer"),
        (full, "with too little room"),
        (not_ready, "not available"),
        (excluded, "who let it go too often"),
    ];
    let counted: Vec<_> = counted
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if counted.is_empty() {
        return "Nobody serves the queue.".to_owned();
    }
    format!("Agents who serve the queue: {}.", counted.join(", "))
}

fn customer(view: &View) -> String {
    match (&view.customer.absence, view.state) {
        (Some(absence), _) => format!(
            "; the customer is away since {} because {}, and is held until {}",
            rfc3339(absence.since),
            evidence(absence.cause),
            rfc3339(absence.until)
        ),
        (None, State::Open | State::Active | State::Waiting) => {
            "; the customer is there".to_owned()
        }
        (None, State::Wrapup | State::Closed) => String::new(),
    }
}

/// A chat that had a wrap-up ended before it was closed; any other ended with its close.
fn closed(view: &View, history: &[Recorded]) -> String {
    let close = history.iter().rev().find_map(|recorded| match &recorded.event {
        Event::ConversationClosed { by, .. } => Some((recorded.at, by)),
        _ => None,
    });
    let Some((at, by)) = close else { return format!("Closed{}", ended(view.reason, history)) };
    let at = rfc3339(at);
    let ended = ended(view.reason, history);
    match ended_at(history) {
        Some((over_at, _)) => {
            let by = match by {
                Actor::Timer => "by itself".to_owned(),
                by => format!("by {}", actor(by)),
            };
            let over_at = rfc3339(over_at);
            format!("Closed at {at} {by} after wrap-up, which began at {over_at}{ended}")
        }
        None => format!("Closed at {at}{ended}"),
    }
}

/// When the wrap-up began, and who ended the chat.
fn ended_at(history: &[Recorded]) -> Option<(Timestamp, &Actor)> {
    history.iter().rev().find_map(|recorded| match &recorded.event {
        Event::WrapupStarted { by, .. } => Some((recorded.at, by)),
        _ => None,
    })
}

fn ended(reason: Option<Reason>, history: &[Recorded]) -> String {
    let Some(reason) = reason else { return String::new() };
    let who = match (reason, ender(history)) {
        (Reason::AgentEnded, Some(by @ (Actor::Agent(_) | Actor::Supervisor(_)))) => {
            format!(" ({})", actor(by))
        }
        (Reason::ForceClosed, Some(by @ Actor::Supervisor(_))) => format!(" ({})", actor(by)),
        _ => String::new(),
    };
    let is_absence = matches!(
        reason,
        Reason::CustomerDisconnectedWhileOpen | Reason::CustomerDisconnectedWhileActive
    );
    let absence = is_absence.then(|| disconnected(history)).flatten().unwrap_or_default();
    format!(" because {}{who}{absence}", because(reason))
}

fn ender(history: &[Recorded]) -> Option<&Actor> {
    history.iter().rev().find_map(|recorded| match &recorded.event {
        Event::WrapupStarted { by, .. } => Some(by),
        Event::ConversationClosed { by, .. } if ended_at(history).is_none() => Some(by),
        _ => None,
    })
}

/// The absence that ended the chat, with everything that proves it.
fn disconnected(history: &[Recorded]) -> Option<String> {
    let place = history
        .iter()
        .rposition(|recorded| matches!(recorded.event, Event::CustomerDisconnected { .. }))?;
    let (before, at) = (&history[..place], history[place].at);
    let Event::CustomerDisconnected { since, cause } = &history[place].event else { return None };
    let lost = before.iter().rev().find_map(|recorded| match &recorded.event {
        Event::SessionLost { cause, heard_at, evidence: known, .. } => Some(format!(
            "{}, last heard of at {}{}",
            lost(*cause, *known),
            rfc3339(*heard_at),
            heard(*known)
        )),
        // At a restart, all that was known of the sessions is lost.
        Event::ServerRestarted { .. } => Some(evidence(*cause)),
        _ => None,
    });
    let until = before.iter().rev().find_map(|recorded| match &recorded.event {
        Event::CustomerAway { until, .. } | Event::ServerRestarted { until, .. } => Some(*until),
        _ => None,
    });
    let held = until.map_or_else(String::new, |until| {
        format!("; held for {}, until {}", spoken(until.since(*since)), rfc3339(until))
    });
    Some(format!(
        ": away since {} because {}{held}; disconnected at {}",
        rfc3339(*since),
        lost.unwrap_or_else(|| evidence(*cause)),
        rfc3339(at)
    ))
}
