//! The stored form of how long the audit stream is kept.

use serde::{Deserialize, Serialize};

use crate::domain::settings::AuditRetention;
use crate::domain::settings::registry::SettingChange;
use crate::journal::record::body::json;
use crate::journal::record::unreadable::Unreadable;

#[derive(Deserialize, Serialize)]
pub(super) struct AuditRetentionForm {
    id: String,
    after_days: Option<u32>,
}

/// The only id: there is one such document.
pub(super) const ID: &str = "retention";

impl From<AuditRetention> for AuditRetentionForm {
    fn from(retention: AuditRetention) -> Self {
        Self { id: ID.to_owned(), after_days: retention.after_days }
    }
}

pub(super) fn document(retention: AuditRetention) -> String {
    json(&AuditRetentionForm::from(retention))
}

pub(super) fn read(document: &str) -> Result<SettingChange, Unreadable> {
    let AuditRetentionForm { after_days, .. } = serde_json::from_str(document)?;
    Ok(SettingChange::PutAuditRetention(AuditRetention { after_days }))
}
