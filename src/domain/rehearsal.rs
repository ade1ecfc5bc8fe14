//! What would have happened under another window: histories are replayed with it, and compared
//! with what did happen.
//!
//! A replay goes along with its history until the two differ, which is at the end of a window:
//!
//! ```text
//!   away ──the new window ends first──> disconnected earlier (they came back after it, or never)
//!     └────the old window had ended──> held on ──> they came back with a new chat: in time now
//!                                          └─────> the new window ends, or another timer: later
//! ```
//!
//! What follows a difference is not known, so nothing more of that chat is compared.

use std::collections::BTreeMap;

use crate::domain::conversation::Conversation;
use crate::domain::conversation::command::Command;
use crate::domain::conversation::event::{Event, Recorded};
use crate::domain::id::{ConversationId, VisitorId, WidgetId};
use crate::domain::settings::Workstream;
use crate::domain::time::{Span, Timestamp};

/// Compares histories with what another window would have made of them.
#[derive(Debug)]
pub struct Rehearsal {
    window: Span,
    now: Timestamp,
    findings: Findings,
    starts: BTreeMap<(WidgetId, VisitorId), Vec<Timestamp>>,
    held_on: Vec<HeldOn>,
}

/// What a rehearsal has found. All times are sums over the chats.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Findings {
    /// Chats that were compared.
    pub chats: u64,
    /// Absences in them that ended, or went on past the new limit.
    pub absences: u64,
    /// Customers who were disconnected in fact.
    pub disconnected: u64,
    /// Customers who would have been disconnected.
    pub would_be_disconnected: u64,
    /// Chats that would have ended earlier.
    pub earlier: u64,
    /// By how much, as far as the absence lasted.
    pub earlier_by: Span,
    /// Chats that would have ended later, or at least not at that time.
    pub later: u64,
    /// By how much chats to which nobody came back would have ended later.
    pub later_by: Span,
    /// Customers who came back in time, and would have been too late: after the new limit.
    pub returned_too_late: u64,
    /// Customers who came back too late, with a new chat, and would have been in time.
    pub returned_in_time: u64,
    /// How long agents were held by absent customers beyond the new limit.
    pub agent_time_gained: Span,
    /// How much longer agents would have been held by absent customers.
    pub agent_time_lost: Span,
}

/// A chat that was over in fact and would have been held on.
#[derive(Debug)]
struct HeldOn {
    visitor: (WidgetId, VisitorId),
    from: Timestamp,
    until: Timestamp,
    /// Whether an agent was held with it.
    with_agent: bool,
}

impl Rehearsal {
    /// Rehearses with this window. The histories tell what happened until `now`.
    pub fn new(window: Span, now: Timestamp) -> Self {
        Self {
            window,
            now,
            findings: Findings::default(),
            starts: BTreeMap::new(),
            held_on: Vec::new(),
        }
    }

    /// Compares one chat. `history` must be whole from its first event on. `workstream` is the one
    /// it is handled under; its window does not matter.
    pub fn compare(&mut self, id: ConversationId, history: &[Recorded], workstream: &Workstream) {
        let workstream = Workstream { window: self.window, ..workstream.clone() };
        self.findings.chats += 1;
        let mut shadow = Conversation::new(id);
        let mut old_limit = None;
        for (index, recorded) in history.iter().enumerate() {
            let Recorded { at, event, .. } = recorded;
            if let Event::ConversationStarted(opening) = event {
                let visitor = (opening.widget.clone(), opening.visitor);
                self.starts.entry(visitor).or_default().push(*at);
            }
            if let Some(limit) = earlier(&shadow, old_limit, *at) {
                return self.ends_earlier(shadow, limit, &history[index..]);
            }
            if let Event::CustomerDisconnected { .. } = event {
                self.findings.absences += 1;
                self.findings.disconnected += 1;
                if shadow.absence().is_some_and(|absence| Some(absence.until) > old_limit) {
                    return self.is_held_on(shadow, *at, &workstream);
                }
                self.findings.would_be_disconnected += 1;
            }
            self.findings.absences += u64::from(matches!(event, Event::CustomerReturned { .. }));
            if let Event::CustomerAway { until, .. } | Event::ServerRestarted { until, .. } = event
            {
                old_limit = Some(*until);
            }
            shadow.apply(&self.under_this_window(event, *at), *at);
        }
        if let Some(limit) = earlier(&shadow, old_limit, self.now) {
            self.ends_earlier(shadow, limit, &[]);
        }
    }

    /// What was found in all.
    pub fn findings(mut self) -> Findings {
        for held in std::mem::take(&mut self.held_on) {
            let starts = self.starts.get(&held.visitor).map_or(&[][..], Vec::as_slice);
            // Histories come in no particular order of time.
            let back =
                starts.iter().filter(|at| (held.from..=held.until).contains(at)).min().copied();
            let longer = back.unwrap_or(held.until).since(held.from);
            if back.is_some() {
                self.findings.returned_in_time += 1;
            } else {
                self.findings.would_be_disconnected += 1;
                self.findings.later_by = self.findings.later_by + longer;
            }
            if held.with_agent {
                self.findings.agent_time_lost = self.findings.agent_time_lost + longer;
            }
        }
        self.findings
    }

    /// The event with the deadline that it would have had.
    fn under_this_window(&self, event: &Event, at: Timestamp) -> Event {
        match event {
            Event::CustomerAway { since, cause, .. } => {
                Event::CustomerAway { since: *since, until: *since + self.window, cause: *cause }
            }
            Event::ServerRestarted { timers, .. } => {
                Event::ServerRestarted { until: at + self.window, timers: *timers }
            }
            event => event.clone(),
        }
    }

    /// The new window ended at `limit`; `rest` is what happened after that.
    fn ends_earlier(&mut self, mut actual: Conversation, limit: Timestamp, rest: &[Recorded]) {
        self.findings.absences += 1;
        self.findings.earlier += 1;
        self.findings.would_be_disconnected += 1;
        let mut from = limit;
        for Recorded { at, event, .. } in rest {
            self.wait(&actual, from, *at);
            from = *at;
            match event {
                Event::CustomerReturned { .. } => {
                    self.findings.returned_too_late += 1;
                    return;
                }
                Event::CustomerDisconnected { .. } => {
                    self.findings.disconnected += 1;
                    return;
                }
                _ => {}
            }
            actual.apply(event, *at);
            if !actual.is_live() {
                return;
            }
        }
        self.wait(&actual, from, self.now);
    }

    /// In fact the customer was away for all this time, past the new limit.
    fn wait(&mut self, actual: &Conversation, from: Timestamp, to: Timestamp) {
        let length = to.since(from);
        self.findings.earlier_by = self.findings.earlier_by + length;
        if actual.lease().is_some() {
            self.findings.agent_time_gained = self.findings.agent_time_gained + length;
        }
    }

    /// In fact the customer was disconnected at `from`; now they are held until the new window, or
    /// another timer, ends it.
    fn is_held_on(&mut self, mut shadow: Conversation, from: Timestamp, workstream: &Workstream) {
        self.findings.later += 1;
        let Some(opening) = shadow.opening() else { return };
        let visitor = (opening.widget.clone(), opening.visitor);
        let with_agent = shadow.lease().is_some();
        let mut until = self.now;
        while let Some(due) = shadow.wake_at().filter(|due| *due <= self.now) {
            let Ok(decision) = shadow.decide(Command::Wake, due, workstream) else { break };
            if decision.events.is_empty() {
                break;
            }
            for event in &decision.events {
                shadow.apply(event, due);
            }
            if !shadow.is_live() {
                until = due;
                break;
            }
        }
        self.held_on.push(HeldOn { visitor, from, until, with_agent });
    }
}

/// The end of the new window, if the customer is away, and it is before this moment and before the
/// end of the old window.
fn earlier(
    shadow: &Conversation,
    old_limit: Option<Timestamp>,
    at: Timestamp,
) -> Option<Timestamp> {
    let limit = shadow.absence()?.until;
    (at > limit && old_limit.is_some_and(|old_limit| limit < old_limit)).then_some(limit)
}
