//! How many connections a thread speaks HTTP on.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

/// The connections that HTTP is spoken on.
#[derive(Default)]
pub(super) struct UnderWay {
    count: Cell<usize>,
    changed: Notify,
}

impl UnderWay {
    pub(super) fn enter(this: &Rc<Self>) -> Entry {
        this.count.set(this.count.get() + 1);
        Entry(Rc::clone(this))
    }

    pub(super) fn count(&self) -> usize {
        self.count.get()
    }

    pub(super) async fn done(&self) {
        while self.count.get() > 0 {
            self.changed.notified().await;
        }
    }
}

/// One such connection, for as long as it lives.
pub(super) struct Entry(Rc<UnderWay>);

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.count.set(self.0.count.get() - 1);
        self.0.changed.notify_one();
    }
}
