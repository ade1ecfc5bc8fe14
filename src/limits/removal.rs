//! The bounds of what leaves the journal for good: by retention, and when it is erased.

use crate::limits::RETENTION_CONVERSATIONS_MAX;

/// Milliseconds after the last chat was taken out until the files are scoured for what is left of
/// it, so that steps that follow each other are followed by one pass.
pub const SCOUR_AFTER_MS: u64 = 1_000;

/// Milliseconds for which steps that go on and on put a pass off. What they take out after its
/// start is scoured by the next pass.
pub const SCOUR_PUT_OFF_MS_MAX: u64 = 10_000;

/// Pages (of 8 KiB) that are looked at between two pauses, and written over in one transaction,
/// because appends wait for that.
pub const SCOUR_PAGES_AT_ONCE: u32 = 256;

/// Milliseconds of such a pause, so that a pass has the disk for the smaller part of the time; with
/// the pages before, a pass takes about two minutes for each 10 GB.
pub const SCOUR_PAUSE_MS: u64 = 5;

/// Milliseconds between two tries to begin a log anew that a reader still uses.
pub const SCOUR_AGAIN_MS: u64 = 100;

/// Milliseconds after which it is reported that a long read keeps deleted data in a log.
pub const SCOUR_TOLD_AFTER_MS: u64 = 30_000;

/// Milliseconds for which a pass goes on when the server stops, because the stop waits for it. The
/// rest is left to the next start.
pub const SCOUR_STOP_MS_MAX: u64 = 5_000;

/// How often an erasure is tried again when so much was written meanwhile that the writer cannot
/// look through it. Then the request fails, and is asked again.
pub const ERASING_TRIES_MAX: u32 = 10;

/// Conversations of a visitor that are erased in one step, because each is looked up in two files.
pub const ERASED_AT_ONCE: usize = RETENTION_CONVERSATIONS_MAX;

/// Open conversations of a visitor that a message names, because it is for people. A visitor has at
/// most one for each widget, and those in wrap-up.
pub const OPEN_NAMED_MAX: usize = 32;

/// Conversations of a visitor that are looked up at once to be given out.
pub const EXPORTED_AT_ONCE: usize = 256;

/// Workstreams of which a start tells what becomes of their chats, because it is one line. The rest
/// is counted.
pub const RETENTIONS_TOLD_MAX: usize = 100;

/// Milliseconds between two passes over all pages for what the retention has taken out, because the
/// retention works all day, and each pass reads everything. Erased data does not wait for this.
pub const SCOUR_EVERY_MS: u64 = 3_600_000;
