//! Whether an agent is there: how their consoles come and go, and what others are told of it.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::chat::of_kind;
use crate::console::Console;
use crate::feed::Feed;
use crate::shop::Shop;

/// A feed's request, word for word.
fn request(console: &Console, version: &str) -> String {
    let token = console.token().expect("a token");
    format!(
        "GET /v1/agents/me/feed HTTP/{version}\r\nHost: shop\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    )
}

async fn until_presence(who: &Console, agent: &str, presence: &str) {
    let is_it = |agent: &Value| agent["presence"] == presence;
    who.until(&format!("/v1/agents/{agent}"), presence, is_it).await;
}

/// Reads until the answer holds this text.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let so_far = String::from_utf8_lossy(&read).into_owned();
        if so_far.contains(text) {
            return so_far;
        }
        let count = stream.read(&mut chunk).await.expect("it can be read");
        assert!(count > 0, "it ended before {text:?}: {so_far}");
        read.extend_from_slice(&chunk[..count]);
    }
}

#[tokio::test]
async fn the_end_of_a_feed_is_noticed_at_once_however_it_ends() {
    let shop = Shop::open(json!({})).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let ada = shop.hire("ada", 1).await;
    for half in [true, false] {
        let mut stream = TcpStream::connect(shop.address()).await.expect("a connection");
        stream.write_all(request(&ada, "1.1").as_bytes()).await.expect("it is asked");
        read_until(&mut stream, "event: capacity").await;
        until_presence(&sue, "ada", "available").await;
        let ended = Instant::now();
        if half {
            // Nothing is unread, so only this tells the other side that the stream ends.
            stream.shutdown().await.expect("it is closed");
        } else {
            drop(stream);
        }
        until_presence(&sue, "ada", "offline").await;
        assert!(ended.elapsed() < Duration::from_secs(2), "{:?}", ended.elapsed());
    }
}

#[tokio::test]
async fn who_works_by_requests_is_there_again_after_a_restart() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    let ben = shop.hire("ben", 1).await;
    ada.choose("available").await;
    ben.me().await;
    let shop = shop.restart().await;
    let (ada, ben) = (ada.at(&shop.admin), ben.at(&shop.admin));
    // Any request makes the agent present, and its answer already counts them as present.
    ada.get("/v1/conversations").await.ok();
    assert_eq!(ada.me().await["presence"], "available");
    assert_eq!(ben.me().await["presence"], "offline", "who never chose has only looked");
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    assert_eq!(ada.until_state(&kim.conversation, "active").await["agent"], "ada");
}

#[tokio::test]
async fn watching_never_ends_the_agents_own_console() {
    let shop = Shop::open(json!({})).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let ada = shop.hire("ada", 1).await;
    let mut own = ada.feed(None).await;
    own.until("capacity").await;
    let watch = || Feed::open(sue.request(Method::GET, "/v1/agents/ada/feed"));
    let mut first = watch().await;
    let mut watching = Vec::new();
    for _ in 0..8 {
        watching.push(watch().await);
    }
    assert!(first.ends_within(Duration::from_secs(10)).await, "the oldest who watches is ended");
    assert_eq!(ada.me().await["presence"], "available");
    ada.choose("busy").await;
    let told = own.next_within(Duration::from_secs(10)).await.expect("it is told");
    assert_eq!((told.name.as_str(), &told.data["presence"]), ("presence", &json!("busy")));
    // A supervisor cannot bring an agent to work who is not there, either.
    drop(own);
    until_presence(&sue, "ada", "offline").await;
    let put = sue.put("/v1/agents/ada/presence", json!({ "presence": "available" })).await.ok();
    assert_eq!((&put["presence"], &put["chosen"]), (&json!("offline"), &json!("available")));
}

#[tokio::test]
async fn the_present_state_is_shown_to_who_asks_for_it_once() {
    let shop = Shop::open(json!({})).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let ada = shop.hire("ada", 1).await;
    let mut first = ada.feed(None).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    first.until("offer").await;
    first.until("capacity").await;
    let mut others = vec![ada.feed(None).await];
    others.push(Feed::open(sue.request(Method::GET, "/v1/agents/ada/feed")).await);
    for other in &mut others {
        let mut names = Vec::new();
        while !names.contains(&"conversation".to_owned()) {
            names.push(other.next_within(Duration::from_secs(10)).await.expect("it is shown").name);
        }
        assert_eq!(names, ["presence", "capacity", "offer", "conversation"]);
    }
    // The first feed is not shown the state again. What it is told next is news.
    ada.choose("busy").await;
    let told = first.next_within(Duration::from_secs(10)).await.expect("it is told");
    let told = if told.name == "conversation" { first.until("presence").await } else { told };
    assert_eq!((told.name.as_str(), &told.data["presence"]), ("presence", &json!("busy")));
    // A feed that comes back after that has the state already, and misses nothing.
    let last = others[0].until("presence").await.id;
    ada.choose("away").await;
    let mut back = ada.feed(last.as_deref()).await;
    let missed = back.next_within(Duration::from_secs(10)).await.expect("it was missed");
    assert_eq!((missed.name.as_str(), &missed.data["presence"]), ("presence", &json!("away")));
    assert!(back.next_within(Duration::from_millis(300)).await.is_none(), "nothing is shown again");
}

#[tokio::test]
async fn a_console_that_stops_to_beat_is_lost_within_two_heartbeats() {
    let shop = Shop::open(json!({})).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let ada = shop.hire("ada", 1).await;
    let path = "/v1/agents/me/feed?heartbeat_s=1";
    let mut feed = Feed::open(ada.request(Method::GET, path)).await;
    assert_eq!(feed.opening["heartbeat_ms"], 1_000);
    let name = feed.opening["feed"].clone();
    let beat = async || ada.post("/v1/agents/me/beat", json!({ "feed": name })).await;
    // A feed that has never beaten is judged by its connection alone.
    assert!(!feed.ends_within(Duration::from_millis(2_600)).await);
    let beats = Instant::now();
    let answer = beat().await;
    let beaten = Instant::now();
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert!(feed.ends_within(Duration::from_secs(10)).await, "it hangs");
    assert!(beats.elapsed() >= Duration::from_secs(2), "never early");
    until_presence(&sue, "ada", "offline").await;
    assert!(beaten.elapsed() < Duration::from_secs(4), "{:?}", beaten.elapsed());
    beat().await.refused(409, "feed_ended");
    // A feed that goes on beating stays, although another feed of the same agent has hung.
    let mut feed = Feed::open(ada.request(Method::GET, path)).await;
    let name = feed.opening["feed"].clone();
    for _ in 0..8 {
        ada.post("/v1/agents/me/beat", json!({ "feed": name })).await.ok();
        assert!(!feed.ends_within(Duration::from_millis(400)).await);
    }
    assert_eq!(sue.get("/v1/agents/ada").await.ok()["presence"], "available");
    for wrong in ["0", "121", "x"] {
        let path = format!("/v1/agents/me/feed?heartbeat_s={wrong}");
        ada.get(&path).await.refused(400, "malformed_parameter");
    }
}

#[tokio::test]
async fn an_offer_to_a_console_that_is_gone_is_withdrawn_and_is_no_decline() {
    let shop = Shop::open(json!({ "offer_grace_s": 1, "decline_limit": 1 })).await;
    let ada = shop.hire("ada", 1).await;
    let ben = shop.hire("ben", 1).await;
    let feed = ada.feed(None).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    let id = kim.conversation.clone();
    assert_eq!(ada.until_state(&id, "active").await["agent"], "ada");
    let other = ben.feed(None).await;
    drop(feed);
    let path = format!("/v1/conversations/{id}");
    shop.admin.until(&path, "it is offered to who is there", |chat| chat["agent"] == "ben").await;
    let timeline = shop.admin.timeline(&id).await;
    let ended = of_kind(&timeline, "offer_ended");
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["details"]["end"], "agent_gone");
    assert_eq!(ended[0]["details"]["excluded"], json!(false));
    drop(other);
    let _back = ada.feed(None).await;
    shop.admin.until(&path, "it is offered again", |chat| chat["agent"] == "ada").await;
}

#[tokio::test]
async fn a_customer_is_told_that_their_agent_is_away_and_back() {
    let shop = Shop::open(json!({ "agent_notice_s": 1, "window_s": 60 })).await;
    let ada = shop.hire("ada", 1).await;
    let feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    let id = kim.conversation.clone();
    let path = format!("/v1/conversations/{id}");
    drop(feed);
    let away = kim.until("agent").await;
    assert_eq!((&away["state"], &away["name"]), (&json!("away"), &json!("Ada")));
    let chat = shop.admin.until(&path, "it shows", |chat| chat["agent_away"] == true).await;
    assert_eq!((&chat["state"], &chat["agent"]), (&json!("active"), &json!("ada")));
    let mut feed = ada.feed(None).await;
    let back = kim.until("agent").await;
    assert_eq!(back["state"], "back");
    let shown = |event: &crate::feed::Event| {
        event.name == "conversation" && event.data["agent_away"] == json!(false)
    };
    feed.until_such("the chat without an absence", shown).await;
    let told = |audience: &'static str| {
        let (admin, id) = (shop.admin.clone(), id.clone());
        async move { admin.transcript(&id, audience).await }
    };
    let interrupted = |text: &String| text.contains("interrupted");
    assert!(told("customer").await.iter().any(interrupted));
    assert!(told("agent").await.iter().any(interrupted));
    let timeline = shop.admin.timeline(&id).await;
    assert_eq!(of_kind(&timeline, "agent_away").len(), 1);
    assert_eq!(of_kind(&timeline, "agent_back").len(), 1);
    // The customer is told nothing of a console that is reloaded.
    drop(feed);
    let _reloaded = ada.feed(None).await;
    ada.say(&id, "m-1", "There I am").await.ok();
    assert_eq!(kim.until("message").await["text"], "There I am");
    assert_eq!(of_kind(&shop.admin.timeline(&id).await, "agent_away").len(), 1);
}

#[tokio::test]
async fn what_a_customer_was_told_of_their_agent_is_put_right_after_a_restart() {
    let shop = Shop::open(json!({ "agent_notice_s": 1, "window_s": 60 })).await;
    let ada = shop.hire("ada", 1).await;
    let feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    let id = kim.conversation.clone();
    drop(feed);
    kim.until("agent").await;
    let shop = shop.restart().await;
    let path = format!("/v1/conversations/{id}");
    assert_eq!(shop.admin.get(&path).await.ok()["agent_away"], json!(true));
    let ada = ada.at(&shop.admin);
    let _feed = ada.feed(None).await;
    shop.admin.until(&path, "they are back", |chat| chat["agent_away"] == false).await;
}

#[tokio::test]
async fn nobody_is_given_a_chat_who_has_been_gone_for_too_long() {
    let shop = Shop::open(json!({ "offer_grace_s": 2, "agent_grace_s": 2 })).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let ada = shop.hire("ada", 1).await;
    let feed = ada.feed(None).await;
    ada.choose("busy").await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    let assign = format!("/v1/conversations/{}/assign", kim.conversation);
    let to_ada = || sue.post(&assign, json!({ "agent": "ada" }));
    let there = to_ada().await.ok();
    assert_eq!(there["agent_back_by"], json!(null));
    sue.act(&kim.conversation, "release").await.ok();
    drop(feed);
    until_presence(&sue, "ada", "offline").await;
    let away = to_ada().await.ok();
    assert_eq!((&away["agent"], &away["phase"]), (&json!("ada"), &json!("offered")));
    assert!(away["agent_back_by"].is_string(), "{away}");
    sue.until_state(&kim.conversation, "open").await;
    let before = sue.conversation(&kim.conversation).await["seq"].clone();
    to_ada().await.refused(409, "agent_gone");
    let accept = format!("/v1/conversations/{}/accept?agent=ada", kim.conversation);
    sue.post(&accept, json!({})).await.refused(409, "agent_gone");
    assert_eq!(sue.conversation(&kim.conversation).await["seq"], before, "nothing happened");
    sue.post(&assign, json!({ "agent": "nobody" })).await.refused(404, "unknown_agent");
    // An agent who accepts the chat themselves is there by that act.
    ada.act(&kim.conversation, "accept").await.ok();
}

#[tokio::test]
async fn a_feed_can_be_read_over_the_old_http() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    let mut stream = TcpStream::connect(shop.address()).await.expect("a connection");
    stream.write_all(request(&ada, "1.0").as_bytes()).await.expect("it is asked");
    let read = read_until(&mut stream, "event: capacity").await;
    let (head, body) = read.split_once("\r\n\r\n").expect("a head");
    let head = head.to_lowercase();
    assert!(head.starts_with("http/1.0 200"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert!(body.starts_with("retry: 2000\n: open\n\nevent: open\n"), "{body}");
}

#[tokio::test]
async fn head_says_what_get_would_without_the_body() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    let paths = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/", "/v1/agents/me"];
    for path in paths.into_iter().chain(["/v1/conversations", "/v1/agents/me/feed"]) {
        let answer = ada.send(Method::HEAD, path, None).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{path}");
        assert!(answer.header("content-type").is_some(), "{path}");
    }
    assert_eq!(ada.me().await["presence"], "offline", "it opened no feed");
    let refused = ada.send(Method::POST, "/healthz", None).await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
    assert_eq!(ada.send(Method::HEAD, "/v1/agents/me/beat", None).await.status, 405);
}
