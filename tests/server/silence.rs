//! Silence. A session that only answers pings is there, and a session that answers nothing is gone.

use serde_json::json;
use tokio::time::{Duration, Instant};

use crate::chat::{millis, now_ms, of_kind};
use crate::shop::Shop;

/// A pong proves that the browser is there, and not that the page is. The customer is not away
/// because of that, and the agent is told that the page is asleep.
#[tokio::test]
async fn a_page_that_sleeps_while_its_browser_answers_is_said_to_be_asleep() {
    let shop = Shop::open(json!({ "window_s": 60, "heartbeat_s": 1 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    let id = kim.conversation.clone();
    let told = feed.until("asleep").await.data;
    assert_eq!(told, json!({ "conversation": id, "on": true }));
    let customer = ada.conversation(&id).await["customer"].clone();
    assert_eq!((&customer["connected"], &customer["asleep"]), (&json!(true), &json!(true)));
    kim.post("m1", "Here I am").await;
    assert_eq!(feed.until("asleep").await.data["on"], false);
    assert_eq!(ada.conversation(&id).await["customer"]["asleep"], false);
    feed.until("message").await;
    feed.until("asleep").await;
    kim.kill().await;
    let path = format!("/v1/conversations/{id}/timeline");
    let is_lost = |timeline: &serde_json::Value| {
        let entries = timeline["entries"].as_array().expect("entries");
        entries.iter().any(|entry| entry["details"]["asleep"] == true)
    };
    let timeline = ada.until(&path, "the loss is known", is_lost).await;
    let text = timeline["entries"].to_string();
    assert!(text.contains("its browser answered while the page said nothing"), "{text}");
}

#[tokio::test]
async fn a_socket_that_answers_nothing_is_lost_from_its_last_sign_of_life() {
    let shop = Shop::open(json!({ "window_s": 3 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    let id = kim.conversation.clone();
    // The server's clock gives both moments. Another clock may differ from it by a millisecond.
    let speaks = millis(&ada.say(&id, "a1", "Which one?").await.ok()["at"]);
    kim.expect_text("agent", "Which one?").await;
    kim.post("k1", "my last word").await;
    let _frozen = kim.freeze();
    let frozen = millis(&ada.say(&id, "a2", "Are you there?").await.ok()["at"]);

    let away = feed.until("away").await.data;
    assert_eq!(away["cause"], "silent");
    // The session was last heard of when it posted, or when its reading task answered a ping just
    // after that.
    let since = millis(&away["away_since"]);
    assert!((speaks..=frozen).contains(&since), "{since} is not in {speaks}..={frozen}");
    assert_eq!(millis(&away["until"]) - since, 3_000);

    ada.until_state(&id, "wrapup").await;
    assert!(now_ms() > millis(&away["until"]), "never early");
    let timeline = ada.timeline(&id).await;
    let lost = of_kind(&timeline, "session_lost");
    assert_eq!(lost[0]["details"]["cause"], "silent");
    let noticed = millis(&lost[0]["at"]) - since;
    // This is two heartbeats, and as long as the server was held up: other tests run beside this
    // one.
    assert!((2_000..=5_000).contains(&noticed), "noticed after {noticed} ms");
}

#[tokio::test]
async fn a_socket_that_only_answers_pings_stays() {
    let shop = Shop::open(json!({})).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    let probes = |text: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with("holdline_probes_total "));
        line.and_then(|line| line.rsplit(' ').next()).unwrap().parse().unwrap()
    };
    // This is long enough for the server to have given the session up twice.
    let start = Instant::now();
    loop {
        let metrics = shop.admin.get("/metrics").await.text;
        if probes(&metrics) >= 4 {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it is asked for signs of life");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(start.elapsed() > Duration::from_secs(3));
    let chat = shop.admin.conversation(&kim.conversation).await;
    assert_eq!((&chat["state"], &chat["customer"]["connected"]), (&json!("open"), &json!(true)));
    assert!(of_kind(&shop.admin.timeline(&kim.conversation).await, "session_lost").is_empty());
    kim.post("k1", "still here").await;
}

#[tokio::test]
async fn a_beating_socket_is_not_asked_and_hears_of_what_it_has_not_seen() {
    let shop = Shop::open(json!({})).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    kim.post("k1", "one").await;
    for _ in 0..6 {
        kim.say(json!({ "type": "beat", "seq": 0 })).await;
        let beat = kim.until("beat").await;
        assert!(beat["seq"].as_u64().unwrap() >= 2, "{beat}");
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    let metrics = shop.admin.get("/metrics").await.text;
    assert!(metrics.contains("holdline_probes_total 0"), "{metrics}");
}

#[tokio::test]
async fn the_announced_cause_is_told_when_the_socket_is_then_lost() {
    let shop = Shop::open(json!({})).await;
    for (cause, evidence) in [("hidden", "hidden"), ("unloaded", "closed or left")] {
        let mut kim = shop.browser().await;
        kim.start("start", "Kim").await;
        let id = kim.conversation.clone();
        kim.say(json!({ "type": "leaving", "cause": cause })).await;
        kim.settle().await;
        let there = shop.admin.conversation(&id).await;
        assert_eq!(there["customer"]["connected"], true, "nobody is away while the socket lives");
        kim.close(1001).await;
        let path = format!("/v1/conversations/{id}");
        let away = |chat: &serde_json::Value| chat["customer"]["connected"] == false;
        let chat = shop.admin.until(&path, "away", away).await;
        assert_eq!(chat["customer"]["cause"], "left");
        assert!(chat["customer"]["evidence"].as_str().unwrap().contains(evidence), "{chat}");
    }
}
