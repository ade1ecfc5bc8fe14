//! Several tabs of one browser, and several browsers.

use serde_json::json;

use crate::chat::of_kind;
use crate::shop::Shop;
use crate::widget::{Closed, Introduction, Widget, mint_visitor};

#[tokio::test]
async fn every_tab_hears_everything_and_the_author_only_its_answer() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut one = shop.talking(&ada).await;
    let id = one.conversation.clone();
    // A second tab knows only the visitor, and is shown the whole chat.
    let visitor = Some(one.visitor.clone());
    let mut two = shop.visit(Introduction { visitor, ..Introduction::default() }).await;
    assert_eq!(two.conversation, id);
    assert_eq!(two.expect("state").await["state"], "open");
    two.expect("joined").await;
    assert_eq!(two.expect("state").await["state"], "active");

    let posted = one.post("k1", "from the first").await;
    assert_eq!(two.expect_text("customer", "from the first").await["seq"], posted["seq"]);
    two.post("k2", "from the second").await;
    one.expect_text("customer", "from the second").await;
    ada.say(&id, "a1", "to both").await.ok();
    one.expect_text("agent", "to both").await;
    two.expect_text("agent", "to both").await;
    for tab in [&mut one, &mut two] {
        assert!(tab.settle().await.iter().all(|frame| frame["type"] != "message"));
    }

    two.kill().await;
    let path = format!("/v1/conversations/{id}/timeline?limit=200");
    let lost = |page: &serde_json::Value| {
        page["entries"].as_array().unwrap().iter().any(|entry| entry["kind"] == "session_lost")
    };
    ada.until(&path, "a session was lost", lost).await;
    assert_eq!(ada.conversation(&id).await["customer"]["connected"], true);
    assert!(of_kind(&ada.timeline(&id).await, "customer_away").is_empty());

    one.kill().await;
    let page = ada.until_state(&id, "wrapup").await;
    assert_eq!(page["reason"], "customer_disconnected_while_active");
}

#[tokio::test]
async fn tabs_that_start_at_once_start_one_chat_and_another_browser_another() {
    let shop = Shop::open(json!({})).await;
    let visitor = mint_visitor();
    let hello = Introduction { visitor: Some(visitor.clone()), ..Introduction::default() };
    let mut tabs = Vec::new();
    for _ in 0..8 {
        tabs.push(shop.visit(hello.clone()).await);
    }
    for (number, tab) in tabs.iter_mut().enumerate() {
        let (id, reference) = (format!("start-{number}"), number);
        tab.say(json!({ "type": "start", "ref": reference, "id": id })).await;
    }
    let mut chats = Vec::new();
    for (number, tab) in tabs.iter_mut().enumerate() {
        let started = tab.until("started").await;
        assert_eq!(started["ref"], number);
        chats.push(started["conversation"].as_str().unwrap().to_owned());
    }
    chats.dedup();
    assert_eq!(chats.len(), 1, "{chats:?}");
    let mut other = shop.browser().await;
    other.start("start-0", "Lee").await;
    assert_ne!(other.conversation, chats[0]);
    let all = shop.admin.pages("/v1/conversations", "conversations").await;
    assert_eq!(all.len(), 2);
}

#[tokio::test]
async fn a_seventeenth_tab_takes_the_place_of_the_quietest() {
    let shop = Shop::open(json!({ "heartbeat_s": 60, "window_s": 180 })).await;
    let mut first = shop.browser().await;
    first.start("start", "Kim").await;
    let hello = Introduction { visitor: Some(first.visitor.clone()), ..Introduction::default() };
    let mut others: Vec<Widget> = Vec::new();
    for _ in 0..16 {
        others.push(shop.visit(hello.clone()).await);
    }
    let (frames, closed) = first.ended().await;
    assert_eq!(closed, Closed(4003));
    assert_eq!(frames.last().unwrap()["reason"], "replaced");
    for tab in &mut others {
        tab.settle().await;
    }
}

#[tokio::test]
async fn an_end_in_one_tab_is_the_end_in_all_and_each_may_start_anew() {
    let shop = Shop::open(json!({})).await;
    let mut one = shop.browser().await;
    one.start("start", "Kim").await;
    let first = one.conversation.clone();
    let mut two = shop.visit(one.introduction()).await;
    one.say(json!({ "type": "end", "ref": 7 })).await;
    let over = one.expect("state").await;
    assert_eq!((&over["ref"], &over["state"]), (&json!(7), &json!("closed")));
    assert_eq!(two.expect("state").await["state"], "open");
    let told = two.expect("state").await;
    assert_eq!(told["state"], "closed");
    assert_eq!(told["reason"], "customer_ended");
    assert!(told.get("ref").is_none());
    two.start("again", "Kim").await;
    one.start("again-too", "Kim").await;
    assert_ne!(two.conversation, first);
    assert_eq!(one.conversation, two.conversation);
}
