//! The document of a widget.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::id::WidgetId;
use crate::domain::settings::{ANY_ORIGIN, AdmissionRule, WidgetSettings};
use crate::wire::document::{self, Document, FieldError, read_or_refused};
use crate::wire::objects::settings::identity::same_id;

/// A place on the web where a chat can be started.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Widget)]
pub struct WidgetDocument {
    /// Its id; not read, because the address names it.
    #[schema(read_only)]
    pub id: String,
    /// How its chats are handled.
    pub workstream: String,
    /// The web origins it may be opened from, such as `https://shop.example`; `["*"]` for any.
    pub origins: Vec<String>,
    /// By which keys the site's own server vouches for its visitors; null when it does not.
    pub admission: Option<AdmissionDocument>,
}

/// How a site's own server vouches for its visitors, see `admission` of `hello`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Admission)]
pub struct AdmissionDocument {
    /// Whether a chat can be begun only by somebody who is vouched for.
    pub required: bool,
    /// Public keys as PEM (`-----BEGIN PUBLIC KEY-----`), 1 to 4: RSA from 2,048 to 4,096 bits,
    /// P-256 or Ed25519. What any of them has signed is good.
    pub keys: Vec<String>,
}

impl From<&WidgetSettings> for WidgetDocument {
    fn from(widget: &WidgetSettings) -> Self {
        Self {
            id: widget.id.to_string(),
            workstream: widget.workstream.to_string(),
            origins: if widget.is_open_to_any() {
                vec![ANY_ORIGIN.to_owned()]
            } else {
                widget.origins.iter().map(ToString::to_string).collect()
            },
            admission: widget.admission.as_ref().map(|admission| AdmissionDocument {
                required: admission.required,
                keys: admission.keys.iter().map(ToString::to_string).collect(),
            }),
        }
    }
}

impl WidgetDocument {
    /// Reads a widget that is to have this id.
    pub fn read(id: WidgetId, body: &[u8]) -> Result<WidgetSettings, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        same_id(&mut document, id.as_str());
        let workstream = document.required("workstream", document::parsed);
        let origins: Option<Vec<String>> =
            document.required("origins", |value| document::list(value, document::text));
        let admission = document.object("admission", |value| {
            if value.is_null() { Ok(None) } else { admission(value).map(Some) }
        });
        document.finish()?;
        let origins = read_or_refused(origins)?.into_iter().map(Arc::from).collect();
        let workstream = read_or_refused(workstream)?;
        Ok(WidgetSettings { id, workstream, origins, admission: admission.flatten() })
    }
}

fn admission(value: &Value) -> Result<AdmissionRule, Vec<FieldError>> {
    let mut document = Document::within("admission", value)?;
    let required = document.required("required", document::truth);
    let keys: Option<Vec<String>> =
        document.required("keys", |value| document::list(value, document::text));
    document.finish()?;
    let keys = read_or_refused(keys)?.into_iter().map(Arc::from).collect();
    Ok(AdmissionRule { required: read_or_refused(required)?, keys })
}
