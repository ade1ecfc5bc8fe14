//! Copies of a journal: made while a server runs, and made a data directory again.

mod fault;
mod secrets;
mod unfinished;

use std::path::{Path, PathBuf};
use std::{fs, io};

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use crate::domain::audit::{Act, AuditEntry, AuditKind};
use crate::domain::time::Timestamp;
use crate::journal::sqlite::copy::secrets::{keep_secrets, write_secrets};
use crate::journal::sqlite::copy::unfinished::Unfinished;
use crate::journal::sqlite::files::{self, Files};
use crate::journal::sqlite::inspection::{self, Contents, Problems};
use crate::journal::sqlite::lock::{self, Lock};
use crate::journal::sqlite::schema::{self, Kind};
use crate::journal::sqlite::{audit, directory, opening, row};
use crate::private::{self, Mended};

pub use crate::journal::sqlite::copy::fault::CopyFault;

/// What a copy holds.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The records.
    pub contents: Contents,
    /// How large the file is.
    pub bytes: u64,
    /// What was open to others in the data directory, and is not any more.
    pub mended: Vec<Mended>,
}

/// Copies the journal of a data directory, and the `secrets` beside it (names of files), into one
/// file, which is there only once it is whole, checked and synced. A server may be running.
pub fn back_up(
    dir: &Path,
    file: &Path,
    secrets: &[&str],
    is_forced: bool,
) -> Result<Copied, CopyFault> {
    let files = Files::of(dir);
    directory::refuse_other_than_files(&files)?;
    must_be_there(&files.journal)?;
    let own: Vec<_> =
        files.all().into_iter().chain(secrets.iter().map(|name| dir.join(name))).collect();
    refuse_target(file, dir, &own, is_forced)?;
    if lock::is_held(&files) {
        schema::refuse_foreign(&files.journal, Kind::Journal)?;
    } else {
        opening::refuse_damage_at_rest(&files)?;
    }
    let unfinished = Unfinished::at(files::beside(file, UNFINISHED))?;
    copy(&files.journal, unfinished.path())?;
    keep_secrets(dir, secrets, unfinished.path())?;
    // Whatever is wrong with the copy was wrong with the journal.
    let contents = verify(unfinished.path(), &files.journal, "journal.db")?;
    refuse_target(file, dir, &own, is_forced)?;
    let bytes = unfinished.finish(file)?;
    Ok(Copied { contents, bytes, mended: Vec::new() })
}

/// Makes a data directory from a copy, which is checked first. The directory must be empty, or not
/// be there. Of the secrets in the copy only those in `secrets` are written.
///
/// The audit stream is copied as it is, also where it is broken, and notes that it was restored at
/// `at`.
pub fn restore(
    file: &Path,
    dir: &Path,
    secrets: &[&str],
    at: Timestamp,
) -> Result<Copied, CopyFault> {
    must_be_there(file)?;
    refuse_company(file)?;
    let files = Files::of(dir);
    directory::refuse_other_than_files(&files)?;
    // A server holds this lock in a directory that it has only just made, too.
    let lock = files.lock.exists().then(|| Lock::take(dir, &files)).transpose()?;
    refuse_contents(dir, &files)?;
    schema::refuse_foreign(file, Kind::Journal)?;
    let shown = file.display().to_string();
    verify(file, file, &shown)?;
    directory::make(dir)?;
    let mended = directory::close_to_others(dir, &files)?;
    let _lock = match lock {
        Some(lock) => lock,
        None => Lock::take(dir, &files)?,
    };
    let unfinished = Unfinished::at(files.unfinished())?;
    copy_rows(file, unfinished.path(), at)?;
    write_secrets(file, dir, secrets)?;
    let contents = verify(unfinished.path(), file, &shown)?;
    let bytes = unfinished.finish(&files.journal)?;
    Ok(Copied { contents, bytes, mended })
}

/// What the name of a backup ends with until it is whole. No file of a user has such a name.
const UNFINISHED: &str = ".holdline-partial";

/// Refuses a target that is not a file, that belongs to a data directory, whether this one or a
/// neighbour, or, unless it may be replaced, that is there at all.
fn refuse_target(file: &Path, dir: &Path, own: &[PathBuf], forced: bool) -> Result<(), CopyFault> {
    let failed = |source| CopyFault::File { path: file.to_owned(), source };
    let there = private::look(file).map_err(failed)?;
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let is_here = match (fs::metadata(parent), fs::metadata(dir)) {
        (Ok(parent), Ok(dir)) => private::is_same(&parent, &dir),
        _ => false,
    };
    let neighbour = Files::of(parent);
    let is_in_directory = is_here || (neighbour.lock.exists() && neighbour.journal.exists());
    let is_taken = |path: &PathBuf| {
        let is_named_so = is_in_directory && path.file_name() == file.file_name();
        let is_it = match (&there, fs::symlink_metadata(path)) {
            (Some(there), Ok(own)) => private::is_same(there, &own),
            _ => false,
        };
        is_named_so || is_it
    };
    if own.iter().any(is_taken) {
        return Err(CopyFault::InDirectory(file.to_owned()));
    }
    if there.is_some() && !forced {
        return Err(CopyFault::Exists(file.to_owned()));
    }
    Ok(())
}

/// Refuses a file if something that SQLite would read with it is not a file.
fn refuse_company(file: &Path) -> Result<(), CopyFault> {
    let real = file.canonicalize();
    let real = real.map_err(|source| CopyFault::File { path: file.to_owned(), source })?;
    for suffix in files::SUFFIXES {
        let path = files::beside(&real, suffix);
        if let Err(source) = private::look(&path) {
            return Err(CopyFault::File { path, source });
        }
    }
    Ok(())
}

fn refuse_contents(dir: &Path, files: &Files) -> Result<(), CopyFault> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|source| CopyFault::File { path: dir.to_owned(), source })?,
    };
    for entry in entries {
        let entry = entry.map_err(|source| CopyFault::File { path: dir.to_owned(), source })?;
        let path = entry.path();
        // A killed restore leaves these.
        let is_left_over = path == files.lock || path == files.unfinished();
        if !is_left_over {
            return Err(CopyFault::NotEmpty(dir.to_owned()));
        }
    }
    Ok(())
}

/// Copies a database as it is at this moment into an empty file.
fn copy(from: &Path, to: &Path) -> Result<(), CopyFault> {
    let copy = || {
        let connection = schema::open_for_reading(from)?;
        let to = to.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(to.to_owned()))?;
        connection.execute("VACUUM INTO ?", [to]).map(drop)
    };
    copy().map_err(|source| CopyFault::Database { file: from.to_owned(), source })
}

/// Copies the rows of a journal into a new one. Nothing of the schema in the file is taken over,
/// whatever it is.
fn copy_rows(from: &Path, to: &Path, at: Timestamp) -> Result<(), CopyFault> {
    let copy = || {
        let source = schema::open_for_reading(from)?;
        let made = schema::fill_journal(to)?;
        let transaction = made.unchecked_transaction()?;
        let mut insert = transaction.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)")?;
        let sql = format!("SELECT {} FROM events ORDER BY position", row::columns(&source)?);
        let mut statement = source.prepare(&sql)?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            let values = (0..7).map(|column| row.get::<_, Value>(column));
            insert.execute(params_from_iter(values.collect::<rusqlite::Result<Vec<_>>>()?))?;
        }
        drop(insert);
        audit::copy(&source, &transaction)?;
        let mut tail = audit::tail(&transaction)?;
        let act = Act::new(AuditKind::Restored, None);
        audit::insert(&transaction, &mut tail, AuditEntry { at, times: 1, act })?;
        transaction.commit()
    };
    copy().map_err(|source| CopyFault::Database { file: from.to_owned(), source })
}

fn must_be_there(file: &Path) -> Result<(), CopyFault> {
    match private::look_behind(file) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(CopyFault::Absent(file.to_owned())),
        Err(source) => Err(CopyFault::File { path: file.to_owned(), source }),
    }
}

/// Reads all of a copy; `shown` and `name` are what messages call it.
fn verify(file: &Path, shown: &Path, name: &str) -> Result<Contents, CopyFault> {
    let failed = |source| CopyFault::Database { file: shown.to_owned(), source };
    let connection = schema::open_for_reading(file).map_err(failed)?;
    let mut problems = Problems::default();
    inspection::version(&connection, name, &mut problems);
    inspection::schema(&connection, name, Kind::Journal, &mut problems);
    inspection::structure(&connection, name, &mut problems);
    let contents = inspection::journal(&connection, name, &mut problems);
    match problems.told.into_iter().next() {
        None => Ok(contents),
        Some(first) => {
            Err(CopyFault::Damaged { file: shown.to_owned(), first, count: problems.count })
        }
    }
}
