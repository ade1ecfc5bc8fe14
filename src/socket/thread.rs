//! What the sockets of one thread share. Nearly always a socket deals with what comes at once, and
//! writes what is said at once, so one buffer for each serves them all.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use bytes::BytesMut;

use crate::engine::Alarms;
use crate::limits;

/// A thread, as its sockets have it.
pub(super) struct Thread {
    /// When sockets want to be woken.
    pub(super) alarms: Alarms,
    /// The buffer that sockets read into.
    pub(super) read: RefCell<Box<[u8]>>,
    /// The buffer into which a session says what is written next.
    spare: Cell<BytesMut>,
}

impl fmt::Debug for Thread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Thread").field("alarms", &self.alarms).finish_non_exhaustive()
    }
}

impl Thread {
    /// A thread without sockets.
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            alarms: Alarms::default(),
            read: RefCell::new(vec![0; limits::READ_BYTES_MAX].into()),
            spare: Cell::default(),
        })
    }

    /// Takes an empty buffer.
    pub(super) fn take_spare(&self) -> BytesMut {
        self.spare.take()
    }

    /// Takes back a buffer that is no longer needed.
    pub(super) fn give_back(&self, mut buffer: BytesMut) {
        if buffer.capacity() <= limits::SPARE_BYTES_KEPT {
            buffer.clear();
            self.spare.set(buffer);
        }
    }
}
