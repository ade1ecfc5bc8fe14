//! The demo: it keeps the rules, makes only what is missing, and tells how to try it.

use holdline::demo;
use holdline::domain::settings::registry::{Registry, TokenDigest};
use holdline::domain::time::Timestamp;

const TOKENS: [TokenDigest; 3] = [TokenDigest([1; 32]), TokenDigest([2; 32]), TokenDigest([3; 32])];

#[test]
fn each_change_keeps_the_rules_and_a_second_start_changes_nothing() {
    let mut settings = Registry::default();
    assert!(demo::is_wanted(&settings));
    for change in demo::changes(&settings.clone(), TOKENS, Timestamp::default()) {
        settings.check(&change).unwrap();
        settings.apply(change);
    }
    assert!(!demo::is_wanted(&settings));
    assert_eq!(settings.queues.values().next().unwrap().agents.len(), 2);
    assert_eq!(settings.tokens.len(), 3);
    assert_eq!(demo::changes(&settings, TOKENS, Timestamp::default()), []);
}

#[test]
fn the_welcome_has_what_is_needed_to_paste() {
    let text = demo::welcome("http://127.0.0.1:8080", "hla_x", ["hlt_a", "hlt_b", "hlt_s"]);
    for part in ["http://127.0.0.1:8080/", "hla_x", "hlt_a", "hlt_b", "hlt_s"] {
        assert!(text.contains(part), "{part}");
    }
    for step in ["presence", "feed", "accept", "messages", "end", "close", "transcript", "timeline"]
    {
        assert!(text.contains(&format!("/{step}")), "{step}");
    }
    assert!(text.contains("window_s"));
}
