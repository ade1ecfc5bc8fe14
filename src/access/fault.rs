//! Why the secrets could not be read or made.

use std::io;
use std::path::{Path, PathBuf};

/// Why the secrets could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum AccessFault {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// A file holds something else than was written to it.
    #[error("{path}: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The client that would ask the issuer for its keys could not be made.
    #[error("nothing here can ask the issuer for its keys: {0}")]
    Client(String),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(String),
}

/// What went wrong with a file.
pub(super) fn at(path: &Path, source: io::Error) -> AccessFault {
    AccessFault::File { path: path.to_owned(), source }
}
