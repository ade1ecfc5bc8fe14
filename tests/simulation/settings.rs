//! A plan's settings, in the product's words.

use holdline::domain::id::{AgentId, QueueId, WidgetId, WorkstreamId};
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::settings::{
    AgentSettings, Autoclose, IdleRule, QueueSettings, Role, WidgetSettings, Workstream,
    WrapupBlock,
};
use holdline::domain::text::DisplayName;
use holdline::domain::time::Span;

use crate::plan::{Block, Plan, StreamPlan};

pub fn agent_id(number: usize) -> AgentId {
    format!("agent-{number}").parse().expect("an id")
}

pub fn queue_id(number: usize) -> QueueId {
    format!("queue-{number}").parse().expect("an id")
}

pub fn stream_id(number: usize) -> WorkstreamId {
    format!("stream-{number}").parse().expect("an id")
}

pub fn widget_id(number: usize) -> WidgetId {
    format!("widget-{number}").parse().expect("an id")
}

/// The number in an id that the simulation made.
pub fn number_of(id: &str) -> usize {
    id.rsplit('-').next().and_then(|digits| digits.parse().ok()).expect("an id of ours")
}

pub fn agent(number: usize, units: u32) -> AgentSettings {
    let name = DisplayName::parse(&format!("Agent {number}")).expect("a name");
    AgentSettings { id: agent_id(number), name, role: Role::Agent, units }
}

pub fn queue(number: usize, agents: &[usize]) -> QueueSettings {
    QueueSettings {
        id: queue_id(number),
        name: DisplayName::parse(&format!("Queue {number}")).expect("a name"),
        agents: agents.iter().map(|agent| agent_id(*agent)).collect(),
    }
}

/// The settings of a conversation of which nothing is known.
pub fn fallback() -> Workstream {
    Workstream::new("none".parse().expect("an id"), "none".parse().expect("an id"))
}

pub fn workstream(number: usize, plan: &StreamPlan, queue: usize) -> Workstream {
    let mut workstream = Workstream::new(stream_id(number), queue_id(queue));
    workstream.units = plan.units;
    workstream.window = Span::from_secs(plan.window);
    workstream.heartbeat = Span::from_secs(plan.heartbeat);
    workstream.offer = Span::from_secs(plan.offer);
    workstream.decline_limit = plan.decline_limit;
    workstream.agent_grace = Span::from_secs(plan.grace);
    workstream.offer_grace = Span::from_secs(plan.offer_grace());
    workstream.agent_notice = plan.notice().map(Span::from_secs);
    workstream.wrapup_block = match plan.block {
        Block::Never => WrapupBlock::Never,
        Block::Always => WrapupBlock::Always,
        Block::For(seconds) => WrapupBlock::For(Span::from_secs(seconds)),
    };
    workstream.autoclose = Autoclose {
        open: plan.close_open.map(Span::from_secs),
        active: plan.close_active.map(Span::from_secs),
        wrapup: Some(Span::from_secs(plan.close_wrapup)),
    };
    workstream.idle = plan.idle.map(|(warn, close)| IdleRule {
        warn: Span::from_secs(warn),
        close: Span::from_secs(close),
    });
    workstream
}

/// Everything that a world begins with, in an order that breaks no rule.
pub fn all(plan: &Plan) -> Vec<SettingChange> {
    let mut all = Vec::new();
    for (number, settings) in plan.agents.iter().enumerate() {
        all.push(SettingChange::PutAgent(agent(number, settings.units)));
    }
    for (number, stream) in plan.streams.iter().enumerate() {
        let serves = |it: &usize| plan.agents[*it].queues.contains(&number);
        let agents: Vec<_> = (0..plan.agents.len()).filter(serves).collect();
        all.push(SettingChange::PutQueue(queue(number, &agents)));
        all.push(SettingChange::PutWorkstream(workstream(number, stream, number)));
        all.push(SettingChange::PutWidget(WidgetSettings {
            id: widget_id(number),
            workstream: stream_id(number),
            origins: vec!["*".into()],
            admission: None,
        }));
    }
    all
}
