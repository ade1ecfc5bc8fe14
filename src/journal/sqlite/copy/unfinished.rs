//! A copy that is being made.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::journal::sqlite::copy::fault::CopyFault;
use crate::journal::sqlite::files;
use crate::private;

/// A file that is removed again unless it is finished.
pub(super) struct Unfinished {
    path: PathBuf,
    /// It is locked, so that no other copying process takes it for what a killed one has left.
    file: File,
}

impl Unfinished {
    /// Makes the file, in place of what an earlier one has left when it was killed.
    pub(super) fn at(path: PathBuf) -> Result<Self, CopyFault> {
        let make = || {
            if private::look(&path)?.is_some() {
                lock(&private::open(&path, File::options().read(true))?)?;
                remove(&path);
            }
            // Made here, so that nobody else can ever read it.
            let mut options = File::options();
            let file = options.write(true).create_new(true).mode(0o600).open(&path)?;
            lock(&file)?;
            Ok(file)
        };
        match make() {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(CopyFault::File { path, source }),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name once it is on the disk, and returns how large it is.
    pub(super) fn finish(self, name: &Path) -> Result<u64, CopyFault> {
        let finish = || {
            self.file.set_permissions(Permissions::from_mode(0o600))?;
            self.file.sync_all()?;
            fs::rename(&self.path, name)?;
            let dir = name.parent().filter(|dir| !dir.as_os_str().is_empty());
            File::open(dir.unwrap_or(Path::new(".")))?.sync_all()?;
            Ok(self.file.metadata()?.len())
        };
        finish().map_err(|source| CopyFault::File { path: name.to_owned(), source })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => io::Error::other("another copy is being made there"),
        TryLockError::Error(error) => error,
    })
}

fn remove(path: &Path) {
    for suffix in files::SUFFIXES {
        // What is not there needs no removing; what cannot be removed is told by what follows.
        drop(fs::remove_file(files::beside(path, suffix)));
    }
}
