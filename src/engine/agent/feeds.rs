//! An agent's open feeds, and how one goes on after `Last-Event-ID` with nothing missed.
//!
//! The id of an event is `history-run-number-position`. A position of another history means nothing
//! here. Within one run of the server the number finds the place among the events that are still
//! kept. After a restart, or when too much has come since, everything after the position is read
//! from the journal; the position is chosen so that it is never too late, which can repeat an event
//! and cannot lose one. What is told from the journal has the number zero and its own position, so
//! that a feed which is lost in the middle of it goes on there. As long as a feed has not been
//! shown the whole present state, the ids that it is given say so, and a console that comes back
//! after one of them is shown it again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytestring::ByteString;
use tokio::sync::mpsc;

use crate::domain::agent::FeedNumber;
use crate::domain::id::History;
use crate::engine::FeedEvent;
use crate::engine::message::Told;
use crate::engine::shared::Shared;
use crate::journal::Position;
use crate::limits;
use crate::wire::feed;

/// Bytes of events that are kept for feeds that come back; older ones are read from the journal.
const KEPT_BYTES_MAX: usize = 262_144;

/// What a feed that comes back is told from the journal has no number of this run.
pub(super) const FROM_THE_JOURNAL: u64 = 0;

/// Ends an id after which the present state must be shown again.
const SHOW_AGAIN: &str = "s";

/// The feeds of one agent.
#[derive(Debug)]
pub(super) struct Feeds {
    run: u64,
    history: History,
    open: Vec<OpenFeed>,
    kept: VecDeque<(u64, FeedEvent)>,
    kept_bytes: usize,
    next_event: u64,
    next_feed: FeedNumber,
}

/// One of them.
#[derive(Debug)]
pub(super) struct OpenFeed {
    number: FeedNumber,
    /// Nothing once we have ended it.
    sender: Option<mpsc::Sender<FeedEvent>>,
    /// While it reads what it missed: the number of the first event that it must be told after.
    catching_up_to: Option<u64>,
    /// Whether it is somebody else's.
    watching: bool,
    /// What it has yet to be shown of the present state.
    unshown: Option<Unshown>,
}

/// What a feed has yet to be shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Unshown {
    /// Conversations that were asked to show themselves.
    asked: usize,
    /// Whether there are more.
    more: bool,
}

/// Where a console says that it stopped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Mark {
    run: u64,
    number: u64,
    pub(super) position: Position,
    show_again: bool,
}

impl Mark {
    /// The mark that a console gives, if it is one of this history: a position of another means
    /// nothing here.
    pub(super) fn parse(text: &str, history: History) -> Option<Self> {
        let mut parts = text.split('-');
        if parts.next()? != history.to_string() {
            return None;
        }
        let run = u64::from_str_radix(parts.next()?, 16).ok()?;
        let number = parts.next()?.parse().ok()?;
        let position = Position(parts.next()?.parse().ok()?);
        let show_again = match parts.next() {
            None => false,
            Some(SHOW_AGAIN) => true,
            Some(_) => return None,
        };
        parts.next().is_none().then_some(Self { run, number, position, show_again })
    }
}

/// How a feed begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Beginning {
    /// With the present state.
    Shown,
    /// It has been told all that it missed.
    ToldAll,
    /// What it missed must be read from the journal.
    ReadFrom(Position),
}

impl OpenFeed {
    fn is_running(&self) -> bool {
        self.sender.is_some()
    }

    /// Tells it something. One that has no room for it ends; its console comes back for the rest.
    fn send(&mut self, mut event: FeedEvent) -> Result<(), mpsc::error::TrySendError<FeedEvent>> {
        let Some(sender) = &self.sender else {
            return Err(mpsc::error::TrySendError::Closed(event));
        };
        if self.unshown.is_some() {
            event.id = event.id.map(|id| Arc::from(format!("{id}-{SHOW_AGAIN}")));
        }
        sender.try_send(event).inspect_err(|_| self.sender = None)
    }
}

impl Feeds {
    pub(super) const fn new(run: u64, history: History) -> Self {
        Self {
            run,
            history,
            open: Vec::new(),
            kept: VecDeque::new(),
            kept_bytes: 0,
            // The number before the first must not be that of the journal.
            next_event: FROM_THE_JOURNAL + 2,
            next_feed: 1,
        }
    }

    /// Whether there has been any: until somebody has listened, nobody can come back for anything.
    pub(super) const fn were_ever_open(&self) -> bool {
        self.next_feed > 1
    }

    /// Tells every open feed, and keeps it for those that come back.
    pub(super) fn tell(&mut self, shared: &Shared, told: Vec<Told>) {
        for Told { event, data, passing } in told {
            if passing {
                let event = FeedEvent { id: None, event, data };
                self.send_to_all(shared, &event);
                continue;
            }
            let number = self.next_event;
            self.next_event += 1;
            let event = FeedEvent { id: Some(self.id(shared, number)), event, data };
            self.send_to_all(shared, &event);
            if self.were_ever_open() {
                self.keep(number, event);
            }
        }
    }

    fn id(&self, shared: &Shared, number: u64) -> Arc<str> {
        let position = shared.told_through.load(Ordering::Relaxed);
        self.mark(number, Position(position))
    }

    /// The id of an event with this number, or of what is told from the journal up to a position.
    pub(super) fn mark(&self, number: u64, position: Position) -> Arc<str> {
        let Self { history, run, .. } = self;
        Arc::from(format!("{history}-{run:x}-{number}-{}", position.0))
    }

    fn send_to_all(&mut self, shared: &Shared, event: &FeedEvent) {
        for feed in self.open.iter_mut().filter(|feed| feed.catching_up_to.is_none()) {
            if let Err(mpsc::error::TrySendError::Full(_)) = feed.send(event.clone()) {
                shared.metrics.slow_feeds.inc();
            }
        }
    }

    fn keep(&mut self, number: u64, event: FeedEvent) {
        self.kept_bytes += event.data.len();
        self.kept.push_back((number, event));
        while self.kept.len() > limits::FEED_REPLAY_MAX || self.kept_bytes > KEPT_BYTES_MAX {
            let Some((_, oldest)) = self.kept.pop_front() else { break };
            self.kept_bytes -= oldest.data.len();
        }
    }

    /// The events after a number, if all of them are still kept.
    fn kept_after(&self, number: u64) -> Option<Vec<FeedEvent>> {
        let first = self.kept.front().map_or(self.next_event, |(number, _)| *number);
        if number + 1 < first || number >= self.next_event {
            return None;
        }
        let after = self.kept.iter().filter(|(kept, _)| *kept > number);
        Some(after.map(|(_, event)| event.clone()).collect())
    }

    /// Tells one feed; false if it is gone, or is ended by this because it is read too slowly.
    pub(super) fn send_to(
        &mut self,
        number: FeedNumber,
        mut events: impl Iterator<Item = FeedEvent>,
    ) -> bool {
        let Some(feed) = self.find_mut(number) else { return false };
        feed.is_running() && events.all(|event| feed.send(event).is_ok())
    }

    /// The number that the next feed has.
    pub(super) const fn next_number(&self) -> FeedNumber {
        self.next_feed
    }

    /// Opens a feed after a mark, and says how it begins.
    pub(super) fn open(
        &mut self,
        sender: mpsc::Sender<FeedEvent>,
        after: Option<&str>,
        watching: bool,
    ) -> Beginning {
        let most = if watching { limits::WATCHING_FEEDS_MAX } else { limits::FEEDS_MAX };
        let alike = |feed: &&mut OpenFeed| feed.is_running() && feed.watching == watching;
        let mut running: Vec<_> = self.open.iter_mut().filter(alike).collect();
        if running.len() >= most {
            running[0].sender = None;
        }
        let number = self.next_feed;
        self.next_feed += 1;
        let mark = after.and_then(|after| Mark::parse(after, self.history));
        let kept = mark
            .filter(|mark| mark.run == self.run && mark.number != FROM_THE_JOURNAL)
            .and_then(|mark| self.kept_after(mark.number));
        let must_read = mark.filter(|_| kept.is_none());
        let is_shown = must_read.is_none() && mark.is_some_and(|mark| !mark.show_again);
        self.open.push(OpenFeed {
            number,
            sender: Some(sender),
            catching_up_to: must_read.map(|_| self.next_event),
            watching,
            unshown: (!is_shown).then(Unshown::default),
        });
        if let (Some(after), None) = (after, mark) {
            let feed::Rendered { event, data } = feed::place_unknown(after);
            self.send_to(number, [FeedEvent { id: None, event, data }].into_iter());
        }
        // The channel is empty and holds more than is kept.
        self.send_to(number, kept.into_iter().flatten());
        match must_read {
            Some(mark) => Beginning::ReadFrom(mark.position),
            None if is_shown => Beginning::ToldAll,
            None => Beginning::Shown,
        }
    }

    /// A feed has caught up with the journal: it is told everything since it came back, and then
    /// what comes. False if it is gone, or has to come back because that is not kept any more.
    pub(super) fn go_on(&mut self, number: FeedNumber) -> bool {
        let since = self.find_mut(number).and_then(|feed| feed.catching_up_to.take());
        let kept = since.and_then(|since| self.kept_after(since.saturating_sub(1)));
        if let Some(kept) = kept {
            return self.send_to(number, kept.into_iter());
        }
        self.end(number);
        false
    }

    /// Some conversations were asked to show themselves to a feed.
    pub(super) fn note_asked(&mut self, number: FeedNumber, asked: usize, more: bool) {
        let unshown = self.find_mut(number).and_then(|feed| feed.unshown.as_mut());
        if let Some(unshown) = unshown {
            unshown.asked += asked;
            unshown.more = more;
        }
    }

    /// Shows one feed a part of the present state: what nobody asked for by itself, or, with
    /// `asked`, one of the conversations that were. After the last, its console knows the whole.
    pub(super) fn show(
        &mut self,
        shared: &Shared,
        number: FeedNumber,
        told: Vec<Told>,
        asked: bool,
    ) {
        let id = self.id(shared, self.next_event - 1);
        let Some(feed) = self.find_mut(number) else { return };
        let Some(unshown) = &mut feed.unshown else { return };
        unshown.asked -= usize::from(asked && unshown.asked > 0);
        let is_all = unshown.asked == 0 && !unshown.more;
        let count = told.len();
        for (place, Told { event, data, .. }) in told.into_iter().enumerate() {
            if is_all && place + 1 == count {
                feed.unshown = None;
            }
            // One that has no room comes back.
            let _ended: Result<_, _> = feed.send(FeedEvent { id: Some(id.clone()), event, data });
        }
        if is_all {
            feed.unshown = None;
        }
    }

    /// Ends a feed; its console comes back.
    pub(super) fn end(&mut self, number: FeedNumber) {
        if let Some(feed) = self.find_mut(number) {
            feed.sender = None;
        }
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

    /// What a feed is called.
    pub(super) fn name(&self, number: FeedNumber) -> Arc<str> {
        Arc::from(format!("{:x}-{number}", self.run))
    }

    /// The number of the feed that is called so.
    pub(super) fn number(&self, name: &str) -> Option<FeedNumber> {
        let (run, number) = name.split_once('-')?;
        (u64::from_str_radix(run, 16) == Ok(self.run)).then(|| number.parse().ok()).flatten()
    }

    /// Whether a feed runs.
    pub(super) fn is_running(&self, number: FeedNumber) -> bool {
        self.open.iter().any(|feed| feed.number == number && feed.is_running())
    }

    /// Those that we have ended, and whose consoles may not have noticed.
    pub(super) fn ended(&self) -> Vec<FeedNumber> {
        self.open.iter().filter(|feed| !feed.is_running()).map(|feed| feed.number).collect()
    }

    fn find_mut(&mut self, number: FeedNumber) -> Option<&mut OpenFeed> {
        self.open.iter_mut().find(|feed| feed.number == number)
    }
}

impl From<feed::Rendered> for Told {
    fn from(rendered: feed::Rendered) -> Self {
        Self { event: rendered.event, data: rendered.data, passing: false }
    }
}

impl Told {
    /// Something that is only passing: it has no id, and whoever was not there missed it.
    pub(in crate::engine) const fn passing(event: &'static str, data: ByteString) -> Self {
        Self { event, data, passing: true }
    }
}
