//! What is known of damage: which errors mean it, whose it is, and the note that lets the next
//! start make a damaged `chats.db` anew.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{ErrorCode, ffi};

use crate::journal::Fault;
use crate::journal::sqlite::files::Files;
use crate::private;

/// Notes damage of `chats.db`.
#[derive(Debug)]
pub(super) struct Damage {
    note: PathBuf,
    is_noted: AtomicBool,
}

impl Damage {
    pub(super) fn new(files: &Files) -> Self {
        Self { note: files.damaged.clone(), is_noted: AtomicBool::new(false) }
    }

    /// Notes damage if this fault means that `chats.db` is damaged.
    pub(super) fn note(&self, fault: &Fault) {
        if !is_of_chats(fault) || self.is_noted.swap(true, Ordering::Relaxed) {
            return;
        }
        match self.write(&fault.to_string()) {
            Ok(()) => tracing::error!(
                %fault,
                "chats.db is damaged; the next start will make it anew from journal.db"
            ),
            Err(error) => tracing::error!(
                %fault, %error,
                "chats.db is damaged; remove it while the server is stopped"
            ),
        }
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        private::open(&self.note, &mut options)?.write_all(text.as_bytes())
    }
}

/// Whether this fault, found while `chats.db` was read or written, means that it is damaged. What
/// is wrong with `journal.db` is always told with its place.
pub(super) fn is_of_chats(fault: &Fault) -> bool {
    match fault {
        Fault::Damaged { place, .. } => place.starts_with("chats.db"),
        Fault::Read(error) => error.downcast_ref().is_some_and(is_corruption),
        Fault::Write(_) | Fault::Closed => false,
    }
}

/// Whether SQLite says that a file is not what it wrote: its pages, or the type of a value.
pub(super) fn is_corruption(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::QueryReturnedNoRows => true,
        other => matches!(
            other.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ),
    }
}

/// Whether SQLite reports that the disk is full. Where it cannot enlarge the index of its log it
/// calls that an I/O error.
pub(super) fn is_want_of_room(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(ffi::Error { code, extended_code }, _) = error else {
        return false;
    };
    *code == ErrorCode::DiskFull || *extended_code == ffi::SQLITE_IOERR_SHMSIZE
}

/// Whether writing may work again without a new start. A failed sync never passes, because nobody
/// knows what the disk holds after it.
pub(super) fn may_pass(error: &rusqlite::Error) -> bool {
    if is_want_of_room(error) {
        return true;
    }
    match error.sqlite_error_code() {
        None => true,
        Some(code) => !matches!(
            code,
            ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
        ),
    }
}
