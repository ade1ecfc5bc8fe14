//! Why a copy could not be made.

use std::io;
use std::path::PathBuf;

use crate::journal::sqlite::inspection::Problem;
use crate::journal::sqlite::open_fault::OpenFault;

/// Why a copy could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CopyFault {
    /// A file cannot be made, read or removed.
    #[error("{} cannot be used: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is nothing to copy.
    #[error("{} is not there: nothing can be copied", .0.display())]
    Absent(PathBuf),
    /// The copy would replace a file.
    #[error("{} is there already; --force replaces it", .0.display())]
    Exists(PathBuf),
    /// The copy would take the place of something that is no copy.
    #[error(
        "{} is a file of a data directory, which a copy never takes the place of; name another",
        .0.display()
    )]
    InDirectory(PathBuf),
    /// The data directory holds something.
    #[error("the data directory {} is not empty, and nothing is ever overwritten", .0.display())]
    NotEmpty(PathBuf),
    /// A database said no.
    #[error("{} cannot be copied: {source}", file.display())]
    Database {
        /// Which file was worked on.
        file: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// What was copied is not good.
    #[error("{} is damaged: {first}; problems in all: {count}", file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// The first problem.
        first: Problem,
        /// How many there are.
        count: u64,
    },
    /// The data directory cannot be taken.
    #[error(transparent)]
    Open(#[from] OpenFault),
}
