//! The real server under a small workload: customers who are lost in every way, and some of whom
//! return, messages both ways, and two agents. Everything that must be zero is zero.

mod site;

use holdline_load::holdline::target::HoldlineTarget;
use holdline_load::report::figures::Judgement;
use site::{count, holdline, latency, put};

#[test]
fn what_a_server_says_cannot_steer_the_terminal() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let hostile = folder.path().join("holdline");
    let script =
        "#!/bin/sh\nprintf 'holdline \\033[2J\\033]0;mine\\007\\nPASSED\\n' | tee /dev/stderr\n";
    std::fs::write(&hostile, script).unwrap();
    std::fs::set_permissions(&hostile, std::fs::Permissions::from_mode(0o755)).unwrap();
    for arguments in [
        &["run", "idle", "--set", "sessions=1"][..],
        &["compare", "--targets", "holdline", "--sessions", "1"],
    ] {
        let output = std::process::Command::new(site::program())
            .args(arguments)
            .args(["--quiet", "--server"])
            .arg(&hostile)
            .output()
            .unwrap();
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("\\u001b[2J"), "it is told, as it may be: {said:?}");
        assert!(!said.contains(['\u{1b}', '\u{7}']), "{said:?}");
        assert!(!said.lines().any(|line| line == "PASSED"), "{said:?}");
    }
}

#[test]
fn a_small_day_has_nothing_to_complain_of() {
    let run = put(
        &holdline(),
        r#"
        name = "small-day"
        sessions = 200
        duration_s = 8
        settle_s = 0.5
        window_s = 3
        lateness_p99_ms = 10000
        ramp = { per_s = 200 }
        heartbeat = { every_s = 1 }
        posts = { per_s = 100, bytes = [10, 500] }
        agents = { count = 2, chats = 150, accept_s = [0, 0.2], posts_per_s = 50 }

        [[losses]]
        share = 0.2
        how = "reset"
        at_s = 1

        [[losses]]
        share = 0.1
        how = "fin"
        at_s = 1
        spread_s = 2
        back = 1.0
        back_after_s = [0.2, 1.5]
        again_s = 2

        [[losses]]
        share = 0.1
        how = "silent"
        at_s = 2

        [[losses]]
        share = 0.1
        how = "leave"
        at_s = 2
        spread_s = 1

        [[losses]]
        share = 0.1
        how = "close"
        at_s = 2
        back = 1.0
        back_after_s = [0.5, 1.5]

        [[losses]]
        share = 0.1
        how = "end"
        at_s = 3
        spread_s = 1
        "#,
    );
    assert_eq!(run.verdict.judgement(), Judgement::Passed, "{:#?}", run.verdict);
    assert!(count(&run, "notices") > 60, "{:?}", run.counts);
    assert!(count(&run, "returns") > 30, "{:?}", run.counts);
    assert!(count(&run, "chats ended") > 10, "{:?}", run.counts);
    assert!(count(&run, "posts acknowledged") > 600, "{:?}", run.counts);
    assert!(count(&run, "replies heard") > 100, "{:?}", run.counts);
    assert!(count(&run, "transcripts compared") > 100, "{:?}", run.counts);
    assert!(latency(&run, "notice").count > 60);
    assert!(latency(&run, "post to agent").count > 300);
}

#[test]
fn a_restart_keeps_every_chat() {
    let run = put(
        &holdline(),
        r#"
        name = "restart"
        sessions = 100
        duration_s = 10
        settle_s = 0.5
        window_s = 20
        lateness_p99_ms = 10000
        ramp = { per_s = 200 }
        heartbeat = { every_s = 2 }
        posts = { per_s = 50 }
        agents = { count = 2, chats = 100 }
        restart = { at_s = 2 }
        "#,
    );
    assert_eq!(run.verdict.judgement(), Judgement::Passed, "{:#?}", run.verdict);
    assert_eq!(count(&run, "returns"), 100, "{:?}", run.counts);
    assert_eq!(count(&run, "goodbyes of the server"), 100);
    assert_eq!(count(&run, "returns too late"), 0);
}

#[test]
fn everybody_may_come_over_tls() {
    let run = put(
        &HoldlineTarget { tls: true, ..holdline() },
        r#"
        name = "secured"
        sessions = 100
        duration_s = 5
        settle_s = 0.5
        window_s = 20
        lateness_p99_ms = 10000
        ramp = { per_s = 200 }
        heartbeat = { every_s = 2 }
        posts = { per_s = 50 }
        agents = { count = 2, chats = 100, posts_per_s = 20 }

        [[losses]]
        share = 0.3
        how = "reset"
        at_s = 1
        back = 1.0
        back_after_s = [0.2, 1.0]
        "#,
    );
    assert_eq!(run.verdict.judgement(), Judgement::Passed, "{:#?}", run.verdict);
    assert_eq!(count(&run, "returns"), 30, "{:?}", run.counts);
    assert!(count(&run, "posts acknowledged") > 100, "{:?}", run.counts);
    assert!(count(&run, "replies heard") > 30, "{:?}", run.counts);
}

#[test]
fn strangers_are_kept_in_bounds_and_nobody_else_notices() {
    let run = put(
        &holdline(),
        r#"
        name = "strangers"
        sessions = 100
        duration_s = 8
        settle_s = 0.5
        window_s = 3
        lateness_p99_ms = 10000
        ramp = { per_s = 200 }
        heartbeat = { every_s = 1 }
        posts = { per_s = 50 }
        agents = { count = 4, chats = 60, accept_s = [0, 0.2], posts_per_s = 20 }
        strangers = { attempts = 2500, addresses = 1 }

        [[losses]]
        share = 0.2
        how = "fin"
        at_s = 4
        "#,
    );
    assert_eq!(run.verdict.judgement(), Judgement::Passed, "{:#?}", run.verdict);
    // The windows of strangers end as well, which is no fault.
    assert!(count(&run, "windows ended") > 0, "{:?}", run.counts);
    assert!(count(&run, "strangers, a chat: started") > 0, "{:?}", run.counts);
    assert!(count(&run, "operators' and agents' requests answered beside them") > 20);
    assert!(count(&run, "strangers, a socket without a chat: let in") > 0, "{:?}", run.counts);
    for refused in [
        "a socket without a chat: 429 too_many_sockets",
        "a chat: too_many_waiting",
        "a token guessed: 401 unknown_token",
        "a token guessed: 429 too_many_attempts",
    ] {
        assert!(count(&run, &format!("strangers, {refused}")) > 0, "{refused}: {:?}", run.counts);
    }
}
