//! Where agents and queues are found.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::Addr;
use dashmap::mapref::one::Ref;

use crate::behavior::message::{RequestId, ToAgent, ToQueue};
use crate::domain::id::{AgentId, QueueId};
use crate::engine::agent::AgentActor;
use crate::engine::answers::Question;
use crate::engine::directory::{AgentEntry, Directory, QueueEntry, send};
use crate::engine::mailbox::OpenFeed;
use crate::engine::post::Delivery;
use crate::engine::queue::QueueActor;

impl Directory {
    /// An agent's actor enters.
    pub(in crate::engine) fn enter_agent(&self, id: AgentId, address: Addr<AgentActor>) {
        self.agents.insert(id, AgentEntry { address, has_listened: false });
        self.listeners.fetch_add(1, Ordering::Release);
    }

    /// Opens a feed of an agent, if the agent's actor is there.
    pub(in crate::engine) fn open_feed(&self, id: &AgentId, opening: OpenFeed) -> Delivery {
        let request = opening.opening.request;
        let Some(agent) = self.agent(id) else { return self.undelivered(Some(request)) };
        send(&agent.address, Question::new(opening, request, &self.answers));
        Delivery::Sent
    }

    /// Dismisses an agent's actor. Nobody finds it any more, and it hears of that after everything
    /// that it was told before.
    pub(in crate::engine) fn dismiss_agent(&self, id: &AgentId, request: RequestId) {
        match self.agents.remove(id) {
            Some((_, entry)) => {
                self.put(&entry.address, ToAgent::Dismiss(request), Some(request));
            }
            None => self.answers.deny(request),
        }
    }

    /// An agent's actor, if it is there and lives.
    pub(super) fn agent(&self, id: &AgentId) -> Option<Ref<'_, AgentId, AgentEntry>> {
        self.agents.get(id).filter(|entry| entry.address.connected())
    }

    /// Whether an agent's actor is there and lives.
    pub(in crate::engine) fn has_agent(&self, id: &AgentId) -> bool {
        self.agent(id).is_some()
    }

    /// A queue's actor enters.
    pub(in crate::engine) fn enter_queue(
        &self,
        id: QueueId,
        address: Addr<QueueActor>,
        waiting: Arc<AtomicUsize>,
    ) {
        self.queues.insert(id, QueueEntry { address, waiting });
    }

    /// Dismisses a queue's actor in the same way.
    pub(in crate::engine) fn dismiss_queue(&self, id: &QueueId, request: RequestId) {
        match self.queues.remove(id) {
            Some((_, entry)) => {
                self.put(&entry.address, ToQueue::Dismiss(request), Some(request));
            }
            None => self.answers.deny(request),
        }
    }

    /// A queue's actor, if it is there and lives.
    pub(super) fn queue(&self, id: &QueueId) -> Option<Ref<'_, QueueId, QueueEntry>> {
        self.queues.get(id).filter(|entry| entry.address.connected())
    }

    /// Whether a queue's actor is there and lives.
    pub(in crate::engine) fn has_queue(&self, id: &QueueId) -> bool {
        self.queue(id).is_some()
    }

    /// How many wait in a queue.
    pub(in crate::engine) fn waiting_in(&self, id: &QueueId) -> usize {
        self.queues.get(id).map_or(0, |entry| entry.waiting.load(Ordering::Relaxed))
    }
}
