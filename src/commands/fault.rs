//! Why a command did not do what it was asked: what goes wrong in any of them, and what each
//! refuses.

use std::io;
use std::path::PathBuf;

use crate::config::ConfigFault;
use crate::domain::id::{ConversationId, WorkstreamId};
use crate::domain::time::Timestamp;
use crate::journal::Fault;
use crate::journal::sqlite::check::CheckFault;
use crate::journal::sqlite::copy::CopyFault;
use crate::journal::store::OpenFault;
use crate::wire::time::rfc3339;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandFault {
    /// The configuration does not say where the data is.
    #[error(transparent)]
    Config(#[from] ConfigFault),
    /// A copy could not be made, or is not good.
    #[error(transparent)]
    Copy(#[from] CopyFault),
    /// Nothing can be checked.
    #[error(transparent)]
    Check(#[from] CheckFault),
    /// The data directory cannot be read.
    #[error(transparent)]
    Open(#[from] OpenFault),
    /// What is stored cannot be read.
    #[error(transparent)]
    Read(#[from] Fault),
    /// A conversation cannot be explained.
    #[error(transparent)]
    Unexplained(#[from] Unexplained),
    /// Nothing was erased.
    #[error(transparent)]
    NotErased(#[from] NotErased),
    /// Nothing is kept that could be given out.
    #[error(transparent)]
    NothingKept(#[from] NothingKept),
    /// Another window cannot be rehearsed.
    #[error(transparent)]
    NotRehearsed(#[from] NotRehearsed),
    /// Something is wrong; each problem has been told.
    #[error("not all is well in {}; problems: {count}", dir.display())]
    Problems {
        /// How many.
        count: u64,
        /// Where.
        dir: PathBuf,
    },
    /// What was found could not be told.
    #[error("the standard output cannot be written: {0}")]
    Output(#[source] io::Error),
}

/// Why nothing can be told of a conversation.
#[derive(Debug, thiserror::Error)]
pub enum Unexplained {
    /// It is not there.
    #[error("there is no conversation {0} in this data directory")]
    Unknown(ConversationId),
    /// The time is not one.
    #[error("--at {given}: {problem}")]
    Time {
        /// What was given.
        given: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It had not begun.
    #[error("conversation {id} began later, at {}", rfc3339(*began))]
    NotBegun {
        /// Which.
        id: ConversationId,
        /// When it began.
        began: Timestamp,
    },
}

/// Why nothing was erased.
#[derive(Debug, thiserror::Error)]
pub enum NotErased {
    /// It is not there.
    #[error("there is no conversation {0} in this data directory")]
    Unknown(ConversationId),
    /// Some are not closed; at most the first few are named.
    #[error(
        "nothing was erased, because these are not closed: {}; close them at a running server",
        .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    Open(Vec<ConversationId>),
}

/// Nothing is kept.
#[derive(Debug, thiserror::Error)]
#[error("there is no conversation {0} in this data directory")]
pub struct NothingKept(pub(super) ConversationId);

/// Why nothing can be rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum NotRehearsed {
    /// A flag has no good value.
    #[error("{flag} {given}: {problem}")]
    Flag {
        /// Which flag.
        flag: &'static str,
        /// What was given.
        given: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no such workstream, and no chat of it.
    #[error("there is no workstream {0} in this data directory, and there are no chats of it")]
    Unknown(WorkstreamId),
}
