//! Settings at their bounds: what is just good, and what is just bad, each named by its field. An
//! agent's links are counted here, too.

use std::sync::Arc;

use holdline::domain::agent::command::{AgentCommand, AgentRefusal};
use holdline::domain::agent::{Agent, Link, Presence, REQUEST_LINKS_FOR};
use holdline::domain::id::{ConversationId, Seq};
use holdline::domain::lease::{Lease, Purpose};
use holdline::domain::settings::registry::{Registry, SettingChange};
use holdline::domain::settings::{
    AgentSettings, Disposal, IdleRule, QueueSettings, Retention, Role, WidgetSettings, Workstream,
    WrapupBlock,
};
use holdline::domain::text::DisplayName;
use holdline::domain::time::Span;
use holdline::limits;

use crate::floor::open_feed;
use crate::script::{DAWN, agent_named};

fn workstream() -> Workstream {
    Workstream::new("sales".parse().unwrap(), "line".parse().unwrap())
}

/// The fields that break a rule after this change.
fn complaints(change: impl Fn(&mut Workstream)) -> Vec<String> {
    let mut changed = workstream();
    change(&mut changed);
    changed.violations().into_iter().map(|violation| violation.field.to_string()).collect()
}

#[test]
fn a_workstream_is_good_up_to_its_bounds_and_not_beyond() {
    let secs = Span::from_secs;
    assert!(complaints(|_| {}).is_empty());
    assert!(complaints(|w| (w.window, w.heartbeat) = (secs(50), secs(25))).is_empty());
    let short = complaints(|w| (w.window, w.heartbeat) = (Span::from_millis(49_999), secs(25)));
    assert_eq!(short, ["window_s"]);
    assert!(complaints(|w| (w.window, w.heartbeat) = (secs(2), secs(1))).is_empty());
    assert!(complaints(|w| w.window = secs(86_400)).is_empty());
    assert_eq!(complaints(|w| w.window = secs(86_401)), ["window_s"]);
    assert_eq!(complaints(|w| w.units = 0), ["units"]);
    assert_eq!(complaints(|w| w.units = 1_001), ["units"]);
    assert_eq!(complaints(|w| w.decline_limit = 6), ["decline_limit"]);
    assert_eq!(complaints(|w| w.offer = secs(601)), ["offer_s"]);
    assert_eq!(complaints(|w| w.agent_grace = secs(1)), ["agent_grace_s"]);
    assert_eq!(complaints(|w| w.offer_grace = secs(0)), ["offer_grace_s"]);
    assert_eq!(complaints(|w| w.offer_grace = secs(3_601)), ["offer_grace_s"]);
    assert_eq!(complaints(|w| w.agent_notice = Some(secs(0))), ["agent_notice_s"]);
    assert_eq!(complaints(|w| w.agent_notice = Some(secs(3_601))), ["agent_notice_s"]);
    assert!(complaints(|w| w.agent_notice = None).is_empty());
    assert_eq!(complaints(|w| w.heartbeat = Span::from_millis(999)), ["heartbeat_s"]);
    let block = |seconds| complaints(|w| w.wrapup_block = WrapupBlock::For(secs(seconds)));
    assert!(block(30).is_empty() && block(3_600).is_empty());
    assert_eq!((block(29).len(), block(3_601).len()), (1, 1));
    let idle = |warn, close| {
        complaints(|w| w.idle = Some(IdleRule { warn: secs(warn), close: secs(close) }))
    };
    assert!(idle(30, 31).is_empty());
    assert_eq!(idle(30, 30), ["idle_s.close"]);
    let retention = |after_days| {
        complaints(|w| w.retention = Some(Retention { after_days, then: Disposal::Delete }))
    };
    assert!(retention(1).is_empty() && retention(36_500).is_empty());
    assert_eq!(retention(0), ["retention.after_days"]);
    let two_days = Retention { after_days: 2, then: Disposal::Archive };
    assert_eq!(two_days.after(), secs(172_800));
}

#[test]
fn a_redirect_is_a_web_address_without_a_gap() {
    let redirect = |text: &str| complaints(|w| w.redirect = Some(Arc::from(text)));
    let longest = format!("https://{}", "a".repeat(2_040));
    for good in ["https://example.org/later", "http://localhost:3000", &longest] {
        assert!(redirect(good).is_empty(), "{good}");
    }
    for bad in ["ftp://example.org", "example.org", "https://a b", &format!("{longest}a")] {
        assert_eq!(redirect(bad), ["redirect"], "{bad}");
    }
}

#[test]
fn queues_and_widgets_are_good_up_to_their_bounds() {
    let name = DisplayName::parse("Line").unwrap();
    let queue = |agents: Vec<String>| {
        let agents = agents.iter().map(|agent| agent_named(agent)).collect();
        let queue = QueueSettings { id: "line".parse().unwrap(), name: name.clone(), agents };
        queue.violations().len()
    };
    let many = |count: usize| (0..count).map(|number| format!("a{number}")).collect::<Vec<_>>();
    assert_eq!(queue(many(limits::QUEUE_AGENTS_MAX)), 0);
    assert_eq!(queue(many(limits::QUEUE_AGENTS_MAX + 1)), 1);
    assert_eq!(queue(vec!["ann".into(), "ben".into(), "ann".into()]), 1, "each once");
    let widget = |origins: Vec<String>| WidgetSettings {
        id: "shop".parse().unwrap(),
        workstream: "sales".parse().unwrap(),
        origins: origins.iter().map(|origin| Arc::from(origin.as_str())).collect(),
        admission: None,
    };
    let many = |count: usize| vec!["https://example.org".to_owned(); count];
    assert!(widget(many(limits::WIDGET_ORIGINS_MAX)).violations().is_empty());
    assert_eq!(widget(many(limits::WIDGET_ORIGINS_MAX + 1)).violations().len(), 1);
    let longest = format!("https://{}", "a".repeat(255));
    for good in ["http://localhost:3000", "https://[::1]", &longest] {
        assert!(widget(vec![good.to_owned()]).violations().is_empty(), "{good}");
    }
    for bad in ["https://", "https://a/b", "example.org", &format!("{longest}a")] {
        assert_eq!(widget(vec![bad.to_owned()]).violations().len(), 1, "{bad}");
    }
    let closed = widget(vec!["https://Example.org".to_owned()]);
    assert!(closed.admits(None) && closed.admits(Some("https://example.ORG")));
    assert!(!closed.admits(Some("https://example.com")));
    let any = widget(vec!["*".to_owned()]);
    assert!(any.violations().is_empty() && any.admits(Some("https://example.com")));
    let both = widget(vec!["*".to_owned(), "https://example.org".to_owned()]);
    assert_eq!(both.violations().len(), 1, "any and one of them");
    let old = widget(vec![]);
    assert_eq!(old.violations().len(), 1, "whoever opens it to any must say so");
    assert!(old.admits(Some("https://example.com")), "what was stored before admits any");
}

#[test]
fn an_agent_is_there_as_long_as_one_feed_is_open() {
    let name = DisplayName::parse("Ann").unwrap();
    let settings = AgentSettings { id: agent_named("ann"), name, role: Role::Agent, units: 1 };
    let mut agent = Agent::new(Arc::new(settings), None, DAWN);
    let tell = |agent: &mut Agent, command| {
        let events = agent.decide(command, DAWN).unwrap();
        agent.commit(events.clone(), DAWN);
        agent.link()
    };
    assert_eq!(tell(&mut agent, open_feed(1)), Link::Feeds(1));
    assert_eq!(tell(&mut agent, open_feed(2)), Link::Feeds(2));
    let presence = AgentCommand::ChoosePresence(Presence::Busy);
    assert_eq!(tell(&mut agent, presence.clone()), Link::Feeds(2), "a feed is the stronger link");
    assert_eq!(tell(&mut agent, AgentCommand::CloseFeed(1)), Link::Feeds(1));
    assert_eq!(agent.presence(), Presence::Busy);
    assert_eq!(tell(&mut agent, AgentCommand::CloseFeed(2)), Link::Gone(DAWN));
    assert_eq!(agent.presence(), Presence::Offline);
    assert_eq!(tell(&mut agent, presence), Link::Requests(DAWN));
    let refusals = [
        AgentRefusal::AlreadyHeld,
        AgentRefusal::Gone,
        AgentRefusal::NoCapacity,
        AgentRefusal::NotAvailable,
    ];
    let told: std::collections::BTreeSet<_> = refusals.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), refusals.len());
}

#[test]
fn an_agent_is_waited_for_to_the_millisecond_and_believes_the_newest() {
    let name = DisplayName::parse("Ann").unwrap();
    let settings = AgentSettings { id: agent_named("ann"), name, role: Role::Agent, units: 9 };
    assert!(settings.violations().is_empty());
    assert_eq!(AgentSettings { units: 100_001, ..settings.clone() }.violations().len(), 1);
    let mut agent = Agent::new(Arc::new(settings), None, DAWN);
    let tell = |agent: &mut Agent, command, now| {
        let events = agent.decide(command, now).unwrap();
        agent.commit(events.clone(), now);
        events.len()
    };
    let chat = ConversationId::from_bits(1);
    let holds = |seq, units| {
        let grace = Span::from_secs(200);
        let lease = Lease::new(agent_named("ann"), units, Purpose::Chat, grace);
        AgentCommand::Adjust { conversation: chat, seq: Seq::new(seq), lease: Some(lease) }
    };
    let units = [(5, 1), (5, 2), (4, 7), (5, 2), (6, 3)].map(|(seq, units)| {
        tell(&mut agent, holds(seq, units), DAWN);
        agent.used()
    });
    assert_eq!(units, [1, 2, 2, 2, 3], "older news changes nothing");
    let known = agent.revision();
    assert_eq!(tell(&mut agent, holds(6, 3), DAWN), 0, "nor does what is known");
    assert_eq!(agent.revision(), known);
    tell(&mut agent, AgentCommand::ChoosePresence(Presence::Available), DAWN);
    let tick = Span::from_millis(1);
    let unlinked = DAWN + REQUEST_LINKS_FOR;
    assert_eq!(tell(&mut agent, AgentCommand::Wake, unlinked), 0);
    assert_eq!(agent.wake_at(), Some(unlinked + tick));
    assert_eq!(tell(&mut agent, AgentCommand::Wake, unlinked + tick), 1);
    // The agent is gone since the last sign of life, and the grace counts from there.
    assert_eq!(agent.link(), Link::Gone(DAWN));
    let forfeit = DAWN + Span::from_secs(200);
    assert_eq!(tell(&mut agent, AgentCommand::Wake, forfeit), 0);
    assert_eq!(agent.wake_at(), Some(forfeit + tick));
    assert_eq!(tell(&mut agent, AgentCommand::Wake, forfeit + tick), 1);
    assert_eq!(agent.wake_at(), None);
}

#[test]
fn a_refused_setting_says_why() {
    let mut registry = Registry::default();
    let queue = QueueSettings {
        id: "line".parse().unwrap(),
        name: DisplayName::parse("Line").unwrap(),
        agents: vec![],
    };
    registry.apply(SettingChange::PutQueue(queue));
    registry.apply(SettingChange::PutWorkstream(workstream()));
    let refused = |change: SettingChange| {
        let refusal = registry.check(&change).unwrap_err();
        (refusal.code(), refusal.to_string())
    };
    let in_use = refused(SettingChange::DeleteQueue("line".parse().unwrap()));
    assert_eq!(in_use, ("in_use", "it is in use by workstream sales".to_owned()));
    let unknown = refused(SettingChange::DeleteQueue("none".parse().unwrap()));
    assert_eq!(unknown.1, "there is no such queue");
    let mut broken = workstream();
    (broken.units, broken.decline_limit) = (0, 0);
    let invalid = refused(SettingChange::PutWorkstream(broken));
    assert!(invalid.1.starts_with("the settings break a rule: units must "), "{invalid:?}");
    assert!(invalid.1.contains("; decline_limit must "), "{invalid:?}");
    let codes = std::collections::BTreeSet::from([in_use.0, unknown.0, invalid.0]);
    assert_eq!(codes.len(), 3);
}
