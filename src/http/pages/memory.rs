//! The memory for pages that are being made, or are on their way. It is bounded for all callers
//! together and for each one, so that nobody can take it all. A caller who finds no room waits for
//! a moment, and is then refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::http::identity::Identity;
use crate::http::problem::Problem;
use crate::limits;

/// The unit in which this memory is taken, in bytes.
const UNIT: usize = 1_024;

/// The room that is left in this memory.
#[derive(Clone, Debug)]
pub struct Pages(Arc<Shares>);

#[derive(Debug)]
struct Shares {
    all: Arc<Semaphore>,
    by_caller: Mutex<HashMap<Identity, Arc<Semaphore>>>,
}

/// Room for one page, given back when this is dropped.
#[derive(Debug)]
pub struct Room {
    /// One permit of the memory of all, and one of the caller's share.
    taken: [OwnedSemaphorePermit; 2],
    _share: Share,
}

/// A caller's share, which is forgotten when no page has or awaits room in it.
#[derive(Debug)]
struct Share {
    pages: Pages,
    caller: Identity,
    /// Nothing once it is dropped.
    semaphore: Option<Arc<Semaphore>>,
}

impl Default for Pages {
    fn default() -> Self {
        Self(Arc::new(Shares {
            all: Arc::new(Semaphore::new(limits::PAGES_BYTES_MAX / UNIT)),
            by_caller: Mutex::default(),
        }))
    }
}

impl Pages {
    /// Room for a caller's page, for which they may have to wait.
    pub(super) async fn room(&self, caller: Identity) -> Result<Room, Problem> {
        let share = self.share(caller);
        let taken = async {
            let own = share.semaphore.clone()?.acquire_many_owned(units()).await.ok()?;
            let all = Arc::clone(&self.0.all).acquire_many_owned(units()).await.ok()?;
            Some([all, own])
        };
        let taken = timeout(Duration::from_secs(limits::PAGE_WAIT_SECONDS_MAX), taken).await;
        match taken {
            Ok(Some(taken)) => Ok(Room { taken, _share: share }),
            // The semaphores are never closed.
            Ok(None) | Err(_) => Err(Problem::too_many_pages()),
        }
    }

    fn share(&self, caller: Identity) -> Share {
        let mut by_caller = self.0.by_caller.lock().unwrap_or_else(PoisonError::into_inner);
        let most = limits::PAGES_OF_CALLER_BYTES_MAX / UNIT;
        let semaphore = by_caller.entry(caller).or_insert_with(|| Arc::new(Semaphore::new(most)));
        Share { pages: self.clone(), caller, semaphore: Some(Arc::clone(semaphore)) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut by_caller = self.pages.0.by_caller.lock().unwrap_or_else(PoisonError::into_inner);
        self.semaphore = None;
        if by_caller.get(&self.caller).is_some_and(|known| Arc::strong_count(known) == 1) {
            by_caller.remove(&self.caller);
        }
    }
}

impl Room {
    /// Gives back what the page does not need once it is rendered.
    pub(super) fn shrink(&mut self, bytes: usize) {
        for taken in &mut self.taken {
            let spare = taken.num_permits().saturating_sub(bytes.div_ceil(UNIT));
            drop(taken.split(spare));
        }
    }
}

fn units() -> u32 {
    u32::try_from(limits::PAGE_ROOM_BYTES / UNIT).unwrap_or(u32::MAX)
}
