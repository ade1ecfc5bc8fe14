//! The bounds of what leaves the journal for good: by retention, and when it is erased.

/// Milliseconds after the last chat was taken out until the files are scoured for what is left of
/// it, so that steps that follow each other are followed by one pass.
pub const SCOUR_AFTER_MS: u64 = 1_000;

/// Milliseconds for which steps that go on and on put a pass off: what is taken out meanwhile is
/// scoured by the next.
pub const SCOUR_PUT_OFF_MS_MAX: u64 = 10_000;

/// Pages (of 8 KiB) that are looked at between two pauses, and written over in one transaction,
/// because appends wait for that.
pub const SCOUR_PAGES_AT_ONCE: u32 = 256;

/// Milliseconds of such a pause, so that a pass has the disk for the smaller part of the time; with
/// the pages before, a pass takes about a minute for each 10 GB.
pub const SCOUR_PAUSE_MS: u64 = 5;

/// Milliseconds after which it is tried again to begin a log anew that somebody still reads.
pub const SCOUR_AGAIN_MS: u64 = 100;

/// Milliseconds after which it is told that somebody's long read keeps what was deleted in a log.
pub const SCOUR_TOLD_AFTER_MS: u64 = 30_000;

/// Milliseconds for which a pass goes on when the server stops, because whoever stops it waits. The
/// rest is left to the next start.
pub const SCOUR_STOP_MS_MAX: u64 = 5_000;
