//! What the console of a feed calls it when it beats: `run-number`.

use std::sync::Arc;

use crate::domain::agent::FeedNumber;

/// What a feed of this run of the server is called.
pub fn of_feed(run: u64, number: FeedNumber) -> Arc<str> {
    Arc::from(format!("{run:x}-{number}"))
}

/// The number of the feed that is called so, if it is one of this run.
pub(super) fn feed_called(run: u64, name: &str) -> Option<FeedNumber> {
    let (of, number) = name.split_once('-')?;
    (u64::from_str_radix(of, 16) == Ok(run)).then(|| number.parse().ok()).flatten()
}
