//! How far the journal is: what is durable, what can be read, and whether either has stopped.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::journal::Fault;
use crate::journal::pressure::{BusyUntil, Pressure};
use crate::limits;

/// Shared by the writer, the projector, the readers and the callers.
#[derive(Debug)]
pub(super) struct Progress {
    state: Mutex<State>,
    /// Signalled when there is something to project.
    durable_moved: Condvar,
    /// Signalled when there is more to read, or a reason not to wait for it.
    projected_moved: Condvar,
    head: AtomicU64,
    /// On a cache line of its own: every append changes it, and every decision reads the others.
    waiting: CachePadded<AtomicUsize>,
    writable: AtomicBool,
    /// Until when the journal counts as busy after the last large group.
    busy_until: BusyUntil,
}

#[derive(Debug)]
struct State {
    durable: u64,
    projected: u64,
    /// Why the projection stands still.
    fault: Option<Fault>,
    /// Nothing more will become durable.
    finished: bool,
    /// How many callers wait for the projection.
    readers: usize,
    /// For how many more looks the projection leaves the disk to appends.
    patience: u32,
    /// Events that were projected since some patience was last regained for them.
    worked: u64,
}

impl Progress {
    pub(super) fn new(durable: u64, projected: u64) -> Self {
        Self {
            state: Mutex::new(State {
                durable,
                projected,
                fault: None,
                finished: false,
                readers: 0,
                patience: limits::STAND_BACK_LOOKS_MAX,
                worked: 0,
            }),
            durable_moved: Condvar::new(),
            projected_moved: Condvar::new(),
            head: AtomicU64::new(durable),
            waiting: CachePadded::new(AtomicUsize::new(0)),
            writable: AtomicBool::new(true),
            busy_until: BusyUntil::default(),
        }
    }

    pub(super) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// How many durable positions are not projected.
    pub(super) fn lag(&self) -> u64 {
        let state = self.lock();
        state.durable.saturating_sub(state.projected)
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How hard appends press on the disk.
    pub(super) fn pressure(&self) -> Pressure {
        self.busy_until.pressure(self.waiting())
    }

    /// Whether work that can wait may go on.
    pub(super) fn is_calm(&self) -> bool {
        self.pressure() == Pressure::Calm
    }

    pub(super) fn took(&self, appends: usize) {
        self.waiting.fetch_add(appends, Ordering::Relaxed);
    }

    pub(super) fn answered(&self, appends: usize) {
        self.waiting.fetch_sub(appends, Ordering::Relaxed);
        self.busy_until.note_group(appends);
    }

    pub(super) fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Relaxed)
    }

    pub(super) fn set_writable(&self, writable: bool) {
        if self.writable.swap(writable, Ordering::Relaxed) != writable {
            if writable {
                tracing::warn!(writable, "the journal can be written again");
            } else {
                tracing::warn!(writable, "the journal cannot be written: nothing new is decided");
            }
        }
    }

    /// The journal is durable up to here.
    pub(super) fn set_durable(&self, position: u64) {
        self.lock().durable = position;
        self.head.store(position, Ordering::Release);
        self.durable_moved.notify_one();
    }

    /// Nothing more will become durable.
    pub(super) fn finish(&self) {
        self.lock().finished = true;
        self.durable_moved.notify_all();
    }

    /// What is projected can be read up to here.
    pub(super) fn set_projected(&self, position: u64) {
        let mut state = self.lock();
        state.regain_patience(position);
        state.projected = position;
        state.fault = None;
        drop(state);
        self.projected_moved.notify_all();
    }

    /// The projection stands still for this reason.
    pub(super) fn set_fault(&self, fault: Fault) {
        self.lock().fault = Some(fault);
        self.projected_moved.notify_all();
    }

    /// Waits until there is more to project, and returns whether there ever will be.
    pub(super) fn wait_for_more(&self) -> bool {
        let mut state = self.lock();
        while state.durable == state.projected && !state.finished {
            state = self.durable_moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.durable > state.projected
    }

    /// Waits until it is calm; but not while a caller waits to read, and not for long without
    /// having projected much since.
    pub(super) fn stand_back(&self) {
        let look = Duration::from_millis(limits::STAND_BACK_MS);
        let mut state = self.lock();
        while !self.is_calm() && state.may_wait() {
            state.patience -= 1;
            let waited = self.durable_moved.wait_timeout_while(state, look, |now| now.may_wait());
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for a while, or until nothing more will become durable; returns whether that is so.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let state = self.lock();
        let finished = |state: &mut State| !state.finished;
        let waited = self.durable_moved.wait_timeout_while(state, pause, finished);
        waited.unwrap_or_else(PoisonError::into_inner).0.finished
    }

    /// Waits until everything up to this position can be read.
    pub(super) fn wait_for(&self, position: u64) -> Result<(), Fault> {
        let mut state = self.lock();
        if state.projected >= position {
            return Ok(());
        }
        state.readers += 1;
        // The projection may be standing back.
        self.durable_moved.notify_all();
        while state.projected < position && state.fault.is_none() {
            state = self.projected_moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.readers -= 1;
        match &state.fault {
            Some(fault) if state.projected < position => Err(fault.clone()),
            Some(_) | None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the projection may wait.
    fn may_wait(&self) -> bool {
        self.readers == 0 && !self.finished && self.patience > 0
    }

    /// Notes that the projection comes this far. One that has caught up has all its patience again;
    /// one that still works regains it bit by bit.
    fn regain_patience(&mut self, position: u64) {
        self.worked += position.saturating_sub(self.projected);
        let looks = self.worked / limits::STAND_BACK_EVENTS_FOR_LOOK;
        self.worked %= limits::STAND_BACK_EVENTS_FOR_LOOK;
        let looks = u32::try_from(looks).unwrap_or(u32::MAX);
        let regained = self.patience.saturating_add(looks).min(limits::STAND_BACK_LOOKS_MAX);
        let has_caught_up = self.durable == position;
        self.patience = if has_caught_up { limits::STAND_BACK_LOOKS_MAX } else { regained };
    }
}
