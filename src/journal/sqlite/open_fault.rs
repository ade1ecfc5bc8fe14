//! Why a journal cannot be opened.

use std::io;
use std::path::{Path, PathBuf};

use crate::journal::sqlite::damage;
use crate::journal::sqlite::files::Files;
use crate::journal::{Fault, Position};

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The directory, or a file in it, cannot be made, read or removed.
    #[error("{} cannot be used: {source}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another server has it open.
    #[error("another server is using the data directory {}", .0.display())]
    InUse(PathBuf),
    /// A newer release has written it.
    #[error(
        "{} was written by a newer release (version {found}; this one knows {known})",
        file.display()
    )]
    FromTheFuture {
        /// Which file.
        file: PathBuf,
        /// The version it has.
        found: i64,
        /// The newest version that this release knows.
        known: i64,
    },
    /// The database cannot be opened.
    #[error("{} cannot be opened: {source}", file.display())]
    Database {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// There is no room.
    #[error("{} cannot be opened: the disk is full", .0.display())]
    Full(PathBuf),
    /// The database is not what was written.
    #[error(
        "{} is damaged ({source}); `holdline check` tells where, and `holdline restore` makes a \
         new data directory from a backup",
        file.display()
    )]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        source: rusqlite::Error,
    },
    /// The write-ahead log is not what was written.
    #[error(
        "{} is damaged from byte {offset} on, and the events behind that would be lost; restore a \
         backup with `holdline restore`, or remove the file to go on without them",
        file.display()
    )]
    BrokenLog {
        /// Which file.
        file: PathBuf,
        /// Where the damage begins.
        offset: u64,
    },
    /// It is a database of something else.
    #[error("{} is a database, but not of Holdline", .0.display())]
    Foreign(PathBuf),
    /// Something stands in the schema that Holdline has not made there.
    #[error(
        "{} was changed by somebody else: {first}. It could change or delete what is written, so \
         nothing is done with it; `holdline check` tells everything that is so. Undo that change, \
         or make a new data directory of a backup with `holdline restore`",
        file.display()
    )]
    Changed {
        /// Which file.
        file: PathBuf,
        /// The first thing that is not as it should be.
        first: String,
    },
    /// The journal is shorter than it was.
    #[error(
        "{} ends at position {}, but {} has followed it to {}: events have been lost; restore a \
         backup with `holdline restore`, or remove chats.db and its -wal to go on without them",
        journal.display(), head.0, chats.display(), projected.0
    )]
    Lost {
        /// `journal.db`.
        journal: PathBuf,
        /// `chats.db`.
        chats: PathBuf,
        /// Where the journal ends.
        head: Position,
        /// Where it ended once.
        projected: Position,
    },
    /// What is stored cannot be read.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl OpenFault {
    pub(super) fn at(file: &Path, source: rusqlite::Error) -> Self {
        let file = file.to_owned();
        if damage::is_corruption(&source) {
            Self::Damaged { file, source }
        } else if damage::is_want_of_room(&source) {
            Self::Full(file)
        } else {
            Self::Database { file, source }
        }
    }

    /// Whether `chats.db` is to blame, so that making it anew mends it.
    pub(super) fn is_of_chats(&self, files: &Files) -> bool {
        match self {
            Self::Damaged { file, .. }
            | Self::BrokenLog { file, .. }
            | Self::Changed { file, .. }
            | Self::Foreign(file) => file.starts_with(&files.chats) || file == &files.chats_log(),
            Self::Fault(fault) => damage::is_of_chats(fault),
            Self::Directory { .. }
            | Self::InUse(_)
            | Self::FromTheFuture { .. }
            | Self::Full(_)
            | Self::Database { .. }
            | Self::Lost { .. } => false,
        }
    }
}
