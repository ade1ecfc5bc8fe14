//! How actors reach each other through the directory.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dashmap::mapref::entry::Entry;

use crate::behavior::conversation::Input;
use crate::behavior::message::{ToAgent, ToConversation, ToQueue, ToSession};
use crate::domain::id::{AgentId, ConversationId, QueueId, SessionId, VisitorId, WidgetId};
use crate::engine::directory::{Directory, deliver, send};
use crate::engine::post::{Claim, Delivery, Post};
use crate::engine::pulse::Pulse;
use crate::journal::Fault;

/// How long a conversation that has died too often is left alone.
const REOPEN_LATER: Duration = Duration::from_secs(60);

impl Post for Directory {
    fn tell(&self, id: ConversationId, message: ToConversation) -> Delivery {
        match self.conversations.entry(id) {
            Entry::Occupied(mut entry) => {
                if let Some(address) = entry.get().address() {
                    let request = message.request();
                    self.put(&address, message, request);
                } else if self.may_reopen(id) {
                    entry.insert(self.open(id, message));
                } else {
                    self.undelivered(message.request());
                    return Delivery::Full;
                }
                Delivery::Sent
            }
            Entry::Vacant(vacant) => {
                vacant.insert(self.open(id, message));
                Delivery::Sent
            }
        }
    }

    fn tell_live(&self, id: ConversationId, message: ToConversation) -> Delivery {
        let Some(address) = self.conversations.get(&id).map(|live| live.address()) else {
            return self.undelivered(message.request());
        };
        let Some(address) = address else { return self.tell(id, message) };
        let request = message.request();
        self.put(&address, message, request);
        Delivery::Sent
    }

    fn tell_lost(&self, id: ConversationId, fault: &Fault) {
        if let Some(live) = self.live(id) {
            send(&live, Input::Lost(fault.into()));
        }
    }

    fn leave_conversation(&self, id: ConversationId, epoch: u32) {
        self.conversations.remove_if(&id, |_, live| live.epoch == epoch);
    }

    fn replace_conversation(&self, id: ConversationId, epoch: u32) {
        if let Entry::Occupied(mut entry) = self.conversations.entry(id)
            && entry.get().epoch == epoch
        {
            entry.insert(self.open(id, ToConversation::StateClaims(None)));
        }
    }

    fn reopen(self: Arc<Self>, id: ConversationId) {
        // It may have been opened meanwhile, and it may even be over.
        if self.tell_live(id, ToConversation::StateClaims(None)) != Delivery::Full {
            return;
        }
        actix::spawn(async move {
            tokio::time::sleep(REOPEN_LATER).await;
            self.tell_live(id, ToConversation::StateClaims(None));
        });
    }

    fn tell_agent(&self, id: &AgentId, message: ToAgent) -> Delivery {
        match self.try_tell_agent(id, message) {
            Ok(()) => Delivery::Sent,
            Err(message) => self.undelivered(message.request()),
        }
    }

    fn try_tell_agent(&self, id: &AgentId, message: ToAgent) -> Result<(), ToAgent> {
        let Some(agent) = self.agent(id) else { return Err(message) };
        let request = message.request();
        self.put(&agent.address, message, request);
        Ok(())
    }

    fn note_listening(&self, id: &AgentId) {
        let is_new = self.agents.get_mut(id).is_some_and(|mut entry| {
            let has_listened = std::mem::replace(&mut entry.has_listened, true);
            !has_listened
        });
        if is_new {
            self.listeners.fetch_add(1, Ordering::Release);
        }
    }

    fn has_listened(&self, id: &AgentId) -> bool {
        self.agents.get(id).is_some_and(|entry| entry.has_listened)
    }

    fn listeners_revision(&self) -> u64 {
        self.listeners.load(Ordering::Acquire)
    }

    fn tell_queue(&self, id: &QueueId, message: ToQueue) -> Delivery {
        let request = message.request();
        let Some(queue) = self.queue(id) else { return self.undelivered(request) };
        self.put(&queue.address, message, request);
        Delivery::Sent
    }

    fn tell_session(&self, id: SessionId, message: ToSession) -> Delivery {
        let Some(entry) = self.sessions.get(&id) else { return Delivery::Nobody };
        if !entry.address.connected() {
            return Delivery::Nobody;
        }
        if let ToSession::Frame { text, .. } = &message
            && !entry.outbox.take(text.len())
        {
            return Delivery::Full;
        }
        deliver(&entry.address, message);
        Delivery::Sent
    }

    fn has_room_for_page(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|entry| entry.outbox.has_room_for_page())
    }

    fn pulse_of(&self, session: SessionId, conversation: ConversationId) -> Option<Arc<Pulse>> {
        let entry = self.sessions.get(&session)?;
        entry.pulse.as_ref().filter(|pulse| pulse.conversation() == conversation).cloned()
    }

    fn claim_visitor(&self, widget: WidgetId, visitor: VisitorId, id: ConversationId) -> Claim {
        match self.visitors.entry((widget, visitor)) {
            Entry::Occupied(held) if *held.get() != id => Claim::Theirs(*held.get()),
            Entry::Occupied(_) => Claim::Mine,
            Entry::Vacant(vacant) => {
                vacant.insert(id);
                Claim::Mine
            }
        }
    }

    fn free_visitor(&self, widget: WidgetId, visitor: VisitorId, id: ConversationId) {
        self.visitors.remove_if(&(widget, visitor), |_, held| *held == id);
    }
}
