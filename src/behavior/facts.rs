//! What an actor may know besides what it is told.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::domain::conversation::event::Opening;
use crate::domain::id::{AgentId, ConversationId, SessionId};
use crate::domain::liveness::Signs;
use crate::domain::settings::Workstream;
use crate::domain::settings::registry::Registry;
use crate::domain::time::Span;

/// Facts of the moment. None of them can be used to act.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The settings in force.
    pub settings: &'a Registry,
    /// The settings of a conversation of which nothing is known.
    pub fallback: &'a Arc<Workstream>,
    /// Whether the journal can be written at the moment.
    pub is_writable: bool,
    /// How often conversations repeat leases to agents, and agents ask conversations for them.
    pub audit_every: Span,
    /// What is looked up only where it is needed.
    pub near: &'a dyn Nearby,
}

impl<'a> Facts<'a> {
    /// The settings in force for a conversation that began like this, if it has.
    pub fn workstream_of(&self, opening: Option<&Opening>) -> Cow<'a, Arc<Workstream>> {
        opening.map_or(Cow::Borrowed(self.fallback), |opening| self.settings.workstream_of(opening))
    }
}

/// What an actor looks up itself, because telling every actor of every change would cost more.
pub trait Nearby: fmt::Debug {
    /// Takes the signs of life that a session has shown to a conversation since the last call;
    /// nothing when the session is not in that conversation.
    fn take_signs(&self, of: SessionId, to: ConversationId) -> Option<Signs>;

    /// Whether any console has ever listened to an agent. The answer is yes where that is not
    /// known.
    fn has_listened(&self, agent: &AgentId) -> bool;

    /// Whether people must wait because the disk cannot keep up.
    fn must_wait(&self) -> bool;
}
