//! What leaves the journal for good, by retention or by erasure, and what is given out of it whole.

use futures_util::future::BoxFuture;

use crate::domain::conversation::event::{Audience, Recorded};
use crate::domain::id::{ConversationId, Seq, WorkstreamId};
use crate::domain::settings::Retention;
use crate::domain::time::Timestamp;
use crate::journal::fault::Fault;
use crate::journal::record::Record;

/// Takes closed conversations out of the log, and of all that is projected from it.
pub trait Removal {
    /// Takes one small step of the retention: archives or deletes some of the conversations whose
    /// time is over by these rules at `now`. Nothing else waits for it longer than for an append.
    fn retain(
        &self,
        rules: Vec<RetentionRule>,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<Retained, Fault>>;

    /// Takes a few closed conversations out for good, of the archive as well. While one of them is
    /// not closed nothing is done. Reads from then on find none of them.
    fn erase(
        &self,
        conversations: Vec<ConversationId>,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<Erasure, Fault>>;

    /// Whether the files may still hold something of what was taken out. It is overwritten within a
    /// while that depends on how large the files are.
    fn has_traces(&self) -> bool {
        false
    }
}

/// What becomes of the closed conversations of a workstream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RetentionRule {
    /// Which conversations: those that began in this workstream.
    pub workstream: WorkstreamId,
    /// What becomes of them, and when.
    pub retention: Retention,
}

/// What one step of the retention has done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Retained {
    /// How many conversations were archived.
    pub archived: u64,
    /// How many were deleted.
    pub deleted: u64,
    /// Whether there may be more to do.
    pub is_more: bool,
}

/// What has become of conversations that were to be erased.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Erasure {
    /// Those that were there, and are gone.
    pub erased: Vec<ConversationId>,
    /// Those that are not closed. While there is any, nothing is gone.
    pub open: Vec<ConversationId>,
}

/// Which of a visitor's conversations are meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Which {
    /// Those that are not closed.
    Open,
    /// All that are in the journal.
    InJournal,
    /// Those that are archived.
    Archived,
}

/// An event of a conversation, as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeptEvent {
    /// Its place.
    pub seq: Seq,
    /// When it happened.
    pub at: Timestamp,
    /// What it is, in the words of the domain: `message_posted`.
    pub kind: &'static str,
    /// Whether the customer may see it.
    pub is_seen_by_customer: bool,
    /// The rest of it, a JSON object.
    pub body: String,
}

impl From<&Recorded> for KeptEvent {
    fn from(recorded: &Recorded) -> Self {
        let Record { kind, body } = Record::of_event(&recorded.event);
        Self {
            seq: recorded.seq,
            at: recorded.at,
            kind,
            is_seen_by_customer: recorded.event.is_seen_by(Audience::Customer),
            body,
        }
    }
}
