//! A value that is kept for a chat as long as it waits for its first agent. The caller counts by
//! it, and the engine need not know the caller.

use std::any::Any;
use std::fmt;

/// Something that is dropped when a chat waits no more.
pub struct Keepsake(#[expect(dead_code, reason = "it is dropped")] Box<dyn Any + Send + Sync>);

impl Keepsake {
    /// Keeps this value, whatever it is.
    pub fn new(kept: impl Any + Send + Sync) -> Self {
        Self(Box::new(kept))
    }
}

impl fmt::Debug for Keepsake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keepsake(..)")
    }
}
