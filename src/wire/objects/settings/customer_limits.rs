//! How much a customer may do in one chat, as an administrator writes it.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::settings::CustomerLimits;
use crate::wire::document::{self, Document, FieldError};

/// How much a customer may do in one chat, over its whole life. Beyond it they are refused with
/// `conversation_full`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[schema(as = CustomerLimits)]
pub struct CustomerLimitsDocument {
    /// Messages: 10 to 18,000.
    #[schema(default = 10_000, minimum = 10, maximum = 18_000)]
    pub messages: u32,
    /// Bytes of all their messages together, as UTF-8: 24,000 to 1,073,741,824.
    #[schema(default = 4_194_304, minimum = 24_000, maximum = 1_073_741_824)]
    pub bytes: u32,
    /// How often they may connect, over all of their pages: 10 to 1,000,000.
    #[schema(default = 5_000, minimum = 10, maximum = 1_000_000)]
    pub connections: u32,
}

impl From<CustomerLimits> for CustomerLimitsDocument {
    fn from(limits: CustomerLimits) -> Self {
        let CustomerLimits { messages, bytes, connections } = limits;
        Self { messages, bytes, connections }
    }
}

/// Reads it; what is absent gets its default.
pub(super) fn read(value: &Value) -> Result<CustomerLimits, Vec<FieldError>> {
    let mut document = Document::within("customer_limits", value)?;
    let defaults = CustomerLimits::default();
    let mut whole = |field, default| document.optional(field, document::whole).unwrap_or(default);
    let limits = CustomerLimits {
        messages: whole("messages", defaults.messages),
        bytes: whole("bytes", defaults.bytes),
        connections: whole("connections", defaults.connections),
    };
    document.finish()?;
    Ok(limits)
}
