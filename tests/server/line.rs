//! The waiting line: which customer is served first, which agent is asked again, what waiting
//! customers are told, and that no setting is taken away under a live chat.

use std::time::Duration;

use serde_json::{Value, json};

use crate::chat::{millis, now_ms, used};
use crate::shop::Shop;
use crate::widget::Widget;

/// Positions are told anew every ten seconds. A position that comes sooner was told at once.
const AT_ONCE: Duration = Duration::from_secs(5);

/// The next position that a widget is told, which must come at once.
async fn position(widget: &mut Widget) -> Value {
    loop {
        match widget.next_within(AT_ONCE).await {
            Some(Ok(frame)) if frame["type"] == "queue" => return frame,
            Some(Ok(_)) => {}
            other => panic!("waited in vain for a position: {other:?}"),
        }
    }
}

async fn waiting(shop: &Shop, widget: &Widget) -> Value {
    let path = format!("/v1/conversations/{}/timeline", widget.conversation);
    shop.admin.get(&path).await.ok()["waiting"].clone()
}

async fn start(shop: &Shop, name: &str) -> Widget {
    let mut widget = shop.browser().await;
    widget.start("start", name).await;
    widget
}

#[tokio::test]
async fn who_let_a_chat_go_is_asked_again_only_when_nobody_else_can_take_it() {
    let shop = Shop::open(json!({ "window_s": 60 })).await;
    let ana = shop.hire("ana", 5).await;
    let ben = shop.hire("ben", 1).await;
    ana.choose("available").await;
    ben.choose("available").await;
    let kim = start(&shop, "Kim").await;
    let offered = shop.admin.until_state(&kim.conversation, "active").await;
    assert_eq!(offered["agent"], "ana", "she has the most room");
    ana.act(&kim.conversation, "decline").await.ok();
    let path = format!("/v1/conversations/{}", kim.conversation);
    let is_bens = |chat: &Value| chat["agent"] == "ben";
    shop.admin.until(&path, "ben is asked", is_bens).await;
    ben.act(&kim.conversation, "accept").await.ok();

    // An agent who gives a chat back is not given it again, either.
    let lou = start(&shop, "Lou").await;
    let path = format!("/v1/conversations/{}", lou.conversation);
    let is_anas = |chat: &Value| chat["agent"] == "ana";
    shop.admin.until(&path, "ana is asked", is_anas).await;
    ana.act(&lou.conversation, "accept").await.ok();
    ben.act(&kim.conversation, "end").await.ok();
    ben.act(&kim.conversation, "close").await.ok();
    ben.until("/v1/agents/me", "he is free", |me| me["used"] == 0).await;
    ana.act(&lou.conversation, "release").await.ok();
    shop.admin.until(&path, "ben is asked", is_bens).await;
    // Nobody else is there, so Ana is asked again.
    ben.choose("away").await;
    ben.act(&lou.conversation, "decline").await.ok();
    shop.admin.until(&path, "ana is asked again", is_anas).await;
}

#[tokio::test]
async fn who_is_there_is_served_first_and_who_is_away_keeps_their_place() {
    let shop = Shop::open(json!({ "window_s": 60 })).await;
    let ada = shop.hire("ada", 1).await;
    let kim = start(&shop, "Kim").await;
    let kims = kim.conversation.clone();
    let back = kim.kill().await;
    let is_away = |chat: &Value| chat["customer"]["connected"] == false;
    shop.admin.until(&format!("/v1/conversations/{kims}"), "Kim is away", is_away).await;
    let lou = start(&shop, "Lou").await;
    ada.choose("available").await;
    let offered = shop.admin.until_state(&lou.conversation, "active").await;
    assert_eq!(offered["agent"], "ada");
    assert_eq!(shop.admin.conversation(&kims).await["state"], "open");
    let timeline = shop.admin.get(&format!("/v1/conversations/{kims}/timeline")).await.ok();
    assert_eq!(timeline["waiting"]["is_held"], true, "{}", timeline["waiting"]);
    assert_eq!(timeline["waiting"]["position"], 1);
    let why = timeline["waiting"]["why"].as_str().unwrap();
    assert!(why.contains("while the customer is away"), "{why}");

    // Kim is back, and first in line again.
    let mut kim = shop.visit(back).await;
    assert_eq!(position(&mut kim).await["position"], 1);
    ada.act(&lou.conversation, "accept").await.ok();
    ada.act(&lou.conversation, "end").await.ok();
    ada.act(&lou.conversation, "close").await.ok();
    shop.admin.until_state(&kims, "active").await;
}

#[tokio::test]
async fn a_setting_has_customers_offered_who_are_away() {
    let shop = Shop::open(json!({ "window_s": 60 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    ada.choose("away").await;
    let kim = start(&shop, "Kim").await;
    let kims = kim.conversation.clone();
    kim.kill().await;
    let is_away = |chat: &Value| chat["customer"]["connected"] == false;
    shop.admin.until(&format!("/v1/conversations/{kims}"), "Kim is away", is_away).await;
    ada.choose("available").await;
    shop.set(json!({ "window_s": 60, "absent": { "offer": true } })).await;
    let settings = shop.admin.get("/v1/workstreams/sales").await.ok();
    assert_eq!(settings["absent"], json!({ "offer": true }));
    let offered = shop.admin.until_state(&kims, "active").await;
    assert_eq!(offered["agent"], "ada");
}

#[tokio::test]
async fn waiting_is_told_as_the_time_in_the_line_and_a_position_at_once() {
    let shop = Shop::open(json!({ "window_s": 60 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut kim = shop.talking(&ada).await;
    ada.choose("away").await;
    let mut lou = start(&shop, "Lou").await;
    assert_eq!(position(&mut lou).await["position"], 1);
    let mut max = start(&shop, "Max").await;
    assert_eq!(position(&mut max).await["position"], 2);
    // Kim talks for longer than anybody has waited.
    let path = format!("/v1/conversations/{}", kim.conversation);
    let is_old = |chat: &Value| now_ms() > millis(&chat["started_at"]) + 1_500;
    shop.admin.until(&path, "the talk lasts", is_old).await;
    ada.act(&kim.conversation, "release").await.ok();
    let told = position(&mut kim).await;
    assert_eq!(told["position"], 1, "her place is that of the beginning: {told}");
    ada.choose("available").await;
    shop.admin.until_state(&kim.conversation, "active").await;
    let figures = shop.admin.get("/v1/figures").await.ok();
    let average = figures["queues"][0]["average_wait_s"].as_f64().expect("somebody was served");
    assert!(average < 1.0, "waiting is not the age of the chat: {average} s");

    // A second tab of a customer who waits is told the position, too.
    let mut again = shop.visit(max.introduction()).await;
    assert_eq!(position(&mut again).await["position"], 2, "Lou is before them");
}

#[tokio::test]
async fn no_setting_is_taken_away_under_a_live_chat() {
    let shop = Shop::open(json!({ "window_s": 60 })).await;
    let ada = shop.hire("ada", 1).await;
    let kim = start(&shop, "Kim").await;
    let elsewhere = json!({ "queue": "second", "window_s": 60, "heartbeat_s": 1 });
    shop.admin.put("/v1/queues/second", json!({})).await.ok();
    shop.admin.put("/v1/workstreams/second", elsewhere.clone()).await.ok();
    shop.admin
        .put("/v1/widgets/second", json!({ "workstream": "second", "origins": ["*"] }))
        .await
        .ok();
    // After this no setting uses the queue, the workstream and the widget any more, but the chat
    // does.
    shop.admin.put("/v1/workstreams/sales", elsewhere).await.ok();
    shop.admin
        .put("/v1/widgets/shop", json!({ "workstream": "second", "origins": ["*"] }))
        .await
        .ok();
    for setting in ["queues/sales", "workstreams/sales", "widgets/shop"] {
        let problem = shop.admin.delete(&format!("/v1/{setting}")).await.refused(409, "in_use");
        assert!(problem["detail"].as_str().unwrap().contains("1 live chat"), "{problem}");
    }
    ada.choose("available").await;
    shop.admin.until_state(&kim.conversation, "active").await;
    ada.act(&kim.conversation, "accept").await.ok();
    ada.act(&kim.conversation, "end").await.ok();
    for setting in ["widgets/shop", "workstreams/sales", "queues/sales"] {
        let answer = shop.admin.delete(&format!("/v1/{setting}")).await;
        assert_eq!(answer.status, 204, "{setting}: {}", answer.json());
    }
}

#[tokio::test]
async fn an_agent_who_is_put_again_has_the_leases_that_they_had() {
    let shop = Shop::open(json!({ "window_s": 60 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let kim = shop.talking(&ada).await;
    ada.act(&kim.conversation, "end").await.ok();
    assert_eq!(used(&ada).await, 1, "the wrap-up holds her unit");
    shop.admin.delete("/v1/agents/ada").await.ok();
    let ada = shop.hire("ada", 1).await;
    ada.until("/v1/agents/me", "the wrap-up's unit is known", |me| me["used"] == 1).await;
    ada.choose("available").await;
    let lou = start(&shop, "Lou").await;
    let path = format!("/v1/conversations/{}/timeline", lou.conversation);
    let is_full = |timeline: &Value| timeline["waiting"]["full"] == 1;
    let timeline = shop.admin.until(&path, "nobody has room", is_full).await;
    let why = timeline["waiting"]["why"].as_str().unwrap();
    assert_eq!(why, "Agents who serve the queue: 1 with too little room.");
    ada.act(&kim.conversation, "close").await.ok();
    shop.admin.until_state(&lou.conversation, "active").await;
}

#[tokio::test]
async fn a_queue_that_is_put_again_serves_who_waits() {
    let shop = Shop::open(json!({ "window_s": 60 })).await;
    shop.admin.put("/v1/queues/second", json!({})).await.ok();
    shop.set(json!({ "window_s": 60, "queue": "second" })).await;
    shop.admin.delete("/v1/queues/sales").await.ok();
    shop.admin.put("/v1/queues/sales", json!({})).await.ok();
    shop.set(json!({ "window_s": 60 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let kim = start(&shop, "Kim").await;
    shop.admin.until_state(&kim.conversation, "active").await;
    assert_eq!(waiting(&shop, &kim).await, Value::Null, "it does not wait any more");
}

#[tokio::test]
async fn whoever_takes_an_offer_that_was_withdrawn_is_told_what_became_of_it() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    let ben = shop.hire("ben", 1).await;
    let zoe = shop.employ("zoe", "agent", 1).await;
    ada.choose("available").await;
    let kim = start(&shop, "Kim").await;
    let id = kim.conversation.clone();
    shop.admin.until_state(&id, "active").await;
    let problem = ben.act(&id, "accept").await.refused(409, "not_offered");
    assert_eq!(problem["state"], "active");
    zoe.act(&id, "accept").await.refused(403, "not_yours");
    kim.kill().await;
    shop.admin.until_state(&id, "closed").await;
    for act in ["accept", "decline", "release", "end"] {
        let problem = ada.act(&id, act).await.refused(409, "already_closed");
        assert_eq!(problem["state"], "closed");
        assert_eq!(problem["reason"], "customer_disconnected_while_open");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("the customer"), "{detail}");
    }
}
