//! The stored form of a widget.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::settings::{AdmissionRule, WidgetSettings};
use crate::journal::record::unreadable::Unreadable;

#[derive(Deserialize, Serialize)]
pub(super) struct WidgetForm {
    id: String,
    workstream: String,
    origins: Vec<String>,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    admission: Option<AdmissionForm>,
}

#[derive(Deserialize, Serialize)]
struct AdmissionForm {
    required: bool,
    keys: Vec<String>,
}

impl From<&WidgetSettings> for WidgetForm {
    fn from(widget: &WidgetSettings) -> Self {
        Self {
            id: widget.id.to_string(),
            workstream: widget.workstream.to_string(),
            origins: widget.origins.iter().map(ToString::to_string).collect(),
            admission: widget.admission.as_ref().map(|admission| AdmissionForm {
                required: admission.required,
                keys: admission.keys.iter().map(ToString::to_string).collect(),
            }),
        }
    }
}

impl TryFrom<WidgetForm> for WidgetSettings {
    type Error = Unreadable;

    fn try_from(form: WidgetForm) -> Result<Self, Unreadable> {
        Ok(Self {
            id: form.id.parse()?,
            workstream: form.workstream.parse()?,
            origins: form.origins.into_iter().map(Arc::from).collect(),
            admission: form.admission.map(|admission| AdmissionRule {
                required: admission.required,
                keys: admission.keys.into_iter().map(Arc::from).collect(),
            }),
        })
    }
}
