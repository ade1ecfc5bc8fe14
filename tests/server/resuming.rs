//! Consoles that come back. Feeds go on after their last event, writes are repeated under their
//! key, and lists are read on from a cursor.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::console::Console;
use crate::feed::{Event, Feed};
use crate::shop::Shop;

async fn messages(feed: &mut Feed, last: &str) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.last().is_none_or(|text| text != last) {
        let is_message = |event: &Event| event.name == "message";
        let event = feed.until_such(last, is_message).await;
        texts.push(event.data["text"].as_str().unwrap().to_owned());
    }
    texts
}

#[tokio::test]
async fn a_feed_goes_on_after_its_last_event_with_nothing_missed_and_nothing_twice() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    let mut number = 0;
    for _ in 0..4 {
        for _ in 0..3 {
            kim.post(&format!("k{number}"), &format!("text {number}")).await;
            number += 1;
        }
        let first = feed.until_such("a message", |event| event.name == "message").await;
        assert_eq!(first.data["text"], format!("text {}", number - 3));
        let last = feed.last.clone().expect("an id");
        drop(feed);
        feed = ada.feed(Some(&last)).await;
        let heard = messages(&mut feed, &format!("text {}", number - 1)).await;
        assert_eq!(heard, [format!("text {}", number - 2), format!("text {}", number - 1)]);
    }
    // A feed that comes after something that is no id of an event is shown the present state.
    let mut lost = ada.feed(Some("nonsense")).await;
    lost.until("presence").await;
    lost.until("conversation").await;
}

#[tokio::test]
async fn a_feed_goes_on_across_a_restart_of_the_server() {
    let shop = Shop::open(json!({ "window_s": 30 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    let id = kim.conversation.clone();
    kim.post("k1", "heard").await;
    feed.until("message").await;
    let last = feed.last.clone().expect("an id");
    drop(feed);
    kim.post("k2", "missed before the stop").await;
    let token = ada.clone();
    let shop = shop.restart().await;
    let ada = token.at(&shop.admin);
    let mut kim = shop.visit(kim.introduction()).await;
    kim.post("k3", "missed after the start").await;

    let mut feed = ada.feed(Some(&last)).await;
    let heard = messages(&mut feed, "missed after the start").await;
    let once: BTreeSet<_> = heard.iter().map(String::as_str).collect();
    assert!(once.contains("missed before the stop"), "{heard:?}");
    let shown = feed.until_such("the chat", |event| event.name == "conversation").await;
    assert_eq!((&shown.data["id"], &shown.data["agent"]), (&json!(id), &json!("ada")));
    assert_eq!(ada.me().await["presence"], "available");
}

#[tokio::test]
async fn a_feed_that_is_lost_while_it_catches_up_goes_on_where_it_was() {
    let shop = Shop::open(json!({ "window_s": 30 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    kim.post("k0", "text 0").await;
    messages(&mut feed, "text 0").await;
    let mut last = feed.last.clone().expect("an id");
    drop(feed);
    for number in 1..6 {
        kim.post(&format!("k{number}"), &format!("text {number}")).await;
    }
    let token = ada.clone();
    let shop = shop.restart().await;
    let ada = token.at(&shop.admin);
    let mut heard = Vec::new();
    while heard.last().is_none_or(|text| text != "text 5") {
        // Each time the feed is lost after the first message that was new to it.
        let mut feed = ada.feed(Some(&last)).await;
        let is_new = |event: &Event| event.name == "message" && event.data["text"] != "text 0";
        let event = feed.until_such("a message", is_new).await;
        heard.push(event.data["text"].as_str().unwrap().to_owned());
        last = feed.last.clone().expect("an id");
    }
    assert_eq!(heard, ["text 1", "text 2", "text 3", "text 4", "text 5"]);
}

#[tokio::test]
async fn a_feed_is_not_told_again_what_it_was_told_before_the_last_run() {
    let shop = Shop::open(json!({ "window_s": 30 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    kim.post("k0", "text 0").await;
    messages(&mut feed, "text 0").await;
    let mut last = feed.last.clone().expect("an id");
    drop(feed);
    let mut token = ada.clone();
    let (mut shop, mut repeats) = (shop, Vec::new());
    for _ in 0..2 {
        // The server is stopped again as soon as the feed has caught up.
        shop = shop.restart().await;
        token = token.at(&shop.admin);
        let mut feed = token.feed(Some(&last)).await;
        let mut repeated = 0;
        loop {
            let event = feed.until_such("an event", |_| true).await;
            repeated += usize::from(event.name == "message");
            if event.name == "conversation" {
                break;
            }
        }
        repeats.push(repeated);
        last = feed.last.clone().expect("an id");
    }
    assert_eq!(repeats[1], 0, "{repeats:?}");
}

#[tokio::test]
async fn a_write_under_a_key_is_done_once() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let kim = shop.talking(&ada).await;
    let path = format!("/v1/conversations/{}/messages", kim.conversation);
    let post = async |key: &str, body: Value| {
        let request = ada.request(Method::POST, &path).header("idempotency-key", key);
        Console::answer(request.json(&body)).await
    };
    let body = json!({ "id": "a1", "text": "once" });
    let first = post("key-1", body.clone()).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let again = post("key-1", body.clone()).await;
    assert_eq!((again.ok(), again.header("idempotency-replayed")), (first.ok(), Some("true")));
    let other = json!({ "id": "a2", "text": "twice" });
    post("key-1", other.clone()).await.refused(422, "idempotency_key_reused");
    post(&"k".repeat(129), other.clone()).await.refused(400, "malformed_idempotency_key");
    post("with space", other).await.refused(400, "malformed_idempotency_key");
    // The same key of another caller is another key.
    let token = |console: &Console, agent: &str| {
        let path = format!("/v1/agents/{agent}/tokens");
        Console::answer(console.request(Method::POST, &path).header("idempotency-key", "key-1"))
    };
    token(&shop.admin, "ada").await.ok();
    token(&shop.admin, "ada").await.refused(409, "shown_once");
    let texts = ada.transcript(&kim.conversation, "customer").await;
    assert_eq!(texts, ["Ada joined", "once"]);
    // What a rule refused is remembered, too. A mistake in the request is not.
    let act = async |what: &str| {
        let path = format!("/v1/conversations/{}/{what}", kim.conversation);
        Console::answer(ada.request(Method::POST, &path).header("idempotency-key", what)).await
    };
    act("close").await.refused(409, "not_in_wrapup");
    ada.act(&kim.conversation, "end").await.ok();
    act("close").await.refused(409, "not_in_wrapup");
}

#[tokio::test]
async fn lists_are_walked_by_cursor_without_a_gap_or_a_repeat() {
    let shop = Shop::open(json!({})).await;
    let mut ids = Vec::new();
    let mut tabs = Vec::new();
    for _ in 0..7 {
        let mut kim = shop.browser().await;
        kim.start("start", "Kim").await;
        ids.push(kim.conversation.clone());
        tabs.push(kim);
    }
    let kim = &mut tabs[0];
    for number in 0..9 {
        kim.post(&format!("k{number}"), &format!("{number}")).await;
    }
    for limit in [1, 2, 3, 7, 200, 100_000] {
        let path = format!("/v1/conversations?state=open&limit={limit}");
        let listed = shop.admin.pages(&path, "conversations").await;
        let listed: Vec<_> = listed.iter().map(|chat| chat["id"].as_str().unwrap()).collect();
        assert_eq!(listed.len(), 7, "limit {limit}");
        assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), 7);
        for (path, least) in [("transcript", 9), ("timeline", 11)] {
            let path = format!("/v1/conversations/{}/{path}?limit={limit}", ids[0]);
            let entries = shop.admin.pages(&path, "entries").await;
            let seqs: Vec<_> = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
            assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "{seqs:?}");
            assert!(seqs.len() >= least, "{seqs:?}");
        }
    }
    let page = shop.admin.get("/v1/conversations?limit=2").await.ok();
    let foreign = format!("/v1/agents?cursor={}", page["next"].as_str().unwrap());
    shop.admin.get(&foreign).await.refused(400, "malformed_parameter");
    let newest = shop.admin.get("/v1/conversations?limit=1").await.ok();
    assert_eq!(newest["conversations"][0]["id"], json!(ids[6]));
}
