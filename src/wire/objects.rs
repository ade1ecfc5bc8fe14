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
