//! The stored form of what becomes of chats long after they were closed.

use serde::{Deserialize, Serialize};

use crate::domain::settings::{Disposal, Retention};

#[derive(Deserialize, Serialize)]
pub(super) struct RetentionForm {
    after_days: u32,
    then: DisposalName,
}

/// The name of a disposal wherever it is stored.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::journal::record) enum DisposalName {
    Archive,
    Delete,
}

impl From<Disposal> for DisposalName {
    fn from(disposal: Disposal) -> Self {
        match disposal {
            Disposal::Archive => Self::Archive,
            Disposal::Delete => Self::Delete,
        }
    }
}

impl From<DisposalName> for Disposal {
    fn from(name: DisposalName) -> Self {
        match name {
            DisposalName::Archive => Self::Archive,
            DisposalName::Delete => Self::Delete,
        }
    }
}

impl From<Retention> for RetentionForm {
    fn from(retention: Retention) -> Self {
        Self { after_days: retention.after_days, then: retention.then.into() }
    }
}

impl From<RetentionForm> for Retention {
    fn from(form: RetentionForm) -> Self {
        Self { after_days: form.after_days, then: form.then.into() }
    }
}
