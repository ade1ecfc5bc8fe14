//! The document of a widget.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::id::WidgetId;
use crate::domain::settings::{ANY_ORIGIN, WidgetSettings};
use crate::wire::document::{self, Document, FieldError, read_or_refused};
use crate::wire::objects::settings::same_id;

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
        document.finish()?;
        let origins = read_or_refused(origins)?.into_iter().map(Arc::from).collect();
        Ok(WidgetSettings { id, workstream: read_or_refused(workstream)?, origins })
    }
}
