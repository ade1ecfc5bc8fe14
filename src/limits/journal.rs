//! Bounds of what is read from the disk and written to it.

/// Different texts of one kind that a reader of many snapshots remembers, so that equal ones share
/// one copy. At the bound all of them are forgotten.
pub const SHARED_TEXTS_MAX: usize = 16_384;

/// Bytes of a text that is remembered so. Longer ones are not likely to repeat.
pub const SHARED_TEXT_BYTES_MAX: usize = 128;

/// Threads that read what is needed for a start, because more would only wait for the disk.
pub const RECOVERY_READERS_MAX: usize = 8;

/// Problems of a journal that are told one by one; further ones are only counted, because one
/// broken page can break thousands of records.
pub const PROBLEMS_TOLD_MAX: usize = 100;
