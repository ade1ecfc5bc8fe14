//! An event of an agent's feed as it stands in the stream, its id, and the name by which a console
//! calls its feed when it beats: `run-number`.
//!
//! The ids are `history-run-number-position`.
//!
//! A position of another history means nothing here. Within one run of the server the number finds
//! the place among the events that are still kept. After a restart, or when too much has come
//! since, everything after the position is read from the journal. The position is never too late:
//! an event can be repeated, and none can be lost. An event from the journal has the number zero
//! and its own position, so that a feed that is lost in the middle goes on there. As long as a feed
//! has not been shown the whole present state, its ids say so; a console that comes back with such
//! an id is shown the state again.

use std::sync::Arc;

use bytestring::ByteString;

use crate::domain::agent::FeedNumber;
use crate::domain::id::History;
use crate::domain::position::Position;
use crate::wire::feed::FeedKind;

/// One event of an agent's feed: `kind`, `data` and `id` as they stand in the stream.
#[derive(Clone, Debug)]
pub struct FeedEvent {
    /// The id to resume after; nothing for what is only passing.
    pub id: Option<Arc<str>>,
    /// What it is.
    pub kind: FeedKind,
    /// Its JSON.
    pub data: ByteString,
}

/// The number of every event from the journal: those have no number of this run.
pub(super) const FROM_THE_JOURNAL: u64 = 0;

/// Ends an id after which the present state must be shown again.
const SHOW_AGAIN: &str = "s";

/// Where a console says that it stopped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Mark {
    pub(super) run: u64,
    pub(super) number: u64,
    pub(super) position: Position,
    pub(super) show_again: bool,
}

impl Mark {
    /// The mark that a console gives, if it is one of this history: a position of another history
    /// means nothing here.
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

    /// The id for this mark.
    pub(super) fn id(self, history: History) -> Arc<str> {
        let Self { run, number, position: Position(position), show_again } = self;
        let (separator, again) = if show_again { ("-", SHOW_AGAIN) } else { ("", "") };
        Arc::from(format!("{history}-{run:x}-{number}-{position}{separator}{again}"))
    }
}

/// The same id, marked so that the present state must be shown again.
pub(super) fn shown_again(id: &str) -> Arc<str> {
    Arc::from(format!("{id}-{SHOW_AGAIN}"))
}

/// The name of a feed of this run of the server.
pub fn name_of_feed(run: u64, number: FeedNumber) -> Arc<str> {
    Arc::from(format!("{run:x}-{number}"))
}

/// The number of the feed of this name, if it is one of this run.
pub(super) fn feed_called(run: u64, name: &str) -> Option<FeedNumber> {
    let (of, number) = name.split_once('-')?;
    (u64::from_str_radix(of, 16) == Ok(run)).then(|| number.parse().ok()).flatten()
}
