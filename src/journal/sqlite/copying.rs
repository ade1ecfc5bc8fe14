//! Copies of a journal: made while a server runs, and made a data directory again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::journal::sqlite::inspection::{self, Contents, Problem, Problems};
use crate::journal::sqlite::opening::{self, OpenFault, make_dir, take_lock};
use crate::journal::sqlite::schema::{self, Files};

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

/// What a copy holds.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The records.
    pub contents: Contents,
    /// How large the file is.
    pub bytes: u64,
}

/// What a copy keeps beside the journal: the small files with the secrets.
const KEPT: &str =
    "CREATE TABLE secrets (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT, WITHOUT ROWID";

/// Copies the journal of a data directory, and the `secrets` beside it (names of files), into one
/// file, which is there only once it is whole, checked and synced. A server may be running.
pub fn back_up(
    dir: &Path,
    file: &Path,
    secrets: &[&str],
    is_forced: bool,
) -> Result<Copied, CopyFault> {
    let files = Files::of(dir);
    must_be_there(&files.journal)?;
    if file.exists() && !is_forced {
        return Err(CopyFault::Exists(file.to_owned()));
    }
    if opening::is_in_use(&files) {
        schema::refuse_foreign(&files.journal, schema::JOURNAL_VERSION)?;
    } else {
        opening::refuse_damage_at_rest(&files)?;
    }
    let unfinished = Unfinished::beside(file)?;
    copy(&files.journal, &unfinished.0)?;
    keep_secrets(dir, secrets, &unfinished.0)?;
    // What is wrong with the copy was wrong with the journal.
    let contents = verify(&unfinished.0, &files.journal, "journal.db")?;
    if file.exists() && !is_forced {
        return Err(CopyFault::Exists(file.to_owned()));
    }
    let bytes = unfinished.finish(file)?;
    Ok(Copied { contents, bytes })
}

/// Makes a data directory of a copy, which is checked first. The directory must be empty, or not
/// be there. Of the secrets that the copy keeps only those in `secrets` are written.
pub fn restore(file: &Path, dir: &Path, secrets: &[&str]) -> Result<Copied, CopyFault> {
    must_be_there(file)?;
    let files = Files::of(dir);
    // A server holds this lock in a directory that it has only just made, too.
    let lock = files.lock.exists().then(|| take_lock(dir, &files)).transpose()?;
    refuse_contents(dir, &files)?;
    schema::refuse_foreign(file, schema::JOURNAL_VERSION)?;
    let shown = file.display().to_string();
    verify(file, file, &shown)?;
    make_dir(dir)?;
    let _lock = match lock {
        Some(lock) => lock,
        None => take_lock(dir, &files)?,
    };
    let unfinished = Unfinished::beside(&files.journal)?;
    copy(file, &unfinished.0)?;
    write_secrets(&unfinished.0, dir, secrets)?;
    let contents = verify(&unfinished.0, file, &shown)?;
    let bytes = unfinished.finish(&files.journal)?;
    Ok(Copied { contents, bytes })
}

/// A file that is removed again unless it is finished.
struct Unfinished(PathBuf);

impl Unfinished {
    fn beside(file: &Path) -> Result<Self, CopyFault> {
        let mut name = file.as_os_str().to_owned();
        name.push(".partial");
        let unfinished = Self(PathBuf::from(name));
        // What an earlier one has left when it was killed.
        unfinished.remove();
        // Made here, so that nobody else can ever read it.
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished.0);
        made.map_err(|source| CopyFault::File { path: unfinished.0.clone(), source })?;
        Ok(unfinished)
    }

    /// Gives it its name once it is on the disk, and says how large it is.
    fn finish(self, name: &Path) -> Result<u64, CopyFault> {
        let finish = || {
            let file = File::open(&self.0)?;
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
            file.sync_all()?;
            fs::rename(&self.0, name)?;
            let dir = name.parent().filter(|dir| !dir.as_os_str().is_empty());
            File::open(dir.unwrap_or(Path::new(".")))?.sync_all()?;
            Ok(file.metadata()?.len())
        };
        finish().map_err(|source| CopyFault::File { path: name.to_owned(), source })
    }

    fn remove(&self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut name = self.0.as_os_str().to_owned();
            name.push(suffix);
            // What is not there needs no removing; what cannot be removed is told by what follows.
            drop(fs::remove_file(name));
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.remove();
    }
}

fn refuse_contents(dir: &Path, files: &Files) -> Result<(), CopyFault> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|source| CopyFault::File { path: dir.to_owned(), source })?,
    };
    for entry in entries {
        let entry = entry.map_err(|source| CopyFault::File { path: dir.to_owned(), source })?;
        let path = entry.path();
        // What a restoring that was killed leaves.
        let is_left_over = path == files.lock || path == dir.join("journal.db.partial");
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

fn keep_secrets(dir: &Path, secrets: &[&str], copy: &Path) -> Result<(), CopyFault> {
    let failed = |source| CopyFault::Database { file: copy.to_owned(), source };
    let connection = open_copy(copy).map_err(failed)?;
    // A copy of a copy has the table already.
    connection.execute_batch("DROP TABLE IF EXISTS secrets").map_err(failed)?;
    connection.execute_batch(KEPT).map_err(failed)?;
    for name in secrets {
        let path = dir.join(name);
        let content = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            content => content.map_err(|source| CopyFault::File { path, source })?,
        };
        let sql = "INSERT INTO secrets (name, content) VALUES (?, ?)";
        connection.execute(sql, (name, content)).map_err(failed)?;
    }
    Ok(())
}

/// Writes the secrets that a copy keeps into a directory, and removes them from the copy.
fn write_secrets(copy: &Path, dir: &Path, secrets: &[&str]) -> Result<(), CopyFault> {
    let failed = |source| CopyFault::Database { file: copy.to_owned(), source };
    let connection = open_copy(copy).map_err(failed)?;
    let exists = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'secrets')";
    let exists: bool = connection.query_row(exists, (), |row| row.get(0)).map_err(failed)?;
    if !exists {
        // It is a journal that somebody has copied in another way.
        return Ok(());
    }
    for name in secrets {
        let sql = "SELECT content FROM secrets WHERE name = ?";
        let content: Option<Vec<u8>> =
            connection.query_row(sql, [name], |row| row.get(0)).optional().map_err(failed)?;
        let Some(content) = content else { continue };
        let path = dir.join(name);
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(&content)?;
            file.sync_all()
        };
        write().map_err(|source| CopyFault::File { path: path.clone(), source })?;
    }
    connection.execute_batch("DROP TABLE secrets").map_err(failed)
}

fn open_copy(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    Ok(connection)
}

fn must_be_there(file: &Path) -> Result<(), CopyFault> {
    match fs::metadata(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(CopyFault::Absent(file.to_owned()))
        }
        Err(source) => Err(CopyFault::File { path: file.to_owned(), source }),
    }
}

/// Reads all of a copy; `shown` and `name` are what it is called in what is told.
fn verify(file: &Path, shown: &Path, name: &str) -> Result<Contents, CopyFault> {
    let failed = |source| CopyFault::Database { file: shown.to_owned(), source };
    let connection = schema::open_for_reading(file).map_err(failed)?;
    let mut problems = Problems::default();
    inspection::version(&connection, name, &mut problems);
    inspection::structure(&connection, name, &mut problems);
    let contents = inspection::journal(&connection, name, &mut problems);
    match problems.told.into_iter().next() {
        None => Ok(contents),
        Some(first) => {
            Err(CopyFault::Damaged { file: shown.to_owned(), first, count: problems.count })
        }
    }
}
