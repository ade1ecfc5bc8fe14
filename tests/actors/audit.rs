//! What is gathered for the audit stream, and what its retention drops, on the journal in memory.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use holdline::domain::audit::{Act, AuditKind};
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::settings::{AuditRetention, QueueSettings};
use holdline::domain::text::DisplayName;
use holdline::domain::time::Span;
use holdline::engine::{AuditFilter, AuditRow, Face};

use crate::world::{World, ada, run};

async fn noted(world: &World, kind: AuditKind) -> Vec<AuditRow> {
    let filter = AuditFilter { kinds: vec![kind], ..AuditFilter::default() };
    world.engine.audit_page(filter, None, 1_000).await.unwrap().rows
}

/// How often the noted acts happened, in sum.
fn times(noted: &[AuditRow]) -> u64 {
    let times = noted.iter().map(|row| {
        let body: serde_json::Value = serde_json::from_str(&row.body).unwrap();
        body["times"].as_u64().unwrap_or(1)
    });
    times.sum()
}

#[test]
fn what_is_old_is_dropped_as_the_setting_says_and_the_change_bears_a_name() {
    run(|| async {
        let world = World::new().await;
        let queue = QueueSettings {
            id: "night".parse().unwrap(),
            name: DisplayName::parse("Night").unwrap(),
            agents: Vec::new(),
        };
        world.engine.change_by(ada(), SettingChange::PutQueue(queue)).await.unwrap();
        let put = noted(&world, AuditKind::SettingPut).await;
        assert_eq!(put[0].by.as_deref(), Some("ada"));
        assert_eq!(put.last().unwrap().by, None, "the server did it by itself");
        let later = |days| world.engine.now() + Span::from_secs(86_400).times(days);
        assert!(!world.engine.retain_audit(later(364)).await.unwrap(), "the default is a year");
        let forever = AuditRetention { after_days: None };
        world.engine.change(SettingChange::PutAuditRetention(forever)).await.unwrap();
        assert!(!world.engine.retain_audit(later(4_000)).await.unwrap());
        let short = AuditRetention { after_days: Some(2) };
        world.engine.change(SettingChange::PutAuditRetention(short)).await.unwrap();
        assert!(!world.engine.retain_audit(later(1)).await.unwrap());
        assert!(world.engine.retain_audit(later(3)).await.unwrap());
        assert!(noted(&world, AuditKind::SettingPut).await.is_empty());
        assert_eq!(noted(&world, AuditKind::EntriesDropped).await.len(), 1);
    });
}

#[test]
fn a_read_is_noted_when_it_is_answered_and_goes_on_while_nothing_can_be_written() {
    run(|| async {
        let world = World::new().await;
        let read = Act::new(AuditKind::TranscriptRead, Some(ada())).about("conversation", "c-1");
        world.memory.fail_all(true);
        // Nobody is kept from reading.
        world.engine.audit_gathered(read.clone()).await;
        assert!(world.engine.audit(read.clone()).await.is_err(), "whoever acts is told");
        world.memory.fail_all(false);
        world.engine.audit_gathered(read).await;
        world.engine.drain(Duration::ZERO).await.unwrap();
        let noted = noted(&world, AuditKind::TranscriptRead).await;
        assert_eq!(noted.len(), 1, "{noted:?}");
        assert!(noted[0].body.contains("\"times\":2"), "none is left uncounted: {noted:?}");
    });
}

#[test]
fn strangers_from_everywhere_make_few_entries_and_all_are_counted() {
    run(|| async {
        let world = World::new().await;
        world.engine.tell_addresses();
        for number in 0..5_000 {
            let client = IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + number));
            let (face, code) = (Face::Http, "unknown_token");
            world.engine.tell_refused(face, code, Some(client), String::new);
        }
        world.engine.drain(Duration::ZERO).await.unwrap();
        let noted = noted(&world, AuditKind::SignInRefused).await;
        // An entry for each of the 32 addresses that are told apart, and for all others one with
        // the first refusal and one with the repeats.
        assert_eq!(noted.len(), 34, "{noted:?}");
        assert_eq!(noted.iter().filter(|row| row.body.contains("address")).count(), 32);
        assert_eq!(times(&noted), 5_000);
    });
}

#[test]
fn callers_who_ask_for_what_is_not_theirs_make_few_entries_and_all_are_counted() {
    run(|| async {
        let world = World::new().await;
        for caller in 0..50 {
            let by = format!("agent-{caller}").parse().ok();
            for route in 0..50 {
                let told = |act: Act| act.with("route", format!("/{route}"));
                world.engine.audit_forbidden(by.clone(), "forbidden", told);
            }
        }
        world.engine.drain(Duration::ZERO).await.unwrap();
        let noted = noted(&world, AuditKind::AccessRefused).await;
        // 32 entries name the caller and the request. 32 callers and all others have two each: the
        // first refusal, and the repeats.
        assert_eq!(noted.len(), 32 + 2 * 32 + 2, "{noted:?}");
        assert_eq!(noted.iter().filter(|row| row.body.contains("route")).count(), 32);
        assert_eq!(noted.iter().filter(|row| row.by.is_none()).count(), 2);
        assert_eq!(times(&noted), 2_500);
    });
}
