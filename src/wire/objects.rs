//! The JSON objects of HTTP. What is shown is made from domain values; what is read is read field
//! by field, with every mistake named.

mod agent;
mod audit;
mod conversation;
mod figures;
mod history;
mod privacy;
mod secret;
mod settings;
mod token;

pub use agent::{AgentObject, AgentPage, BeatDocument, LeaseObject, PresenceDocument, role_named};
pub use audit::{AuditEntry, AuditPage, AuditRetentionDocument};
pub use conversation::{
    AssignDocument, AssignedObject, ConversationObject, ConversationPage, CustomerObject,
    MessageDocument, PostedObject, ReadDocument, TypingDocument,
};
pub use figures::{FiguresObject, QueueFigures, StateFigures};
pub use history::{
    SessionEnd, SessionSummary, Timeline, TimelineChange, TimelineEntry, TimelinePage,
    TranscriptEntry, TranscriptPage, WaitingObject,
};
pub use privacy::{ErasedObject, ExportLine, VisitorObject};
pub use secret::{AdministratorTokenObject, RotationDocument, SigningKeyObject};
pub use settings::{
    AdmissionDocument, AgentDocument, AutocloseDocument, BlockDocument, IdleDocument,
    QueueDocument, QueuePage, RetentionDocument, WidgetDocument, WidgetPage, WorkstreamDocument,
    WorkstreamPage,
};
pub use token::{KeptTokenObject, TokenDocument, TokenList, TokenObject};

use serde_json::Value;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{Object, ObjectBuilder, Type};

/// The schema of a text that is one of `names`.
pub(super) fn names(names: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).build()
}

/// The schema of a text that is one of `names`, or null.
fn names_or_null(names: impl IntoIterator<Item = &'static str>) -> Object {
    let values = names.into_iter().map(Value::from).chain([Value::Null]);
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(types).enum_values(Some(values)).build()
}
