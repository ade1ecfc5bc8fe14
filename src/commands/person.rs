//! Whose chats a command is about: one, or all of a visitor.

use crate::domain::id::{ConversationId, VisitorId};

/// Which chats.
#[derive(Clone, Copy, Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Person {
    /// One chat, archived or not
    #[arg(long, value_name = "ID")]
    pub(super) conversation: Option<ConversationId>,
    /// Every chat of a visitor, archived or not: 32 hexadecimal digits, as an export or the column
    /// `visitor` of chats.db has them
    #[arg(long, value_name = "ID")]
    pub(super) visitor: Option<VisitorId>,
}
