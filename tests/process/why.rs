//! Why a chat was closed, asked of the data directory beside the running server and after a crash.

use std::path::Path;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::program::{Program, run};
use crate::widget::{Introduction, Widget, mint_visitor};

/// The first line of the account.
fn why(data: &Path, conversation: &str) -> String {
    let mut explain = std::process::Command::new(env!("CARGO_BIN_EXE_holdline"));
    explain.args(["explain", conversation, "--data"]).arg(data);
    let output = run(explain);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let account = String::from_utf8(output.stdout).expect("text");
    account.lines().next().expect("a first line").to_owned()
}

async fn set_up(program: &Program) {
    let workstream = json!({ "queue": "line", "window_s": 2, "heartbeat_s": 1 });
    program.admin.put("/v1/queues/line", json!({ "agents": [] })).await.ok();
    program.admin.put("/v1/workstreams/chat", workstream).await.ok();
    program
        .admin
        .put("/v1/widgets/shop", json!({ "workstream": "chat", "origins": ["*"] }))
        .await
        .ok();
}

async fn chatting(program: &Program) -> Widget {
    let hello = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
    let mut widget = Widget::open(program.address, "shop", hello).await;
    widget.start("start", "Kim").await;
    widget
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_line_names_what_the_sockets_did() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), "--no-demo");
    set_up(&program).await;
    let mut expected = Vec::new();

    let closes = chatting(&program).await;
    expected.push((closes.conversation.clone(), "the socket was closed with code 1001"));
    closes.close(1001).await;

    let mut leaves = chatting(&program).await;
    let said = "the page said that it was being closed or left, and then the connection ended \
                with close code 1001";
    expected.push((leaves.conversation.clone(), said));
    leaves.say(json!({ "type": "leaving", "cause": "unloaded" })).await;
    leaves.close(1001).await;

    let ends = chatting(&program).await;
    expected.push((ends.conversation.clone(), "the connection ended without a close frame"));
    ends.kill().await;

    let mut floods = chatting(&program).await;
    let said = "the server refused to go on: a frame was too large";
    expected.push((floods.conversation.clone(), said));
    // The server may cut the customer off before all of this is sent.
    let _cut_off = floods.send(Message::text("x".repeat(1 << 20))).await;

    let freezes = chatting(&program).await;
    let said = "neither a beat, a frame nor a pong came for two heartbeats";
    expected.push((freezes.conversation.clone(), said));
    let _frozen = freezes.freeze();

    for (id, said) in &expected {
        program.admin.until_state(id, "closed").await;
        let first = why(data.path(), id);
        assert!(first.starts_with("Closed at "), "{first}");
        assert!(first.contains("away for longer than the window"), "{first}");
        assert!(first.contains(said), "{first}\nshould say: {said}");
        assert!(first.contains("; held for 2 s, until "), "{first}");
        let timeline = format!("/v1/conversations/{id}/timeline");
        let told = program.admin.get(&timeline).await.ok();
        assert_eq!(told["why"], first, "over HTTP it is the same");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_is_named_as_the_cause_and_read_after_the_next() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), "--no-demo");
    set_up(&program).await;
    let stays = chatting(&program).await;
    let id = stays.conversation.clone();
    program.kill();
    let program = Program::start(data.path(), "--no-demo");
    program.admin.until_state(&id, "closed").await;
    program.kill();
    let first = why(data.path(), &id);
    assert!(first.contains("because this server had stopped; held for 2 s, until "), "{first}");
}
