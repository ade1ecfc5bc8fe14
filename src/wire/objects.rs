//! The JSON objects of HTTP. What is shown is made from domain values; what is read is read field
//! by field, with every mistake named.

mod agent;
mod conversation;
mod figures;
mod history;
mod settings;

pub use agent::{
    AgentObject, AgentPage, BeatDocument, LeaseObject, PresenceDocument, TokenObject, role_named,
};
pub use conversation::{
    AssignDocument, AssignedObject, ConversationObject, ConversationPage, CustomerObject,
    MessageDocument, PostedObject, ReadDocument, TypingDocument,
};
pub use figures::{FiguresObject, QueueFigures, StateFigures};
pub use history::{
    SessionEnd, SessionSummary, TimelineChange, TimelineEntry, TimelinePage, TranscriptEntry,
    TranscriptPage,
};
pub use settings::{
    AgentDocument, AutocloseDocument, BlockDocument, IdleDocument, QueueDocument, QueuePage,
    RetentionDocument, WidgetDocument, WidgetPage, WorkstreamDocument, WorkstreamPage,
};

use utoipa::openapi::{Object, ObjectBuilder, Type};

/// The schema of a text that is one of `names`.
fn names(names: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).build()
}
