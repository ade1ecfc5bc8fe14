//! An agent's feed, read lightly and for as long as the trial lasts. Whenever the feed is lost, it
//! goes on after its last id.

use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{sleep, timeout};

use super::agent::{Act, Agent};
use super::frames;
use super::random::Random;
use super::world::{World, Wrong};

/// How long a feed may be quiet before its console believes that the feed is lost. The server says
/// something every 15 seconds, and here chats change all the time.
const QUIET_MAX: Duration = Duration::from_secs(4);

/// A console that reads its feed.
struct Reader {
    world: Rc<World>,
    agent: Rc<Agent>,
    random: Random,
    last: Option<String>,
}

/// Reads an agent's feed, through the proxy if its number is odd.
pub(crate) async fn listen(world: Rc<World>, agent: Rc<Agent>, number: u64) {
    let random = Random::new(world.plan.seed, (1 << 21) + number);
    let through = if number % 2 == 1 { world.proxy } else { world.server };
    let url = format!("http://{through}/v1/agents/me/feed");
    let mut reader = Reader { world, agent, random, last: None };
    loop {
        reader.world.up().await;
        reader.read(&url).await;
        reader.agent.is_listening.set(false);
        reader.world.count(|tally| tally.feeds_reopened += 1);
        let pause = reader.random.between(20, 200);
        sleep(Duration::from_millis(pause)).await;
    }
}

impl Reader {
    /// Reads until the feed is lost.
    async fn read(&mut self, url: &str) -> Option<()> {
        let mut request = self.world.client.get(url).bearer_auth(&self.agent.token);
        if let Some(last) = &self.last {
            request = request.header("last-event-id", last);
        }
        let response = timeout(QUIET_MAX, request.send()).await.ok()?.ok()?;
        if response.status() != 200 {
            let wrong = Wrong::of_status(response.status().as_u16());
            self.world.note(wrong, format!("{}: {}", self.agent.id, response.status()));
            return None;
        }
        self.agent.is_listening.set(true);
        let mut bytes = response.bytes_stream();
        let mut unread = Vec::new();
        loop {
            let more = timeout(QUIET_MAX, bytes.next()).await.ok()??.ok()?;
            unread.extend_from_slice(&more);
            let mut taken = 0;
            while let Some(end) = unread[taken..].windows(2).position(|two| two == b"\n\n") {
                let block = String::from_utf8_lossy(&unread[taken..taken + end]).into_owned();
                self.take(&block);
                taken += end + 2;
            }
            unread.drain(..taken);
        }
    }

    fn take(&mut self, block: &str) {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        let (Some(event), Some(data)) = (field("event: "), field("data: ")) else { return };
        match event {
            "message" => self.take_message(data),
            "offer" => self.take_offer(data),
            "conversation" => self.take_state(data),
            _ => {}
        }
        if let Some(id) = field("id: ") {
            self.last = Some(id.to_owned());
        }
    }

    fn take_offer(&mut self, data: &str) {
        let Some(id) = frames::word(data, "conversation") else { return };
        let act = if self.random.chance(5) { Act::Decline } else { Act::Accept };
        let after = Duration::from_millis(self.random.between(0, 700));
        self.agent.plan(&self.world, id, act, after);
    }

    fn take_state(&mut self, data: &str) {
        let (Some(id), Some(state)) = (frames::word(data, "id"), frames::word(data, "state"))
        else {
            return;
        };
        let is_mine = frames::word(data, "agent") == Some(&self.agent.id);
        let is_talking = frames::word(data, "phase") == Some("talking");
        self.agent.note_state(id, is_mine && is_talking);
        if is_mine && state == "wrapup" {
            let after = Duration::from_millis(self.random.between(0, 1_000));
            self.agent.plan(&self.world, id, Act::Close, after);
        }
    }

    fn take_message(&mut self, data: &str) {
        let id = frames::word(data, "conversation");
        let (Some(id), Some(seq)) = (id, frames::number(data, "seq")) else { return };
        let mut told = self.agent.told.borrow_mut();
        if !told.contains_key(id) {
            told.insert(id.to_owned(), super::agent::Told::default());
        }
        let Some(chat) = told.get_mut(id) else { return };
        match chat.seqs.binary_search(&seq) {
            // A feed that comes back after a restart may say something again, but must never leave
            // anything out.
            Ok(_) => self.world.count(|tally| tally.feed_repeats += 1),
            Err(place) => {
                if place < chat.seqs.len() {
                    chat.late.push(seq);
                }
                chat.seqs.insert(place, seq);
            }
        }
    }
}
