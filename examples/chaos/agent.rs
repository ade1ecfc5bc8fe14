//! An agent, who takes what the feed offers, talks in all of the agent's chats, ends those that the
//! customers want ended, and closes those that are over.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::time::sleep;

use super::console::insist;
use super::random::Random;
use super::record::{Mark, text_of};
use super::world::{World, Wrong};

/// What an agent's feed has told of one chat.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The places of the messages.
    pub(crate) seqs: Vec<u32>,
    /// The places that were first told after a later one.
    pub(crate) late: Vec<u32>,
}

/// An agent of the trial.
#[derive(Debug, Default)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) token: String,
    /// The chats that the agent is in.
    pub(crate) talking: RefCell<Vec<String>>,
    pub(crate) told: RefCell<HashMap<String, Told>>,
    /// What the agent is about to do.
    doing: RefCell<HashSet<(String, Act)>>,
    pub(crate) is_listening: Cell<bool>,
}

/// What an agent does with a chat.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Act {
    Accept,
    Decline,
    End,
    Close,
    Release,
}

impl Act {
    const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::End => "end",
            Self::Close => "close",
            Self::Release => "release",
        }
    }
}

impl Agent {
    pub(crate) fn new(id: &str, token: &str) -> Self {
        Self { id: id.to_owned(), token: token.to_owned(), ..Self::default() }
    }

    /// Does something with a chat after a while, unless the agent is about to do it already.
    pub(crate) fn plan(self: &Rc<Self>, world: &Rc<World>, id: &str, act: Act, after: Duration) {
        if !self.doing.borrow_mut().insert((id.to_owned(), act)) {
            return;
        }
        let (agent, world, id) = (Rc::clone(self), Rc::clone(world), id.to_owned());
        tokio::task::spawn_local(async move {
            sleep(after).await;
            world.moving().await;
            perform(&world, &agent, &id, act).await;
            agent.doing.borrow_mut().remove(&(id, act));
        });
    }

    pub(crate) fn note_state(&self, id: &str, is_mine: bool) {
        let mut talking = self.talking.borrow_mut();
        let known = talking.iter().position(|known| known == id);
        match known {
            Some(index) if !is_mine => drop(talking.swap_remove(index)),
            None if is_mine => talking.push(id.to_owned()),
            _ => {}
        }
    }
}

/// Does something with a chat until it is done, or a rule refuses it. True if it was done.
pub(crate) async fn perform(world: &World, agent: &Agent, id: &str, act: Act) -> bool {
    let path = format!("/v1/conversations/{id}/{}", act.name());
    let (status, text) = insist(world, &agent.token, Method::POST, &path, None).await;
    // Somebody or something was faster: 403 means that the chat is another agent's by now.
    if status != 200 && status != 409 && status != 403 {
        world.note(Wrong::of_status(status), format!("{path}: {status} {text}"));
    }
    status == 200
}

/// Talks for as long as the trial lasts.
pub(crate) async fn speak(world: Rc<World>, agent: Rc<Agent>, number: u64) {
    let mut random = Random::new(world.plan.seed, (1 << 20) + number);
    let pace = Duration::from_secs_f64(1.0 / world.plan.agent_rate);
    while !world.closing.get() {
        sleep(random.wait(pace)).await;
        let chat = {
            let talking = agent.talking.borrow();
            let count = u64::try_from(talking.len()).unwrap_or(0);
            let index = usize::try_from(random.between(0, count)).unwrap_or(0);
            let id = talking.get(index);
            id.and_then(|id| world.chats.borrow().get(id).map(Rc::clone))
        };
        let Some(chat) = chat else { continue };
        // Now and then an agent gives a chat back, and another agent takes it.
        if random.chance(3) {
            world.moving().await;
            agent.note_state(&chat.id, false);
            let released = perform(&world, &agent, &chat.id, Act::Release).await;
            world.count(|tally| tally.released += u64::from(released));
            continue;
        }
        let (customers, number) = chat.minted.get();
        chat.minted.set((customers, number + 1));
        let mark = Mark::of_agent(number);
        let body = json!({ "id": mark.to_string(), "text": text_of(mark) }).to_string();
        let path = format!("/v1/conversations/{}/messages", chat.id);
        let (status, text) = insist(&world, &agent.token, Method::POST, &path, Some(body)).await;
        match status {
            200 => {
                let seq = super::frames::number(&text, "seq").unwrap_or(0);
                chat.answered.borrow_mut().push((mark, seq));
                world.count(|tally| tally.said += 1);
            }
            403 | 409 => agent.note_state(&chat.id, false),
            _ => world.note(Wrong::of_status(status), format!("{path}: {status} {text}")),
        }
    }
}
