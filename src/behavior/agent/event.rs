//! An event of an agent's feed, as it stands in the stream.

use std::sync::Arc;

use bytestring::ByteString;

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
