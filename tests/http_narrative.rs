//! How what happened is told: every event, for agents and for the customer.

#[path = "fixtures/chat.rs"]
mod chat;

use holdline::domain::cause::{Cause, Leaving, Misuse};
use holdline::domain::conversation::State;
use holdline::domain::conversation::event::{Actor, Audience, Event, Reason, Recorded};
use holdline::domain::id::{Seq, SessionId};
use holdline::domain::time::Span;
use holdline::wire::narrative::{self, Grounds};
use holdline::wire::objects::{Timeline, TranscriptEntry};

use crate::chat::{NOON, every_event, recorded, view};

#[test]
fn every_event_is_one_sentence_and_a_kind_of_its_own() {
    let mut kinds = Vec::new();
    for event in every_event() {
        let text = narrative::sentence(&event);
        assert!(text.ends_with('.') && text.starts_with(char::is_uppercase), "{text}");
        assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
        assert!(narrative::details(&event).values().all(|fact| !fact.is_null()));
        kinds.push(narrative::kind(&event));
    }
    let count = kinds.len();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), count);
}

#[test]
fn the_customers_copy_holds_only_what_they_may_see() {
    for event in every_event() {
        let recorded = recorded(event);
        let entry = TranscriptEntry::of(&recorded, Audience::Customer);
        assert!(entry.is_none() || recorded.event.is_seen_by(Audience::Customer));
        if let Some(entry) = entry {
            let text = entry.text.to_lowercase();
            for secret in ["disconnect", "away", "window", "queue", "ada left"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}

#[test]
fn agents_are_told_that_the_customer_was_disconnected_and_why() {
    let event = Event::CustomerDisconnected { since: NOON, cause: Cause::Reset };
    let entry = TranscriptEntry::of(&recorded(event.clone()), Audience::Agent).unwrap();
    assert_eq!((entry.kind, entry.from), ("notice", "system"));
    assert!(entry.text.starts_with("Customer disconnected"), "{}", entry.text);
    assert!(entry.text.contains("reset"), "{}", entry.text);
    assert!(TranscriptEntry::of(&recorded(event), Audience::Customer).is_none());
}

#[test]
fn sessions_and_leases_make_no_notice() {
    for event in every_event() {
        let silent = matches!(
            event,
            Event::SessionJoined { .. } | Event::SessionLost { .. } | Event::LeaseReleased { .. }
        );
        if silent {
            assert_eq!(narrative::notice(&event, Audience::Agent), None);
        }
    }
}

#[test]
fn for_a_customer_a_chat_ends_once() {
    let ended = |reason, by: Actor| {
        narrative::notice(&Event::ConversationClosed { reason, by }, Audience::Customer)
    };
    assert_eq!(ended(Reason::AgentEnded, Actor::Agent("ada".parse().unwrap())), None);
    assert_eq!(ended(Reason::CustomerEnded, Actor::Timer), None);
    assert_eq!(ended(Reason::CustomerDisconnectedWhileActive, Actor::Timer), None);
    assert!(ended(Reason::CustomerEnded, Actor::Customer).is_some());
    assert!(ended(Reason::OpenTooLong, Actor::Timer).is_some());
}

#[test]
fn every_cause_has_its_evidence() {
    let causes = [
        Cause::Left(Leaving::Hidden),
        Cause::Left(Leaving::Unloaded),
        Cause::Closed(1001),
        Cause::Closed(1005),
        Cause::Closed(1006),
        Cause::Reset,
        Cause::Silent,
        Cause::Replaced,
        Cause::Draining,
        Cause::Restarted,
        Cause::Refused(Misuse::Slow),
        Cause::Refused(Misuse::Size),
    ];
    let mut told: Vec<_> = causes.into_iter().map(narrative::evidence).collect();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), causes.len());
}

#[test]
fn why_says_state_customer_and_evidence_in_one_sentence() {
    let why = narrative::why(&view(), &[]);
    assert!(why.starts_with("Active: agent ada is in the chat; the customer is away since 2026-"));
    assert!(why.contains("without a close frame") && why.ends_with('.'), "{why}");

    let mut closed = view();
    closed.state = State::Closed;
    closed.stage = None;
    closed.reason = Some(Reason::CustomerDisconnectedWhileActive);
    closed.customer.absence = None;
    let event = Event::CustomerDisconnected { since: NOON, cause: Cause::Silent };
    let why = narrative::why(&closed, &[recorded(event)]);
    assert!(why.contains("longer than the window") && why.contains("two heartbeats"), "{why}");
}

#[test]
fn what_explains_a_state_is_kept_of_a_history_however_long_it_is() {
    let mut random = fastrand::Rng::with_seed(7);
    let events = every_event();
    let reasons = [
        Reason::CustomerDisconnectedWhileActive,
        Reason::CustomerDisconnectedWhileOpen,
        Reason::AgentEnded,
        Reason::ForceClosed,
    ];
    for _ in 0..2_000 {
        let history: Vec<_> = (0..random.i64(0..40))
            .map(|second| Recorded {
                at: NOON + Span::from_secs(second.unsigned_abs()),
                ..recorded(random.choice(&events).unwrap().clone())
            })
            .collect();
        let mut grounds = Grounds::default();
        history.iter().for_each(|recorded| grounds.take(recorded));
        let kept = grounds.events();
        assert!(kept.len() <= 6, "{kept:?}");
        for (state, reason) in [State::Wrapup, State::Closed]
            .into_iter()
            .flat_map(|state| reasons.map(|reason| (state, reason)))
        {
            let mut shown = view();
            (shown.state, shown.stage, shown.reason) = (state, None, Some(reason));
            assert_eq!(narrative::why(&shown, &kept), narrative::why(&shown, &history));
        }
    }
}

#[test]
fn a_timeline_names_the_latest_sessions_and_counts_those_before() {
    let join = every_event().into_iter().find(|event| matches!(event, Event::SessionJoined { .. }));
    let join = join.unwrap();
    let mut timeline = Timeline::page(view().id, Seq::new(240), 50);
    for number in 1..=250 {
        let Event::SessionJoined { heartbeat, program, .. } = join.clone() else { unreachable!() };
        let session = SessionId::from_bits(number.into());
        let event = Event::SessionJoined { session, heartbeat, program };
        timeline.take(Recorded { seq: Seq::new(number), ..recorded(event) });
    }
    let page = timeline.finish(&view(), None, None);
    assert_eq!((page.sessions.len(), page.earlier_sessions), (200, 50));
    assert_eq!(page.sessions[199].session, SessionId::from_bits(250).to_string());
    assert_eq!(
        page.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        [241, 242, 243, 244, 245, 246, 247, 248, 249, 250]
    );
}
