//! What conversations tell agents: at once, or, while very many wait for the disk, gathered on each
//! thread and told in one message to each agent, a turn later.
//!
//! When a million windows end at one moment, an agent's thousand chats are told of within a few
//! milliseconds. One message for each costs as much as what it says.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::domain::agent::command::AgentCommand;
use crate::domain::id::AgentId;
use crate::engine::directory::Delivery;
use crate::engine::message::{ToAgent, ToConversation};
use crate::engine::rush;
use crate::engine::shared::Shared;

type Gathered = HashMap<AgentId, Vec<ToAgent>, RandomState>;

thread_local! {
    /// What is gathered, by the engine: there may be two on one thread.
    static GATHERED: RefCell<HashMap<usize, Gathered, RandomState>> = RefCell::default();
}

/// Tells an agent something, after whatever was told them before by conversations of this thread.
/// Of what is gathered it is said only later whether anybody was there: then the conversation hears
/// that the agent is gone.
pub(super) fn tell_agent(shared: &Arc<Shared>, agent: &AgentId, message: ToAgent) -> Delivery {
    let engine = Arc::as_ptr(shared).addr();
    let is_gathering = GATHERED.with_borrow(|all| all.contains_key(&engine));
    if !is_gathering && !rush::is_on() {
        return shared.directory.tell_agent(agent, message);
    }
    GATHERED.with_borrow_mut(|all| {
        let gathered = all.entry(engine).or_default();
        match gathered.get_mut(agent) {
            Some(messages) => messages.push(message),
            None => drop(gathered.insert(agent.clone(), vec![message])),
        }
    });
    if !is_gathering {
        // Its turn comes after those who were woken with this one.
        let shared = shared.clone();
        actix::spawn(async move { send_gathered(&shared) });
    }
    Delivery::Sent
}

fn send_gathered(shared: &Arc<Shared>) {
    let engine = Arc::as_ptr(shared).addr();
    let gathered = GATHERED.with_borrow_mut(|all| all.remove(&engine));
    for (agent, messages) in gathered.into_iter().flatten() {
        if shared.directory.has_agent(&agent) {
            shared.directory.tell_agent(&agent, ToAgent::Several(messages));
            continue;
        }
        for message in messages {
            if let ToAgent::Command(AgentCommand::Adjust { conversation, lease: Some(_), .. }) =
                message
            {
                let gone = ToConversation::AgentGone(agent.clone());
                shared.directory.tell_live(conversation, gone);
            }
        }
    }
}
