//! The files of a data directory that keep the secrets: read as they were written, and replaced as
//! a whole.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::access::fault::{AccessFault, at};
use crate::private;

/// Reads one of the files, after closing it to other users.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, AccessFault> {
    let read = || {
        private::look(path)?;
        if let Some(mended) = private::mend(path)? {
            tracing::warn!("{mended}");
        }
        private::read(path)
    };
    read().map_err(|source| at(path, source))
}

/// Reads a file that [`keep`] has written, and removes what a crash has left of an unfinished one.
pub(super) fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, AccessFault> {
    private::forget_unfinished(path).map_err(|source| at(path, source))?;
    let Some(bytes) = read(path)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        // Without the parser's message: it quotes what it found, which may be a token.
        let (line, column) = (error.line(), error.column());
        let problem = format!("line {line}, column {column}: it is not as it was written");
        AccessFault::Damaged { path: path.to_owned(), problem }
    })
}

/// Writes one of the files. After a crash it is either as it was before, or as it was to be.
pub(super) fn keep(path: &Path, kept: &impl Serialize) -> Result<(), AccessFault> {
    let json = serde_json::to_vec_pretty(kept).map_err(|error| at(path, error.into()))?;
    private::replace(path, &json).map_err(|source| at(path, source))
}
