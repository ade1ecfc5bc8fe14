//! What conversations tell agents and queues: at once, or, while very many wait for the disk,
//! gathered on each thread and told in one message to each, a turn later.
//!
//! When a million windows end at one moment, an agent's thousand chats are told of within a few
//! milliseconds, and a queue's hundred thousand. One message for each costs as much as what it
//! says, and wakes another thread that has gone to sleep since the one before.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::behavior::message::{ToAgent, ToConversation, ToQueue};
use crate::domain::agent::command::AgentCommand;
use crate::domain::id::{AgentId, ConversationId, QueueId, Seq};
use crate::domain::lease::Lease;
use crate::domain::queue::QueueCommand;
use crate::engine::directory::Delivery;
use crate::engine::rush;
use crate::engine::shared::Shared;

/// How many messages to one of them there is room for from the beginning.
const ROOM: usize = 16;

/// What is gathered of one engine.
#[derive(Default)]
struct Gathered {
    for_agents: HashMap<AgentId, Vec<ToAgent>, RandomState>,
    for_queues: HashMap<QueueId, Vec<QueueCommand>, RandomState>,
}

thread_local! {
    /// What is gathered, by the engine: there may be two on one thread.
    static GATHERED: RefCell<HashMap<usize, Gathered, RandomState>> = RefCell::default();
}

/// Tells an agent something, after whatever was told them before by conversations of this thread.
/// Of what is gathered it is said only later whether anybody was there: then the conversation hears
/// that the agent is gone.
pub(super) fn tell_agent(shared: &Arc<Shared>, agent: &AgentId, message: ToAgent) -> Delivery {
    if !is_gathering(shared) {
        return shared.directory.tell_agent(agent, message);
    }
    gather(shared, |gathered| {
        if let Some(messages) = gathered.for_agents.get_mut(agent) {
            return messages.push(message);
        }
        gathered.for_agents.insert(agent.clone(), beginning_with(message));
    });
    Delivery::Sent
}

/// Tells an agent what a conversation holds of them, and gives the agent back when nobody is there.
pub(super) fn tell_lease(
    shared: &Arc<Shared>,
    conversation: ConversationId,
    seq: Seq,
    lease: Lease,
) -> Option<AgentId> {
    let adjust =
        |lease| ToAgent::Command(AgentCommand::Adjust { conversation, seq, lease: Some(lease) });
    if !is_gathering(shared) {
        let agent = lease.agent.clone();
        let told = shared.directory.tell_agent(&agent, adjust(lease));
        return (told == Delivery::Nobody).then_some(agent);
    }
    // The name is copied only for the first lease of an agent: it is counted, by every thread.
    gather(shared, |gathered| {
        if let Some(messages) = gathered.for_agents.get_mut(&lease.agent) {
            return messages.push(adjust(lease));
        }
        gathered.for_agents.insert(lease.agent.clone(), beginning_with(adjust(lease)));
    });
    None
}

/// Tells a queue something, after whatever was told it before by conversations of this thread.
pub(super) fn tell_queue(shared: &Arc<Shared>, queue: &QueueId, command: QueueCommand) {
    if !is_gathering(shared) {
        return send_to_queue(shared, queue, ToQueue::Command(command));
    }
    gather(shared, |gathered| {
        if let Some(commands) = gathered.for_queues.get_mut(queue) {
            return commands.push(command);
        }
        gathered.for_queues.insert(queue.clone(), beginning_with(command));
    });
}

/// Begins a list to which more will come.
fn beginning_with<T>(first: T) -> Vec<T> {
    let mut list = Vec::with_capacity(ROOM);
    list.push(first);
    list
}

/// Whether to gather: if very many wait, and behind what is gathered already.
fn is_gathering(shared: &Arc<Shared>) -> bool {
    rush::is_on() || GATHERED.with_borrow(|all| all.contains_key(&key_of(shared)))
}

fn gather(shared: &Arc<Shared>, add: impl FnOnce(&mut Gathered)) {
    let is_first = GATHERED.with_borrow_mut(|all| {
        let before = all.len();
        add(all.entry(key_of(shared)).or_default());
        all.len() > before
    });
    if is_first {
        // Its turn comes after those who were woken with this one.
        let shared = shared.clone();
        actix::spawn(async move { send_gathered(&shared) });
    }
}

fn send_gathered(shared: &Arc<Shared>) {
    let gathered = GATHERED.with_borrow_mut(|all| all.remove(&key_of(shared)));
    let Some(Gathered { for_agents, for_queues }) = gathered else { return };
    for (agent, messages) in for_agents {
        let told = shared.directory.try_tell_agent(&agent, ToAgent::Several(messages));
        let Err(ToAgent::Several(messages)) = told else { continue };
        for message in messages {
            if let ToAgent::Command(AgentCommand::Adjust { conversation, lease: Some(_), .. }) =
                message
            {
                let gone = ToConversation::AgentGone(agent.clone());
                shared.directory.tell_live(conversation, gone);
            }
        }
    }
    for (queue, commands) in for_queues {
        send_to_queue(shared, &queue, ToQueue::Several(commands));
    }
}

/// Whoever leaves a queue that is not there any more has left it.
fn send_to_queue(shared: &Arc<Shared>, queue: &QueueId, message: ToQueue) {
    let is_join = |command: &QueueCommand| matches!(command, QueueCommand::Join(..));
    let joins = match &message {
        ToQueue::Command(command) => usize::from(is_join(command)),
        ToQueue::Several(commands) => commands.iter().filter(|command| is_join(command)).count(),
        _ => 0,
    };
    if shared.directory.tell_queue(queue, message) == Delivery::Nobody && joins > 0 {
        tracing::warn!(%queue, joins, "chats wait in queue {queue}, which was removed");
    }
}

fn key_of(shared: &Arc<Shared>) -> usize {
    Arc::as_ptr(shared).addr()
}
