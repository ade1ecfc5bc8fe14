//! How the chats of one person are found, given out and erased.

use crate::behavior::message::{ToAgent, ToConversation};
use crate::domain::audit::{Act, AuditKind};
use crate::domain::conversation::command::Refusal;
use crate::domain::conversation::event::{Audience, Event, Recorded};
use crate::domain::id::{AgentId, ConversationId, Seq, VisitorId};
use crate::engine::failure::Failure;
use crate::engine::post::Post as _;
use crate::engine::requests::Engine;
use crate::journal::{KeptEvent, Which};
use crate::limits;

impl Engine {
    /// Erases a closed chat in the name of the caller. Durable when it returns; the request is
    /// noted before anything is gone.
    pub async fn erase_chat(&self, id: ConversationId, by: AgentId) -> Result<(), Failure> {
        let engine = self.clone();
        // The caller may go away meanwhile: the erasure is not left half done.
        let erasing = actix::spawn(async move {
            let first = engine.found(id, Seq::ZERO).await?.into_iter().next();
            first.ok_or(Refusal::UnknownConversation)?;
            engine.refuse_open(id).await?;
            let act = Act::new(AuditKind::ChatErased, Some(by)).about_chat(id);
            engine.audit(act).await?;
            let erased = engine.erase(vec![id]).await?;
            engine.forget_feeds();
            if erased == 0 { Err(Refusal::UnknownConversation.into()) } else { Ok(()) }
        });
        erasing.await.unwrap_or(Err(Failure::Unavailable))
    }

    /// Erases every chat of a visitor in the same way, and says how many there were. While one of
    /// them is not closed, nothing is erased. A chat that begins meanwhile stays.
    pub async fn erase_visitor(&self, visitor: VisitorId, by: AgentId) -> Result<u64, Failure> {
        let engine = self.clone();
        let erasing = actix::spawn(async move {
            engine.refuse_open_of(visitor).await?;
            let act = Act::new(AuditKind::VisitorErased, Some(by));
            engine.audit(act.about("visitor", &visitor.to_string())).await?;
            let mut erased = 0;
            // In this order, because the retention may archive one meanwhile.
            for which in [Which::InJournal, Which::Archived] {
                erased += engine.erase_all(visitor, which).await?;
            }
            engine.forget_feeds();
            Ok(erased)
        });
        erasing.await.unwrap_or(Err(Failure::Unavailable))
    }

    /// The visitor whose chat it is.
    pub async fn visitor_of(&self, id: ConversationId) -> Result<VisitorId, Failure> {
        match self.found(id, Seq::ZERO).await?.into_iter().next() {
            Some(Recorded { event: Event::ConversationStarted(opening), .. }) => {
                Ok(opening.visitor)
            }
            Some(_) | None => Err(Refusal::UnknownConversation.into()),
        }
    }

    /// Some of a visitor's chats, in the order of their ids.
    pub async fn chats_of_visitor(
        &self,
        visitor: VisitorId,
        which: Which,
        after: Option<ConversationId>,
    ) -> Result<Vec<ConversationId>, Failure> {
        let most = limits::EXPORTED_AT_ONCE;
        Ok(self.shared().journal.of_visitor(visitor, which, after, most).await?)
    }

    /// What is kept of a chat after a place, archived or not, in order and within
    /// [`HTTP_PAGE_BYTES_MAX`](limits::HTTP_PAGE_BYTES_MAX).
    pub async fn kept(&self, id: ConversationId, after: Seq) -> Result<Vec<KeptEvent>, Failure> {
        Ok(self.found(id, after).await?.iter().map(KeptEvent::from).collect())
    }
}

impl Engine {
    async fn found(&self, id: ConversationId, after: Seq) -> Result<Vec<Recorded>, Failure> {
        let (most, bytes) = (limits::OUTLINE_EVENTS_MAX, limits::HTTP_PAGE_BYTES_MAX);
        let found = self.shared().journal.read(id, after, Audience::Agent, most, bytes).await?;
        if found.is_empty() {
            return Ok(self.shared().journal.archived(id, after, bytes).await?);
        }
        Ok(found)
    }

    /// Refuses a chat that is not closed.
    async fn refuse_open(&self, id: ConversationId) -> Result<(), Failure> {
        let found = self.shared().journal.load(id).await?;
        let is_open = found.is_some_and(|found| !found.is_closed());
        if is_open { Err(Failure::StillOpen(vec![id])) } else { Ok(()) }
    }

    async fn refuse_open_of(&self, visitor: VisitorId) -> Result<(), Failure> {
        let most = limits::OPEN_NAMED_MAX;
        let open = self.shared().journal.of_visitor(visitor, Which::Open, None, most).await?;
        if open.is_empty() { Ok(()) } else { Err(Failure::StillOpen(open)) }
    }

    /// Erases all of these chats of a visitor, except those that have begun meanwhile, and says how
    /// many there were.
    async fn erase_all(&self, visitor: VisitorId, which: Which) -> Result<u64, Failure> {
        let (mut erased, mut after) = (0, None);
        loop {
            let most = limits::ERASED_AT_ONCE;
            let mut ids = self.shared().journal.of_visitor(visitor, which, after, most).await?;
            let Some(last) = ids.last() else { return Ok(erased) };
            after = Some(*last);
            erased += match self.erase(ids.clone()).await {
                Err(Failure::StillOpen(open)) => {
                    ids.retain(|id| !open.contains(id));
                    self.erase(ids).await?
                }
                erased => erased?,
            };
        }
    }

    /// Erases a few chats, and has their live actors forget them.
    async fn erase(&self, ids: Vec<ConversationId>) -> Result<u64, Failure> {
        let erasure = self.shared().journal.erase(ids, self.now()).await?;
        if !erasure.open.is_empty() {
            return Err(Failure::StillOpen(erasure.open));
        }
        for id in &erasure.erased {
            self.directory().tell_live(*id, ToConversation::Erased);
        }
        let erased = erasure.erased.len() as u64;
        self.shared().metrics.erased.inc_by(erased);
        Ok(erased)
    }

    /// A feed that comes back must not be told again what is gone, so it is told from the journal.
    fn forget_feeds(&self) {
        for agent in self.settings().agents.keys() {
            self.directory().tell_agent(agent, ToAgent::ForgetKept);
        }
    }
}
