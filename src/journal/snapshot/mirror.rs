//! The form of a snapshot: a twin of each part of a conversation, and the conversions.

use serde::{Deserialize, Serialize};

use crate::domain::conversation::attendance::Attendance;
use crate::domain::conversation::event::Opening;
use crate::domain::conversation::parts::{Parts, PostedPart};
use crate::domain::conversation::usage::CustomerUsage;
use crate::domain::id::{AgentId, ConversationId, Seq, VisitorId};
use crate::domain::text::{DisplayName, JsonText};
use crate::domain::time::Timestamp;
use crate::journal::record::Unreadable;
use crate::journal::snapshot::attendance::{AbsenceTwin, AttendingTwin};
use crate::journal::snapshot::names::{Names, Text};
use crate::journal::snapshot::phase::PhaseTwin;

#[derive(Deserialize, Serialize)]
pub(super) struct Snapshot<'a> {
    id: u128,
    #[serde(borrow)]
    opening: Option<OpeningTwin<'a>>,
    started_at: i64,
    seq: u32,
    seen_by_customer: u32,
    #[serde(borrow)]
    phase: PhaseTwin<'a>,
    attending: Vec<AttendingTwin>,
    absence: Option<AbsenceTwin>,
    last_seen: i64,
    posts: Vec<PostedTwin>,
    usage: UsageTwin,
    #[serde(borrow)]
    declines: Vec<(Text<'a>, u8)>,
    #[serde(borrow)]
    excluded: Vec<Text<'a>>,
}

#[derive(Deserialize, Serialize)]
struct OpeningTwin<'a> {
    #[serde(borrow)]
    widget: Text<'a>,
    #[serde(borrow)]
    workstream: Text<'a>,
    #[serde(borrow)]
    queue: Text<'a>,
    visitor: u128,
    #[serde(borrow)]
    start: Text<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    form: Option<Text<'a>>,
    #[serde(borrow)]
    context: Option<Text<'a>>,
    #[serde(borrow)]
    page: Option<Text<'a>>,
    #[serde(borrow)]
    locale: Option<Text<'a>>,
    close_at: Option<i64>,
    salt: u64,
}

#[derive(Deserialize, Serialize)]
struct PostedTwin {
    key: u64,
    content: u32,
    seq: u32,
    at: i64,
}

#[derive(Deserialize, Serialize)]
struct UsageTwin {
    messages: u32,
    bytes: u32,
    connections: u32,
}

impl<'a> From<&'a Parts> for Snapshot<'a> {
    fn from(parts: &'a Parts) -> Self {
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
            usage: UsageTwin::from(parts.usage),
            declines: parts
                .declines
                .iter()
                .map(|(agent, count)| (agent.as_str(), *count))
                .collect(),
            excluded: parts.excluded.iter().map(AgentId::as_str).collect(),
        }
    }
}

impl Snapshot<'_> {
    /// What it stands for.
    pub(super) fn read(self, names: &mut Names) -> Result<Parts, Unreadable> {
        let declines = self.declines.iter();
        let declines = declines.map(|(agent, count)| Ok((names.agent(agent)?, *count)));
        let declines = declines.collect::<Result<_, Unreadable>>()?;
        let excluded = self.excluded.iter().map(|agent| names.agent(agent));
        let excluded = excluded.collect::<Result<_, _>>()?;
        let attendance = Attendance::restore(
            self.attending.into_iter().map(Into::into).collect(),
            self.absence.map(Into::into),
            Timestamp::from_millis(self.last_seen),
        );
        Ok(Parts {
            id: ConversationId::from_bits(self.id),
            opening: self.opening.map(|opening| opening.read(names)).transpose()?,
            started_at: Timestamp::from_millis(self.started_at),
            seq: Seq::new(self.seq),
            seen_by_customer: Seq::new(self.seen_by_customer),
            phase: self.phase.read(names)?,
            attendance,
            posts: self.posts.into_iter().map(PostedPart::from).collect(),
            usage: self.usage.into(),
            declines,
            excluded,
        })
    }
}

impl<'a> From<&'a Opening> for OpeningTwin<'a> {
    fn from(opening: &'a Opening) -> Self {
        Self {
            widget: opening.widget.as_str(),
            workstream: opening.workstream.as_str(),
            queue: opening.queue.as_str(),
            visitor: opening.visitor.as_bits(),
            start: opening.start.as_str(),
            name: opening.name.as_ref().map(DisplayName::as_str),
            form: opening.form.as_deref(),
            context: opening.context.as_deref(),
            page: opening.page.as_deref(),
            locale: opening.locale.as_deref(),
            close_at: opening.close_at.map(Timestamp::as_millis),
            salt: opening.salt,
        }
    }
}

impl OpeningTwin<'_> {
    /// What it stands for.
    pub(super) fn read(self, names: &mut Names) -> Result<Opening, Unreadable> {
        Ok(Opening {
            widget: names.widget(self.widget)?,
            workstream: names.workstream(self.workstream)?,
            queue: names.queue(self.queue)?,
            visitor: VisitorId::from_bits(self.visitor),
            start: self.start.parse()?,
            name: self.name.map(|name| names.name(name)).transpose()?,
            form: self.form.map(JsonText::from),
            context: self.context.map(JsonText::from),
            page: self.page.map(|page| names.text(page)),
            locale: self.locale.map(|locale| names.text(locale)),
            close_at: self.close_at.map(Timestamp::from_millis),
            salt: self.salt,
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

impl From<CustomerUsage> for UsageTwin {
    fn from(usage: CustomerUsage) -> Self {
        let CustomerUsage { messages, bytes, connections } = usage;
        Self { messages, bytes, connections }
    }
}

impl From<UsageTwin> for CustomerUsage {
    fn from(twin: UsageTwin) -> Self {
        let UsageTwin { messages, bytes, connections } = twin;
        Self { messages, bytes, connections }
    }
}
