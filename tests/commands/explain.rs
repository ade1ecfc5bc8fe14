//! `holdline explain`: its first line says why.

use holdline::domain::cause::{Cause, Leaving, Misuse};
use holdline::domain::conversation::command::{Authority, Command};
use holdline::domain::conversation::event::Event;
use holdline::domain::id::SessionId;
use holdline::domain::text::DisplayName;
use holdline::domain::time::Span;

use crate::past::{BEGAN, Past, ada, after, holdline, store, told};

const WINDOW: Span = Span::from_secs(180);

/// A chat for every cause by which a customer can be lost, each with what the first line must say.
fn lost() -> Vec<(Past, &'static str)> {
    let announced = [
        (Leaving::Hidden, "the page said that it was being hidden, and then the connection ended"),
        (
            Leaving::Unloaded,
            "the page said that it was being closed or left, and then the connection ended with \
             close code 1001",
        ),
    ];
    let plain = [
        (Cause::Closed(1001), "the socket was closed with code 1001"),
        (Cause::Closed(1005), "the socket was closed without a code"),
        (Cause::Closed(1006), "the connection ended without a close frame"),
        (Cause::Reset, "the connection was reset"),
        (Cause::Draining, "this server was stopping and had asked the widget to come back"),
        (Cause::Replaced, "another session took its place"),
        (Cause::Refused(Misuse::Protocol), "refused to go on: the protocol was broken"),
        (Cause::Refused(Misuse::Size), "refused to go on: a frame was too large"),
        (Cause::Refused(Misuse::Rate), "refused to go on: too much was sent"),
        (Cause::Refused(Misuse::Token), "refused to go on: the token was not good"),
        (Cause::Refused(Misuse::Slow), "refused to go on: the widget read too slowly"),
    ];
    let mut number = 0;
    let mut began = || {
        number += 1;
        let mut past = Past::began(number, number, WINDOW, BEGAN);
        past.conversation.hear(SessionId::from_bits(1), after(5_000));
        past
    };
    let mut chats = Vec::new();
    for (cause, said) in plain {
        let mut past = began();
        past.loses(1, cause, after(7_123));
        chats.push((past, said));
    }
    for (leaving, said) in announced {
        let mut past = began();
        past.conversation.hear_leaving(SessionId::from_bits(1), Some(leaving));
        past.loses(1, Cause::Closed(1001), after(7_123));
        chats.push((past, said));
    }
    // In one chat the customer falls silent; another is held while the server stops and starts.
    let said = "neither a beat, a frame nor a pong came for two heartbeats, last heard of at \
                2026-03-01T14:00:05.000Z";
    chats.push((began(), said));
    let mut restarted = began();
    restarted.ask(Command::Recover, after(7_123));
    chats.push((restarted, "because this server had stopped; held for 3 min"));
    for (past, _) in &mut chats {
        past.wait(after(600_000));
    }
    chats
}

#[test]
fn the_first_line_says_why_for_every_cause() {
    let dir = tempfile::tempdir().unwrap();
    let chats = lost();
    store(dir.path(), chats.iter().map(|(past, _)| past));
    for (past, said) in &chats {
        let id = past.id().to_string();
        let account = told(&["explain", &id], dir.path());
        let first = account.lines().next().unwrap();
        let closed_at = if said.contains("heartbeats") { "14:03:05.001Z" } else { "14:03:07.124Z" };
        let begins = format!(
            "Closed at 2026-03-01T{closed_at} because the customer was away for longer than the \
             window while the chat waited for an agent: away since 2026-03-01T14:00:0"
        );
        assert!(first.starts_with(&begins), "{first}");
        assert!(first.contains(said), "{first}\nshould say: {said}");
        assert!(first.contains("; held for 3 min, until 2026-03-01T14:03:0"), "{first}");
        assert!(account.contains("Firefox/140.0"), "every session with its program: {account}");
        assert!(account.contains("timer window: fired"), "{account}");
    }
}

#[test]
fn a_chat_that_was_with_an_agent_tells_leases_timers_and_both_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut past = Past::began(1, 1, WINDOW, BEGAN);
    past.is_taken(after(1_000));
    past.conversation.hear(SessionId::from_bits(1), after(25_000));
    past.loses(1, Cause::Reset, after(30_000));
    past.joins(2, after(60_000));
    past.loses(2, Cause::Closed(1001), after(70_000));
    past.wait(after(2_000_000));
    store(dir.path(), [&past]);
    let id = past.id().to_string();
    let account = told(&["explain", &id], dir.path());
    let first = account.lines().next().unwrap();
    assert_eq!(
        first,
        "Closed at 2026-03-01T14:19:10.002Z by itself after wrap-up, which began at \
         2026-03-01T14:04:10.001Z because the customer was away for longer than the window while \
         the chat was with an agent: away since 2026-03-01T14:01:10.000Z because the socket was \
         closed with code 1001, last heard of at 2026-03-01T14:01:00.000Z; held for 3 min, until \
         2026-03-01T14:04:10.000Z; disconnected at 2026-03-01T14:04:10.001Z."
    );
    for line in [
        "state: open -> active",
        "lease: 1 unit of ada for chat",
        "lease: 1 unit of ada for wrap-up",
        "lease: given back (1 unit of ada for wrap-up)",
        "timer window: set for 2026-03-01T14:03:30.000Z",
        "timer window: stopped",
        "timer window: fired",
        "timer auto-close: fired",
        "once in all, after 25 s",
    ] {
        assert!(account.contains(line), "{line} is missing in\n{account}");
    }
}

#[test]
fn what_strangers_wrote_cannot_steer_a_terminal_nor_forge_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut past = Past::began(1, 1, WINDOW, BEGAN);
    // A version that accepted such a name may have left it in the journal like this.
    let forged = "Kim\u{1b}[2J\u{7}\n\nClosed at noon: all is well\u{202e}\u{9b}1m";
    if let Event::ConversationStarted(opening) = &mut past.history[0].event {
        opening.name = Some(DisplayName::stored(forged).unwrap());
        opening.page = Some("https://shop.test/\u{1b}]0;mine\u{7}\u{2066}".into());
    }
    past.ask(
        Command::Accept { by: None, agent: ada(), name: DisplayName::stored(forged).unwrap() },
        BEGAN,
    );
    past.joins_with(2, "Mozilla\u{1b}[31m\r\n  9999  forged", after(1_140));
    past.loses(1, Cause::Reset, after(2_000));
    store(dir.path(), [&past]);
    let id = past.id().to_string();
    for arguments in [&["explain", &id][..], &["explain", &id, "--json"], &["check"]] {
        let said = told(arguments, dir.path());
        let steering = |mark: char| mark != '\n' && (mark.is_control() || mark > '\u{2000}');
        assert!(!said.contains(steering), "{said:?}");
        let starts = ["Closed at noon", "9999  forged"];
        let forged = said.lines().find(|line| starts.iter().any(|s| line.trim().starts_with(s)));
        assert_eq!(forged, None, "{said}");
    }
    let account = told(&["explain", &id], dir.path());
    assert!(account.contains("customer Kim\\u001b[2J\\u0007\\u000a"), "{account}");
    let page: serde_json::Value =
        serde_json::from_str(&told(&["explain", &id, "--json"], dir.path())).unwrap();
    assert!(page.to_string().contains("Mozilla"), "it is still JSON, and says the same");
}

#[test]
fn lengths_of_time_are_exact() {
    let dir = tempfile::tempdir().unwrap();
    let mut past = Past::began(1, 1, Span::from_millis(2_140), BEGAN);
    past.is_taken(after(100));
    past.loses(1, Cause::Reset, after(1_000));
    past.joins(2, after(2_140));
    past.loses(2, Cause::Reset, after(3_000));
    past.wait(after(9_000));
    store(dir.path(), [&past]);
    let id = past.id().to_string();
    let account = told(&["explain", &id], dir.path());
    assert!(account.contains("1.14 s") && account.contains("held for 2.14 s"), "{account}");
    assert!(!account.contains("1.1400"), "{account}");
}

#[test]
fn the_past_is_shown_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut past = Past::began(1, 1, WINDOW, BEGAN);
    past.is_taken(after(1_000));
    past.loses(1, Cause::Reset, after(30_000));
    past.joins(2, after(60_000));
    past.ask(Command::End { by: Authority::Agent(ada()) }, after(90_000));
    store(dir.path(), [&past]);
    let id = past.id().to_string();
    let at = |time: &str| {
        let account = told(&["explain", &id, "--at", time], dir.path());
        account.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        at("14:00:00"),
        "At 2026-03-01T14:00:00.000Z: Open: the chat waits in queue line for an agent; the \
         customer is there; it moves on by itself at 2026-03-01T14:20:00.000Z."
    );
    let away = at("2026-03-01T15:00:45+01:00");
    assert!(away.starts_with("At 2026-03-01T14:00:45.000Z: Active: agent ada is in the chat"));
    assert!(away.contains("away since 2026-03-01T14:00:30.000Z because the connection was reset"));
    assert!(at("14:01:10").contains("the customer is there"));
    let over = at("14:02:00");
    assert!(
        over.contains("Wrap-up since 2026-03-01T14:01:30.000Z: agent ada finishes the notes"),
        "{over}"
    );
    assert!(over.contains("because the agent ended it (agent ada)"), "{over}");
}

#[test]
fn a_program_reads_it_as_json_and_what_is_wrong_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (past, _) = lost().swap_remove(0);
    store(dir.path(), [&past]);
    let id = past.id().to_string();
    let page: serde_json::Value =
        serde_json::from_str(&told(&["explain", &id, "--json"], dir.path())).unwrap();
    assert!(page["why"].as_str().unwrap().starts_with("Closed at "));
    assert_eq!(page["sessions"][0]["end"]["cause"], "closed");
    assert_eq!(page["entries"].as_array().unwrap().len(), past.history.len());
    let unknown = "00000000-0000-0000-0000-00000000ffff";
    for (arguments, complaint) in [
        (vec!["explain", unknown], "there is no conversation"),
        (vec!["explain", &id, "--at", "13:00:00"], "began later"),
        (vec!["explain", &id, "--at", "noon"], "--at noon: must be a time"),
    ] {
        let output = holdline(&arguments, dir.path());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(complaint), "{said}");
    }
    let nowhere = dir.path().join("nowhere");
    let output = holdline(&["explain", &id], &nowhere);
    assert!(!output.status.success());
    assert!(!nowhere.exists(), "nothing is made by asking");
}
