//! What conversations of a thread give to the journal: at once, or, while very many appends wait
//! for the disk, what was decided in one turn together. One parcel takes less from the heap than
//! hundreds of appends, and the one writer of the journal has less to do for it.
//!
//! The order of what one conversation appends is kept, because all of it passes by here.

use std::cell::RefCell;
use std::sync::Arc;

use crate::engine::rush;
use crate::engine::shared::Shared;
use crate::journal::Append;

/// How many are gathered at most: what they tell must still be in a near cache when it is written
/// out, and the disk should have something to do meanwhile.
const GATHERED_MAX: usize = 128;

thread_local! {
    static GATHERED: RefCell<Gathered> = RefCell::default();
}

/// Appends that have not been given to the journal.
#[derive(Default)]
struct Gathered {
    /// Whose they are: engines may share a thread.
    of: Option<Arc<Shared>>,
    appends: Vec<Append>,
}

/// Gives an append to the journal, at the end of this turn at the latest.
pub(super) fn append(shared: &Arc<Shared>, append: Append) {
    if !rush::is_on() && GATHERED.with_borrow(|gathered| gathered.of.is_none()) {
        return shared.journal.append(append);
    }
    if GATHERED.with_borrow(|gathered| gathered.is_anothers(shared)) {
        send();
    }
    let (is_first, is_full) = GATHERED.with_borrow_mut(|gathered| {
        let is_first = gathered.of.is_none();
        if is_first {
            gathered.of = Some(shared.clone());
            gathered.appends.reserve_exact(GATHERED_MAX);
        }
        gathered.appends.push(append);
        (is_first, gathered.appends.len() == GATHERED_MAX)
    });
    if is_full {
        send();
    } else if is_first {
        // Behind everybody who has been woken by now.
        actix::spawn(async { send() });
    }
}

/// Gives what was gathered to the journal.
pub(super) fn send() {
    let Gathered { of, appends } = GATHERED.take();
    if let Some(shared) = of {
        shared.journal.append_all(appends);
    }
}

impl Gathered {
    fn is_anothers(&self, shared: &Arc<Shared>) -> bool {
        self.of.as_ref().is_some_and(|of| !Arc::ptr_eq(of, shared))
    }
}
