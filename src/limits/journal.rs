//! Bounds of what is read from the disk and written to it.

/// Different texts of one kind that whoever reads many snapshots remembers, so that equal ones
/// share one copy. Then all of them are forgotten.
pub const SHARED_TEXTS_MAX: usize = 16_384;

/// Bytes of a text that is remembered so. Longer ones are not likely to repeat.
pub const SHARED_TEXT_BYTES_MAX: usize = 128;
