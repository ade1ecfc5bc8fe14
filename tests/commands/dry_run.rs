//! `holdline dry-run`: what it says is what happens when all customers live the same plan again.

use holdline::domain::cause::Cause;
use holdline::domain::time::Span;
use serde_json::Value;

use crate::past::{BEGAN, Past, after, holdline, store, told};
use crate::plan::{crowd, live};

const CUSTOMERS: u64 = 400;

/// The window under which the past happened.
const WINDOW: Span = Span::from_secs(180);

/// When everything is over, long after the last customer has come back.
const END: u64 = 900_000;

fn rehearsed(window: &str) -> (Value, u64) {
    let dir = tempfile::tempdir().unwrap();
    let (chats, _) = live(&crowd(CUSTOMERS), WINDOW, after(END));
    store(dir.path(), &chats);
    let told = told(&["dry-run", "--json", "--window", window], dir.path());
    (serde_json::from_str(&told).unwrap(), chats.len() as u64)
}

#[test]
fn a_shorter_window_disconnects_those_whom_it_would() {
    let (said, chats) = rehearsed("60s");
    let (_, before) = live(&crowd(CUSTOMERS), WINDOW, after(END));
    let (_, truth) = live(&crowd(CUSTOMERS), Span::from_secs(60), after(END));
    assert_eq!(said["chats"], chats);
    assert_eq!(said["disconnected"], before.disconnected);
    assert_eq!(said["would_be_disconnected"], truth.disconnected);
    assert_eq!(said["earlier"], truth.disconnected, "each of them by two minutes or so");
    assert_eq!(said["returned_too_late"], before.returned - truth.returned);
    assert_eq!(said["later"], 0);
    // A timer is due one tick after its moment; the gain is counted from the moment.
    let gained = said["agent_time_gained_ms"].as_u64().unwrap();
    let saved = before.waited - truth.waited;
    assert!((saved..=saved + CUSTOMERS).contains(&gained), "{gained} of {saved}");
    assert!(before.returned > truth.returned + 50, "the plan is rich enough to tell");
}

#[test]
fn a_longer_window_keeps_those_whom_it_would() {
    let (said, _) = rehearsed("5min");
    let (_, before) = live(&crowd(CUSTOMERS), WINDOW, after(END));
    let (_, truth) = live(&crowd(CUSTOMERS), Span::from_secs(300), after(END));
    assert_eq!(said["disconnected"], before.disconnected);
    assert_eq!(said["would_be_disconnected"], truth.disconnected);
    assert_eq!(said["earlier"], 0);
    assert_eq!(said["later"], before.disconnected);
    assert_eq!(said["returned_in_time"], truth.returned - before.returned);
    let lost = said["agent_time_lost_ms"].as_u64().unwrap();
    assert_eq!(lost, truth.waited - before.waited);
    assert!(truth.returned > before.returned + 50, "the plan is rich enough to tell");
}

#[test]
fn the_same_window_changes_nothing() {
    let (said, _) = rehearsed("180s");
    assert_eq!((&said["earlier"], &said["later"]), (&0.into(), &0.into()));
    assert_eq!(said["disconnected"], said["would_be_disconnected"]);
}

#[test]
fn it_tells_people_and_names_what_it_does_not_understand() {
    let dir = tempfile::tempdir().unwrap();
    let (chats, _) = live(&crowd(20), WINDOW, after(END));
    store(dir.path(), &chats);
    let report = told(&["dry-run", "--window", "2min", "--workstream", "sales"], dir.path());
    assert!(report.starts_with("With a window of 2 min, as far as "), "{report}");
    assert!(report.contains("customers who came back after the limit"), "{report}");
    let nobody = told(&["dry-run", "--window", "2min", "--since", "2027-01-01"], dir.path());
    assert!(nobody.contains("as far as 0 chats tell"), "{nobody}");
    for (arguments, complaint) in [
        (["--window", "soon"], "--window soon: must be a length of time"),
        (["--window", "1s"], "a window has 2 to 86400 seconds"),
    ] {
        let output = holdline(&["dry-run", arguments[0], arguments[1]], dir.path());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(complaint), "{said}");
    }
    let unknown = ["dry-run", "--window", "2min", "--workstream", "nobody"];
    let output = holdline(&unknown, dir.path());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("there is no workstream nobody"), "{said}");
    assert_eq!(BEGAN, after(0));
}

#[test]
fn one_chat_is_one_chat_and_its_last_absence_goes_on_until_the_stop() {
    let dir = tempfile::tempdir().unwrap();
    let mut past = Past::began(1, 1, WINDOW, BEGAN);
    past.loses(1, Cause::Reset, after(30_000));
    past.wait(after(300_000));
    store(dir.path(), [&past]);
    let report = told(&["dry-run", "--window", "5min"], dir.path());
    assert!(report.contains("as far as 1 chat tells until 20"), "{report}");
    // Nothing was written after the chat's end, but the server ran on.
    let said: Value =
        serde_json::from_str(&told(&["dry-run", "--json", "--window", "5min"], dir.path()))
            .unwrap();
    assert_eq!((&said["later"], &said["later_by_ms"]), (&1.into(), &120_000.into()), "{said}");
    let healthy = told(&["check"], dir.path());
    let count = past.history.len();
    assert!(healthy.ends_with(&format!("nothing is wrong: {count} events, 1 chat\n")), "{healthy}");
}
