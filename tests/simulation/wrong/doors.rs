//! The doors of the actors of a simulated node, at which a wrong rule stands. What comes in or goes
//! out may be altered, dated, doubled, held back or dropped there, and facts may be bent. No actor
//! knows of it.

mod guest;
mod staff;
mod way_in;
mod way_out;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdline::behavior::message::ToSession;
use holdline::domain::conversation::command::Command;
use holdline::domain::conversation::event::{Event, Recorded};
use holdline::domain::conversation::{Conversation, Phase};
use holdline::domain::id::{AgentId, ConversationId, MessageId, Seq, SessionId};
use holdline::domain::settings::Workstream;
use holdline::domain::settings::registry::Registry;
use holdline::domain::time::{Span, Timestamp};

use crate::node::chat::{Chat, Input};
use crate::wrong::{Rules, Wrong};

const TICK: Span = Span::from_millis(1);

/// The doors, with what the wrong rule remembers.
#[derive(Debug, Default)]
pub struct Doors {
    wrong: Option<Wrong>,
    /// Inputs that wait before the door of a conversation.
    held: BTreeMap<ConversationId, Vec<Input>>,
    /// The places at which agents have declined offers.
    declined: BTreeMap<(ConversationId, AgentId), Seq>,
    /// Which messages were posted, so that a repeated one gets another id.
    posted: BTreeSet<(ConversationId, MessageId)>,
    renamed: BTreeMap<MessageId, MessageId>,
    /// Events that customers are told of once they are durable, though they must not be.
    leaks: BTreeMap<ConversationId, Vec<Recorded>>,
    /// How far each unsettled append reaches, and whether it has messages alone.
    unsettled: BTreeMap<ConversationId, Vec<(Seq, bool)>>,
    /// What sessions were told that is in a journal.
    told: BTreeMap<(SessionId, ConversationId), Vec<(Seq, ToSession)>>,
    /// How far sessions that said start again have heard, by their own word.
    again: BTreeMap<(SessionId, ConversationId), Seq>,
    /// Conversations whose write has failed, and that are about to be read again.
    failed: BTreeSet<ConversationId>,
    /// Chats that ended although their customers were away.
    ran_on: BTreeSet<ConversationId>,
    /// How many messages were on the way to consoles.
    messages_fed: u64,
    /// The clock when the node was killed.
    killed_at: Option<Timestamp>,
    /// The settings, and what actors see in their place.
    bent: Option<(Arc<Registry>, Arc<Registry>)>,
}

impl Doors {
    pub fn new(rules: Rules) -> Self {
        Self { wrong: rules.wrong, ..Self::default() }
    }

    /// The node is killed with all its actors.
    pub fn crash(&mut self, now: Timestamp) {
        *self = Self { wrong: self.wrong, killed_at: Some(now), ..Self::default() };
    }

    /// Whether nothing waits before any door.
    pub fn is_idle(&self) -> bool {
        self.held.is_empty()
    }

    /// The settings, as conversations read them.
    pub fn settings(&mut self, settings: &Arc<Registry>) -> Arc<Registry> {
        if self.wrong != Some(Wrong::OffersAbsent) {
            return settings.clone();
        }
        if let Some((of, bent)) = &self.bent
            && Arc::ptr_eq(of, settings)
        {
            return bent.clone();
        }
        let mut bent = Registry::clone(settings);
        for workstream in bent.workstreams.values_mut() {
            let absent = Workstream { offers_absent: true, ..Workstream::clone(workstream) };
            *workstream = Arc::new(absent);
        }
        let bent = Arc::new(bent);
        self.bent = Some((settings.clone(), bent.clone()));
        bent
    }

    /// When a conversation is really woken that wants to be woken then.
    pub fn wake_of_chat(
        &self,
        chat: &Chat,
        due: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let conversation = chat.conversation();
        let until = conversation.absence().map(|absence| absence.until);
        let Some(wrong) = self.wrong else { return due };
        match wrong {
            Wrong::EndsEarly => due.map(|at| match until {
                Some(until) if at == until + TICK => until,
                _ => at,
            }),
            Wrong::EndsLate => due.map(|at| match until {
                Some(until) if at == until + TICK => at + Span::from_secs(1),
                _ => at,
            }),
            Wrong::HoldsWrapup if is_wrapup(conversation) => None,
            Wrong::RunsWhileAway if self.may_run_on(conversation) => {
                let runs = as_if_there(conversation).wake_at();
                let runs = runs.map(|at| if at > now { at } else { now + Span::from_secs(1) });
                due.into_iter().chain(runs).min()
            }
            _ => due,
        }
    }

    fn may_run_on(&self, conversation: &Conversation) -> bool {
        conversation.stands_still() && !self.ran_on.contains(&conversation.id())
    }
}

fn is_wrapup(conversation: &Conversation) -> bool {
    matches!(conversation.phase(), Phase::Wrapup { .. })
}

/// The same chat, if its customer were not away.
fn as_if_there(conversation: &Conversation) -> Conversation {
    let mut there = conversation.clone();
    if there.stands_still() {
        let back = Event::CustomerReturned { after: Span::ZERO, reminder: None };
        there.apply(&back, Timestamp::default());
    }
    there
}

/// What would have happened in a chat by now, if its customer were not away.
fn of_who_is_there(
    conversation: &Conversation,
    now: Timestamp,
    workstream: &Workstream,
) -> Vec<Event> {
    let (mut there, mut events) = (as_if_there(conversation), Vec::new());
    while there.wake_at().is_some_and(|at| at <= now) {
        let decided = there.decide(Command::Wake, now, workstream);
        let decided = decided.map(|decision| decision.events).unwrap_or_default();
        if decided.is_empty() {
            break;
        }
        for event in decided {
            there.apply(&event, now);
            events.push(event);
        }
    }
    events
}
