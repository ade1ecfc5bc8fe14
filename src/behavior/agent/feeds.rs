//! An agent's open feeds, and how one goes on after `Last-Event-ID` with nothing missed.
//!
//! What happens now is told to every feed that is up to date, and kept for feeds that come back. A
//! feed that missed more than is kept reads it from the journal, page by page. Then it is shown the
//! present state conversation by conversation, each when its console has taken the one before.
//!
//! ```text
//!                   more was missed     nothing more      everything
//!                   than is kept        to be read        was shown
//!   opened ───────────> read ──────────────> shown ──────────> up to date
//!     │                 ^  │                 ^  │                  ^
//!     │                 └──┘ page by page    └──┘ chat by chat     │
//!     ├──comes for the first time, or again───┘                    │
//!     └──all that was missed is kept───────────────────────────────┘
//!
//!   any ──too slow, hung, one too many, the server stops──> ended ──closed──> gone
//! ```

use std::sync::Arc;

use crate::behavior::agent::catch_up::{GoesOn, Missed, Next, Touched, Unshown};
use crate::behavior::agent::event::{FROM_THE_JOURNAL, FeedEvent, Mark, feed_called};
use crate::behavior::agent::input::Opening;
use crate::behavior::agent::open_feed::OpenFeed;
use crate::behavior::agent::output::{Output, Turn};
use crate::behavior::agent::ring::{Kept, Ring};
use crate::behavior::message::FeedItem;
use crate::domain::agent::{Agent, FeedNumber};
use crate::domain::id::{ConversationId, History};
use crate::domain::position::Position;
use crate::domain::time::Timestamp;
use crate::limits;
use crate::wire::feed;

/// The feeds of one agent.
#[derive(Debug)]
pub(super) struct Feeds {
    run: u64,
    history: History,
    open: Vec<OpenFeed>,
    kept: Ring,
    next_event: u64,
    /// If a feed stopped at a smaller number than this, it is not known what it was not told.
    known_from: u64,
    /// Whether any feed was ever open.
    were_ever_open: bool,
}

/// How a feed begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Beginning {
    /// With the present state.
    Shown,
    /// It has been told all that it missed.
    ToldAll,
    /// What it missed must be read from the journal.
    Read,
}

impl Feeds {
    pub(super) const fn new(run: u64, history: History) -> Self {
        Self {
            run,
            history,
            open: Vec::new(),
            kept: Ring::new(),
            // The number before the first must not be that of events from the journal.
            next_event: FROM_THE_JOURNAL + 2,
            known_from: 0,
            were_ever_open: false,
        }
    }

    /// Begins. The agent may have had other feeds in this run of the server: the event numbers here
    /// are larger than theirs, so that no event is taken for another.
    pub(super) fn begin(&mut self, now: Timestamp) {
        let since = u64::try_from(now.as_millis()).unwrap_or(0).saturating_sub(self.run);
        self.next_event += since.saturating_mul(limits::FEED_EVENTS_A_MILLISECOND);
    }

    /// Whether any feed was ever open: until then, no console can come back for anything.
    pub(super) const fn were_ever_open(&self) -> bool {
        self.were_ever_open
    }

    /// Tells every open feed, and keeps the events for feeds that come back.
    pub(super) fn tell(&mut self, told: Vec<FeedItem>, turn: &mut Turn<'_>) {
        for FeedItem { kind, data, place, passing } in told {
            if passing {
                let event = FeedEvent { id: None, kind, data };
                self.tell_all(&event, turn);
                continue;
            }
            let number = self.next_event;
            self.next_event += 1;
            let event = FeedEvent { id: Some(self.id(number, turn)), kind, data };
            self.tell_all(&event, turn);
            if self.were_ever_open() {
                self.kept.keep(Kept { number, place, event });
            }
        }
    }

    fn id(&self, number: u64, turn: &Turn<'_>) -> Arc<str> {
        self.mark(number, turn.facts.told_through)
    }

    fn mark(&self, number: u64, position: Position) -> Arc<str> {
        Mark { run: self.run, number, position, show_again: false }.id(self.history)
    }

    fn tell_all(&self, event: &FeedEvent, turn: &mut Turn<'_>) {
        for feed in self.open.iter().filter(|feed| feed.missed.is_none()) {
            feed.tell(event.clone(), turn);
        }
    }

    /// Opens a feed, and says how it begins.
    pub(super) fn open(&mut self, opening: &Opening, turn: &mut Turn<'_>) -> Beginning {
        self.make_room(opening.watching, turn);
        self.were_ever_open = true;
        let after = opening.after.as_deref();
        let mark = after.and_then(|after| Mark::parse(after, self.history));
        let mark = mark.filter(|mark| !self.is_lost(mark));
        let kept = mark
            .filter(|mark| self.is_numbered(mark))
            .and_then(|mark| self.kept.from(mark.number.saturating_add(1), self.next_event));
        let must_read = mark.filter(|_| kept.is_none());
        let is_shown = must_read.is_none() && mark.is_some_and(|mark| !mark.show_again);
        let feed = OpenFeed {
            number: opening.feed,
            is_running: true,
            missed: must_read.map(|mark| Missed::after(mark.position)),
            watching: opening.watching,
            unshown: (!is_shown).then(Unshown::default),
        };
        if let (Some(after), None) = (after, mark) {
            let feed::Rendered { kind, data } = feed::place_unknown(after);
            feed.tell_part(FeedEvent { id: None, kind, data }, turn);
        }
        for kept in kept.into_iter().flatten() {
            feed.tell_part(kept.event, turn);
        }
        self.open.push(feed);
        match must_read {
            Some(_) => Beginning::Read,
            None if is_shown => Beginning::ToldAll,
            None => Beginning::Shown,
        }
    }

    fn is_numbered(&self, mark: &Mark) -> bool {
        mark.run == self.run && mark.number != FROM_THE_JOURNAL
    }

    fn is_lost(&self, mark: &Mark) -> bool {
        self.is_numbered(mark) && mark.number < self.known_from
    }

    /// What happened until now may not have been told. Open feeds hear that, and are to be shown
    /// the present state; so are feeds that come back. A feed that is being told what it missed is
    /// not concerned: the journal has it all.
    pub(super) fn lose_place(&mut self, turn: &mut Turn<'_>) -> Vec<FeedNumber> {
        let last = self.id(self.next_event - 1, turn);
        self.known_from = self.next_event;
        self.next_event += 1;
        self.kept.forget();
        let feed::Rendered { kind, data } = feed::place_unknown(&last);
        let mut shown = Vec::new();
        for feed in self.open.iter_mut().filter(|feed| feed.is_running && feed.missed.is_none()) {
            feed.tell(FeedEvent { id: None, kind, data: data.clone() }, turn);
            feed.unshown.get_or_insert_default();
            shown.push(feed.number);
        }
        shown
    }

    /// Ends the oldest feed of a kind if there are already as many as there may be.
    fn make_room(&mut self, watching: bool, turn: &mut Turn<'_>) {
        let most = if watching { limits::WATCHING_FEEDS_MAX } else { limits::FEEDS_MAX };
        let is_alike = |feed: &OpenFeed| feed.is_running && feed.watching == watching;
        if self.open.iter().filter(|feed| is_alike(feed)).count() < most {
            return;
        }
        if let Some(oldest) = self.open.iter_mut().find(|feed| is_alike(feed)) {
            // Its console is in all likelihood gone, and would never take what waits for it.
            oldest.is_running = false;
            turn.out.push(Output::AbandonFeed(oldest.number));
        }
    }

    /// The position after which a feed must read what it missed. Events from now on are told to it
    /// afterwards.
    pub(super) fn begin_read(&mut self, number: FeedNumber) -> Option<Position> {
        let since = self.next_event;
        let missed = self.find_running(number)?.missed.as_mut()?;
        missed.since = since;
        Some(missed.position)
    }

    /// Tells a feed a page of what it missed: everything that there is up to `through`.
    pub(super) fn tell_missed(
        &mut self,
        number: FeedNumber,
        told: Vec<(Position, FeedItem)>,
        touched: impl IntoIterator<Item = (ConversationId, Touched)>,
        through: Position,
        turn: &mut Turn<'_>,
    ) {
        let events: Vec<_> = told
            .into_iter()
            .map(|(position, FeedItem { kind, data, .. })| {
                let id = Some(self.mark(FROM_THE_JOURNAL, position));
                FeedEvent { id, kind, data }
            })
            .collect();
        let Some(feed) = self.find_running(number) else { return };
        for event in events {
            feed.tell_part(event, turn);
        }
        if let Some(missed) = &mut feed.missed {
            missed.position = through;
            missed.touched.extend(touched);
        }
    }

    /// When a feed was told of very many conversations, they are shown before it is told of more.
    /// Conversations of which it may be told once more are remembered.
    pub(super) fn show_touched(&mut self, number: FeedNumber, agent: &Agent, turn: &Turn<'_>) {
        let told_through = turn.facts.told_through;
        let Some(feed) = self.find_running(number) else { return };
        let (Some(missed), Some(unshown)) = (&mut feed.missed, &mut feed.unshown) else { return };
        if missed.touched.len() < limits::FEED_TOUCHED_MAX {
            return;
        }
        unshown.add_touched(missed.touched.keys().copied(), agent);
        missed.touched.retain(|_, touched| touched.position > told_through);
    }

    /// The journal has nothing more for a feed. The feed is told everything since the last read,
    /// except what the journal has told it, and then what comes.
    pub(super) fn go_on(
        &mut self,
        number: FeedNumber,
        agent: &Agent,
        turn: &mut Turn<'_>,
    ) -> GoesOn {
        let since = self.find_running(number).and_then(|feed| Some(feed.missed.as_ref()?.since));
        let Some(since) = since else { return GoesOn::Gone };
        let Some(kept) = self.kept.from(since, self.next_event) else { return GoesOn::Read };
        let Some(feed) = self.find_running(number) else { return GoesOn::Gone };
        let Some(missed) = feed.missed.take() else { return GoesOn::Gone };
        let is_new = |kept: &Kept| kept.place.is_none_or(|(id, seq)| !missed.holds(id, seq));
        for Kept { event, .. } in kept.into_iter().filter(is_new) {
            feed.tell_part(event, turn);
        }
        if let Some(unshown) = &mut feed.unshown {
            unshown.add_touched(missed.touched.into_keys(), agent);
        }
        GoesOn::Live
    }

    /// From now on a feed is shown what the agent holds.
    pub(super) fn begin_showing(&mut self, number: FeedNumber, agent: &Agent) {
        if let Some(unshown) = self.find_mut(number).and_then(|feed| feed.unshown.as_mut()) {
            unshown.begin_with_leases(agent);
        }
    }

    /// What a feed is shown next, now that it has room.
    pub(super) fn next_to_show(
        &mut self,
        number: FeedNumber,
        agent: &Agent,
        now: Timestamp,
    ) -> Next {
        let Some(feed) = self.find_running(number) else { return Next::Nothing };
        let Some(unshown) = &mut feed.unshown else { return Next::Nothing };
        let next = unshown.next(agent, now);
        if !next.is_empty() {
            return Next::Ask(next);
        }
        if feed.missed.is_some() {
            return Next::Read;
        }
        feed.unshown.take_if(|unshown| unshown.is_all());
        Next::Nothing
    }

    /// The next time at which a feed stops waiting for conversations that were asked to show
    /// themselves.
    pub(super) fn shown_by(&self) -> Option<Timestamp> {
        let running = self.open.iter().filter(|feed| feed.is_running);
        running.filter_map(|feed| feed.unshown.as_ref()?.shown_by()).min()
    }

    /// The feeds that have waited for too long.
    pub(super) fn take_overdue(&mut self, now: Timestamp) -> Vec<FeedNumber> {
        let running = self.open.iter_mut().filter(|feed| feed.is_running);
        let overdue = running.filter_map(|feed| {
            let unshown = feed.unshown.as_mut()?;
            unshown.take_overdue(now).then_some(feed.number)
        });
        overdue.collect()
    }

    /// Shows one feed a part of the present state; with `asked`, a conversation that was asked to
    /// show itself. After the last part, its console knows the whole state. Returns whether this
    /// was the last conversation that was asked.
    pub(super) fn show(
        &mut self,
        number: FeedNumber,
        told: Vec<FeedItem>,
        asked: bool,
        turn: &mut Turn<'_>,
    ) -> bool {
        let now = self.id(self.next_event - 1, turn);
        let missed = self.find_running(number).and_then(|feed| feed.missed.as_ref());
        // A feed that is being told what it missed must come back to that.
        let id = match missed.map(|missed| missed.position) {
            Some(position) => self.mark(FROM_THE_JOURNAL, position),
            None => now,
        };
        let Some(feed) = self.find_running(number) else { return false };
        let Some(unshown) = &mut feed.unshown else { return false };
        let is_last_asked = asked && unshown.note_shown();
        let is_all = unshown.is_all();
        let count = told.len();
        for (place, FeedItem { kind, data, .. }) in told.into_iter().enumerate() {
            if is_all && place + 1 == count {
                feed.unshown = None;
            }
            feed.tell_part(FeedEvent { id: Some(id.clone()), kind, data }, turn);
        }
        if is_all {
            feed.unshown = None;
        }
        is_last_asked
    }

    /// Ends a feed; its console comes back.
    pub(super) fn end(&mut self, number: FeedNumber, turn: &mut Turn<'_>) {
        if let Some(feed) = self.find_mut(number) {
            feed.end(turn);
        }
    }

    /// A feed has ended, and takes nothing more.
    pub(super) fn note_ended(&mut self, number: FeedNumber) {
        if let Some(feed) = self.find_mut(number) {
            feed.is_running = false;
        }
    }

    /// Keeps nothing for feeds that come back: they are told from the journal.
    pub(super) fn forget_kept(&mut self) {
        self.kept.forget();
    }

    /// Ends every feed; their consoles come back.
    pub(super) fn end_all(&mut self, turn: &mut Turn<'_>) {
        self.open.iter_mut().for_each(|feed| feed.end(turn));
    }

    /// Forgets a feed, and says whether it was the agent's own.
    pub(super) fn close(&mut self, number: FeedNumber) -> bool {
        let closed = self.open.iter().position(|feed| feed.number == number);
        closed.is_some_and(|index| !self.open.remove(index).watching)
    }

    /// Whether a feed runs.
    pub(super) fn is_running(&self, number: FeedNumber) -> bool {
        self.open.iter().any(|feed| feed.number == number && feed.is_running)
    }

    /// The running feed of this name, if there is one.
    pub(super) fn running(&self, called: &str) -> Option<FeedNumber> {
        feed_called(self.run, called).filter(|number| self.is_running(*number))
    }

    /// The feeds that the server has ended; their consoles may not have noticed.
    pub(super) fn ended(&self) -> Vec<FeedNumber> {
        self.open.iter().filter(|feed| !feed.is_running).map(|feed| feed.number).collect()
    }

    fn find_running(&mut self, number: FeedNumber) -> Option<&mut OpenFeed> {
        self.find_mut(number).filter(|feed| feed.is_running)
    }

    fn find_mut(&mut self, number: FeedNumber) -> Option<&mut OpenFeed> {
        self.open.iter_mut().find(|feed| feed.number == number)
    }
}
