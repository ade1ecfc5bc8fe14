//! Bounds of what actors do and keep.

/// Requests that may run at once. More are refused as overloaded, because each waits for an actor
/// or for the disk in memory.
pub const REQUESTS_MAX: usize = 20_000;

/// Conversations that are asked together before any more are, so that what is asked takes little
/// memory however many there are.
pub const ASKED_AT_ONCE: usize = 10_000;
