//! What a session may know of the world besides what it is given.

use std::fmt;

use crate::domain::id::{ConversationId, History, SessionId};
use crate::domain::time::Span;

/// Facts of the moment; never a way to act.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What the session is called.
    pub session: SessionId,
    /// The history of the journal that goes on.
    pub history: History,
    /// What is read where it stands, because it is seldom needed.
    pub near: &'a dyn Nearby,
}

/// What is read where it stands, at the moment at which it matters.
pub trait Nearby: fmt::Debug {
    /// How long a customer of this session's widget is held who is away.
    fn window(&self) -> Span;

    /// Whether only somebody who is vouched for can begin a chat in this session's widget.
    fn requires_admission(&self) -> bool;

    /// Whether the socket should be carried to another thread, because this conversation lives
    /// there.
    fn is_elsewhere(&self, conversation: ConversationId) -> bool;
}
