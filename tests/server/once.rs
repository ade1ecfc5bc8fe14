//! What is sent again is done once. This holds for starts and posts, on the same socket, on another
//! one, and after an answer was lost.

use serde_json::json;

use crate::console::PATIENCE;
use crate::shop::Shop;
use crate::widget::{Widget, introduce};

#[tokio::test]
async fn a_start_that_is_repeated_is_answered_with_the_first() {
    let shop = Shop::open(json!({})).await;
    let mut kim = shop.browser().await;
    let first = kim.start("start", "Kim").await;
    let again = kim.start("start", "Kim").await;
    let other = kim.start("another-start", "Kim").await;
    for later in [&again, &other] {
        assert_eq!(later["conversation"], first["conversation"]);
    }
    let back = kim.kill().await;
    let mut kim = shop.visit(back).await;
    assert_eq!(kim.expect("state").await["state"], "open");
    assert_eq!(kim.start("start", "Kim").await["conversation"], first["conversation"]);
    let all = shop.admin.pages("/v1/conversations", "conversations").await;
    assert_eq!(all.len(), 1);
}

#[tokio::test]
async fn a_post_that_is_repeated_gets_the_first_answer() {
    let shop = Shop::open(json!({ "window_s": 20 })).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    let first = kim.post("k1", "once").await;
    let again = kim.post("k1", "once").await;
    assert_eq!((&again["seq"], &again["at"]), (&first["seq"], &first["at"]));
    kim.post_only("k1", "something else").await;
    kim.expect_refused("id_reused").await;

    let back = kim.kill().await;
    let mut kim = shop.visit(back).await;
    let third = kim.post("k1", "once").await;
    assert_eq!(third["seq"], first["seq"]);
    let texts = shop.admin.transcript(&kim.conversation, "customer").await;
    assert_eq!(texts, ["once"]);
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_comes_back_with_its_id() {
    let shop = Shop::open(json!({ "window_s": 20 })).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    kim.post("k1", "heard").await;
    let mut back = kim.introduction();
    kim.post_only("k2", "was it heard?").await;
    let path = format!("/v1/conversations/{}/transcript", kim.conversation);
    let two = |page: &serde_json::Value| page["entries"].as_array().unwrap().len() == 2;
    shop.admin.until(&path, "both stand", two).await;
    back.token = kim.kill().await.token;

    let mut kim = shop.visit(back).await;
    let resumed = kim.expect_text("customer", "was it heard?").await;
    assert_eq!(resumed["id"], "k2");
    assert_eq!(kim.post("k2", "was it heard?").await["seq"], resumed["seq"]);
    let texts = shop.admin.transcript(&kim.conversation, "customer").await;
    assert_eq!(texts, ["heard", "was it heard?"]);
}

#[tokio::test]
async fn a_post_is_answered_even_after_the_end_when_it_was_taken_before() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let kim = shop.talking(&ada).await;
    let first = ada.say(&kim.conversation, "a1", "once").await.ok();
    ada.act(&kim.conversation, "end").await.ok();
    let again = ada.say(&kim.conversation, "a1", "once").await.ok();
    assert_eq!(again, first);
    ada.say(&kim.conversation, "a1", "other").await.refused(409, "id_reused");
    ada.say(&kim.conversation, "a2", "late").await.refused(409, "conversation_ended");
}

#[tokio::test]
async fn what_is_missed_comes_in_order_also_beside_ones_own_posts() {
    const MISSED: u64 = 450;
    let shop = Shop::open(json!({ "window_s": 60 })).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    let mut from_the_start = kim.introduction();
    from_the_start.after = Some(0);
    for number in 0..MISSED {
        kim.post_only(&format!("k{number}"), "said").await;
        if number % 100 == 99 {
            // This stays within what one socket may say at once.
            kim.settle().await;
            kim = shop.visit(kim.kill().await).await;
        }
    }
    kim.settle().await;

    let mut late = shop.visit(from_the_start).await;
    late.post_only("late", "said while it reads").await;
    let mut last = 0;
    let mut heard = Vec::new();
    while !heard.iter().any(|id| id == "late") || heard.len() <= usize::try_from(MISSED).unwrap() {
        let frame = late.next_within(PATIENCE).await.unwrap().unwrap();
        if let ("message" | "posted", Some(seq)) =
            (frame["type"].as_str().unwrap(), frame["seq"].as_u64())
        {
            assert!(seq > last, "{seq} came after {last}: a widget that is lost now misses some");
            last = seq;
            heard.push(frame["id"].as_str().unwrap().to_owned());
        }
    }
    heard.sort();
    heard.dedup();
    assert_eq!(heard.len() as u64, MISSED + 1);
}

#[tokio::test]
async fn whoever_reads_what_they_missed_hears_of_the_end_as_well() {
    const MISSED: u64 = 150;
    let shop = Shop::open(json!({ "window_s": 60 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut kim = shop.talking(&ada).await;
    let mut from_the_start = kim.introduction();
    from_the_start.after = Some(0);
    for number in 0..MISSED {
        kim.post_only(&format!("k{number}"), "said").await;
    }
    kim.settle().await;
    let mut late = Widget::connect(shop.address(), "shop").await;
    late.say(introduce(&from_the_start)).await;
    late.say(json!({ "type": "end", "ref": "end" })).await;
    let mut messages = 0;
    let over = loop {
        let frame = late.next_within(PATIENCE).await.unwrap().unwrap();
        match frame["type"].as_str().unwrap() {
            "message" => messages += 1,
            "state" if frame["state"] == "wrapup" => break frame,
            _ => {}
        }
    };
    assert_eq!((messages, &over["ref"]), (MISSED, &json!("end")));
    // The session is free for another chat.
    late.start("again", "Kim").await;
}
