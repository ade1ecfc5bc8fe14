//! What a run has found: as figures, as JSON, as a page to read.

pub mod figures;
