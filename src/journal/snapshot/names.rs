//! Texts that stand in very many conversations: agents, queues, what a page is called.
//!
//! A start reads millions of snapshots, and each names the same few of them. Read through here
//! all of them share one copy. Each thread has its own, and forgets all of them when there are too
//! many, so that what does not repeat costs nothing for long.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use crate::domain::id::{AgentId, QueueId, WidgetId, WorkstreamId};
use crate::domain::text::DisplayName;

/// How many different texts of one kind a thread remembers.
const KNOWN_MAX: usize = 16_384;

/// Longer texts are not likely to repeat.
const KNOWN_BYTES_MAX: usize = 128;

type Known<T> = RefCell<BTreeMap<Box<str>, T>>;

thread_local! {
    static AGENTS: Known<AgentId> = RefCell::default();
    static QUEUES: Known<QueueId> = RefCell::default();
    static WIDGETS: Known<WidgetId> = RefCell::default();
    static WORKSTREAMS: Known<WorkstreamId> = RefCell::default();
    static NAMES: Known<DisplayName> = RefCell::default();
    static TEXTS: Known<Arc<str>> = RefCell::default();
}

pub(super) fn agent(text: &str) -> Result<AgentId, <AgentId as FromStr>::Err> {
    AGENTS.with_borrow_mut(|known| shared(known, text, AgentId::from_str))
}

pub(super) fn queue(text: &str) -> Result<QueueId, <QueueId as FromStr>::Err> {
    QUEUES.with_borrow_mut(|known| shared(known, text, QueueId::from_str))
}

pub(super) fn widget(text: &str) -> Result<WidgetId, <WidgetId as FromStr>::Err> {
    WIDGETS.with_borrow_mut(|known| shared(known, text, WidgetId::from_str))
}

pub(super) fn workstream(text: &str) -> Result<WorkstreamId, <WorkstreamId as FromStr>::Err> {
    WORKSTREAMS.with_borrow_mut(|known| shared(known, text, WorkstreamId::from_str))
}

pub(super) fn name(text: &str) -> Result<DisplayName, crate::domain::text::TextRefusal> {
    NAMES.with_borrow_mut(|known| shared(known, text, DisplayName::stored))
}

pub(super) fn text(text: &str) -> Arc<str> {
    let read = |text: &str| Ok::<_, std::convert::Infallible>(Arc::from(text));
    let Ok(text) = TEXTS.with_borrow_mut(|known| shared(known, text, read));
    text
}

fn shared<T: Clone, E>(
    known: &mut BTreeMap<Box<str>, T>,
    text: &str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, E> {
    if let Some(read) = known.get(text) {
        return Ok(read.clone());
    }
    let value = read(text)?;
    if text.len() <= KNOWN_BYTES_MAX {
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(text.into(), value.clone());
    }
    Ok(value)
}
