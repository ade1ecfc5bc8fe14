//! What a run has found: as figures, as JSON, as a page to read.

pub mod figures;
mod text;

use crate::report::figures::Comparison;

pub use text::number;

/// The page of a comparison.
pub fn page_of_comparison(_comparison: &Comparison) -> anyhow::Result<String> {
    anyhow::bail!("not yet")
}
