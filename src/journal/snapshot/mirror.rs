//! The form of a snapshot: a twin of each part of a conversation, and the conversions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::conversation::attendance::Attendance;
use crate::domain::conversation::event::Opening;
use crate::domain::conversation::parts::{Parts, PostedPart};
use crate::domain::id::{AgentId, ConversationId, Seq, VisitorId};
use crate::domain::text::DisplayName;
use crate::domain::time::Timestamp;
use crate::journal::record::Unreadable;
use crate::journal::snapshot::attending::{AbsenceTwin, AttendingTwin};
use crate::journal::snapshot::phase::PhaseTwin;

#[derive(Deserialize, Serialize)]
pub(super) struct Snapshot {
    id: u128,
    opening: Option<OpeningTwin>,
    started_at: i64,
    seq: u32,
    seen_by_customer: u32,
    phase: PhaseTwin,
    attending: Vec<AttendingTwin>,
    absence: Option<AbsenceTwin>,
    last_seen: i64,
    posts: Vec<PostedTwin>,
    declines: Vec<(Arc<str>, u8)>,
    excluded: Vec<Arc<str>>,
}

#[derive(Deserialize, Serialize)]
struct OpeningTwin {
    widget: Arc<str>,
    workstream: Arc<str>,
    queue: Arc<str>,
    visitor: u128,
    start: Arc<str>,
    name: Option<Arc<str>>,
    form: Option<Arc<str>>,
    context: Option<Arc<str>>,
    page: Option<Arc<str>>,
    locale: Option<Arc<str>>,
    close_at: Option<i64>,
}

#[derive(Deserialize, Serialize)]
struct PostedTwin {
    key: u64,
    content: u32,
    seq: u32,
    at: i64,
}

impl From<Parts> for Snapshot {
    fn from(parts: Parts) -> Self {
        let attendance = &parts.attendance;
        Self {
            id: parts.id.as_bits(),
            opening: parts.opening.as_ref().map(OpeningTwin::from),
            started_at: parts.started_at.as_millis(),
            seq: parts.seq.number(),
            seen_by_customer: parts.seen_by_customer.number(),
            phase: PhaseTwin::from(&parts.phase),
            attending: attendance.sessions().iter().map(AttendingTwin::from).collect(),
            absence: attendance.absence().map(AbsenceTwin::from),
            last_seen: attendance.last_seen().as_millis(),
            posts: parts.posts.iter().map(PostedTwin::from).collect(),
            declines: parts
                .declines
                .iter()
                .map(|(agent, count)| (agent.as_str().into(), *count))
                .collect(),
            excluded: parts.excluded.iter().map(|agent| agent.as_str().into()).collect(),
        }
    }
}

impl TryFrom<Snapshot> for Parts {
    type Error = Unreadable;

    fn try_from(snapshot: Snapshot) -> Result<Self, Unreadable> {
        let declines = snapshot.declines.iter().map(|(agent, count)| Ok((agent.parse()?, *count)));
        let excluded = snapshot.excluded.iter().map(|agent| agent.parse::<AgentId>());
        let attendance = Attendance::restore(
            snapshot.attending.into_iter().map(Into::into).collect(),
            snapshot.absence.map(Into::into),
            Timestamp::from_millis(snapshot.last_seen),
        );
        Ok(Self {
            id: ConversationId::from_bits(snapshot.id),
            opening: snapshot.opening.map(Opening::try_from).transpose()?,
            started_at: Timestamp::from_millis(snapshot.started_at),
            seq: Seq::new(snapshot.seq),
            seen_by_customer: Seq::new(snapshot.seen_by_customer),
            phase: snapshot.phase.try_into()?,
            attendance,
            posts: snapshot.posts.into_iter().map(PostedPart::from).collect(),
            declines: declines.collect::<Result<_, Unreadable>>()?,
            excluded: excluded.collect::<Result<_, _>>()?,
        })
    }
}

impl From<&Opening> for OpeningTwin {
    fn from(opening: &Opening) -> Self {
        Self {
            widget: opening.widget.as_str().into(),
            workstream: opening.workstream.as_str().into(),
            queue: opening.queue.as_str().into(),
            visitor: opening.visitor.as_bits(),
            start: opening.start.as_str().into(),
            name: opening.name.as_ref().map(|name| name.as_str().into()),
            form: opening.form.clone(),
            context: opening.context.clone(),
            page: opening.page.clone(),
            locale: opening.locale.clone(),
            close_at: opening.close_at.map(Timestamp::as_millis),
        }
    }
}

impl TryFrom<OpeningTwin> for Opening {
    type Error = Unreadable;

    fn try_from(twin: OpeningTwin) -> Result<Self, Unreadable> {
        Ok(Self {
            widget: twin.widget.parse()?,
            workstream: twin.workstream.parse()?,
            queue: twin.queue.parse()?,
            visitor: VisitorId::from_bits(twin.visitor),
            start: twin.start.parse()?,
            name: twin.name.map(|name| DisplayName::parse(&name)).transpose()?,
            form: twin.form,
            context: twin.context,
            page: twin.page,
            locale: twin.locale,
            close_at: twin.close_at.map(Timestamp::from_millis),
        })
    }
}

impl From<&PostedPart> for PostedTwin {
    fn from(part: &PostedPart) -> Self {
        Self {
            key: part.key,
            content: part.content,
            seq: part.seq.number(),
            at: part.at.as_millis(),
        }
    }
}

impl From<PostedTwin> for PostedPart {
    fn from(twin: PostedTwin) -> Self {
        Self {
            key: twin.key,
            content: twin.content,
            seq: Seq::new(twin.seq),
            at: Timestamp::from_millis(twin.at),
        }
    }
}
