//! A conversation taken apart for storage, and put together again.

use crate::domain::conversation::attendance::Attendance;
use crate::domain::conversation::event::Opening;
use crate::domain::conversation::posts::{Posted, Posts};
use crate::domain::conversation::usage::CustomerUsage;
use crate::domain::conversation::{Begun, Conversation, Phase};
use crate::domain::id::{AgentId, ConversationId, Seq};
use crate::domain::time::Timestamp;

/// Everything that a conversation is made of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parts {
    /// Its id.
    pub id: ConversationId,
    /// How it began.
    pub opening: Option<Opening>,
    /// When it began.
    pub started_at: Timestamp,
    /// The place of its last event.
    pub seq: Seq,
    /// The place of the last event that the customer may see.
    pub seen_by_customer: Seq,
    /// Its phase.
    pub phase: Phase,
    /// The customer's sessions.
    pub attendance: Attendance,
    /// The messages that were posted.
    pub posts: Vec<PostedPart>,
    /// What the customer has used of what they may do.
    pub usage: CustomerUsage,
    /// How often each agent let an offer go.
    pub declines: Vec<(AgentId, u8)>,
    /// The agents who are not offered it again.
    pub excluded: Vec<AgentId>,
}

/// One posted message, recognised by its digests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PostedPart {
    /// The digest of author and id.
    pub key: u64,
    /// The digest of the text.
    pub content: u32,
    /// Its place.
    pub seq: Seq,
    /// Its time.
    pub at: Timestamp,
}

impl From<Conversation> for Parts {
    fn from(whole: Conversation) -> Self {
        let usage = whole.usage();
        Self {
            id: whole.id,
            opening: whole.begun.map(|begun| begun.opening),
            started_at: whole.started_at,
            seq: whole.seq,
            seen_by_customer: whole.seen_by_customer,
            phase: whole.phase,
            attendance: whole.attendance,
            posts: whole.posts.iter().map(PostedPart::from).collect(),
            usage,
            declines: whole.declines.into(),
            excluded: whole.excluded.into(),
        }
    }
}

impl From<Parts> for Conversation {
    fn from(parts: Parts) -> Self {
        let usage = parts.usage;
        Self {
            id: parts.id,
            begun: parts.opening.map(|opening| Box::new(Begun { opening, usage })),
            started_at: parts.started_at,
            seq: parts.seq,
            seen_by_customer: parts.seen_by_customer,
            phase: parts.phase,
            attendance: parts.attendance,
            posts: parts.posts.into_iter().map(Posted::from).collect::<Posts>(),
            declines: parts.declines.into(),
            excluded: parts.excluded.into(),
        }
    }
}

impl From<&Posted> for PostedPart {
    fn from(posted: &Posted) -> Self {
        Self { key: posted.key, content: posted.content, seq: posted.seq, at: posted.at }
    }
}

impl From<PostedPart> for Posted {
    fn from(part: PostedPart) -> Self {
        Self { key: part.key, content: part.content, seq: part.seq, at: part.at }
    }
}
