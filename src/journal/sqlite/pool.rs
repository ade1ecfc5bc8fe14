//! The threads that read a database, each with a connection of its own.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::journal::sqlite::schema;
use crate::journal::sqlite::thread::spawn;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The threads that read. Copies share them.
#[derive(Clone)]
pub(super) struct Pool {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    /// Nothing once it is closed.
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// As many threads as this, which read this database.
    pub(super) fn open(file: &Path, readers: usize) -> rusqlite::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let mut threads = Vec::with_capacity(readers);
        for _ in 0..readers {
            let connection = schema::open_for_reading(file)?;
            let queue = Arc::clone(&queue);
            threads.push(spawn("journal-reader", move || run(&connection, &queue)));
        }
        let shared = Shared { jobs: Some(jobs), threads };
        Ok(Self { shared: Arc::new(Mutex::new(shared)) })
    }

    /// Runs this on one of the threads; never, once the pool is closed.
    pub(super) fn run(&self, job: impl FnOnce(&Connection) + Send + 'static) {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jobs) = &shared.jobs {
            drop(jobs.send(Box::new(job)));
        }
    }

    /// Finishes what was asked for, and stops.
    pub(super) fn close(&self) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.jobs = None;
        let threads = std::mem::take(&mut shared.threads);
        drop(shared);
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread that reads the journal had panicked");
            }
        }
    }
}

fn run(connection: &Connection, queue: &Mutex<Receiver<Job>>) {
    loop {
        // Held while this thread waits: the others wait for the lock instead, which is the same.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(connection),
            Err(mpsc::RecvError) => return,
        }
    }
}
