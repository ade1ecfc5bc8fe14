//! What happened, told: every event, for agents and for the customer.

#[path = "fixtures/chat.rs"]
mod chat;

use holdline::domain::cause::{Cause, Leaving, Misuse};
use holdline::domain::conversation::State;
use holdline::domain::conversation::event::{Actor, Audience, Event, Reason};
use holdline::wire::narrative;
use holdline::wire::objects::TranscriptEntry;

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
