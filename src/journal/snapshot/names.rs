//! Texts that stand in very many conversations: agents, queues, what a page is called.
//!
//! A start reads millions of snapshots, and each names the same few texts. Read through [`Names`],
//! all of them share one copy. A reader of many snapshots has one of these. It forgets all texts
//! when there are too many, so that texts that do not repeat cost nothing for long.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;

use crate::domain::id::{AgentId, MalformedId, QueueId, WidgetId, WorkstreamId};
use crate::domain::text::{DisplayName, TextRefusal};
use crate::limits;

/// A text that is borrowed: from the conversation, or from the bytes.
pub(super) type Text<'a> = &'a str;

type Known<T> = BTreeMap<Box<str>, T>;

/// The texts that were read.
#[derive(Debug, Default)]
pub struct Names {
    agents: Known<AgentId>,
    queues: Known<QueueId>,
    widgets: Known<WidgetId>,
    workstreams: Known<WorkstreamId>,
    people: Known<DisplayName>,
    texts: Known<Arc<str>>,
}

impl Names {
    pub(super) fn agent(&mut self, text: &str) -> Result<AgentId, MalformedId> {
        shared(&mut self.agents, text, AgentId::from_str)
    }

    pub(super) fn queue(&mut self, text: &str) -> Result<QueueId, MalformedId> {
        shared(&mut self.queues, text, QueueId::from_str)
    }

    pub(super) fn widget(&mut self, text: &str) -> Result<WidgetId, MalformedId> {
        shared(&mut self.widgets, text, WidgetId::from_str)
    }

    pub(super) fn workstream(&mut self, text: &str) -> Result<WorkstreamId, MalformedId> {
        shared(&mut self.workstreams, text, WorkstreamId::from_str)
    }

    pub(super) fn name(&mut self, text: &str) -> Result<DisplayName, TextRefusal> {
        shared(&mut self.people, text, DisplayName::stored)
    }

    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        let read = |text: &str| Ok::<_, Infallible>(Arc::from(text));
        let Ok(text) = shared(&mut self.texts, text, read);
        text
    }
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
    if text.len() <= limits::SHARED_TEXT_BYTES_MAX {
        if known.len() >= limits::SHARED_TEXTS_MAX {
            known.clear();
        }
        known.insert(text.into(), value.clone());
    }
    Ok(value)
}
