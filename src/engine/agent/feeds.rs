//! An agent's open feeds, and how one goes on after `Last-Event-ID` with nothing missed.
//!
//! What happens now is told to all that are up to date, and kept for those that come back. A feed
//! that missed more than is kept reads it from the journal, page by page, and is shown the present
//! state conversation by conversation, each when its console has taken what came before.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::behavior::message::FeedItem;
use crate::domain::agent::{Agent, FeedNumber};
use crate::domain::id::{ConversationId, History};
use crate::engine::agent::catching_up::{Missed, Touched, Unshown};
use crate::engine::agent::kept::{Kept, Ring};
use crate::engine::agent::mark::{FROM_THE_JOURNAL, Mark};
use crate::engine::agent::open_feed::OpenFeed;
use crate::engine::feed::{FeedEvent, FeedSender, NotTold};
use crate::engine::shared::Shared;
use crate::journal::Position;
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
    /// Whether there has been any.
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

/// How a feed goes on to which the journal has nothing more to tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum GoesOn {
    /// It has been told everything since; the present state follows.
    Live,
    /// More has come since than is kept: that must be read as well.
    Read,
    /// It is gone.
    Gone,
}

/// What a feed is shown next.
#[derive(Debug)]
pub(super) enum Next {
    /// These conversations are to show themselves, in this round.
    Ask(Vec<ConversationId>, u64),
    /// What else it missed must be read first.
    Read,
    /// Nothing.
    Nothing,
}

impl Feeds {
    pub(super) const fn new(run: u64, history: History) -> Self {
        Self {
            run,
            history,
            open: Vec::new(),
            kept: Ring::new(),
            // The number before the first must not be that of the journal.
            next_event: FROM_THE_JOURNAL + 2,
            were_ever_open: false,
        }
    }

    /// Whether there has been any: until somebody has listened, nobody can come back for anything.
    pub(super) const fn were_ever_open(&self) -> bool {
        self.were_ever_open
    }

    /// Tells every open feed, and keeps it for those that come back.
    pub(super) fn tell(&mut self, shared: &Shared, told: Vec<FeedItem>) {
        for FeedItem { kind, data, place, passing } in told {
            if passing {
                let event = FeedEvent { id: None, kind, data };
                self.send_to_all(shared, &event);
                continue;
            }
            let number = self.next_event;
            self.next_event += 1;
            let event = FeedEvent { id: Some(self.id(shared, number)), kind, data };
            self.send_to_all(shared, &event);
            if self.were_ever_open() {
                self.kept.keep(Kept { number, place, event });
            }
        }
    }

    fn id(&self, shared: &Shared, number: u64) -> Arc<str> {
        let position = shared.told_through.load(Ordering::Relaxed);
        self.mark(number, Position(position))
    }

    fn mark(&self, number: u64, position: Position) -> Arc<str> {
        Mark { run: self.run, number, position, show_again: false }.id(self.history)
    }

    fn send_to_all(&mut self, shared: &Shared, event: &FeedEvent) {
        for feed in self.open.iter_mut().filter(|feed| feed.missed.is_none()) {
            if feed.tell(event.clone()) == Err(NotTold::Full) {
                shared.metrics.slow_feeds.inc();
            }
        }
    }

    /// Opens a feed after a mark, and says how it begins.
    pub(super) fn open(
        &mut self,
        number: FeedNumber,
        sender: FeedSender,
        after: Option<&str>,
        watching: bool,
    ) -> Beginning {
        self.make_room(watching);
        self.were_ever_open = true;
        let mark = after.and_then(|after| Mark::parse(after, self.history));
        let kept = mark
            .filter(|mark| mark.run == self.run && mark.number != FROM_THE_JOURNAL)
            .and_then(|mark| self.kept.from(mark.number.saturating_add(1), self.next_event));
        let must_read = mark.filter(|_| kept.is_none());
        let is_shown = must_read.is_none() && mark.is_some_and(|mark| !mark.show_again);
        let mut feed = OpenFeed {
            number,
            sender: Some(sender),
            missed: must_read.map(|mark| Missed::after(mark.position)),
            watching,
            unshown: (!is_shown).then(Unshown::default),
        };
        if let (Some(after), None) = (after, mark) {
            let feed::Rendered { kind, data } = feed::place_unknown(after);
            feed.tell_part(FeedEvent { id: None, kind, data });
        }
        for kept in kept.into_iter().flatten() {
            feed.tell_part(kept.event);
        }
        self.open.push(feed);
        match must_read {
            Some(_) => Beginning::Read,
            None if is_shown => Beginning::ToldAll,
            None => Beginning::Shown,
        }
    }

    /// Ends the oldest of a kind if there are as many of it as may be.
    fn make_room(&mut self, watching: bool) {
        let most = if watching { limits::WATCHING_FEEDS_MAX } else { limits::FEEDS_MAX };
        let alike = |feed: &&mut OpenFeed| feed.is_running() && feed.watching == watching;
        let mut running: Vec<_> = self.open.iter_mut().filter(alike).collect();
        if running.len() >= most
            && let Some(sender) = running[0].sender.take()
        {
            // Its console is in all likelihood gone, and would never take what waits for it.
            sender.forget();
        }
    }

    /// After which position a feed must read what it missed. What is told from now on, it is told
    /// afterwards.
    pub(super) fn begin_read(&mut self, number: FeedNumber) -> Option<Position> {
        let since = self.next_event;
        let missed = self.find_running(number)?.missed.as_mut()?;
        missed.since = since;
        Some(missed.position)
    }

    /// Tells a feed a page of what it missed: everything that there is up to a position.
    pub(super) fn tell_missed(
        &mut self,
        number: FeedNumber,
        told: Vec<(Position, FeedItem)>,
        touched: impl IntoIterator<Item = (ConversationId, Touched)>,
        through: Position,
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
            feed.tell_part(event);
        }
        if let Some(missed) = &mut feed.missed {
            missed.position = through;
            missed.touched.extend(touched);
        }
    }

    /// When a feed was told of very many conversations, they are shown before it is told of more.
    /// Those of which it may be told once more are remembered.
    pub(super) fn show_touched(&mut self, shared: &Shared, number: FeedNumber, agent: &Agent) {
        let told_through = Position(shared.told_through.load(Ordering::Relaxed));
        let Some(feed) = self.find_running(number) else { return };
        let (Some(missed), Some(unshown)) = (&mut feed.missed, &mut feed.unshown) else { return };
        if missed.touched.len() < limits::FEED_TOUCHED_MAX {
            return;
        }
        unshown.add_touched(missed.touched.keys().copied(), agent);
        missed.touched.retain(|_, touched| touched.position > told_through);
    }

    /// The journal has nothing more for a feed: it is told everything since it was asked, but for
    /// what the journal has told, and then what comes.
    pub(super) fn go_on(&mut self, number: FeedNumber, agent: &Agent) -> GoesOn {
        let since = self.find_running(number).and_then(|feed| Some(feed.missed.as_ref()?.since));
        let Some(since) = since else { return GoesOn::Gone };
        let Some(kept) = self.kept.from(since, self.next_event) else { return GoesOn::Read };
        let Some(feed) = self.find_running(number) else { return GoesOn::Gone };
        let Some(missed) = feed.missed.take() else { return GoesOn::Gone };
        let is_new = |kept: &Kept| kept.place.is_none_or(|(id, seq)| !missed.holds(id, seq));
        for Kept { event, .. } in kept.into_iter().filter(is_new) {
            feed.tell_part(event);
        }
        if let Some(unshown) = &mut feed.unshown {
            unshown.add_touched(missed.touched.into_keys(), agent);
        }
        GoesOn::Live
    }

    /// Resolves when a feed has room for more of what it is told part by part.
    pub(super) fn room(&mut self, number: FeedNumber) -> Option<impl Future<Output = ()> + use<>> {
        self.find_running(number)?.sender.as_ref().map(FeedSender::room)
    }

    /// From now on a feed is shown what the agent holds.
    pub(super) fn begin_showing(&mut self, number: FeedNumber, agent: &Agent) {
        if let Some(unshown) = self.find_mut(number).and_then(|feed| feed.unshown.as_mut()) {
            unshown.begin_with_leases(agent);
        }
    }

    /// What a feed is shown next, now that it has room.
    pub(super) fn next_to_show(&mut self, number: FeedNumber, agent: &Agent) -> Next {
        let Some(feed) = self.find_running(number) else { return Next::Nothing };
        let Some(unshown) = &mut feed.unshown else { return Next::Nothing };
        let next = unshown.next(agent);
        if !next.is_empty() {
            return Next::Ask(next, unshown.round);
        }
        if feed.missed.is_some() {
            return Next::Read;
        }
        feed.unshown.take_if(|unshown| unshown.is_all());
        Next::Nothing
    }

    /// Whether a feed waits for conversations that were asked in this round.
    pub(super) fn awaits(&mut self, number: FeedNumber, round: u64) -> bool {
        let unshown = self.find_running(number).and_then(|feed| feed.unshown.as_ref());
        unshown.is_some_and(|unshown| unshown.asked > 0 && unshown.round == round)
    }

    /// Shows one feed a part of the present state: what nobody asked for by itself, or, with
    /// `asked`, one of the conversations that were. After the last, its console knows the whole.
    /// Whether it waits for no other that was asked.
    pub(super) fn show(
        &mut self,
        shared: &Shared,
        number: FeedNumber,
        told: Vec<FeedItem>,
        asked: bool,
    ) -> bool {
        let now = self.id(shared, self.next_event - 1);
        let missed = self.find_running(number).and_then(|feed| feed.missed.as_ref());
        // While it is told what it missed, it must come back to that.
        let id = match missed.map(|missed| missed.position) {
            Some(position) => self.mark(FROM_THE_JOURNAL, position),
            None => now,
        };
        let Some(feed) = self.find_running(number) else { return false };
        let Some(unshown) = &mut feed.unshown else { return false };
        let is_last_asked = asked && unshown.asked == 1;
        unshown.asked -= usize::from(asked && unshown.asked > 0);
        let is_all = unshown.is_all();
        let count = told.len();
        for (place, FeedItem { kind, data, .. }) in told.into_iter().enumerate() {
            if is_all && place + 1 == count {
                feed.unshown = None;
            }
            feed.tell_part(FeedEvent { id: Some(id.clone()), kind, data });
        }
        if is_all {
            feed.unshown = None;
        }
        is_last_asked
    }

    /// Ends a feed; its console comes back.
    pub(super) fn end(&mut self, number: FeedNumber) {
        if let Some(feed) = self.find_mut(number) {
            feed.sender = None;
        }
    }

    /// Keeps nothing for feeds that come back: they are told from the journal.
    pub(super) fn forget_kept(&mut self) {
        self.kept.forget();
    }

    /// Ends every feed; their consoles come back.
    pub(super) fn end_all(&mut self) {
        self.open.iter_mut().for_each(|feed| feed.sender = None);
    }

    /// Forgets a feed, and says whether it was the agent's own.
    pub(super) fn close(&mut self, number: FeedNumber) -> bool {
        let closed = self.open.iter().position(|feed| feed.number == number);
        closed.is_some_and(|index| !self.open.remove(index).watching)
    }

    /// Whether a feed runs.
    pub(super) fn is_running(&self, number: FeedNumber) -> bool {
        self.open.iter().any(|feed| feed.number == number && feed.is_running())
    }

    /// Those that we have ended, and whose consoles may not have noticed.
    pub(super) fn ended(&self) -> Vec<FeedNumber> {
        self.open.iter().filter(|feed| !feed.is_running()).map(|feed| feed.number).collect()
    }

    fn find_running(&mut self, number: FeedNumber) -> Option<&mut OpenFeed> {
        self.find_mut(number).filter(|feed| feed.is_running())
    }

    fn find_mut(&mut self, number: FeedNumber) -> Option<&mut OpenFeed> {
        self.open.iter_mut().find(|feed| feed.number == number)
    }
}
