//! The whole chat, once, with everything that both sides see.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::console::Console;
use crate::shop::Shop;
use crate::widget::Introduction;

/// A time of the server's in milliseconds.
pub(crate) fn millis(time: &Value) -> i64 {
    let time: jiff::Timestamp = time.as_str().expect("a time").parse().expect("RFC 3339");
    time.as_millisecond()
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("not too late")
}

/// Entries of a timeline that are of a kind.
pub(crate) fn of_kind<'a>(timeline: &'a [Value], kind: &str) -> Vec<&'a Value> {
    timeline.iter().filter(|entry| entry["kind"] == kind).collect()
}

/// The units that an agent uses, which must be the sum of their leases.
pub(crate) async fn used(agent: &Console) -> u64 {
    let me = agent.me().await;
    let leases = me["leases"].as_array().expect("leases");
    let sum: u64 = leases.iter().map(|lease| lease["units"].as_u64().expect("units")).sum();
    assert_eq!(me["used"], sum, "{me}");
    sum
}

#[tokio::test]
async fn a_chat_from_the_first_word_to_the_last() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 2).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;

    let mut kim = shop.browser().await;
    assert_eq!(
        (&kim.welcome["heartbeat_ms"], &kim.welcome["window_ms"]),
        (&json!(1_000), &json!(2_000))
    );
    let started = kim.start("start", "Kim").await;
    assert_eq!(started["state"], "open");
    let id = kim.conversation.clone();

    let offer = feed.until("offer").await;
    assert_eq!(offer.data["conversation"], id);
    assert_eq!(offer.data["customer"]["name"], "Kim");
    assert_eq!(offer.data["customer"]["page"], "https://shop.test/cart");
    assert!(offer.data["remaining_ms"].as_u64().is_some_and(|left| left > 100_000));
    assert_eq!(used(&ada).await, 1);

    let accepted = ada.act(&id, "accept").await.ok();
    assert_eq!((&accepted["state"], &accepted["phase"]), (&json!("active"), &json!("talking")));
    assert_eq!(feed.until("offer_withdrawn").await.data["reason"], "accepted");
    let joined = kim.expect("joined").await;
    let state = kim.expect("state").await;
    assert_eq!((&joined["name"], &state["state"]), (&json!("Ada"), &json!("active")));
    assert_eq!(joined["seq"], state["seq"]);

    kim.post("k1", "My invoice is wrong").await;
    let heard = feed.until("message").await;
    assert_eq!(
        (&heard.data["text"], &heard.data["from"]),
        (&json!("My invoice is wrong"), &json!("customer"))
    );
    kim.say(json!({ "type": "typing", "on": true })).await;
    assert_eq!(feed.until("typing").await.data, json!({ "conversation": id, "on": true }));
    kim.say(json!({ "type": "read", "seq": 3 })).await;
    assert_eq!(feed.until("read").await.data, json!({ "conversation": id, "seq": 3 }));

    let path = format!("/v1/conversations/{id}");
    ada.post(&format!("{path}/typing"), json!({ "on": true })).await.ok();
    assert_eq!(kim.until("typing").await["on"], true);
    let said = ada.say(&id, "a1", "Let me look").await.ok();
    let message = kim.expect_text("agent", "Let me look").await;
    assert_eq!((&message["seq"], &message["name"]), (&said["seq"], &json!("Ada")));
    ada.post(&format!("{path}/read"), json!({ "seq": said["seq"] })).await.ok();
    assert_eq!(kim.until("read").await["seq"], said["seq"]);

    kim.say(json!({ "type": "end", "ref": "bye" })).await;
    let over = kim.expect("state").await;
    assert_eq!(over["ref"], "bye");
    assert_eq!((&over["state"], &over["reason"]), (&json!("wrapup"), &json!("customer_ended")));
    kim.post_only("k2", "too late").await;
    // The session is out of the chat, and free for another.
    kim.expect_refused("conversation_ended").await;
    assert_eq!(used(&ada).await, 1);
    let closed = ada.act(&id, "close").await.ok();
    assert_eq!((&closed["state"], &closed["reason"]), (&json!("closed"), &json!("customer_ended")));
    assert_eq!(used(&ada).await, 0);
    let texts = ada.transcript(&id, "customer").await;
    assert_eq!(texts, ["Ada joined", "My invoice is wrong", "Let me look", "You ended the chat"]);
}

#[tokio::test]
async fn a_tab_that_dies_is_held_for_the_window_and_then_disconnected() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 2).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    kim.post("k1", "Are you there?").await;
    let id = kim.conversation.clone();
    kim.kill().await;

    let away = feed.until("away").await.data;
    assert_eq!((&away["conversation"], &away["cause"]), (&json!(id), &json!("closed")));
    assert_eq!(millis(&away["until"]) - millis(&away["away_since"]), 2_000);
    assert!(away["remaining_ms"].as_u64().is_some_and(|left| left > 1_000 && left <= 2_000));
    assert!(away["evidence"].as_str().is_some_and(|why| why.contains("without a close frame")));
    let held = ada.conversation(&id).await;
    assert_eq!(held["state"], "active");
    assert_eq!(
        (&held["customer"]["connected"], &held["customer"]["until"]),
        (&json!(false), &away["until"])
    );
    assert_eq!(used(&ada).await, 1);

    let is_over = |event: &crate::feed::Event| {
        event.name == "conversation" && event.data["state"] == "wrapup"
    };
    let over = feed.until_such("wrap-up", is_over).await.data;
    assert!(now_ms() > millis(&away["until"]), "never early");
    assert_eq!(over["reason"], "customer_disconnected_while_active");
    assert_eq!(over["agent"], "ada");

    let timeline = ada.timeline(&id).await;
    let disconnected = of_kind(&timeline, "customer_disconnected");
    assert_eq!(disconnected.len(), 1, "{timeline:#?}");
    let late = millis(&disconnected[0]["at"]) - millis(&away["until"]);
    // The chat is at most 250 ms late on a machine that has nothing else to do, but other tests run
    // beside this one.
    assert!((1..=1_000).contains(&late), "{late} ms after the deadline");
    assert_eq!(of_kind(&timeline, "customer_away").len(), 1);
    let why = ada.get(&format!("/v1/conversations/{id}/timeline")).await.ok();
    let why = why["why"].as_str().expect("a sentence").to_owned();
    assert!(
        why.starts_with("Wrap-up since ")
            && why.contains(": agent ada finishes the notes because")
            && why.contains("away for longer than the window"),
        "{why}"
    );

    let for_agents = ada.transcript(&id, "agent").await;
    let is_line = |text: &&String| text.starts_with("Customer disconnected");
    assert_eq!(for_agents.iter().filter(is_line).count(), 1, "{for_agents:?}");
    let for_customer = ada.transcript(&id, "customer").await;
    assert!(
        for_customer.iter().all(|text| !text.contains("disconnected") && !text.contains("away")),
        "{for_customer:?}"
    );
    assert_eq!(used(&ada).await, 1, "wrap-up keeps the units by default");
}

#[tokio::test]
async fn a_return_inside_the_window_goes_on_where_it_was() {
    let shop = Shop::open(json!({ "window_s": 20 })).await;
    let ada = shop.hire("ada", 2).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    kim.post("k1", "one").await;
    let id = kim.conversation.clone();
    let back = kim.kill().await;
    feed.until("away").await;
    for number in 0..5 {
        ada.say(&id, &format!("a{number}"), &format!("missed {number}")).await.ok();
    }

    let mut kim = shop.visit(back).await;
    let live = &kim.welcome["conversation"];
    assert_eq!((&live["id"], &live["state"]), (&json!(id), &json!("active")));
    let returned = feed.until("back").await.data;
    assert!(returned["after_ms"].as_u64().is_some());
    for number in 0..5 {
        kim.expect_text("agent", &format!("missed {number}")).await;
    }
    let rest = kim.settle().await;
    assert!(rest.iter().all(|frame| frame["type"] == "beat"), "no second joined line: {rest:?}");
    kim.post("k2", "two").await;
    ada.say(&id, "a9", "still here").await.ok();
    kim.expect_text("agent", "still here").await;

    let chat = ada.conversation(&id).await;
    assert_eq!((&chat["state"], &chat["agent"]), (&json!("active"), &json!("ada")));
    assert_eq!(chat["customer"]["connected"], true);
    let texts = ada.transcript(&id, "customer").await;
    assert_eq!(texts[0], "Ada joined");
    assert_eq!(texts.iter().filter(|text| *text == "Ada joined").count(), 1);
    assert_eq!(of_kind(&ada.timeline(&id).await, "customer_returned").len(), 1);
}

#[tokio::test]
async fn a_return_after_the_window_is_told_that_it_is_over_and_may_start_anew() {
    let shop = Shop::open(json!({ "redirect": "https://shop.test/sorry" })).await;
    let ada = shop.hire("ada", 2).await;
    ada.choose("available").await;
    let mut kim = shop.talking(&ada).await;
    kim.post("k1", "one").await;
    let first = kim.conversation.clone();
    let back = kim.kill().await;
    ada.until_state(&first, "wrapup").await;

    let mut kim = shop.visit(back.clone()).await;
    assert!(kim.welcome.get("conversation").is_none(), "{}", kim.welcome);
    let ended = kim.welcome["ended"].clone();
    assert_eq!((&ended["id"], &ended["state"]), (&json!(first), &json!("wrapup")));
    assert_eq!(ended["reason"], "customer_disconnected_while_active");
    assert_eq!(ended["redirect"], "https://shop.test/sorry");
    assert_eq!(kim.expect("state").await["state"], "wrapup", "the end is told as it was");
    kim.start("again", "Kim").await;
    assert_ne!(kim.conversation, first);
    assert_eq!(kim.post("k1", "a new chat has ids of its own").await["id"], "k1");

    shop.set(json!({})).await;
    ada.act(&first, "close").await.ok();
    let without = Introduction { visitor: None, ..back };
    let other = shop.visit(without).await;
    assert_eq!(other.welcome["ended"]["state"], "closed");
    assert_eq!(other.welcome["ended"]["redirect"], Value::Null);
}

/// A passing signal ends with the session that gave it, and a place that the chat does not have is
/// never told.
#[tokio::test]
async fn signals_end_with_their_session_and_places_are_those_of_the_chat() {
    let shop = Shop::open(json!({ "window_s": 60 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    let id = kim.conversation.clone();
    let last = ada.conversation(&id).await["seq"].as_u64().unwrap();

    kim.say(json!({ "type": "read", "seq": 999_999 })).await;
    let read = feed.until("read").await.data["seq"].as_u64().unwrap();
    assert!(read <= last, "read up to {read} of {last}");
    ada.post(&format!("/v1/conversations/{id}/read"), json!({ "seq": 999_999 })).await.ok();
    let read = kim.until("read").await["seq"].as_u64().unwrap();
    assert!(read <= last, "read up to {read} of {last}");

    // Two tabs type. The signal ends with the last tab that types.
    let mut other = shop.visit(kim.introduction()).await;
    kim.say(json!({ "type": "typing", "on": true })).await;
    assert_eq!(feed.until("typing").await.data["on"], true);
    other.say(json!({ "type": "typing", "on": true })).await;
    other.settle().await;
    other.kill().await;
    let back = kim.kill().await;
    assert_eq!(feed.until("typing").await.data["on"], false);

    let mut kim = shop.visit(back).await;
    ada.post(&format!("/v1/conversations/{id}/typing"), json!({ "on": true })).await.ok();
    assert_eq!(kim.until("typing").await["on"], true);
    ada.act(&id, "release").await.ok();
    assert_eq!(kim.until("typing").await["on"], false);
}
