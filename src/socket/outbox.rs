//! The [`Outbox`], which counts what is on its way to a socket.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;

use crate::limits;

/// A widget reads more slowly than the server sends; its socket is being closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the widget reads too slowly")]
pub struct Slow;

/// What is on its way to one socket and not yet written to it, in frames and bytes. The sender
/// counts them, and the socket takes them back. Past [`limits::OUTBOX_FRAMES_MAX`] or
/// [`limits::OUTBOX_BYTES_MAX`] the socket is closed.
#[derive(Debug, Default)]
pub struct Outbox {
    frames: AtomicUsize,
    bytes: AtomicUsize,
    is_over: AtomicBool,
    pump: AtomicWaker,
}

impl Outbox {
    /// Sets aside room for one frame, from any thread, before its text is sent to the session.
    ///
    /// If there is no room, the text must not be sent: the socket is being closed.
    pub fn reserve(&self, bytes: usize) -> Result<(), Slow> {
        let is_within = self.take(1, bytes);
        if !is_within {
            self.pump.wake();
        }
        if is_within { Ok(()) } else { Err(Slow) }
    }

    /// Counts what was said without a reservation, whether or not there is room.
    pub(super) fn add(&self, frames: u32, bytes: u32) {
        self.take(frames as usize, bytes as usize);
    }

    fn take(&self, frames: usize, bytes: usize) -> bool {
        let frames = self.frames.fetch_add(frames, Ordering::Relaxed) + frames;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let is_within = frames <= limits::OUTBOX_FRAMES_MAX && bytes <= limits::OUTBOX_BYTES_MAX;
        if !is_within {
            self.is_over.store(true, Ordering::Release);
        }
        is_within
    }

    /// Frames on their way.
    pub fn frames(&self) -> usize {
        self.frames.load(Ordering::Relaxed)
    }

    /// Bytes on their way.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    pub(super) fn register(&self, waker: &Waker) {
        self.pump.register(waker);
    }

    pub(super) fn release(&self, frames: u32, bytes: u32) {
        // Every frame was reserved before it was written, so neither goes below zero.
        self.frames.fetch_sub(frames as usize, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes as usize, Ordering::Relaxed);
    }
}
