//! What one feed has yet to be told: what it missed, and the present state. Neither is kept for it:
//! each part is read, or asked for, once its console has taken the one before.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use crate::domain::agent::Agent;
use crate::domain::id::{ConversationId, Seq};
use crate::domain::position::Position;
use crate::domain::time::{Span, Timestamp};
use crate::limits;

/// How long a feed waits for conversations that were asked to show themselves. If an actor died
/// with the question, its conversation never does.
const SHOWN_WITHIN: Span = Span::from_secs(10);

/// What a feed that came back is being told from the journal.
#[derive(Debug)]
pub(super) struct Missed {
    /// The position up to which the feed was told.
    pub(super) position: Position,
    /// The number of the first event that the last read of the journal may not have found.
    pub(super) since: u64,
    /// The last place that the feed was told of, for each conversation.
    pub(super) touched: BTreeMap<ConversationId, Touched>,
}

/// How far a feed was told of a conversation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touched {
    pub(super) seq: Seq,
    pub(super) position: Position,
}

/// How a feed goes on once the journal has nothing more to tell it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum GoesOn {
    /// The feed has been told everything since; the present state follows.
    Live,
    /// More has come since than is kept: that must be read as well.
    Read,
    /// The feed is gone.
    Gone,
}

/// What a feed is shown next.
#[derive(Debug)]
pub(super) enum Next {
    /// These conversations are to show themselves.
    Ask(Vec<ConversationId>),
    /// What else it missed must be read first.
    Read,
    /// Nothing.
    Nothing,
}

impl Missed {
    pub(super) const fn after(position: Position) -> Self {
        Self { position, since: 0, touched: BTreeMap::new() }
    }

    /// Whether the feed was told of this place.
    pub(super) fn holds(&self, conversation: ConversationId, seq: Seq) -> bool {
        self.touched.get(&conversation).is_some_and(|touched| seq <= touched.seq)
    }
}

/// The part of the present state that a feed has yet to be shown.
#[derive(Debug, Default)]
pub(super) struct Unshown {
    /// How many conversations were asked to show themselves and have not.
    asked: usize,
    /// Until when they are waited for.
    shown_by: Option<Timestamp>,
    /// Conversations that the feed was told of from the journal and that are no longer the agent's.
    touched: VecDeque<ConversationId>,
    leases: Leases,
}

/// How far a feed was shown what the agent holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Leases {
    /// Not yet: first the feed is told what it missed.
    #[default]
    Later,
    /// The leases after this one are still to be shown.
    After(Option<ConversationId>),
    /// All their conversations were asked to show themselves.
    Asked,
}

impl Unshown {
    /// From now on what the agent holds is shown.
    pub(super) fn begin_with_leases(&mut self, agent: &Agent) {
        let is_any = !agent.leases().is_empty();
        self.leases = if is_any { Leases::After(None) } else { Leases::Asked };
    }

    /// Conversations that a feed was told of are shown as well, unless they are shown as the
    /// agent's.
    pub(super) fn add_touched(
        &mut self,
        touched: impl Iterator<Item = ConversationId>,
        agent: &Agent,
    ) {
        self.touched.extend(touched.filter(|id| !agent.leases().contains_key(id)));
    }

    /// Whether everything was shown.
    pub(super) fn is_all(&self) -> bool {
        self.asked == 0 && self.touched.is_empty() && self.leases == Leases::Asked
    }

    /// Notes that an asked conversation has shown itself, and says whether it was the last.
    pub(super) fn note_shown(&mut self) -> bool {
        let is_last = self.asked == 1;
        self.asked = self.asked.saturating_sub(1);
        if self.asked == 0 {
            self.shown_by = None;
        }
        is_last
    }

    /// Until when asked conversations are waited for, if any are.
    pub(super) const fn shown_by(&self) -> Option<Timestamp> {
        self.shown_by
    }

    /// Whether the asked conversations took too long. It says so once.
    pub(super) fn take_overdue(&mut self, now: Timestamp) -> bool {
        let is_overdue = self.shown_by.take_if(|by| *by <= now).is_some();
        if is_overdue {
            self.asked = 0;
        }
        is_overdue
    }

    /// Which conversations are to be asked next.
    pub(super) fn next(&mut self, agent: &Agent, now: Timestamp) -> Vec<ConversationId> {
        let most = limits::FEED_SHOWN_AT_ONCE;
        let mut next: Vec<_> = self.touched.drain(..self.touched.len().min(most)).collect();
        if let Leases::After(after) = self.leases
            && next.len() < most
        {
            let after = after.map_or(Bound::Unbounded, Bound::Excluded);
            let mut rest = agent.leases().range((after, Bound::Unbounded)).map(|(id, _)| *id);
            next.extend(rest.by_ref().take(most - next.len()));
            let is_more = rest.next().is_some();
            self.leases = if is_more { Leases::After(next.last().copied()) } else { Leases::Asked };
        }
        self.asked += next.len();
        self.shown_by = (self.asked > 0).then_some(now + SHOWN_WITHIN);
        next
    }
}
