//! What an operator reads: who came, who was refused and why, in lines that name their subject.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{Program, command};
use crate::widget::{Introduction, Widget, mint_visitor};

/// A program whose log goes to a file.
fn start(data: &Path, flags: &[&str]) -> Program {
    let log = std::fs::File::create(data.join("log")).unwrap();
    let mut talkative = command(data);
    talkative.args(["--listen", "127.0.0.1:0", "--threads", "1", "--demo"]).args(flags);
    talkative.stdout(Stdio::piped()).stderr(log);
    Program::spawn(talkative)
}

/// Stops the program, and gives everything that it has logged.
async fn logged(program: Program, data: &Path) -> String {
    program.terminate();
    assert!(program.ended().await.success());
    std::fs::read_to_string(data.join("log")).unwrap()
}

#[track_caller]
fn has_line(log: &str, parts: &[&str]) {
    let found = log.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(found, "no line has {parts:?}:\n{log}");
}

/// Provokes every refusal that comes before a chat: at the upgrade, over HTTP, at `hello`.
async fn refused(program: &Program) {
    let evil = Some("https://evil.test");
    let origins = json!({ "workstream": "demo", "origins": ["https://shop.test"] });
    program.admin.put("/v1/widgets/demo", origins).await.ok();
    assert!(Widget::try_connect(program.address, "demo", evil).await.is_err());
    assert!(Widget::try_connect(program.address, "no%0Aone", None).await.is_err());
    program
        .admin
        .with_token("hlt_guessed")
        .get("/v1/agents/me")
        .await
        .refused(401, "unknown_token");
    let mut hello = json!({ "type": "hello", "token": "hl1.Zm9v.YmFy" });
    hello["visitor"] = json!(mint_visitor());
    let mut widget = Widget::connect(program.address, "demo").await;
    widget.say(hello).await;
    widget.expect_refused("token_invalid").await;
}

#[tokio::test]
async fn whoever_is_refused_is_told_with_the_reason_and_counted() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path(), &[]);
    refused(&program).await;
    let metrics = program.admin.stranger().get("/metrics").await.text;
    for (face, code) in [
        ("upgrade", "origin_not_allowed"),
        ("upgrade", "unknown_widget"),
        ("http", "unknown_token"),
        ("widget", "token_invalid"),
    ] {
        let line = format!("holdline_refusals_total{{face=\"{face}\",code=\"{code}\"}} 1");
        assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    }
    let log = logged(program, data.path()).await;
    has_line(&log, &["origin_not_allowed", "?widget=demo", "from https://evil.test"]);
    has_line(&log, &["unknown_widget", "there is no such widget", "widget=no%0Aone"]);
    has_line(&log, &["unknown_token", "GET /v1/agents/me"]);
    has_line(&log, &["token_invalid", "widget demo showed a token that is not ours"]);
    has_line(&log, &["widget demo accepts pages of any origin"]);
    has_line(&log, &["Holdline", "listens on 127.0.0.1:"]);
    assert!(!log.contains("hlt_guessed") && !log.contains("hl1.Zm9v"), "no token is told: {log}");
    assert!(!log.contains("address"), "where strangers come from is not told unasked: {log}");
}

#[tokio::test]
async fn whoever_comes_and_goes_is_told_when_that_is_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path(), &["--log", "holdline=debug", "--log-addresses"]);
    let hello = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
    let mut kim = Widget::open(program.address, "demo", hello).await;
    kim.start("start", "Kim").await;
    let session = kim.welcome["session"].as_str().unwrap().to_owned();
    let chat = kim.conversation.clone();
    kim.close(1001).await;
    program
        .admin
        .until(&format!("/v1/conversations/{chat}"), "away", |chat| {
            chat["customer"]["connected"] == false
        })
        .await;
    refused(&program).await;
    let log = logged(program, data.path()).await;
    has_line(&log, &["DEBUG", &format!("session {session} of widget demo has come")]);
    has_line(&log, &["DEBUG", &format!("session {session} has gone"), &chat, "closed"]);
    has_line(&log, &["DEBUG", &format!("answered GET /v1/conversations/{chat}"), "status=200"]);
    has_line(&log, &["origin_not_allowed", "address=\"127.0.0.1\""]);
}

#[tokio::test]
async fn nothing_is_written_but_to_the_standard_error_and_to_files_that_are_documented() {
    let (data, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut asked = command(data.path());
    asked.args(["--listen", "127.0.0.1:0", "--threads", "1", "--demo", "--log", "holdline=debug"]);
    for folder in ["HOME", "TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"] {
        asked.env(folder, elsewhere.path());
    }
    let log = std::fs::File::create(data.path().join("log")).unwrap();
    asked.current_dir(elsewhere.path()).stdout(Stdio::piped()).stderr(log);
    let program = Program::spawn(asked);
    let hello = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
    let mut kim = Widget::open(program.address, "demo", hello).await;
    kim.start("start", "Kim").await;
    refused(&program).await;
    program.admin.get("/v1/audit").await.ok();
    let names = |folder: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let documented = std::fs::read_to_string("docs/storage.md").unwrap();
    let told = documented.lines().filter_map(|line| line.strip_prefix("| `"));
    let told: Vec<_> = told.filter_map(|line| line.split(" | ").next()).collect();
    let is_documented = |name: &str| {
        let name = name.trim_end_matches("-wal").trim_end_matches("-shm");
        name == "log" || told.iter().any(|names| format!("`{names}").contains(&format!("`{name}`")))
    };
    for name in names(data.path()) {
        assert!(is_documented(&name), "{name} is not documented");
    }
    logged(program, data.path()).await;
    assert_eq!(names(elsewhere.path()), [""; 0]);
}

#[tokio::test]
async fn a_request_that_fails_is_told_with_its_cause_in_the_log_and_nowhere_else() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path(), &[]);
    // Somebody breaks the table that the request reads.
    let chats = rusqlite::Connection::open(data.path().join("chats.db")).unwrap();
    chats.execute_batch("ALTER TABLE conversations RENAME TO elsewhere").unwrap();
    drop(chats);
    let failed = program.admin.get("/v1/conversations").await;
    let problem = failed.refused(500, "internal");
    assert_eq!(problem["detail"], "the server failed; its log says why");
    assert!(!failed.text.contains("table") && !failed.text.contains("chats.db"), "{}", failed.text);
    program.admin.get("/v1/agents").await.ok();
    let metrics = program.admin.stranger().get("/metrics").await.text;
    let line = "holdline_refusals_total{face=\"http\",code=\"internal\"} 1";
    assert!(metrics.lines().any(|found| found == line), "{metrics}");
    program.kill();
    let log = std::fs::read_to_string(data.path().join("log")).unwrap();
    has_line(&log, &["ERROR", "a request failed", "no such table: conversations"]);
}

#[tokio::test]
async fn a_flood_of_strangers_does_not_fill_the_log() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path(), &["--log-format", "json"]);
    let guessed = program.admin.with_token("hlt_guessed");
    let began = std::time::Instant::now();
    for _ in 0..300 {
        guessed.get("/v1/agents/me").await.refused(401, "unknown_token");
    }
    let seconds = began.elapsed().as_secs() + 2;
    let line = "holdline_refusals_total{face=\"http\",code=\"unknown_token\"} 300";
    assert!(program.admin.stranger().get("/metrics").await.text.contains(line), "all are counted");
    // The rest is told when the second that it belongs to is over.
    let told_of_rest = async || loop {
        let log = std::fs::read_to_string(data.path().join("log")).unwrap();
        // A line that is still being written is not whole yet.
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let counted = lines.map(|line| match line["fields"]["left_out"].as_u64() {
            Some(left_out) => left_out,
            None => u64::from(line["fields"]["code"] == "unknown_token"),
        });
        if counted.sum::<u64>() >= 300 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    tokio::time::timeout(crate::console::PATIENCE, told_of_rest()).await.expect("it is told");
    let log = logged(program, data.path()).await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = lines.iter().filter(|line| line["fields"]["code"] == "unknown_token").count() as u64;
    assert!(told >= 10 && told <= 10 * seconds, "{told} in {seconds} s");
    let rest = lines.iter().filter_map(|line| line["fields"]["left_out"].as_u64()).sum::<u64>();
    assert_eq!(told + rest, 300);
    for name in ["milliseconds", "conversations", "files"] {
        let found = lines.iter().map(|line| &line["fields"][name]).find(|field| !field.is_null());
        assert!(found.is_some_and(Value::is_u64), "{name} is a number: {found:?}");
    }
}

#[tokio::test]
async fn requests_that_cannot_be_read_are_counted_and_fill_no_log() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path(), &[]);
    for _ in 0..50 {
        let mut stream = std::net::TcpStream::connect(program.address).unwrap();
        stream.write_all(b"GET / HTTP/9.9\r\n\0\r\n\r\n").unwrap();
        let mut answer = String::new();
        // A reset may follow the answer.
        let _rest = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    let metrics = program.admin.stranger().get("/metrics").await.text;
    let line = "holdline_refusals_total{face=\"http\",code=\"unreadable_request\"} 50";
    assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    let log = logged(program, data.path()).await;
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn a_start_tells_what_becomes_of_closed_chats_and_no_upgrade_changes_it() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path(), &[]);
    let admin = program.admin.clone();
    // A release that knew no default has left this.
    let before = json!({ "queue": "demo", "retention": null });
    admin.put("/v1/workstreams/before", before).await.ok();
    for document in [json!({ "queue": "demo" }), json!({ "queue": "demo", "units": 2 })] {
        let again = admin.put("/v1/workstreams/before", document).await.ok();
        assert_eq!(again["retention"], Value::Null, "no word changes nothing: {again}");
    }
    let new = admin.put("/v1/workstreams/new", json!({ "queue": "demo" })).await.ok();
    assert_eq!(new["retention"], json!({ "after_days": 365, "then": "delete" }));
    let kept = json!({ "queue": "demo", "retention": { "after_days": 90, "then": "archive" } });
    admin.put("/v1/workstreams/kept", kept).await.ok();
    logged(program, data.path()).await;

    let log = logged(start(data.path(), &[]), data.path()).await;
    has_line(
        &log,
        &[
            "what becomes of closed chats: ",
            "before: kept for ever",
            "demo: deleted after 365 days",
            "kept: archived after 90 days",
            "new: deleted after 365 days",
        ],
    );
}
