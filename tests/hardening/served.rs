//! The retention as a running server drives it, and as an operator and an agent see it.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::console::PATIENCE;
use crate::files;
use crate::program::{self, Program};
use crate::read_only::behind;
use crate::retention::events_in;
use crate::support::Chat;

use holdline::journal::Log as _;

/// Writes chats that were closed long ago.
fn furnish(data: &std::path::Path, count: u128) -> Vec<Chat> {
    let (journal, _) = files::open(data).unwrap();
    let mut chats = Vec::new();
    for number in 1..=count {
        let mut chat = Chat::new(number, "q", 1_000);
        chat.whole_story().iter().for_each(|batch| journal.append(batch.append()));
        chats.push(chat);
    }
    chats
}

#[tokio::test]
async fn a_server_archives_what_its_settings_say() {
    let dir = tempfile::tempdir().unwrap();
    let chats = furnish(dir.path(), 100);
    let server = Program::start(dir.path(), "--no-demo");
    server.admin.put("/v1/queues/q", json!({})).await.ok();
    let workstream = json!({ "queue": "q", "retention": { "after_days": 30, "then": "archive" } });
    let put = server.admin.put("/v1/workstreams/default", workstream.clone()).await.ok();
    assert_eq!(put["retention"], workstream["retention"]);
    let id = chats[0].id();
    assert_eq!(server.admin.conversation(&id.to_string()).await["state"], "closed");
    server.terminate();
    assert!(server.ended().await.success());

    // The server looks for chats to take out when it starts, and then once a minute.
    let server = Program::start(dir.path(), "--no-demo");
    let start = Instant::now();
    loop {
        let metrics = server.admin.get("/metrics").await.text;
        let said = |line: &str| metrics.contains(line);
        if said("holdline_retention_archived_total 100\n") && said("holdline_journal_lag 0\n") {
            assert!(said("holdline_retention_deleted_total 0\n"), "{metrics}");
            break;
        }
        assert!(start.elapsed() < PATIENCE, "they are not archived: {metrics}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for chat in &chats {
        for what in ["", "/transcript?audience=agent", "/timeline"] {
            let answer = server.admin.get(&format!("/v1/conversations/{}{what}", chat.id())).await;
            assert_eq!(answer.status, 404, "{what}: {}", answer.text);
            assert!(answer.text.contains("unknown_conversation"), "{}", answer.text);
        }
    }
    let listed = server.admin.pages("/v1/conversations?limit=200", "conversations").await;
    assert!(listed.is_empty(), "{listed:?}");
    // Checks the directory while the server runs, and after a kill at any point of its work.
    assert!(program::run(behind(dir.path(), &["check"])).status.success());
    server.kill();
    let checked = program::run(behind(dir.path(), &["check"]));
    let told = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.status.success(), "{told}");
    assert!(told.contains("archive.db: ") && told.contains("of 100 chats"), "{told}");
}

/// The server is killed again and again, at any point: each chat ends whole in the archive, once.
#[tokio::test]
async fn a_killed_retention_is_continued() {
    let dir = tempfile::tempdir().unwrap();
    let chats = furnish(dir.path(), 400);
    let server = Program::start(dir.path(), "--no-demo");
    server.admin.put("/v1/queues/q", json!({})).await.ok();
    let workstream = json!({ "queue": "q", "retention": { "after_days": 30, "then": "archive" } });
    server.admin.put("/v1/workstreams/default", workstream).await.ok();
    server.kill();
    let mut kills = 0;
    loop {
        let server = Program::start(dir.path(), "--no-demo");
        // The kills come at times that have nothing to do with the steps of the retention.
        tokio::time::sleep(Duration::from_millis(60 + 37 * (kills % 7))).await;
        server.kill();
        kills += 1;
        let checked = program::run(behind(dir.path(), &["check"]));
        let told = String::from_utf8(checked.stdout).unwrap();
        assert!(checked.status.success(), "after {kills} kills: {told}");
        let left = events_in(&dir.path().join("journal.db"), chats[399].id());
        if left == 0 {
            break;
        }
        assert_eq!(left, chats[399].history.len(), "never half of a chat");
        assert!(kills < 200, "it does not get on");
    }
    assert!(kills >= 2, "it was killed in between: {kills}");
    for chat in &chats {
        assert_eq!(events_in(&dir.path().join("archive.db"), chat.id()), chat.history.len());
        assert_eq!(events_in(&dir.path().join("journal.db"), chat.id()), 0);
    }
}
