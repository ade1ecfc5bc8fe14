//! An open feed between the agent's actor, which puts events in, and the console's connection,
//! which takes them out. What waits in it is bounded, for each feed and for all together.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

pub use crate::behavior::agent::FeedEvent;

use crate::domain::time::Span;
use crate::limits;

/// The bytes that an event takes beside its data.
const BYTES_OF_ANY: usize = 128;

/// An open feed. Dropping it closes it. It ends when the console reads too slowly or hangs, when
/// more feeds of the agent are opened than may be, or when the server stops.
#[derive(Debug)]
pub struct Feed {
    /// The name that its console gives when it beats.
    pub id: Arc<str>,
    /// How often its console is to beat, if it beats at all.
    pub heartbeat: Span,
    line: Arc<Line>,
    /// Dropped with the feed, which is how the agent learns of it.
    #[expect(dead_code, reason = "its only use is to be dropped")]
    alive: oneshot::Sender<()>,
}

/// The end into which a feed's events are put. Dropping it ends the feed once what waits is taken.
#[derive(Debug)]
pub(super) struct FeedSender(Arc<Line>);

/// Why a feed cannot be told anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NotTold {
    /// Too much waits already.
    Full,
    /// The console takes nothing any more.
    Closed,
}

/// What the two ends share.
#[derive(Debug)]
struct Line {
    waiting: Mutex<Waiting>,
    /// Something was put in, or nothing will be.
    news: Notify,
    /// Something was taken out, or nothing will be.
    room: Notify,
    /// Bytes that wait in all feeds.
    bytes_of_all: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<FeedEvent>,
    bytes: usize,
    /// Nothing more comes.
    is_ended: bool,
    /// Nothing more is taken.
    is_closed: bool,
}

/// A feed: what resolves when its [`Feed`] is dropped, and its two ends. `bytes_of_all` counts the
/// bytes that wait in all feeds.
pub(super) fn open(
    id: Arc<str>,
    heartbeat: Span,
    bytes_of_all: Arc<AtomicUsize>,
) -> (oneshot::Receiver<()>, FeedSender, Feed) {
    let (alive, closed) = oneshot::channel();
    let line = Arc::new(Line {
        waiting: Mutex::default(),
        news: Notify::new(),
        room: Notify::new(),
        bytes_of_all,
    });
    (closed, FeedSender(Arc::clone(&line)), Feed { id, heartbeat, line, alive })
}

impl Line {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<FeedEvent> {
        let mut waiting = self.waiting();
        let event = waiting.events.pop_front()?;
        let bytes = bytes_of(&event);
        waiting.bytes -= bytes;
        drop(waiting);
        self.bytes_of_all.fetch_sub(bytes, Ordering::Relaxed);
        self.room.notify_waiters();
        Some(event)
    }

    fn forget(&self, mut waiting: MutexGuard<'_, Waiting>) {
        waiting.events = VecDeque::new();
        let bytes = std::mem::take(&mut waiting.bytes);
        drop(waiting);
        self.bytes_of_all.fetch_sub(bytes, Ordering::Relaxed);
        self.news.notify_waiters();
        self.room.notify_waiters();
    }
}

impl Feed {
    /// The next event, once there is one; nothing when the feed has ended.
    pub async fn next(&mut self) -> Option<FeedEvent> {
        loop {
            // Made before the look, so that nothing is missed in between.
            let news = self.line.news.notified();
            if let Some(event) = self.line.take() {
                return Some(event);
            }
            if self.line.waiting().is_ended {
                return None;
            }
            news.await;
        }
    }

    /// The next event, if it is here.
    pub fn next_now(&mut self) -> Option<FeedEvent> {
        self.line.take()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let mut waiting = self.line.waiting();
        waiting.is_closed = true;
        self.line.forget(waiting);
    }
}

impl FeedSender {
    /// Puts in an event that happens now. Refuses it when too much waits already. One event may
    /// exceed the bound, because some are larger than any bound should be.
    pub(super) fn tell(&self, event: FeedEvent) -> Result<(), NotTold> {
        let waiting = self.0.waiting();
        let is_crowded =
            self.0.bytes_of_all.load(Ordering::Relaxed) > limits::FEEDS_WAITING_BYTES_MAX;
        let most = if is_crowded { 0 } else { limits::FEED_WAITING_BYTES_MAX };
        if waiting.bytes > most || waiting.events.len() >= limits::FEED_WAITING_MAX {
            return Err(NotTold::Full);
        }
        self.put(waiting, event)
    }

    /// Puts in one part of what the feed is told part by part. The caller has waited for room.
    pub(super) fn tell_part(&self, event: FeedEvent) -> Result<(), NotTold> {
        self.put(self.0.waiting(), event)
    }

    fn put(&self, mut waiting: MutexGuard<'_, Waiting>, event: FeedEvent) -> Result<(), NotTold> {
        if waiting.is_closed {
            return Err(NotTold::Closed);
        }
        let bytes = bytes_of(&event);
        waiting.bytes += bytes;
        waiting.events.push_back(event);
        drop(waiting);
        self.0.bytes_of_all.fetch_add(bytes, Ordering::Relaxed);
        self.0.news.notify_waiters();
        Ok(())
    }

    /// Resolves when there is room for the next part of what the feed is told part by part, or when
    /// the feed has ended.
    pub(super) fn room(&self) -> impl Future<Output = ()> + use<> {
        let line = Arc::clone(&self.0);
        async move {
            let mut room = line.room.notified();
            while line.waiting().is_full() {
                room.await;
                // Made before the look, so that nothing is missed in between.
                room = line.room.notified();
            }
        }
    }

    /// Ends the feed and forgets what waits: nobody is there to take it.
    pub(super) fn forget(self) {
        self.0.forget(self.0.waiting());
    }
}

impl Drop for FeedSender {
    fn drop(&mut self) {
        self.0.waiting().is_ended = true;
        self.0.news.notify_waiters();
        self.0.room.notify_waiters();
    }
}

impl Waiting {
    /// Whether the next part must wait until the console has taken more, which it still can.
    fn is_full(&self) -> bool {
        let is_full =
            self.bytes > limits::FEED_PART_BYTES_MAX || self.events.len() > limits::FEED_PART_MAX;
        is_full && !self.is_closed && !self.is_ended
    }
}

fn bytes_of(event: &FeedEvent) -> usize {
    event.data.len() + BYTES_OF_ANY
}
