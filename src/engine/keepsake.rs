//! What is kept for a chat as long as it waits for its first agent: what somebody counts, whom the
//! engine need not know.

use std::any::Any;
use std::fmt;

/// Something that is dropped when a chat waits no more.
pub struct Keepsake(#[expect(dead_code, reason = "it is dropped")] Box<dyn Any + Send + Sync>);

impl Keepsake {
    /// This, whatever it is.
    pub fn new(kept: impl Any + Send + Sync) -> Self {
        Self(Box::new(kept))
    }
}

impl fmt::Debug for Keepsake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keepsake(..)")
    }
}
