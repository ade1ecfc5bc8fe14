//! How much a customer may do in one chat: messages, bytes and connections. Restarts do not reset
//! the counts, and the chat goes on for everybody else.

use serde_json::json;

use crate::shop::{Running, Shop};
use crate::widget::{Closed, Introduction, Widget, introduce, mint_visitor};

fn limits(limits: serde_json::Value) -> serde_json::Value {
    json!({ "window_s": 60, "customer_limits": limits })
}

async fn come(shop: &Shop) -> Widget {
    let visitor = Some(mint_visitor());
    Widget::open(shop.address(), "shop", Introduction { visitor, ..Introduction::default() }).await
}

#[tokio::test]
async fn a_customer_fills_no_disk_and_silences_no_agent() {
    let shop = Shop::open(limits(json!({ "messages": 10, "bytes": 24_000 }))).await;
    let ana = shop.hire("ana", 1).await;
    ana.choose("available").await;
    let _feed = ana.feed(None).await;
    let mut widget = come(&shop).await;
    let chat = widget.start("start", "Kim").await["conversation"].as_str().unwrap().to_owned();
    ana.until_state(&chat, "active").await;
    ana.act(&chat, "accept").await.ok();
    widget.until_state("active").await;
    let long = "é".repeat(5_990);
    widget.post("1", &long).await;
    widget.post("2", &long).await;
    widget.post_only("3", &"a".repeat(41)).await;
    widget.until("refused").await;
    for id in 3..=10 {
        widget.post(&format!("fits-{id}"), "hello").await;
    }
    widget.post_only("11", "one more").await;
    let refused = widget.until("refused").await;
    assert_eq!(refused["code"], "conversation_full", "{refused}");
    // A message that the chat already holds is answered as before, and the agent goes on.
    let again = widget.post("1", &long).await;
    assert_eq!(again["type"], "posted", "{again}");
    ana.say(&chat, "agent", "I am still here").await.ok();
    widget.expect_text("agent", "I am still here").await;

    // A restart does not reset the count.
    let hello = widget.introduction();
    let data = shop.server.stop().await;
    let server = Running::start_with(data, "off");
    let mut widget = Widget::open(server.address, "shop", hello).await;
    widget.post_only("12", "one more").await;
    assert_eq!(widget.until("refused").await["code"], "conversation_full");
}

#[tokio::test]
async fn a_customer_connects_to_one_chat_so_often() {
    let shop = Shop::open(limits(json!({ "connections": 10 }))).await;
    let mut widget = come(&shop).await;
    let chat = widget.start("start", "Kim").await["conversation"].clone();
    for _ in 1..10 {
        let hello = widget.close(1000).await;
        widget = Widget::open(shop.address(), "shop", hello).await;
    }
    widget.post_only("here", "this is the tenth").await;
    widget.until("posted").await;
    let hello = widget.close(1000).await;
    let mut widget = Widget::connect(shop.address(), "shop").await;
    widget.say(introduce(&hello)).await;
    let (frames, closed) = widget.ended().await;
    assert_eq!(frames[0]["code"], "conversation_full", "{frames:?}");
    assert_eq!(closed, Closed(4008));
    // The number of connections is a setting, and a change of it holds for a chat that runs.
    shop.set(limits(json!({ "connections": 11 }))).await;
    let mut widget = Widget::connect(shop.address(), "shop").await;
    let welcome = widget.hello(hello).await;
    assert_eq!(welcome["conversation"]["id"], chat, "{welcome}");
}
