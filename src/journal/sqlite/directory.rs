//! The data directory itself: it is this user's alone, every name in it that is ours is a file, and
//! it knows which history goes on in it.

use std::io;
use std::path::Path;

use crate::domain::id::History;
use crate::journal::sqlite::files::Files;
use crate::journal::sqlite::open_fault::OpenFault;
use crate::private::{self, Mended};

/// Makes the data directory if it is not there.
pub(super) fn make(dir: &Path) -> Result<(), OpenFault> {
    // What customers write is closed to all other users of this machine.
    let made = private::make_directory(dir);
    made.map_err(|source| OpenFault::Directory { path: dir.to_owned(), source })
}

/// Refuses a directory in which something with one of our names is not a file: a link would lead to
/// somebody else's file, and a pipe would be waited for.
pub(super) fn refuse_other_than_files(files: &Files) -> Result<(), OpenFault> {
    for path in files.all() {
        if let Err(source) = private::look(&path) {
            return Err(OpenFault::Directory { path, source });
        }
    }
    Ok(())
}

/// Closes the directory and its files to others, and returns those that were open to them.
pub(super) fn close_to_others(dir: &Path, files: &Files) -> Result<Vec<Mended>, OpenFault> {
    let in_directory = |source| OpenFault::Directory { path: dir.to_owned(), source };
    private::refuse_shared(dir).map_err(in_directory)?;
    let mut mended = Vec::new();
    for path in [dir.to_owned()].into_iter().chain(files.all()) {
        match private::mend(&path) {
            Ok(found) => mended.extend(found),
            Err(source) => return Err(OpenFault::Directory { path, source }),
        }
    }
    Ok(mended)
}

/// The history that goes on in this directory. A directory that has none, because it is new or was
/// restored from a backup, begins one.
pub(super) fn history(files: &Files) -> Result<History, OpenFault> {
    let unusable = |source| OpenFault::Directory { path: files.history.clone(), source };
    let kept = private::read(&files.history).map_err(unusable)?;
    let kept =
        kept.and_then(|kept| u32::from_str_radix(String::from_utf8_lossy(&kept).trim(), 16).ok());
    if let Some(number) = kept {
        return Ok(History::new(number));
    }
    let number = getrandom::u32().map_err(|error| unusable(io::Error::other(error.to_string())))?;
    let history = History::new(number);
    private::replace(&files.history, format!("{history}\n").as_bytes()).map_err(unusable)?;
    Ok(history)
}
