//! Widgets that come back on another thread than that of their chat. Their sockets change over to
//! the chat's thread, and nobody can tell.

use serde_json::json;

use crate::shop::Shop;
use crate::widget::Widget;

/// The most returns that the test makes until one comes in on the other thread. Each return has an
/// even chance of that.
const RETURNS_MAX: usize = 100;

async fn moved(shop: &Shop) -> u64 {
    let figures = shop.admin.get("/metrics").await.text;
    let line = figures.lines().find(|line| line.starts_with("holdline_moved_sockets_total "));
    let figure = line.expect("sockets that moved are counted").split(' ').next_back();
    figure.expect("a figure").parse().expect("a number")
}

#[tokio::test]
async fn a_widget_that_returns_on_another_thread_loses_nothing_of_what_it_says_at_once() {
    let shop = Shop::open(json!({ "window_s": 30 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut kim = shop.talking(&ada).await;
    let id = kim.conversation.clone();
    let mut said = Vec::new();
    for turn in 0..RETURNS_MAX {
        let hello = kim.kill().await;
        kim = Widget::connect(shop.server.address, "shop").await;
        // What follows `hello` travels with the socket.
        kim.say(json!({
            "type": "hello", "visitor": hello.visitor, "token": hello.token, "after": hello.after,
        }))
        .await;
        for part in 0..3 {
            let text = format!("{turn}.{part}");
            kim.say(json!({ "type": "post", "ref": text, "id": text, "text": text })).await;
            said.push(text);
        }
        let welcome = kim.expect("welcome").await;
        assert_eq!(welcome["conversation"]["id"], id);
        for part in 0..3 {
            let posted = kim.expect("posted").await;
            assert_eq!(posted["id"], format!("{turn}.{part}"));
            kim.seq = posted["seq"].as_u64().expect("a place");
        }
        kim.token = welcome["conversation"]["token"].as_str().expect("a token").to_owned();
        kim.visitor = hello.visitor.unwrap_or_default();
        if moved(&shop).await > 0 && turn >= 3 {
            break;
        }
    }
    assert!(moved(&shop).await > 0, "no socket has changed its thread");
    let entries = ada.entries(&id, "agent").await;
    let theirs = entries.iter().filter(|entry| entry["from"] == "customer");
    let texts: Vec<_> = theirs.map(|entry| entry["text"].as_str().expect("a text")).collect();
    assert_eq!(texts, said, "each once, in order");
    // The session is live on its new thread: it is told what the agent says.
    ada.say(&id, "a1", "there you are").await.ok();
    kim.expect_text("agent", "there you are").await;
}
