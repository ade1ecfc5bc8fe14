//! Workstreams as an administrator may set them, and what every one of them promises.

use holdline::domain::liveness::Liveness;
use holdline::domain::settings::{Autoclose, IdleRule, Workstream, WrapupBlock};
use holdline::domain::time::Span;
use proptest::option;
use proptest::prelude::*;

use crate::config;

fn seconds(range: std::ops::RangeInclusive<u64>) -> impl Strategy<Value = Span> {
    range.prop_map(Span::from_secs)
}

fn block() -> impl Strategy<Value = WrapupBlock> {
    prop_oneof![
        Just(WrapupBlock::Always),
        Just(WrapupBlock::Never),
        seconds(30..=3_600).prop_map(WrapupBlock::For),
    ]
}

fn autoclose() -> impl Strategy<Value = Autoclose> {
    (option::of(seconds(1..=1_800)), option::of(seconds(1..=1_800)), seconds(1..=1_800))
        .prop_map(|(open, active, wrapup)| Autoclose { open, active, wrapup: Some(wrapup) })
}

fn idle() -> impl Strategy<Value = Option<IdleRule>> {
    let rule = (5_u64..=300, 1_u64..=300).prop_map(|(warn, longer)| IdleRule {
        warn: Span::from_secs(warn),
        close: Span::from_secs(warn + longer),
    });
    option::of(rule)
}

/// Any workstream that breaks no rule, with timers that a short script can reach.
pub(crate) fn workstream() -> impl Strategy<Value = Workstream> {
    let timers = (1_u64..=120, 0_u64..=300, 2_u64..=600, 2_u64..=3_600);
    (timers, 1_u32..=3, 1_u8..=5, block(), autoclose(), idle()).prop_map(
        |(timers, units, decline_limit, wrapup_block, autoclose, idle)| {
            let (heartbeat, longer, offer, grace) = timers;
            Workstream {
                units,
                heartbeat: Span::from_secs(heartbeat),
                window: Span::from_secs(heartbeat * 2 + longer),
                offer: Span::from_secs(offer),
                agent_grace: Span::from_secs(grace),
                decline_limit,
                wrapup_block,
                autoclose,
                idle,
                ..Workstream::new("support".parse().expect("an id"), "line".parse().expect("an id"))
            }
        },
    )
}

/// Any document. Most are broken.
fn document() -> impl Strategy<Value = Workstream> {
    let span = || prop_oneof![0_u64..=5_000, 0_u64..=100_000_000].prop_map(Span::from_millis);
    let maybe = || option::of(prop_oneof![0_u64..=5_000, 0_u64..=4_000_000_000]);
    let maybe = move || maybe().prop_map(|millis| millis.map(Span::from_millis));
    let block = prop_oneof![block(), span().prop_map(WrapupBlock::For)];
    let plain = (workstream(), any::<u32>(), any::<u8>(), block);
    let changed = (any::<[bool; 8]>(), plain, [span(), span(), span(), span()]);
    (changed, [maybe(), maybe(), maybe()], [span(), span()]).prop_map(
        |((takes, (valid, units, decline_limit, wrapup_block), spans), closes, idle)| {
            let [window, heartbeat, offer, agent_grace] = spans;
            let [open, active, wrapup] = closes;
            let [warn, close] = idle;
            Workstream {
                units: if takes[0] { units } else { valid.units },
                window: if takes[1] { window } else { valid.window },
                heartbeat: if takes[2] { heartbeat } else { valid.heartbeat },
                offer: if takes[3] { offer } else { valid.offer },
                agent_grace: if takes[4] { agent_grace } else { valid.agent_grace },
                decline_limit: if takes[5] { decline_limit } else { valid.decline_limit },
                wrapup_block,
                autoclose: if takes[6] {
                    Autoclose { open, active, wrapup }
                } else {
                    valid.autoclose
                },
                idle: if takes[7] { Some(IdleRule { warn, close }) } else { valid.idle },
                ..valid
            }
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_the_scripts_run_under_is_valid(workstream in workstream()) {
        prop_assert_eq!(workstream.violations(), vec![]);
    }

    #[test]
    fn a_document_without_violations_keeps_every_promise(workstream in document()) {
        if !workstream.violations().is_empty() {
            return Ok(());
        }
        let within = |span: Span, least: u64, most: u64| {
            (Span::from_secs(least)..=Span::from_secs(most)).contains(&span)
        };
        prop_assert!(within(workstream.window, 2, 86_400));
        prop_assert!(within(workstream.heartbeat, 1, 120));
        prop_assert!(within(workstream.offer, 2, 600));
        prop_assert!(within(workstream.agent_grace, 2, 3_600));
        prop_assert!((1..=5).contains(&workstream.decline_limit));
        prop_assert!(workstream.units >= 1, "a chat takes something");
        prop_assert!(
            workstream.window >= Liveness::silent_after(workstream.heartbeat),
            "nobody is disconnected before their silence is noticed"
        );
        let lasts = workstream.wrapup_lasts();
        prop_assert!(lasts.is_some_and(|span| span > Span::ZERO), "wrap-up ends");
        if let WrapupBlock::For(block) = workstream.wrapup_block {
            prop_assert!(within(block, 30, 3_600));
            prop_assert!(lasts >= Some(block), "wrap-up lasts as long as its block");
        }
        if let Some(idle) = workstream.idle {
            prop_assert!(idle.warn < idle.close, "nobody is disconnected before they are warned");
        }
    }
}
