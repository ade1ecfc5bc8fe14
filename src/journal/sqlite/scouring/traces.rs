//! What is known of traces: whether the files may still hold something of what was taken out.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::journal::sqlite::files::Files;
use crate::private;

/// Shared by those that take something out, and the thread that scours the files after them.
#[derive(Debug)]
pub(in crate::journal::sqlite) struct Traces {
    /// The note in the directory that there may be some.
    note: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    are_left: bool,
    /// Whether somebody has asked for what was taken out to be gone.
    is_urgent: bool,
    /// How often something was taken out.
    times: u64,
    /// Tells the thread that something was taken out; nothing once the thread is to stop.
    wake: Option<Sender<()>>,
}

impl Traces {
    /// What the note of this directory says.
    pub(super) fn of(files: &Files, wake: Sender<()>) -> io::Result<Self> {
        let are_left = private::look(&files.unclean)?.is_some();
        let state = Mutex::new(State { are_left, is_urgent: false, times: 0, wake: Some(wake) });
        Ok(Self { note: files.unclean.clone(), state })
    }

    /// Notes that something is about to be taken out, because somebody asks for that or because its
    /// time is over. The note is made first, so it outlives a crash afterwards.
    pub(in crate::journal::sqlite) fn leave(&self, is_urgent: bool) -> io::Result<()> {
        let mut state = self.lock();
        if !state.are_left {
            let mut options = File::options();
            options.write(true).create(true).truncate(false);
            private::open(&self.note, &mut options)?.sync_all()?;
            self.note.parent().map_or(Ok(()), private::sync_directory)?;
        }
        state.are_left = true;
        state.is_urgent |= is_urgent;
        state.times += 1;
        if let Some(wake) = &state.wake {
            // A thread that is gone leaves the note to the next start.
            let _nobody_listens = wake.send(());
        }
        Ok(())
    }

    /// Whether there may be any.
    pub(in crate::journal::sqlite) fn are_left(&self) -> bool {
        self.lock().are_left
    }

    /// Whether somebody waits for them to be gone.
    pub(super) fn are_urgent(&self) -> bool {
        self.lock().is_urgent
    }

    /// How often something was taken out.
    pub(super) fn times(&self) -> u64 {
        self.lock().times
    }

    /// Notes that all files were scoured after something was taken out this many times.
    pub(super) fn scoured(&self, times: u64) -> io::Result<()> {
        let mut state = self.lock();
        if state.times == times {
            remove(&self.note)?;
            (state.are_left, state.is_urgent) = (false, false);
        }
        Ok(())
    }

    /// The thread is to stop.
    pub(super) fn stop(&self) {
        self.lock().wake = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remove(note: &Path) -> io::Result<()> {
    match std::fs::remove_file(note) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
