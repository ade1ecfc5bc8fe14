//! The files of a data directory, and how they are called.

use std::path::{Path, PathBuf};

/// Where the files of a data directory are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) journal: PathBuf,
    pub(super) chats: PathBuf,
    pub(super) archive: PathBuf,
    pub(super) lock: PathBuf,
    /// The number of the history. It is in no backup, so a restored directory begins another.
    pub(super) history: PathBuf,
    /// It is there when `chats.db` was found to be damaged.
    pub(super) damaged: PathBuf,
    /// It is there while what was taken out may still be in the files.
    pub(super) unclean: PathBuf,
}

/// The suffixes of a database, and of what SQLite makes beside it.
pub(super) const SUFFIXES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// The name of a file that stands beside another.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

impl Files {
    pub(super) fn of(dir: &Path) -> Self {
        Self {
            journal: dir.join("journal.db"),
            chats: dir.join("chats.db"),
            archive: dir.join("archive.db"),
            lock: dir.join("lock"),
            history: dir.join("history"),
            damaged: dir.join("chats.db.damaged"),
            unclean: dir.join("unclean"),
        }
    }

    /// The write-ahead log of `chats.db`.
    pub(super) fn chats_log(&self) -> PathBuf {
        beside(&self.chats, "-wal")
    }

    /// Where a restored journal stands until it is whole.
    pub(super) fn unfinished(&self) -> PathBuf {
        beside(&self.journal, ".partial")
    }

    /// All of them, with what SQLite makes beside the databases.
    pub(super) fn all(&self) -> Vec<PathBuf> {
        let databases = [&self.journal, &self.chats, &self.archive];
        let mut all = vec![self.lock.clone(), self.history.clone(), self.damaged.clone()];
        all.extend([self.unclean.clone(), self.unfinished()]);
        for suffix in SUFFIXES {
            all.extend(databases.map(|database| beside(database, suffix)));
        }
        all
    }
}
