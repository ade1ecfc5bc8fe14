//! Compares what the server says of a chat with what the driver remembers of it.

use std::collections::{HashMap, HashSet};

use super::record::{Chat, Mark};
use super::world::{World, Wrong, millis};

/// How many milliseconds two readings of one machine's clock may differ by.
const CLOCK_MS: i64 = 10;

/// One message of a copy of a transcript, or one notice.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) seq: u32,
    /// The id of a message; nothing for a notice.
    pub(crate) id: Option<String>,
    pub(crate) text: String,
}

/// One fact of a timeline that is about times.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) kind: String,
    pub(crate) at: i64,
    pub(crate) until: Option<i64>,
}

/// Everything that was acknowledged is there, at the place that was told. Nothing stands there
/// twice or out of order, and nothing that nobody said.
pub(crate) fn judge_copy(world: &World, chat: &Chat, source: &str, lines: &[Line]) {
    let note = |wrong, what: String| world.note(wrong, format!("{} ({source}): {what}", chat.id));
    for (line, next) in lines.iter().zip(lines.iter().skip(1)) {
        if line.seq >= next.seq {
            note(Wrong::Reordered, format!("{line:?} stands before {next:?}"));
        }
    }
    let mut places = HashMap::new();
    // The smallest number that the next message of each side may have.
    let mut next = (0, 0);
    for line in lines {
        let Some(id) = &line.id else { continue };
        let mark = Mark::parse(id).filter(|mark| chat.was_minted(*mark));
        let Some(mark) = mark else {
            note(Wrong::Other, format!("nobody said {line:?}"));
            continue;
        };
        if line.text != super::record::text_of(mark) {
            note(Wrong::Other, format!("{line:?} has another text"));
        }
        if let Some(before) = places.insert(mark, line.seq) {
            note(Wrong::Duplicated, format!("{mark} stands at {before} and at {}", line.seq));
        }
        let expected = if mark.is_customers() { &mut next.0 } else { &mut next.1 };
        if mark.number() < *expected {
            note(Wrong::Reordered, format!("{mark} stands at {} after a later one", line.seq));
        }
        *expected = mark.number() + 1;
    }
    for (mark, seq) in chat.answered.borrow().iter() {
        match places.get(mark) {
            Some(place) if place == seq => {}
            Some(place) => {
                note(Wrong::Reordered, format!("{mark} was acknowledged at {seq}, is at {place}"));
            }
            None => note(Wrong::Lost, format!("{mark} was acknowledged at {seq}")),
        }
    }
}

/// The widget was told of every message up to where it left, and of each once.
pub(crate) fn judge_live(world: &World, chat: &Chat, lines: &[Line]) {
    let heard = chat.heard.borrow();
    let told: HashSet<_> = heard.iter().copied().collect();
    if told.len() != heard.len() {
        world.note(Wrong::Duplicated, format!("{} (live): {heard:?}", chat.id));
    }
    let seen = chat.seen.get();
    let kept = lines.iter().filter(|line| line.id.is_some() && line.seq <= seen);
    let kept: HashSet<_> = kept.map(|line| line.seq).collect();
    for seq in kept.difference(&told) {
        let what = format!("{} (live): {seq} was not told, {seen} was", chat.id);
        world.note(Wrong::Lost, what);
    }
    for seq in told.difference(&kept) {
        world.note(Wrong::Lost, format!("{} (live): {seq} was told and is not kept", chat.id));
    }
}

/// What the feed of the agent who took the chat has not told, although the agent had the chat then.
pub(crate) fn missing_in_feed(world: &World, chat: &Chat, lines: &[Line]) -> Option<String> {
    let (agent, since) = lines.iter().rev().find_map(|line| {
        let name = line.text.strip_suffix(" joined").filter(|_| line.id.is_none())?;
        Some((world.agent_named(name)?, line.seq))
    })?;
    let told = agent.told.borrow();
    let told = told.get(&chat.id).map_or(&[][..], |told| &told.seqs);
    // From where the agent left the chat, it is no longer the agent's.
    let left = lines
        .iter()
        .find(|line| line.id.is_none() && line.seq > since && line.text.starts_with("Agent "));
    let until = left.map_or(u32::MAX, |line| line.seq);
    let said = lines.iter().filter(|line| line.id.is_some() && line.seq > since);
    let said = said.filter(|line| line.seq < until);
    let missing = said.map(|line| line.seq).filter(|seq| told.binary_search(seq).is_err());
    let missing: Vec<_> = missing.collect();
    if missing.is_empty() {
        world.count(|tally| tally.told_in_feeds += told.len() as u64);
        return None;
    }
    Some(format!("{} was not told of {missing:?}", agent.id))
}

/// No feed told anything late of a chat while its agent had the chat. While another agent has it, a
/// feed that comes back may tell it at any time.
pub(crate) fn judge_feeds(world: &World, chat: &Chat, lines: &[Line]) {
    for agent in world.agents.borrow().iter() {
        let told = agent.told.borrow();
        for seq in told.get(&chat.id).iter().flat_map(|told| &told.late) {
            let mut notices =
                lines.iter().rev().filter(|line| line.id.is_none() && line.seq < *seq);
            let has = |line: &Line| match line.text.strip_suffix(" joined") {
                Some(name) => Some(name == agent.id),
                None => line.text.starts_with("Agent ").then_some(false),
            };
            if notices.find_map(has) == Some(true) {
                let what = format!("{}: {}'s feed told {seq} late", chat.id, agent.id);
                world.note(Wrong::Reordered, what);
            } else {
                world.count(|tally| tally.strays += 1);
            }
        }
    }
}

/// No customer is disconnected early, late, or twice.
pub(crate) fn judge_times(world: &World, chat: &Chat, moments: &[Moment]) {
    let note = |wrong, what: String| world.note(wrong, format!("{}: {what}", chat.id));
    let is_end = |moment: &&Moment| moment.kind == "customer_disconnected";
    let ends: Vec<_> = moments.iter().filter(is_end).collect();
    if ends.len() > 1 {
        note(Wrong::Twice, format!("{ends:?}"));
    }
    let Some(end) = ends.first() else { return };
    let window = world.window_ms();
    let proven_at = chat.proven_at.get();
    if end.at + CLOCK_MS < proven_at + window {
        let what = format!("disconnected at {}, was there at {proven_at}", end.at);
        note(Wrong::Early, what);
    }
    let started_at = world.started_before(end.at);
    if end.at + CLOCK_MS < started_at + window {
        let what = format!("disconnected at {}, the server started at {started_at}", end.at);
        note(Wrong::Early, what);
    }
    let before = moments.iter().take_while(|moment| moment.kind != "customer_disconnected");
    match before.filter_map(|moment| moment.until).last() {
        Some(until) if end.at > until => {
            let late = end.at - until;
            world.count(|tally| tally.latest_end = tally.latest_end.max(late));
            if late > millis(world.plan.tolerance) {
                note(Wrong::Missed, format!("disconnected at {}, held until {until}", end.at));
            }
        }
        until => note(Wrong::Early, format!("disconnected at {}, held until {until:?}", end.at)),
    }
    let due = chat.gone_at.get().and_then(|gone_at| world.due_by(gone_at));
    if due.is_some_and(|due| end.at > due) {
        let gone_at = chat.gone_at.get();
        let what = format!("gone at {gone_at:?}, due by {due:?}, disconnected at {}", end.at);
        note(Wrong::Missed, what);
    }
}
