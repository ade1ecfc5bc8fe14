//! The account of notices. Each notice is due once for an absence, after its deadline, and never
//! about a customer who is there.

use std::time::Duration;

use holdline_load::clock::Moment;
use holdline_load::ledger::{Findings, Ledger};
use holdline_load::plan::Tidings;
use holdline_load::watch::{News, Told};

const WINDOW: Duration = Duration::from_secs(10);

/// So many seconds, as a moment.
const fn at(seconds: u64) -> Moment {
    Moment(seconds * 1_000_000)
}

/// An account of one customer who is in a chat with an agent.
fn ledger() -> Ledger {
    let mut ledger = Ledger::new(1, WINDOW);
    ledger.take(Tidings { entered: vec![(0, at(1))], ..Tidings::default() });
    tell(&mut ledger, News::Accepted, at(2));
    ledger
}

fn tell(ledger: &mut Ledger, news: News, at: Moment) {
    ledger.told(Told { customer: 0, news, at });
}

fn lose(ledger: &mut Ledger, from: Moment) {
    ledger.take(Tidings { lost: vec![(0, from, true)], ..Tidings::default() });
}

fn come_back(ledger: &mut Ledger, at: Moment, is_resumed: bool) {
    ledger.take(Tidings { back: vec![(0, at, is_resumed)], ..Tidings::default() });
}

fn find(ledger: &Ledger) -> Findings {
    ledger.find(at(1_000), true)
}

/// What is wrong, without what is only measured.
fn wrongs(findings: &Findings) -> [u64; 6] {
    let Findings { early, missed, twice, after_return, after_end, places_lost, .. } = *findings;
    [early, missed, twice, after_return, after_end, places_lost]
}

#[test]
fn a_notice_after_the_deadline_is_right_and_its_lateness_is_measured() {
    let mut ledger = ledger();
    lose(&mut ledger, at(100));
    assert!(!ledger.is_settled());
    assert_eq!(ledger.last_deadline(), Some(at(110)));
    tell(&mut ledger, News::Gone, at(111));
    assert!(ledger.is_settled());
    let findings = find(&ledger);
    assert_eq!(wrongs(&findings), [0; 6]);
    assert_eq!(findings.notices, [(at(111), 1_000_000)]);
    assert_eq!(findings.windows_ended, 1);
}

#[test]
fn a_notice_before_the_deadline_is_early() {
    let mut ledger = ledger();
    lose(&mut ledger, at(100));
    tell(&mut ledger, News::Gone, Moment(at(110).0 - 1));
    assert_eq!(wrongs(&find(&ledger)), [1, 0, 0, 0, 0, 0]);
}

#[test]
fn a_notice_about_somebody_who_is_there_is_early() {
    let mut ledger = ledger();
    tell(&mut ledger, News::Gone, at(50));
    assert_eq!(wrongs(&find(&ledger)), [1, 0, 0, 0, 0, 0]);
}

#[test]
fn no_notice_is_missed() {
    let mut ledger = ledger();
    lose(&mut ledger, at(100));
    assert_eq!(wrongs(&find(&ledger)), [0, 1, 0, 0, 0, 0]);
    // Before the deadline no notice can be missing.
    assert_eq!(wrongs(&ledger.find(at(109), true)), [0; 6]);
}

#[test]
fn a_second_notice_is_one_too_many() {
    let mut ledger = ledger();
    lose(&mut ledger, at(100));
    tell(&mut ledger, News::Gone, at(111));
    tell(&mut ledger, News::Gone, at(112));
    assert_eq!(wrongs(&find(&ledger)), [0, 0, 1, 0, 0, 0]);
}

#[test]
fn nobody_who_is_back_is_gone() {
    let mut ledger = ledger();
    lose(&mut ledger, at(100));
    come_back(&mut ledger, at(105), true);
    assert!(ledger.is_settled());
    assert_eq!(wrongs(&find(&ledger)), [0; 6]);
    tell(&mut ledger, News::Gone, at(111));
    assert_eq!(wrongs(&find(&ledger)), [0, 0, 0, 1, 0, 0]);
}

#[test]
fn a_chat_that_is_over_too_soon_is_a_place_lost() {
    let mut ledger = ledger();
    lose(&mut ledger, at(100));
    come_back(&mut ledger, at(105), false);
    assert_eq!(wrongs(&find(&ledger))[5], 1);
}

#[test]
fn a_chat_that_is_given_back_long_after_its_window_is_missed() {
    let mut ledger = ledger();
    lose(&mut ledger, at(100));
    come_back(&mut ledger, at(115), true);
    assert_eq!(wrongs(&find(&ledger)), [0, 1, 0, 0, 0, 0]);
}

#[test]
fn whoever_ends_the_chat_is_not_gone() {
    let mut ledger = ledger();
    ledger.take(Tidings { ended: vec![(0, at(100))], ..Tidings::default() });
    assert_eq!(wrongs(&find(&ledger)), [0; 6]);
    tell(&mut ledger, News::Gone, at(111));
    assert_eq!(wrongs(&find(&ledger)), [0, 0, 0, 0, 1, 0]);
}

#[test]
fn each_absence_has_its_own_notice() {
    let mut ledger = ledger();
    lose(&mut ledger, at(100));
    come_back(&mut ledger, at(105), true);
    lose(&mut ledger, at(200));
    tell(&mut ledger, News::Gone, at(211));
    let findings = find(&ledger);
    assert_eq!(wrongs(&findings), [0; 6]);
    assert_eq!(findings.notices.len(), 1);
}

#[test]
fn time_without_a_server_does_not_count() {
    let mut ledger = ledger();
    lose(&mut ledger, at(100));
    ledger.restarted(at(105), at(107));
    assert_eq!(ledger.last_deadline(), Some(at(117)));
    tell(&mut ledger, News::Gone, at(118));
    let findings = find(&ledger);
    assert_eq!(wrongs(&findings), [0; 6]);
    assert!(findings.notices.is_empty(), "its lateness cannot be said");
}
