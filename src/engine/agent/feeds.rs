//! An agent's open feeds, and how one goes on after `Last-Event-ID` with nothing missed.
//!
//! The id of an event is `run-number-position`. Within one run of the server the number finds the
//! place among the events that are still kept. After a restart, or when too much has come since,
//! everything after the position is read from the journal; the position is chosen so that it is
//! never too late, which can repeat an event and cannot lose one. What is told from the journal
//! has the number zero and its own position, so that a feed which is lost in the middle of it goes
//! on there.

use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use bytestring::ByteString;
use tokio::sync::{mpsc, oneshot};

use crate::domain::agent::command::AgentCommand;
use crate::domain::conversation::attendance::Absence;
use crate::domain::conversation::event::Event;
use crate::domain::id::{AgentId, ConversationId};
use crate::domain::time::Timestamp;
use crate::engine::agent::AgentActor;
use crate::engine::message::{Reply, ToConversation, Told};
use crate::engine::shared::Shared;
use crate::engine::{Feed, FeedEvent};
use crate::journal::{Fault, Located, Position};
use crate::limits;
use crate::wire::feed::{self, Withdrawal};

/// Bytes of events that are kept for feeds that come back; older ones are read from the journal.
const KEPT_BYTES_MAX: usize = 262_144;

/// Events that are read from the journal at once for a feed that comes back.
const MISSED_EVENTS_MAX: usize = 10_000;

/// Conversations that a feed is shown at once, each in up to three events.
const SHOWN_AT_ONCE: usize = 500;

/// How soon it is shown the next: long enough for a console to read them.
const SHOWN_EVERY: std::time::Duration = std::time::Duration::from_millis(50);

/// What a feed that comes back is told from the journal has no number of this run.
const FROM_THE_JOURNAL: u64 = 0;

/// The feeds of one agent.
#[derive(Debug)]
pub(super) struct Feeds {
    run: u64,
    open: Vec<OpenFeed>,
    kept: VecDeque<(u64, FeedEvent)>,
    kept_bytes: usize,
    next_event: u64,
    next_feed: u64,
}

#[derive(Debug)]
struct OpenFeed {
    number: u64,
    /// Nothing once we have ended it: then its console has yet to notice.
    sender: Option<mpsc::Sender<FeedEvent>>,
    /// While it reads what it missed: the number of the first event that it must be told after.
    catching_up_to: Option<u64>,
    /// Whether it is somebody else's.
    watching: bool,
}

/// Where a console says that it stopped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Mark {
    run: u64,
    number: u64,
    position: Position,
}

impl Mark {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mark = Self {
            run: u64::from_str_radix(parts.next()?, 16).ok()?,
            number: parts.next()?.parse().ok()?,
            position: Position(parts.next()?.parse().ok()?),
        };
        parts.next().is_none().then_some(mark)
    }
}

impl Feeds {
    pub(super) const fn new(run: u64) -> Self {
        Self {
            run,
            open: Vec::new(),
            kept: VecDeque::new(),
            kept_bytes: 0,
            next_event: 1,
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
        Arc::from(format!("{:x}-{number}-{position}", self.run))
    }

    fn send_to_all(&mut self, shared: &Shared, event: &FeedEvent) {
        for feed in self.open.iter_mut().filter(|feed| feed.catching_up_to.is_none()) {
            let Some(sender) = &feed.sender else { continue };
            if let Err(unsent) = sender.try_send(event.clone()) {
                if matches!(unsent, mpsc::error::TrySendError::Full(_)) {
                    shared.metrics.slow_feeds.inc();
                }
                // This ends the feed; its console comes back for the rest.
                feed.sender = None;
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
    fn send_to(&mut self, number: u64, mut events: impl Iterator<Item = FeedEvent>) -> bool {
        let Some(feed) = self.find_mut(number) else { return false };
        let Some(sender) = &feed.sender else { return false };
        let is_sent = events.all(|event| sender.try_send(event).is_ok());
        if !is_sent {
            feed.sender = None;
        }
        is_sent
    }

    /// A feed has caught up with the journal: it is told everything since it came back, and then
    /// what comes. False if it is gone, or has to come back because that is not kept any more.
    fn go_on(&mut self, number: u64) -> bool {
        let since = self.find_mut(number).and_then(|feed| feed.catching_up_to.take());
        let kept = since.and_then(|since| self.kept_after(since.saturating_sub(1)));
        if let Some(kept) = kept {
            return self.send_to(number, kept.into_iter());
        }
        if let Some(feed) = self.find_mut(number) {
            feed.sender = None;
        }
        false
    }

    /// Ends every feed; their consoles come back.
    pub(super) fn end_all(&mut self) {
        self.open.iter_mut().for_each(|feed| feed.sender = None);
    }

    fn find_mut(&mut self, number: u64) -> Option<&mut OpenFeed> {
        self.open.iter_mut().find(|feed| feed.number == number)
    }
}

impl AgentActor {
    pub(super) fn open_feed(
        &mut self,
        after: Option<&str>,
        watching: bool,
        reply: Reply<Feed>,
        context: &mut Context<Self>,
    ) {
        // From now on conversations render what they tell; what they did not is shown below.
        self.shared.directory.note_heard(self.id());
        let running = self.feeds.open.iter_mut().filter(|feed| feed.sender.is_some());
        let mut running: Vec<_> = running.collect();
        if running.len() >= limits::FEEDS_MAX {
            running[0].sender = None;
        }
        let (sender, events) = mpsc::channel(limits::FEED_WAITING_MAX + MISSED_EVENTS_MAX);
        let (alive, dropped) = oneshot::channel::<()>();
        let number = self.feeds.next_feed;
        self.feeds.next_feed += 1;
        let mark = after.and_then(Mark::parse);
        let kept = mark
            .filter(|mark| mark.run == self.feeds.run && mark.number != FROM_THE_JOURNAL)
            .and_then(|mark| self.feeds.kept_after(mark.number));
        let catching_up_to = (mark.is_some() && kept.is_none()).then_some(self.feeds.next_event);
        for event in kept.iter().flatten() {
            // The channel is empty and holds more than is kept.
            drop(sender.try_send(event.clone()));
        }
        self.feeds.open.push(OpenFeed { number, sender: Some(sender), catching_up_to, watching });
        if !watching {
            // Opening is never refused.
            let _never = self.perform(AgentCommand::OpenFeed);
        }
        match mark {
            None => self.show_all(context),
            Some(mark) if catching_up_to.is_some() => {
                self.read_missed(number, mark.position, Vec::new(), context);
            }
            Some(_) => {}
        }
        context.spawn(dropped.into_actor(self).map(move |_, actor, context| {
            actor.feed_closed(number);
            actor.rearm(context);
        }));
        if reply.send(Ok(Feed { events, alive })).is_err() {
            self.feed_closed(number);
        }
    }

    /// The agent's present state, for a console that knows nothing.
    fn show_all(&mut self, context: &mut Context<Self>) {
        let told = vec![self.presence_told(), self.capacity_told()];
        self.feeds.tell(&self.shared, told);
        self.show_after(None, context);
    }

    /// Shows some of the agent's conversations, and soon the next: all of thousands at once would
    /// be more than a feed holds.
    fn show_after(&self, shown: Option<ConversationId>, context: &mut Context<Self>) {
        let after = shown.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.agent.leases().range((after, Bound::Unbounded)).map(|(id, _)| *id);
        let next: Vec<_> = rest.take(SHOWN_AT_ONCE).collect();
        for conversation in &next {
            let show = ToConversation::ShowTo(self.id().clone());
            self.shared.directory.tell(&self.shared, *conversation, show);
        }
        if let Some(last) = next.last().copied().filter(|_| next.len() == SHOWN_AT_ONCE) {
            context.run_later(SHOWN_EVERY, move |actor, context| {
                actor.show_after(Some(last), context);
            });
        }
    }

    fn feed_closed(&mut self, number: u64) {
        let closed = self.feeds.open.iter().position(|feed| feed.number == number);
        let closed = closed.map(|index| self.feeds.open.remove(index));
        if closed.is_some_and(|feed| !feed.watching) {
            // Closing is never refused.
            let _never = self.perform(AgentCommand::CloseFeed);
        }
    }

    /// Reads what a feed missed after a position; `touched` is what it was about so far.
    fn read_missed(
        &mut self,
        number: u64,
        after: Position,
        touched: Vec<ConversationId>,
        context: &mut Context<Self>,
    ) {
        let agent = self.id().clone();
        let reading = self.shared.journal.of_agent(agent, after, MISSED_EVENTS_MAX);
        let read = reading.into_actor(self).map(move |read, actor, context| {
            actor.tell_missed(number, read, touched, context);
        });
        context.spawn(read);
    }

    /// A feed is told a stretch of what it missed, and after the last everything since it came
    /// back.
    fn tell_missed(
        &mut self,
        number: u64,
        read: Result<Vec<Located>, Fault>,
        mut touched: Vec<ConversationId>,
        context: &mut Context<Self>,
    ) {
        let located = match read {
            Ok(located) => located,
            Err(fault) => {
                let agent = self.id();
                tracing::error!(
                    %agent, %fault,
                    "what a feed of agent {agent} has missed cannot be read"
                );
                if let Some(feed) = self.feeds.find_mut(number) {
                    feed.sender = None;
                }
                return;
            }
        };
        let missed = missed(self.id(), &located, self.shared.clock.now(), &mut touched);
        let run = self.feeds.run;
        let events = missed.into_iter().map(|(position, Told { event, data, .. })| {
            let id = format!("{run:x}-{FROM_THE_JOURNAL}-{}", position.0);
            FeedEvent { id: Some(Arc::from(id)), event, data }
        });
        if !self.feeds.send_to(number, events) {
            return;
        }
        if let Some(last) = located.last().filter(|_| located.len() == MISSED_EVENTS_MAX) {
            return self.read_missed(number, last.position, touched, context);
        }
        if !self.feeds.go_on(number) {
            return;
        }
        self.show_all(context);
        for conversation in touched {
            if !self.agent.leases().contains_key(&conversation) {
                let show = ToConversation::ShowTo(self.id().clone());
                self.shared.directory.tell(&self.shared, conversation, show);
            }
        }
    }
}

/// What of a stretch of the journal an agent's feed tells; which conversations it was about is
/// added to `touched`.
fn missed(
    agent: &AgentId,
    located: &[Located],
    now: Timestamp,
    touched: &mut Vec<ConversationId>,
) -> Vec<(Position, Told)> {
    let mut told = Vec::new();
    for Located { position, conversation, recorded } in located {
        if !touched.contains(conversation) {
            touched.push(*conversation);
        }
        let rendered = match &recorded.event {
            Event::MessagePosted { .. } => feed::message(*conversation, recorded),
            Event::OfferEnded { agent: offered, end, .. } if offered == agent => {
                Some(feed::offer_withdrawn(*conversation, Withdrawal::Ended(*end)))
            }
            Event::CustomerAway { since, until, cause } => {
                let absence = Absence { since: *since, until: *until, cause: *cause };
                Some(feed::away(*conversation, &absence, now))
            }
            Event::CustomerReturned { after, .. } => Some(feed::back(*conversation, Some(*after))),
            _ => None,
        };
        told.extend(rendered.map(|rendered| (*position, Told::from(rendered))));
    }
    told
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
