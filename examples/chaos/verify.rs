//! Verifies each chat once it is over: waits until the server has closed it, and reads both copies
//! of its transcript. If the customer was disconnected, it also reads the timeline.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::console::{pages, read};
use super::judge::{
    Line, Moment, judge_copy, judge_feeds, judge_live, judge_times, missing_in_feed,
};
use super::record::Chat;
use super::server::{ADMINISTRATOR, now_ms};
use super::world::{World, Wrong};

/// How much time passes between two looks at a chat that is not closed yet.
const LOOK_EVERY: Duration = Duration::from_millis(1_500);

/// How long a chat may take to close once it is over, including restarts: much longer than a
/// wrap-up lasts by itself.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a feed may take to come back and tell the rest.
const FEED_PATIENCE: Duration = Duration::from_secs(40);

/// How many chats are read at once.
const READERS: usize = 4;

/// Verifies every chat that is over, until no more can come and all of them are verified.
pub(crate) async fn verify(world: Rc<World>, mut over: mpsc::UnboundedReceiver<Rc<Chat>>) {
    let readers = Rc::new(Semaphore::new(READERS));
    let mut settling = JoinSet::new();
    while let Some(chat) = over.recv().await {
        // A chat without an id means the end of the trial.
        if chat.id.is_empty() {
            break;
        }
        let (world, readers) = (Rc::clone(&world), Rc::clone(&readers));
        settling.spawn_local(async move { settle(&world, &chat, &readers).await });
        while settling.try_join_next().is_some() {}
    }
    settling.join_all().await;
}

async fn settle(world: &World, chat: &Chat, readers: &Semaphore) {
    if !is_closed(world, chat).await {
        return;
    }
    let permit = readers.acquire().await.expect("it is never closed");
    let judged = judge(world, chat).await;
    drop(permit);
    let lines = match judged {
        Ok(lines) => lines,
        Err(what) => return world.note(Wrong::Lost, what),
    };
    let start = Instant::now();
    while let Some(missing) = missing_in_feed(world, chat, &lines) {
        if start.elapsed() > FEED_PATIENCE {
            world.note(Wrong::Lost, format!("{} (feed): {missing}", chat.id));
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    judge_feeds(world, chat, &lines);
    for agent in world.agents.borrow().iter() {
        agent.told.borrow_mut().remove(&chat.id);
    }
}

/// Waits until a chat is closed; false if it is not closed as it must be.
async fn is_closed(world: &World, chat: &Chat) -> bool {
    let start = Instant::now();
    loop {
        sleep(LOOK_EVERY).await;
        let asked_at = now_ms();
        let now = match read(world, ADMINISTRATOR, &format!("/v1/conversations/{}", chat.id)).await
        {
            Ok(now) => now,
            Err(what) => {
                world.note(Wrong::Lost, what);
                return false;
            }
        };
        let state = now["state"].as_str().unwrap_or_default();
        if state == "closed" {
            return true;
        }
        let due = chat.gone_at.get().and_then(|gone_at| world.due_by(gone_at));
        if state != "wrapup" && due.is_some_and(|due| asked_at > due) {
            world.note(Wrong::Missed, format!("gone at {:?}: {now}", chat.gone_at.get()));
            return false;
        }
        if start.elapsed() > PATIENCE {
            world.note(Wrong::Other, format!("is over and not closed: {now}"));
            return false;
        }
    }
}

async fn judge(world: &World, chat: &Chat) -> Result<Vec<Line>, String> {
    let id = &chat.id;
    let customers = transcript(world, id, "customer").await?;
    judge_copy(world, chat, "the customer's copy", &customers);
    judge_live(world, chat, &customers);
    let agents = transcript(world, id, "agent").await?;
    judge_copy(world, chat, "the agent's copy", &agents);
    let messages = agents.iter().filter(|line| line.id.is_some()).count();
    world.count(|tally| tally.read_over_http += messages as u64);
    let was_disconnected = agents.iter().any(|line| line.text.starts_with("Customer disconnected"));
    if was_disconnected || chat.gone_at.get().is_some() {
        let path = format!("/v1/conversations/{id}/timeline");
        let entries = pages(world, ADMINISTRATOR, &path, "entries").await?;
        judge_times(world, chat, &entries.iter().map(moment).collect::<Vec<_>>());
    }
    Ok(agents)
}

async fn transcript(world: &World, id: &str, audience: &str) -> Result<Vec<Line>, String> {
    let path = format!("/v1/conversations/{id}/transcript?audience={audience}");
    let entries = pages(world, ADMINISTRATOR, &path, "entries").await?;
    Ok(entries.iter().map(line).collect())
}

fn line(entry: &Value) -> Line {
    let text = |field: &str| entry[field].as_str().map(ToOwned::to_owned);
    let is_message = entry["kind"] == "message";
    Line {
        seq: entry["seq"].as_u64().and_then(|seq| u32::try_from(seq).ok()).unwrap_or(0),
        id: text("id").filter(|_| is_message),
        text: text("text").unwrap_or_default(),
    }
}

fn moment(entry: &Value) -> Moment {
    Moment {
        kind: entry["kind"].as_str().unwrap_or_default().to_owned(),
        at: time(&entry["at"]).unwrap_or(0),
        until: time(&entry["details"]["until"]).filter(|_| holds(&entry["kind"])),
    }
}

/// Whether an event of this kind says until when a customer is held.
fn holds(kind: &Value) -> bool {
    kind == "customer_away" || kind == "server_restarted"
}

fn time(value: &Value) -> Option<i64> {
    let time: jiff::Timestamp = value.as_str()?.parse().ok()?;
    Some(time.as_millisecond())
}
