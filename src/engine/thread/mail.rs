//! What a thread's conversations tell agents and queues while very many appends wait for the disk:
//! each gets one message, a turn later.
//!
//! When a million windows end at one moment, an agent hears of a thousand chats within a few
//! milliseconds, and a queue of a hundred thousand. One message for each costs as much as its
//! content, and wakes another thread that has gone to sleep since the message before.

use std::cell::RefCell;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::behavior::message::{ToAgent, ToConversation, ToQueue};
use crate::domain::agent::command::AgentCommand;
use crate::domain::id::{AgentId, ConversationId, QueueId, Seq};
use crate::domain::lease::Lease;
use crate::domain::queue::QueueCommand;
use crate::engine::post::{Delivery, Post};
use crate::limits;

/// The gathered mail; nothing while there is none.
#[derive(Debug, Default)]
pub(super) struct Mail(RefCell<Option<Gathered>>);

#[derive(Debug, Default)]
struct Gathered {
    for_agents: HashMap<AgentId, Vec<ToAgent>, RandomState>,
    for_queues: HashMap<QueueId, Vec<QueueCommand>, RandomState>,
}

impl Mail {
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_none()
    }

    /// Gathers something for an agent; says whether it is the first of all mail.
    pub(super) fn gather_for_agent(&self, agent: &AgentId, message: ToAgent) -> bool {
        self.gather(|gathered| {
            if let Some(messages) = gathered.for_agents.get_mut(agent) {
                return messages.push(message);
            }
            gathered.for_agents.insert(agent.clone(), beginning_with(message));
        })
    }

    /// The same, for a lease that a conversation holds on the agent.
    pub(super) fn gather_lease(
        &self,
        conversation: ConversationId,
        seq: Seq,
        lease: Lease,
    ) -> bool {
        // The name is copied only for the first lease of an agent: all threads share its count.
        self.gather(|gathered| {
            if let Some(messages) = gathered.for_agents.get_mut(&lease.agent) {
                return messages.push(adjust(conversation, seq, lease));
            }
            let agent = lease.agent.clone();
            let message = adjust(conversation, seq, lease);
            gathered.for_agents.insert(agent, beginning_with(message));
        })
    }

    /// Gathers something for a queue; says whether it is the first of all mail.
    pub(super) fn gather_for_queue(&self, queue: &QueueId, command: QueueCommand) -> bool {
        self.gather(|gathered| {
            if let Some(commands) = gathered.for_queues.get_mut(queue) {
                return commands.push(command);
            }
            gathered.for_queues.insert(queue.clone(), beginning_with(command));
        })
    }

    fn gather(&self, add: impl FnOnce(&mut Gathered)) -> bool {
        let mut gathered = self.0.borrow_mut();
        let is_first = gathered.is_none();
        add(gathered.get_or_insert_default());
        is_first
    }

    /// Sends all of it.
    pub(super) fn send(&self, post: &dyn Post) {
        let Some(Gathered { for_agents, for_queues }) = self.0.take() else { return };
        for (agent, messages) in for_agents {
            let told = post.try_tell_agent(&agent, ToAgent::Several(messages));
            if let Err(ToAgent::Several(messages)) = told {
                say_gone(post, &agent, messages);
            }
        }
        for (queue, commands) in for_queues {
            send_several_to_queue(post, &queue, commands);
        }
    }
}

/// Begins a list to which more will come.
fn beginning_with<T>(first: T) -> Vec<T> {
    let mut list = Vec::with_capacity(limits::MAIL_ROOM);
    list.push(first);
    list
}

/// What an agent is told of a lease.
pub(super) fn adjust(conversation: ConversationId, seq: Seq, lease: Lease) -> ToAgent {
    ToAgent::Command(AgentCommand::Adjust { conversation, seq, lease: Some(lease) })
}

/// Tells every conversation that holds a lease on an agent that the agent is gone.
fn say_gone(post: &dyn Post, agent: &AgentId, messages: Vec<ToAgent>) {
    for message in messages {
        if let ToAgent::Command(AgentCommand::Adjust { conversation, lease: Some(_), .. }) = message
        {
            post.tell_live(conversation, ToConversation::AgentGone(agent.clone()));
        }
    }
}

/// Sends something to a queue. If the queue is gone, a chat that leaves it has left already.
pub(super) fn send_to_queue(post: &dyn Post, queue: &QueueId, command: QueueCommand) {
    let joins = usize::from(is_join(&command));
    warn_of_those_left(post.tell_queue(queue, ToQueue::Command(command)), queue, joins);
}

fn send_several_to_queue(post: &dyn Post, queue: &QueueId, commands: Vec<QueueCommand>) {
    let joins = commands.iter().filter(|command| is_join(command)).count();
    warn_of_those_left(post.tell_queue(queue, ToQueue::Several(commands)), queue, joins);
}

const fn is_join(command: &QueueCommand) -> bool {
    matches!(command, QueueCommand::Join(..))
}

fn warn_of_those_left(told: Delivery, queue: &QueueId, joins: usize) {
    if told == Delivery::Nobody && joins > 0 {
        tracing::warn!(%queue, joins, "chats wait in queue {queue}, which was removed");
    }
}
