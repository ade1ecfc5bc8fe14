//! A change of the settings of every kind, for the golden records.

use std::sync::Arc;

use holdline::domain::settings::registry::{SettingChange, TokenDigest};
use holdline::domain::settings::{
    AgentSettings, Autoclose, IdleRule, QueueSettings, Role, WidgetSettings, Workstream,
    WrapupBlock,
};
use holdline::domain::text::DisplayName;
use holdline::domain::time::Span;

use super::time;
use crate::support::agent;

pub(super) fn changes() -> Vec<SettingChange> {
    let plain = Workstream::new("sales".parse().unwrap(), "sales-de".parse().unwrap());
    let second = Span::from_secs;
    let full = Workstream {
        wrapup_block: WrapupBlock::For(second(60)),
        autoclose: Autoclose { open: None, active: Some(second(3_600)), wrapup: Some(second(90)) },
        idle: Some(IdleRule { warn: second(60), close: second(120) }),
        redirect: Some("https://example.org/contact".into()),
        ..plain.clone()
    };
    let never = Workstream { wrapup_block: WrapupBlock::Never, ..plain.clone() };
    let roles = [Role::Agent, Role::Supervisor, Role::Administrator];
    let mut changes = vec![
        SettingChange::PutWorkstream(plain),
        SettingChange::PutWorkstream(full),
        SettingChange::PutWorkstream(never),
        SettingChange::DeleteWorkstream("sales".parse().unwrap()),
        SettingChange::PutQueue(QueueSettings {
            id: "sales-de".parse().unwrap(),
            name: DisplayName::parse("Sales").unwrap(),
            agents: vec![agent("ann"), agent("bob")],
        }),
        SettingChange::DeleteQueue("sales-de".parse().unwrap()),
        SettingChange::PutWidget(WidgetSettings {
            id: "shop".parse().unwrap(),
            workstream: "sales".parse().unwrap(),
            origins: vec![Arc::from("https://example.org")],
        }),
        SettingChange::DeleteWidget("shop".parse().unwrap()),
        SettingChange::DeleteAgent(agent("ann")),
        SettingChange::AddToken {
            agent: agent("ann"),
            digest: TokenDigest([0x5a; 32]),
            at: time(0),
        },
    ];
    let absent = Workstream::new("sales".parse().unwrap(), "sales-de".parse().unwrap());
    changes.push(SettingChange::PutWorkstream(Workstream {
        offer_grace: second(5),
        agent_notice: None,
        ..absent
    }));
    changes.extend(roles.map(|role| {
        let name = DisplayName::parse("Ann").unwrap();
        SettingChange::PutAgent(AgentSettings { id: agent("ann"), name, role, units: 5 })
    }));
    changes
}
