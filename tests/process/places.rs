//! Places of another history, and times of another clock: the server recognises both.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::SystemTime;

use holdline::domain::agent::Presence;
use holdline::domain::id::ConversationId;
use holdline::domain::time::Timestamp;
use holdline::journal::sqlite::SqliteJournal;
use holdline::journal::{Append, Confirmed, Fault, Log as _, Position, Receipts};
use serde_json::json;
use tokio::sync::oneshot;

use crate::console::Console;
use crate::program::{Program, command, run};
use crate::widget::{Introduction, Widget, mint_visitor};

/// Receipts that nobody waits for.
#[derive(Debug)]
struct Unneeded;

impl Receipts for Unneeded {
    fn durable(&self, _: Vec<Confirmed>, _: Position) {}

    fn failed(&self, _: Vec<ConversationId>, _: Fault) {}
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("not too late")
}

fn operator(data: &Path, arguments: &[&str]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_holdline"));
    program.args(arguments).arg("--data").arg(data);
    let output = run(program);
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{said:?}");
    said.concat()
}

/// An agent and a customer who talk.
async fn talk(program: &Program) -> (Console, Widget) {
    let admin = &program.admin;
    let token = admin.post("/v1/agents/ada/tokens", json!({})).await.ok();
    let ada = admin.with_token(token["token"].as_str().unwrap());
    ada.choose("available").await;
    let hello = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
    let mut kim = Widget::open(program.address, "demo", hello).await;
    kim.start("start", "Kim").await;
    ada.until_state(&kim.conversation.clone(), "active").await;
    ada.act(&kim.conversation, "accept").await.ok();
    kim.until("joined").await;
    kim.until_state("active").await;
    (ada, kim)
}

#[tokio::test]
async fn places_of_another_history_are_known_to_be_unknown() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), "--demo");
    let (ada, mut kim) = talk(&program).await;
    let chat = kim.conversation.clone();
    let history = kim.welcome["history"].clone();
    kim.post("k1", "before the backup").await;
    let page = ada.get(&format!("/v1/conversations/{chat}/transcript?limit=1")).await.ok();
    let cursor = page["next"].as_str().expect("there is more").to_owned();
    let copy = data.path().join("copy.db");
    operator(data.path(), &["backup", copy.to_str().unwrap()]);
    let mut feed = ada.feed(None).await;
    for number in 0..25 {
        kim.post(&format!("lost{number}"), "after the backup").await;
    }
    feed.until_such("the last of them", |event| event.data["id"] == "lost24").await;
    let last = feed.last.clone().expect("an id");
    let back = kim.kill().await;
    drop(feed);
    program.kill();

    let restored = tempfile::tempdir().unwrap();
    let dir = restored.path().join("data");
    operator(&dir, &["restore", copy.to_str().unwrap()]);
    let program = Program::start(&dir, "--demo");
    let ada = ada.at(&program.admin);
    ada.choose("available").await;
    // A tab that has seen more than there is knows by the history that its places mean nothing, and
    // the server tells it everything.
    let mut kim = Widget::open(program.address, "demo", back).await;
    assert_ne!(kim.welcome["history"], history, "another history");
    assert_eq!(kim.conversation, chat);
    kim.until("joined").await;
    assert_eq!(kim.until("message").await["text"], "before the backup");
    ada.say(&chat, "a1", "after the restore").await.ok();
    assert_eq!(kim.until("message").await["text"], "after the restore");
    // A console is told that its place is unknown, and then how things are now.
    let mut feed = ada.feed(Some(&last)).await;
    let unknown = feed.until("place_unknown").await.data;
    assert_eq!(unknown, json!({ "last_event_id": last }));
    feed.until("conversation").await;
    let path = format!("/v1/conversations/{chat}/transcript?cursor={cursor}");
    let problem = ada.get(&path).await.refused(400, "malformed_parameter");
    assert!(problem["detail"].as_str().unwrap().contains("another history"), "{problem}");
    // What was lost can be said again under the same ids.
    kim.post("lost0", "after the backup").await;
    program.kill();
}

/// Gives a journal a last event whose time is so many milliseconds in the future.
async fn write_ahead(data: &Path, ahead: i64) {
    let (journal, _) = SqliteJournal::open(data, Arc::new(Unneeded)).unwrap();
    let (done, written) = oneshot::channel();
    journal.append(Append::Presence {
        by: None,
        agent: "ada".parse().unwrap(),
        presence: Presence::Available,
        at: Timestamp::from_millis(now_ms() + ahead),
        done,
    });
    written.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_clock_that_was_fast_is_said_loudly_is_bounded_and_can_be_set_back() {
    const HOUR: i64 = 3_600_000;
    let data = tempfile::tempdir().unwrap();
    Program::start(data.path(), "--demo").kill();
    write_ahead(data.path(), 2 * HOUR).await;
    let log = data.path().join("log");
    let mut ahead = command(data.path());
    ahead.args(["--listen", "127.0.0.1:0", "--demo"]).stdout(Stdio::piped());
    ahead.stderr(std::fs::File::create(&log).unwrap());
    let program = Program::spawn(ahead);
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.contains("ERROR") && said.contains("the journal ends at"), "{said}");
    let metrics = program.admin.get("/metrics").await.text;
    let line = metrics.lines().find(|line| line.starts_with("holdline_clock_ahead_milliseconds "));
    let ahead: i64 = line.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!((2 * HOUR - 60_000..=2 * HOUR + 60_000).contains(&ahead), "{ahead} ms");
    program.kill();

    write_ahead(data.path(), 50 * HOUR).await;
    let mut refused = command(data.path());
    refused.args(["--listen", "127.0.0.1:0", "--demo"]);
    let output = run(refused);
    assert!(!output.status.success(), "days are too much to go on from");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--set-clock-back"), "{said}");

    let mut set_back = command(data.path());
    set_back.args(["--listen", "127.0.0.1:0", "--demo", "--set-clock-back"]);
    set_back.stdout(Stdio::piped());
    let program = Program::spawn(set_back);
    let (ada, kim) = talk(&program).await;
    let started = ada.conversation(&kim.conversation).await["started_at"].clone();
    let started: jiff::Timestamp = started.as_str().unwrap().parse().unwrap();
    assert!((started.as_millisecond() - now_ms()).abs() < 60_000, "times are right again");
    program.kill();
}
