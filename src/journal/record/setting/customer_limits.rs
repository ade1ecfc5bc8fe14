//! The stored form of how much a customer may do in one chat. Earlier releases did not write it. It
//! is left out where it is the default, so that what they wrote is still written the same.

use serde::{Deserialize, Serialize};

use crate::domain::settings::CustomerLimits;

#[derive(Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct CustomerLimitsForm {
    messages: u32,
    bytes: u32,
    connections: u32,
}

impl CustomerLimitsForm {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for CustomerLimitsForm {
    fn default() -> Self {
        CustomerLimits::default().into()
    }
}

impl From<CustomerLimits> for CustomerLimitsForm {
    fn from(limits: CustomerLimits) -> Self {
        let CustomerLimits { messages, bytes, connections } = limits;
        Self { messages, bytes, connections }
    }
}

impl From<CustomerLimitsForm> for CustomerLimits {
    fn from(form: CustomerLimitsForm) -> Self {
        let CustomerLimitsForm { messages, bytes, connections } = form;
        Self { messages, bytes, connections }
    }
}
