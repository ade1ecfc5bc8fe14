//! What a journal says when the disk does not do what it should.

use std::sync::Arc;

/// The disk does not do what it should.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// Writing failed.
    #[error("the journal cannot be written: {0}")]
    Write(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// Reading failed.
    #[error("the journal cannot be read: {0}")]
    Read(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// What was read is not what was written.
    #[error("the journal is damaged at {place}: {problem}")]
    Damaged {
        /// Where.
        place: String,
        /// What is wrong there.
        problem: String,
    },
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
}
