//! All settings together: whatever is checked and applied, nothing names what does not exist.

use std::fmt::Debug;
use std::str::FromStr;

use holdline::domain::id::{AgentId, QueueId, WidgetId, WorkstreamId};
use holdline::domain::settings::registry::{Registry, SettingChange, Token, TokenDigest};
use holdline::domain::settings::{
    AgentSettings, AuditRetention, QueueSettings, Role, WidgetSettings, Workstream,
};
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};
use holdline::limits;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::config;
use crate::settings::workstream;

fn id<T: FromStr + Debug>(kind: &'static str) -> impl Strategy<Value = T>
where
    T::Err: Debug,
{
    (0_u8..3).prop_map(move |number| format!("{kind}{number}").parse().expect("an id"))
}

fn name() -> DisplayName {
    DisplayName::parse("Somebody").expect("a name")
}

fn put() -> impl Strategy<Value = SettingChange> {
    let agents = vec(id::<AgentId>("agent"), 0..3);
    let agent = (id::<AgentId>("agent"), 0_u32..150_000).prop_map(|(id, units)| {
        SettingChange::PutAgent(AgentSettings { id, name: name(), role: Role::Agent, units })
    });
    let stream = (workstream(), id::<WorkstreamId>("stream"), id::<QueueId>("queue"));
    let stream = (stream, any::<bool>()).prop_map(|((valid, id, queue), breaks)| {
        let window = if breaks { valid.heartbeat } else { valid.window };
        SettingChange::PutWorkstream(Workstream { id, queue, window, ..valid })
    });
    prop_oneof![
        agent,
        stream,
        (id::<QueueId>("queue"), agents).prop_map(|(id, agents)| {
            SettingChange::PutQueue(QueueSettings { id, name: name(), agents })
        }),
        (id::<WidgetId>("widget"), id::<WorkstreamId>("stream")).prop_map(|(id, workstream)| {
            {
                let origins = vec!["*".into()];
                SettingChange::PutWidget(WidgetSettings {
                    id,
                    workstream,
                    origins,
                    admission: None,
                })
            }
        }),
    ]
}

fn change() -> impl Strategy<Value = SettingChange> {
    prop_oneof![
        6 => put(),
        1 => id("stream").prop_map(SettingChange::DeleteWorkstream),
        1 => id("queue").prop_map(SettingChange::DeleteQueue),
        1 => id("widget").prop_map(SettingChange::DeleteWidget),
        1 => id("agent").prop_map(SettingChange::DeleteAgent),
        4 => (id("agent"), any::<u8>(), 0_u64..100).prop_map(|(agent, digest, at)| {
            let made_at = Timestamp::default() + Span::from_secs(at);
            let expires_at = digest.is_multiple_of(3).then(|| made_at + Span::from_secs(20));
            let token = Token { expires_at, ..Token::new(agent, made_at) };
            SettingChange::AddToken { digest: TokenDigest([digest; 32]), token }
        }),
        1 => option::of(0_u32..40_000).prop_map(|after_days| {
            SettingChange::PutAuditRetention(AuditRetention { after_days })
        }),
        1 => any::<u8>().prop_map(|digest| SettingChange::EndToken(TokenDigest([digest; 32]))),
        1 => (any::<u8>(), 0_u64..100).prop_map(|(digest, at)| SettingChange::NoteTokenUse {
            digest: TokenDigest([digest; 32]),
            at: Timestamp::default() + Span::from_secs(at),
        }),
    ]
}

fn holds_together(registry: &Registry) -> Result<(), TestCaseError> {
    for workstream in registry.workstreams.values() {
        prop_assert!(registry.queues.contains_key(&workstream.queue));
        prop_assert_eq!(workstream.violations(), vec![]);
    }
    for widget in registry.widgets.values() {
        prop_assert!(registry.workstreams.contains_key(&widget.workstream));
    }
    for queue in registry.queues.values() {
        prop_assert_eq!(queue.violations(), vec![]);
        prop_assert!(queue.agents.iter().all(|agent| registry.agents.contains_key(agent)));
    }
    for agent in registry.agents.values() {
        prop_assert_eq!(agent.violations(), vec![]);
        let held = registry.tokens_of(&agent.id).count();
        prop_assert!(held <= limits::AGENT_TOKENS_MAX);
    }
    prop_assert!(registry.tokens.values().all(|it| registry.agents.contains_key(&it.agent)));
    Ok(())
}

fn is_in_force(registry: &Registry, change: &SettingChange) -> bool {
    match change {
        SettingChange::PutWorkstream(it) => {
            registry.workstreams.get(&it.id).is_some_and(|held| **held == *it)
        }
        SettingChange::PutQueue(it) => {
            registry.queues.get(&it.id).is_some_and(|held| **held == *it)
        }
        SettingChange::PutWidget(it) => {
            registry.widgets.get(&it.id).is_some_and(|held| **held == *it)
        }
        SettingChange::PutAgent(it) => {
            registry.agents.get(&it.id).is_some_and(|held| **held == *it)
        }
        SettingChange::PutAuditRetention(it) => registry.audit == *it,
        SettingChange::DeleteWorkstream(id) => !registry.workstreams.contains_key(id),
        SettingChange::DeleteQueue(id) => !registry.queues.contains_key(id),
        SettingChange::DeleteWidget(id) => !registry.widgets.contains_key(id),
        SettingChange::DeleteAgent(id) => !registry.agents.contains_key(id),
        SettingChange::AddToken { digest, .. } => registry.tokens.contains_key(digest),
        SettingChange::EndToken(digest) => !registry.tokens.contains_key(digest),
        SettingChange::NoteTokenUse { digest, at } => {
            registry.tokens.get(digest).is_some_and(|it| it.used_at == Some(*at))
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn settings_always_hold_together(changes in vec(change(), 0..80)) {
        let mut registry = Registry::default();
        for change in changes {
            if registry.check(&change).is_ok() {
                registry.apply(change);
            }
            holds_together(&registry)?;
        }
    }

    /// What was put is there, what was deleted is not, and putting it again changes nothing.
    #[test]
    fn a_change_is_what_it_says(changes in vec(change(), 0..80)) {
        let mut registry = Registry::default();
        for change in changes {
            if registry.check(&change).is_err() {
                continue;
            }
            registry.apply(change.clone());
            let once = registry.clone();
            registry.apply(change.clone());
            prop_assert_eq!(&registry, &once, "{:?}", change);
            prop_assert!(is_in_force(&registry, &change), "{:?}", change);
        }
    }
}
