//! What can be read of conversations: the half of a journal that is projected from its log.

use futures_util::future::BoxFuture;

use crate::domain::conversation::Conversation;
use crate::domain::conversation::State;
use crate::domain::conversation::event::{Audience, Event, Recorded};
use crate::domain::conversation::view::View;
use crate::domain::id::{AgentId, ConversationId, QueueId, Seq, VisitorId, WidgetId};
use crate::domain::position::{Located, Position};
use crate::domain::time::Timestamp;
use crate::journal::fault::Fault;
use crate::journal::removal::Which;

/// Conversations, as the log tells of them.
///
/// Every read sees at least all that was durable when it was asked for.
pub trait Chats {
    /// The conversation as of its last durable event; nothing when there is none. What was appended
    /// before is settled first, so a conversation that is opened again after a fault continues
    /// where the journal does.
    fn load(&self, id: ConversationId) -> BoxFuture<'static, Result<Option<Conversation>, Fault>>;

    /// What this audience may see of a conversation after a place, in order, within
    /// `entries` events and about `bytes` bytes of text; at least one event if there is any.
    fn read(
        &self,
        id: ConversationId,
        after: Seq,
        audience: Audience,
        entries: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>>;

    /// What happened in a conversation after a place, in order and at most so many events, without
    /// what was said: every text is [left out](crate::domain::text::MessageText::left_out).
    fn outline(
        &self,
        id: ConversationId,
        after: Seq,
        entries: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>>;

    /// A page of the conversations that match: at most so many, and about `bytes` bytes; at least
    /// one if there is any.
    fn list(
        &self,
        filter: Filter,
        after: Option<ListCursor>,
        most: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Listing, Fault>>;

    /// What happened after a position in conversations while an agent had a part in them, in the
    /// order of the journal: from the event that offered or gave a conversation to the agent to the
    /// one that took it away, both included. At most so many events and about `bytes` bytes of
    /// text; at least one event if there is any.
    fn of_agent(
        &self,
        agent: AgentId,
        after: Position,
        most: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Located>, Fault>>;

    /// Some of a visitor's conversations, in the order of their ids: those after a given one.
    fn of_visitor(
        &self,
        visitor: VisitorId,
        which: Which,
        after: Option<ConversationId>,
        most: usize,
    ) -> BoxFuture<'static, Result<Vec<ConversationId>, Fault>>;

    /// What happened in an archived conversation, as [`read`](Self::read) gives it of the others;
    /// nothing when it is not in the archive.
    fn archived(
        &self,
        id: ConversationId,
        after: Seq,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>>;
}

/// Which conversations a list holds. Everything that is given must match.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one of these states; in any when empty.
    pub states: Vec<State>,
    /// Offered to, with, or last with this agent.
    pub agent: Option<AgentId>,
    /// In one of these queues; in any when empty.
    pub queues: Vec<QueueId>,
    /// Begun in this widget.
    pub widget: Option<WidgetId>,
    /// Also matches conversations that wait in these queues, whatever `agent` says.
    pub or_waiting_in: Vec<QueueId>,
}

/// One page of a list, the newest conversation first.
#[derive(Debug, Default)]
pub struct Listing {
    /// The conversations, as of their last durable event.
    pub views: Vec<View>,
    /// Where the next page starts; nothing when this was the last.
    pub next: Option<ListCursor>,
}

/// A place in a list: the conversation that was shown last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ListCursor {
    /// When it began.
    pub started_at: Timestamp,
    /// Its id.
    pub id: ConversationId,
}

/// The agent whose part in a conversation begins with this event, if there is one. The part of an
/// agent who accepts an offer has begun before.
pub(super) fn part_begins(event: &Event) -> Option<&AgentId> {
    match event {
        Event::ChatOffered { lease, .. } | Event::ChatAccepted { lease, .. } => Some(&lease.agent),
        _ => None,
    }
}

/// The agent whose part in a conversation ends with this event, if there is one. An agent who has a
/// chat at its end keeps it.
pub(super) fn part_ends(event: &Event) -> Option<&AgentId> {
    match event {
        Event::OfferEnded { agent, .. } | Event::AgentLeft { agent, .. } => Some(agent),
        _ => None,
    }
}
