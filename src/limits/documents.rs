//! Bounds of what is read of a document.

/// Names that a document gives twice and that its sender is told of, because it may have very many.
pub const NAMES_TWICE_TOLD_MAX: usize = 16;

/// The longest time that is read, in seconds, because every setting's own limit is far below it,
/// and it can be counted in milliseconds.
pub const SECONDS_READ_MAX: f64 = 1e9;
