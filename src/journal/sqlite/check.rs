//! Reads a whole data directory and tells everything that is wrong with it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::journal::snapshot::Names;
use crate::journal::sqlite::audit::{self, AuditContents};
use crate::journal::sqlite::files::Files;
use crate::journal::sqlite::inspection::{self, Contents, Problems};
use crate::journal::sqlite::row::{self, Row};
use crate::journal::sqlite::schema::{self, Kind};
use crate::journal::sqlite::{lock, log, reader};
use crate::private;

/// What was found in a data directory.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What `journal.db` holds.
    pub journal: Contents,
    /// What the audit stream in `journal.db` holds.
    pub audit: AuditContents,
    /// What `archive.db` holds, where there is one.
    pub archive: Option<Contents>,
    /// Whether a server was using the directory. Then what is only whole at rest was not checked.
    pub is_in_use: bool,
    /// What is wrong.
    pub problems: Problems,
}

/// Why nothing can be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckFault {
    /// There is no journal.
    #[error("{} is not there: nothing can be checked", .0.display())]
    Absent(PathBuf),
    /// A file cannot be read at all.
    #[error("{} cannot be read: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Reads everything, and changes nothing. A server may be running, and does not wait.
pub fn check(dir: &Path) -> Result<Checked, CheckFault> {
    let files = Files::of(dir);
    for path in files.all() {
        if let Err(source) = private::look(&path) {
            return Err(CheckFault::File { path, source });
        }
    }
    match File::open(&files.journal) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(CheckFault::Absent(files.journal));
        }
        Err(source) => return Err(CheckFault::File { path: files.journal, source }),
        Ok(_) => {}
    }
    let is_in_use = lock::is_held(&files);
    let mut problems = Problems::default();
    if !is_in_use {
        // SQLite would drop what follows a broken frame, so it must not be asked first.
        check_log(&files.journal, "journal.db-wal", &mut problems);
        check_log(&files.chats, "chats.db-wal", &mut problems);
    }
    let mut journal = Contents::default();
    let mut noted = AuditContents::default();
    open(&files.journal, "journal.db", &mut problems, |connection, problems| {
        inspection::version(connection, "journal.db", problems);
        inspection::schema(connection, "journal.db", Kind::Journal, problems);
        inspection::structure(connection, "journal.db", problems);
        journal = inspection::journal(connection, "journal.db", problems);
        noted = audit::check(connection, "journal.db", problems);
    });
    if files.chats.is_file() {
        open(&files.chats, "chats.db", &mut problems, |connection, problems| {
            inspection::structure(connection, "chats.db", problems);
            check_chats(connection, &journal, is_in_use, problems);
        });
    }
    let mut archive = None;
    if files.archive.is_file() {
        open(&files.archive, "archive.db", &mut problems, |connection, problems| {
            inspection::structure(connection, "archive.db", problems);
            match schema::version(connection) {
                // The process that made it was killed before it had made the table.
                Ok(0) => {}
                Ok(1..=schema::ARCHIVE_VERSION) => {
                    inspection::schema(connection, "archive.db", Kind::Archive, problems);
                    archive = Some(inspection::archive(connection, "archive.db", problems));
                }
                Ok(found) => {
                    let known = schema::ARCHIVE_VERSION;
                    problems.add("archive.db", newer(found, known));
                }
                Err(error) => problems.add("archive.db", error.to_string()),
            }
        });
    }
    Ok(Checked { journal, audit: noted, archive, is_in_use, problems })
}

/// Opens a database and reads it as it is at one moment.
fn open(
    file: &Path,
    name: &str,
    problems: &mut Problems,
    read: impl FnOnce(&Connection, &mut Problems),
) {
    let opened = schema::open_for_reading(file).and_then(|connection| {
        connection.execute_batch("BEGIN")?;
        Ok(connection)
    });
    match opened {
        Ok(connection) => read(&connection, problems),
        Err(error) => problems.add(name, error.to_string()),
    }
}

fn check_log(database: &Path, name: &str, problems: &mut Problems) {
    match log::look_at(database) {
        Ok(None) => {}
        Ok(Some(broken)) => {
            let problem = "it is damaged, and the events behind that place would be lost";
            problems.add(format!("{name}, byte {}", broken.offset), problem);
        }
        Err(error) => problems.add(name, error.to_string()),
    }
}

fn check_chats(chats: &Connection, journal: &Contents, is_in_use: bool, problems: &mut Problems) {
    match schema::version(chats) {
        // An older one is made anew at the next start.
        Ok(schema::CHATS_VERSION) => {
            inspection::schema(chats, "chats.db", Kind::Chats, problems);
        }
        Ok(0..schema::CHATS_VERSION) => return,
        Ok(found) => {
            return problems.add("chats.db", newer(found, schema::CHATS_VERSION));
        }
        Err(error) => return problems.add("chats.db", error.to_string()),
    }
    match schema::projected(chats) {
        // A file in use has gone on since the journal was read. And nobody can tell how far an
        // unreadable last row reached.
        Ok(position) if !is_in_use && !journal.is_head_unknown && position > journal.head.0 => {
            let problem =
                format!("it ends at position {}, but ended at {position} once", journal.head.0);
            problems.add("journal.db", problem);
        }
        Ok(_) => {}
        Err(error) => problems.add("chats.db, projection", error.to_string()),
    }
    if let Err(error) = check_timeline(chats, problems) {
        problems.add("chats.db, timeline", error.to_string());
    }
    if let Err(error) = check_snapshots(chats, problems) {
        problems.add("chats.db, conversations", error.to_string());
    }
}

fn newer(found: i64, known: i64) -> String {
    format!("its version is {found}; this release knows up to {known}")
}

fn check_timeline(chats: &Connection, problems: &mut Problems) -> rusqlite::Result<()> {
    let sql = "SELECT position, conversation, seq, at, kind, body, checksum FROM timeline";
    let mut statement = chats.prepare(sql)?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let row = Row::of(row)?;
        if !row.is_whole() {
            let place =
                format!("chats.db, the timeline of conversation {} at {}", row.stream, row.seq);
            problems.add(place, row::MISMATCH);
        }
    }
    Ok(())
}

fn check_snapshots(chats: &Connection, problems: &mut Problems) -> rusqlite::Result<()> {
    let mut statement = chats.prepare("SELECT snapshot, seq, id FROM conversations")?;
    let mut rows = statement.query(())?;
    let mut names = Names::default();
    while let Some(row) = rows.next()? {
        if let Err(fault) = reader::conversation(chats, row, &mut names) {
            problems.add("chats.db, conversations", fault.to_string());
        }
    }
    Ok(())
}
