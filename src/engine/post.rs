//! How actors reach each other: by id, without knowing where another actor is, or who keeps the
//! list.

use std::fmt;
use std::sync::Arc;

use crate::behavior::message::{ToAgent, ToConversation, ToQueue, ToSession};
use crate::domain::id::{AgentId, ConversationId, QueueId, SessionId, VisitorId, WidgetId};
use crate::engine::pulse::Pulse;
use crate::journal::Fault;

/// The outcome of telling an actor something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Delivery {
    /// It is on its way.
    Sent,
    /// Nobody is there.
    Nobody,
    /// There is no room for it.
    Full,
}

/// Who has a visitor's chat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Claim {
    /// The conversation that asked.
    Mine,
    /// This other conversation, from before.
    Theirs(ConversationId),
}

/// What an actor asks of the list of all actors. A request that cannot be delivered is denied.
pub(super) trait Post: fmt::Debug + Send + Sync {
    /// Tells a conversation something; opens it from the journal if it is not live.
    fn tell(&self, id: ConversationId, message: ToConversation) -> Delivery;

    /// Tells a conversation something, if it is live. A conversation whose actor has died counts as
    /// live: it is opened again.
    fn tell_live(&self, id: ConversationId, message: ToConversation) -> Delivery;

    /// Tells a conversation that the journal may have lost what was not yet durable.
    fn tell_lost(&self, id: ConversationId, fault: &Fault);

    /// A conversation's actor leaves, unless another has taken its place.
    fn leave_conversation(&self, id: ConversationId, epoch: u32);

    /// Opens a conversation in place of its actor, which leaves, unless another actor has already
    /// taken that place.
    fn replace_conversation(&self, id: ConversationId, epoch: u32);

    /// Opens a conversation whose actor has died. If its actors die again and again, it has to wait
    /// until the minute is over.
    fn reopen(self: Arc<Self>, id: ConversationId);

    /// Tells an agent something.
    fn tell_agent(&self, id: &AgentId, message: ToAgent) -> Delivery;

    /// The same; gives the message back when nobody is there.
    fn try_tell_agent(&self, id: &AgentId, message: ToAgent) -> Result<(), ToAgent>;

    /// Notes that a console listens to an agent.
    fn note_listening(&self, id: &AgentId);

    /// Whether any console has ever listened to an agent.
    fn has_listened(&self, id: &AgentId) -> bool;

    /// A number that changes whenever the answer of [`has_listened`](Self::has_listened) may have
    /// changed.
    fn listeners_revision(&self) -> u64;

    /// Tells a queue something.
    fn tell_queue(&self, id: &QueueId, message: ToQueue) -> Delivery;

    /// Tells a session something. A frame for which its socket has no room is not sent: the
    /// session must then be closed, and its widget resumes.
    fn tell_session(&self, id: SessionId, message: ToSession) -> Delivery;

    /// Whether a session's socket has room for a page of missed messages.
    fn has_room_for_page(&self, id: SessionId) -> bool;

    /// The signs of life that a session shows to this conversation.
    fn pulse_of(&self, session: SessionId, conversation: ConversationId) -> Option<Arc<Pulse>>;

    /// Gives a visitor's chat to this conversation, unless another has it.
    fn claim_visitor(&self, widget: WidgetId, visitor: VisitorId, id: ConversationId) -> Claim;

    /// Gives a visitor's chat back, if this conversation has it.
    fn free_visitor(&self, widget: WidgetId, visitor: VisitorId, id: ConversationId);
}
