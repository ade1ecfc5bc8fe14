//! How much a customer may do in one chat, so that one chat cannot fill the disk.

use crate::domain::settings::violation::{Violation, outside};
use crate::limits;

/// How much a customer may do in one chat, over its whole life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CustomerLimits {
    /// Messages: 10 to 18,000. The rest of the entries that a chat may have is left to agents.
    pub messages: u32,
    /// Bytes of all their messages together, as UTF-8: 24,000 to 1,073,741,824.
    pub bytes: u32,
    /// How often they may connect, over all of their pages: 10 to 1,000,000.
    pub connections: u32,
}

impl Default for CustomerLimits {
    fn default() -> Self {
        Self { messages: 10_000, bytes: 4_194_304, connections: 5_000 }
    }
}

impl CustomerLimits {
    pub(super) fn violations(&self) -> impl Iterator<Item = Violation> {
        let messages = u64::from(limits::CUSTOMER_MESSAGES_MAX);
        let one_message = limits::TEXT_BYTES_MAX as u64;
        let fields = [
            ("customer_limits.messages", self.messages, 10, messages, ""),
            ("customer_limits.bytes", self.bytes, one_message, 1 << 30, " bytes"),
            ("customer_limits.connections", self.connections, 10, 1_000_000, ""),
        ];
        fields.into_iter().filter_map(|(field, value, least, most, unit)| {
            outside(field, u64::from(value), least, most, unit)
        })
    }
}
