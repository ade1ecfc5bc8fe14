//! The end of the window in every state, and what becomes of the agent's units.

use serde_json::json;

use crate::chat::{millis, now_ms, of_kind, used};
use crate::shop::Shop;

#[tokio::test]
async fn a_queued_chat_closes_at_the_window() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 2).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    let id = kim.conversation.clone();
    let queued = ada.conversation(&id).await;
    assert_eq!(queued["state"], "open");
    let back = kim.kill().await;
    let away = ada
        .until(&format!("/v1/conversations/{id}"), "away", |chat| {
            chat["customer"]["connected"] == false
        })
        .await;
    assert_eq!((&away["state"], &away["customer"]["cause"]), (&json!("open"), &json!("closed")));

    let path = format!("/v1/conversations/{id}");
    let closed = shop.admin.until(&path, "it is closed", |chat| chat["state"] == "closed").await;
    assert!(now_ms() > millis(&away["customer"]["until"]), "never early");
    assert_eq!(closed["reason"], "customer_disconnected_while_open");
    assert_eq!(closed["agent"], json!(null));
    let texts = shop.admin.transcript(&id, "agent").await;
    assert!(texts.iter().any(|text| text.starts_with("Customer disconnected")), "{texts:?}");
    assert!(!shop.admin.transcript(&id, "customer").await.join(" ").contains("disconnected"));
    ada.act(&id, "accept").await.refused(409, "already_closed");

    let kim = shop.visit(back).await;
    assert_eq!(kim.welcome["ended"]["reason"], "customer_disconnected_while_open");
}

#[tokio::test]
async fn an_offered_chat_closes_at_the_window_and_its_agent_is_free() {
    let shop = Shop::open(json!({ "units": 2 })).await;
    let ada = shop.hire("ada", 2).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    let id = kim.conversation.clone();
    feed.until("offer").await;
    assert_eq!(used(&ada).await, 2);
    kim.kill().await;
    let away = feed.until("away").await.data;

    let withdrawn = feed.until("offer_withdrawn").await.data;
    assert!(now_ms() > millis(&away["until"]), "never early");
    assert_eq!(withdrawn, json!({ "conversation": id, "reason": "closed" }));
    let is_free = |event: &crate::feed::Event| event.name == "capacity" && event.data["used"] == 0;
    feed.until_such("free units", is_free).await;
    assert_eq!(used(&ada).await, 0);
    let closed = shop.admin.conversation(&id).await;
    assert_eq!((&closed["state"], &closed["agent"]), (&json!("closed"), &json!(null)));
    assert_eq!(closed["reason"], "customer_disconnected_while_open");
    ada.act(&id, "accept").await.refused(409, "already_closed");
}

/// The units that an agent still uses in wrap-up, and until when, under each setting of the block.
#[tokio::test]
async fn the_units_follow_the_wrap_up_block() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 2).await;
    ada.choose("available").await;
    let blocks = [
        (json!("always"), 1, "until_closed"),
        (json!("never"), 0, "no"),
        (json!({ "for_s": 30 }), 1, "until"),
    ];
    for (block, held, hold) in blocks {
        shop.set(json!({ "wrapup_block": block })).await;
        let kim = shop.talking(&ada).await;
        let id = kim.conversation.clone();
        kim.kill().await;
        ada.until_state(&id, "wrapup").await;
        assert_eq!(used(&ada).await, held, "{block}");
        let me = ada.me().await;
        if held == 1 {
            assert_eq!(me["leases"][0]["for"], "wrapup", "{block}");
        }
        let timeline = ada.timeline(&id).await;
        let wrapup = of_kind(&timeline, "wrapup_started")[0];
        let details = &wrapup["details"];
        assert_eq!((&details["hold"], &details["by"]), (&json!(hold), &json!("timer")));
        if hold == "until" {
            assert_eq!(millis(&details["hold_until"]) - millis(&wrapup["at"]), 30_000);
        }
        ada.act(&id, "close").await.ok();
        assert_eq!(used(&ada).await, 0, "{block}");
    }
}

#[tokio::test]
async fn wrap_up_closes_by_itself_and_gives_the_units_back() {
    let shop = Shop::open(json!({ "autoclose_s": { "wrapup": 1 } })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let kim = shop.talking(&ada).await;
    ada.act(&kim.conversation, "end").await.ok();
    let ends = |event: &crate::feed::Event| {
        event.name == "conversation" && event.data["state"] == "closed"
    };
    let closed = feed.until_such("the close", ends).await.data;
    assert_eq!(closed["reason"], "agent_ended");
    let is_free = |event: &crate::feed::Event| event.name == "capacity" && event.data["used"] == 0;
    feed.until_such("free units", is_free).await;
}

#[tokio::test]
async fn an_idle_customer_is_warned_and_then_the_chat_ends() {
    let shop = Shop::open(json!({ "idle_s": { "warn": 5, "close": 6 } })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut kim = shop.talking(&ada).await;
    let asked = ada.say(&kim.conversation, "a1", "Which one?").await.ok();
    kim.expect_text("agent", "Which one?").await;
    let warning = kim.expect("message").await;
    assert_eq!(warning["from"], "system");
    assert!(millis(&warning["at"]) > millis(&asked["at"]) + 5_000, "never early");
    let over = kim.expect("state").await;
    assert_eq!((&over["state"], &over["reason"]), (&json!("wrapup"), &json!("customer_idle")));
    assert!(now_ms() > millis(&asked["at"]) + 6_000, "never early");
}

/// Sixty chats lose their customers at once. Each is moved on once, and none early.
#[tokio::test]
async fn many_windows_end_each_once_and_none_early() {
    const CHATS: usize = 60;
    let shop = Shop::open(json!({})).await;
    let mut tabs = Vec::new();
    for _ in 0..CHATS {
        let mut kim = shop.browser().await;
        kim.start("start", "Kim").await;
        tabs.push(kim);
    }
    let ids: Vec<_> = tabs.iter().map(|tab| tab.conversation.clone()).collect();
    for tab in tabs {
        tab.kill().await;
    }
    for id in &ids {
        shop.admin.until_state(id, "closed").await;
        let timeline = shop.admin.timeline(id).await;
        let away = of_kind(&timeline, "customer_away");
        let disconnected = of_kind(&timeline, "customer_disconnected");
        assert_eq!((away.len(), disconnected.len()), (1, 1));
        let late = millis(&disconnected[0]["at"]) - millis(&away[0]["details"]["until"]);
        assert!((1..=2_000).contains(&late), "{late} ms after the deadline");
    }
}
