//! A change of the settings of every kind, for the golden records.

use std::sync::Arc;

use holdline::domain::settings::registry::{SettingChange, Token, TokenDigest};
use holdline::domain::settings::{
    AdmissionRule, AgentSettings, AuditRetention, Autoclose, IdleRule, QueueSettings, Role,
    WidgetSettings, Workstream, WrapupBlock,
};
use holdline::domain::text::DisplayName;
use holdline::domain::time::Span;

use super::time;
use crate::support::agent;

pub(super) fn changes() -> Vec<SettingChange> {
    let new = Workstream::new("sales".parse().unwrap(), "sales-de".parse().unwrap());
    // As every release wrote it before a retention had a default.
    let plain = Workstream { retention: None, ..new.clone() };
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
        SettingChange::PutWorkstream(plain.clone()),
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
            admission: None,
        }),
        SettingChange::DeleteWidget("shop".parse().unwrap()),
        SettingChange::DeleteAgent(agent("ann")),
        SettingChange::AddToken {
            digest: TokenDigest([0x5a; 32]),
            token: Token::new(agent("ann"), time(0)),
        },
    ];
    changes.push(SettingChange::AddToken {
        digest: TokenDigest([0xa5; 32]),
        token: Token {
            name: Some(DisplayName::parse("phone").unwrap()),
            expires_at: Some(time(0) + second(60)),
            ..Token::new(agent("ann"), time(0))
        },
    });
    changes.push(SettingChange::PutWidget(WidgetSettings {
        id: "bank".parse().unwrap(),
        workstream: "sales".parse().unwrap(),
        origins: vec![Arc::from("https://example.org")],
        admission: Some(AdmissionRule { required: true, keys: vec![Arc::from("a key")] }),
    }));
    changes.push(SettingChange::EndToken(TokenDigest([0xa5; 32])));
    changes.push(SettingChange::NoteTokenUse { digest: TokenDigest([0xa5; 32]), at: time(0) });
    changes.push(SettingChange::PutWorkstream(Workstream {
        offer_grace: second(5),
        agent_notice: None,
        ..plain
    }));
    changes.extend(roles.map(|role| {
        let name = DisplayName::parse("Ann").unwrap();
        SettingChange::PutAgent(AgentSettings { id: agent("ann"), name, role, units: 5 })
    }));
    changes.extend(
        [Some(90), None]
            .map(|after_days| SettingChange::PutAuditRetention(AuditRetention { after_days })),
    );
    changes.push(SettingChange::PutWorkstream(new));
    changes
}
