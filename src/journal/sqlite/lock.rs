//! The lock of a data directory: a file that its server holds, and that tells when the last one has
//! stopped well.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use crate::domain::time::Timestamp;
use crate::journal::sqlite::files::Files;
use crate::journal::sqlite::open_fault::OpenFault;
use crate::{limits, private};

/// What the lock of a directory holds once its server has stopped well. A start empties it.
const STOPPED: &[u8] = b"stopped\n";

/// A data directory that is taken, until this is dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Takes the directory for this process. One that is in use is refused after a moment, because
    /// a command may only just be [looking](is_held) at it.
    #[expect(clippy::disallowed_methods, reason = "nothing runs yet that this could hold up")]
    pub(super) fn take(dir: &Path, files: &Files) -> Result<Self, OpenFault> {
        let unusable = |source| OpenFault::Directory { path: files.lock.clone(), source };
        // It is not emptied: a start that fails here leaves all as it was.
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = private::open(&files.lock, &mut options).map_err(unusable)?;
        let mut looks = limits::LOCK_LOOKS_MAX;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if looks > 0 => looks -= 1,
                Err(TryLockError::WouldBlock) => return Err(OpenFault::InUse(dir.to_owned())),
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
            }
            thread::sleep(Duration::from_millis(limits::LOCK_LOOK_MS));
        }
        let lock = Self(file);
        // A start empties this file, so it must be ours, under whatever name. A server that was
        // killed while it noted its stop may have left half of the note.
        let mut noted = [0; STOPPED.len() + 1];
        let length = lock.0.read_at(&mut noted, 0).map_err(unusable)?;
        if !STOPPED.starts_with(&noted[..length]) {
            let problem = "it holds something that no server has written there";
            return Err(unusable(io::Error::other(problem)));
        }
        Ok(lock)
    }

    /// Forgets that a server has stopped here.
    pub(super) fn note_start(&self) -> io::Result<()> {
        self.0.set_len(0)
    }

    /// Notes that the server has stopped well, and thereby when.
    pub(super) fn note_stop(&self) -> io::Result<()> {
        (&self.0).write_all(STOPPED)
    }
}

impl Drop for Lock {
    /// A process that this one is starting also has the file open until it runs its program, so
    /// closing the file alone would release the directory later.
    fn drop(&mut self) {
        drop(self.0.unlock());
    }
}

/// Whether a server is using the directory.
pub(super) fn is_held(files: &Files) -> bool {
    // A lock that cannot even be opened tells of no server.
    let Ok(file) = private::open(&files.lock, File::options().read(true)) else { return false };
    // Shared, so that two commands that look do not take each other for a server.
    let is_held = file.try_lock_shared().is_err();
    drop(file.unlock());
    is_held
}

/// When the last server has stopped well; nothing when it has crashed, or still runs.
pub(super) fn stopped_at(files: &Files) -> Option<Timestamp> {
    let is_noted = private::read(&files.lock).is_ok_and(|noted| noted.as_deref() == Some(STOPPED));
    let modified = files.lock.metadata().and_then(|metadata| metadata.modified()).ok()?;
    let since_epoch = modified.duration_since(UNIX_EPOCH).ok()?;
    let millis = i64::try_from(since_epoch.as_millis()).ok()?;
    is_noted.then_some(Timestamp::from_millis(millis))
}
