//! Access that ends. A token that is ended, expires or loses its role takes with it everything that
//! it had opened. And the answer to what one caller sent is repeated to nobody else.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::console::{Answer, Console, PATIENCE};
use crate::feed::Feed;
use crate::shop::Shop;

/// How soon a feed ends when the right to it is gone: feeds are told of the change at once.
const AT_ONCE: Duration = Duration::from_secs(2);

async fn token_of(shop: &Shop, agent: &str, settings: Value) -> (Console, Value) {
    let made = shop.admin.post(&format!("/v1/agents/{agent}/tokens"), settings).await.ok();
    (shop.admin.with_token(made["token"].as_str().expect("a token")), made)
}

async fn watch(who: &Console, agent: &str) -> Feed {
    Feed::open(who.request(Method::GET, &format!("/v1/agents/{agent}/feed"))).await
}

async fn with_key(who: &Console, method: Method, path: &str, key: &str, body: Value) -> Answer {
    Console::answer(who.request(method, path).header("idempotency-key", key).json(&body)).await
}

#[tokio::test]
async fn a_feed_ends_with_the_token_that_opened_it() {
    let shop = Shop::open(json!({})).await;
    shop.hire("ada", 1).await;
    let (phone, made) = token_of(&shop, "ada", json!({ "name": "phone" })).await;
    let (desk, _) = token_of(&shop, "ada", json!({ "name": "desk", "expires_s": null })).await;
    phone.choose("available").await;
    let mut feed = phone.feed(None).await;
    let path = format!("/v1/agents/ada/tokens/{}", made["id"].as_str().unwrap());
    shop.admin.delete(&path).await.ok();
    assert!(feed.ends_within(AT_ONCE).await, "whoever holds an ended token reads on");
    phone.get("/v1/agents/me").await.refused(401, "unknown_token");
    // Nobody who could take a chat is there any more.
    desk.until("/v1/agents/me", "offline", |ada| ada["presence"] == "offline").await;
    shop.admin.delete(&path).await.refused(404, "unknown_setting");

    let mut feed = desk.feed(None).await;
    shop.admin.delete("/v1/agents/ada").await.ok();
    assert!(feed.ends_within(AT_ONCE).await, "the feed of one who was deleted goes on");
}

#[tokio::test]
async fn a_feed_ends_when_the_role_does_not_allow_it_any_more() {
    let shop = Shop::open(json!({})).await;
    shop.hire("ada", 1).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let (mut own, mut watched) = (sue.feed(None).await, watch(&sue, "ada").await);
    let demoted = json!({ "name": "Sue", "role": "agent", "units": 1 });
    shop.admin.put("/v1/agents/sue", demoted).await.ok();
    assert!(watched.ends_within(AT_ONCE).await, "who was a supervisor watches on");
    sue.choose("busy").await;
    own.until_such("their own goes on", |event| event.data["chosen"] == "busy").await;
}

#[tokio::test]
async fn a_token_that_expires_lets_nobody_in_and_ends_its_feeds() {
    let shop = Shop::open(json!({})).await;
    shop.hire("ada", 1).await;
    let (short, made) = token_of(&shop, "ada", json!({ "expires_s": 4 })).await;
    assert!(made["expires_at"].as_str() > made["made_at"].as_str(), "{made}");
    let mut feed = short.feed(None).await;
    // The line that keeps a feed open would end this one as well, but only after 10 s, which is too
    // late.
    assert!(feed.ends_within(Duration::from_secs(4) + AT_ONCE).await, "it outlives its token");
    short.get("/v1/agents/me").await.refused(401, "token_expired");
    for wrong in [json!(0), json!(315_360_001), json!("soon"), json!(-1)] {
        let refused = shop.admin.post("/v1/agents/ada/tokens", json!({ "expires_s": wrong })).await;
        assert!([400, 422].contains(&refused.status), "{wrong}");
        assert_eq!(refused.json()["errors"][0]["field"], "expires_s", "{wrong}");
    }
}

#[tokio::test]
async fn tokens_are_listed_and_ended_one_by_one() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let path = "/v1/agents/ada/tokens";
    let (phone, made) = token_of(&shop, "ada", json!({ "name": "phone", "expires_s": 3600 })).await;
    let listed = |list: &Value| -> Vec<Value> { list["tokens"].as_array().unwrap().clone() };
    let tokens = listed(&ada.get("/v1/agents/me/tokens").await.ok());
    assert_eq!(tokens.len(), 2);
    assert_eq!((&tokens[0]["id"], &tokens[0]["name"]), (&made["id"], &json!("phone")));
    assert_eq!((&tokens[0]["used_at"], &tokens[0]["token"]), (&json!(null), &json!(null)));
    assert!(tokens[1]["used_at"].is_string(), "the list was asked for with it: {}", tokens[1]);
    phone.me().await;
    let shop = shop.restart().await;
    let tokens = listed(&shop.admin.get(path).await.ok());
    assert!(tokens[0]["used_at"].is_string(), "a restart has forgotten it: {}", tokens[0]);

    sue.at(&shop.admin).get(path).await.refused(403, "forbidden");
    sue.at(&shop.admin).delete(&format!("{path}/0000000000000000")).await.refused(403, "forbidden");
    let ada = ada.at(&shop.admin);
    for unknown in ["0000000000000000", "nothing", "+123456789abcdef"] {
        let place = format!("/v1/agents/me/tokens/{unknown}");
        ada.delete(&place).await.refused(404, "unknown_setting");
    }
    let own = format!("/v1/agents/me/tokens/{}", tokens[1]["id"].as_str().unwrap());
    ada.delete(&own).await.ok();
    ada.me_refused().await;
    assert_eq!(listed(&shop.admin.get(path).await.ok()).len(), 1);
}

impl Console {
    async fn me_refused(&self) {
        self.get("/v1/agents/me").await.refused(401, "unknown_token");
    }
}

#[tokio::test]
async fn an_eleventh_token_is_refused_and_pushes_none_out() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    let path = "/v1/agents/ada/tokens";
    for _ in 0..8 {
        shop.admin.post(path, json!({})).await.ok();
    }
    let (short, _) = token_of(&shop, "ada", json!({ "expires_s": 4 })).await;
    shop.admin.post(path, json!({})).await.refused(409, "too_many_tokens");
    ada.me().await;
    // A token that has expired makes room.
    let mut feed = short.feed(None).await;
    assert!(feed.ends_within(PATIENCE).await);
    shop.admin.post(path, json!({})).await.ok();
    ada.me().await;
    short.me_refused().await;
    shop.admin.post(path, json!({})).await.refused(409, "too_many_tokens");
}

#[tokio::test]
async fn what_was_answered_before_is_told_only_by_the_same_right() {
    let shop = Shop::open(json!({})).await;
    shop.hire("ada", 1).await;
    let root = shop.employ("root", "administrator", 0).await;
    let (path, key) = ("/v1/agents/ada/tokens", "key-1");
    with_key(&root, Method::POST, path, key, json!({})).await.ok();
    // The server keeps the secret nowhere, so it cannot tell it twice. It makes no second token,
    // either.
    with_key(&root, Method::POST, path, key, json!({})).await.refused(409, "shown_once");
    assert_eq!(shop.admin.get(path).await.ok()["tokens"].as_array().unwrap().len(), 2);
    let queue = ("/v1/queues/night", json!({ "name": "Night" }));
    with_key(&root, Method::PUT, queue.0, "key-2", queue.1.clone()).await.ok();
    let again = with_key(&root, Method::PUT, queue.0, "key-2", queue.1.clone()).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));

    let demoted = json!({ "name": "Root", "role": "agent", "units": 0 });
    shop.admin.put("/v1/agents/root", demoted).await.ok();
    for (method, place, key, body) in
        [(Method::POST, path, key, json!({})), (Method::PUT, queue.0, "key-2", queue.1.clone())]
    {
        with_key(&root, method, place, key, body).await.refused(403, "forbidden");
    }
    // Another person with the same id is another caller.
    shop.admin.delete("/v1/agents/root").await.ok();
    let other = shop.employ("root", "administrator", 0).await;
    let first = with_key(&other, Method::PUT, queue.0, "key-2", queue.1).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, None));
}

#[tokio::test]
async fn one_callers_keys_push_out_only_their_own() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    let (place, body) = ("/v1/queues/night", json!({ "name": "Night" }));
    with_key(&shop.admin, Method::PUT, place, "the-administrators", body.clone()).await.ok();
    let presence = ("/v1/agents/me/presence", json!({ "presence": "busy" }));
    // Ada sends more keys than the server keeps for all callers together.
    let many = futures_util::future::join_all((0..16).map(|part| {
        let (ada, presence) = (ada.clone(), presence.clone());
        async move {
            for number in 0..640 {
                let key = format!("{part}-{number}");
                with_key(&ada, Method::PUT, presence.0, &key, presence.1.clone()).await.ok();
            }
        }
    }));
    many.await;
    let again = with_key(&shop.admin, Method::PUT, place, "the-administrators", body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let oldest = with_key(&ada, Method::PUT, presence.0, "0-0", presence.1.clone()).await;
    assert_eq!(oldest.header("idempotency-replayed"), None, "it is more than one may have");
}

#[tokio::test]
async fn nothing_that_a_stranger_sends_is_read() {
    let shop = Shop::open(json!({})).await;
    let ask = |token: String| {
        format!(
            "PUT /v1/agents/me/presence HTTP/1.1\r\nHost: holdline\r\n{token}\
             Content-Length: 262100\r\n\r\n"
        )
    };
    for token in ["", "Authorization: Bearer hlt_nobody\r\n"] {
        let mut socket = TcpStream::connect(shop.address()).await.unwrap();
        socket.write_all(ask(token.to_owned()).as_bytes()).await.unwrap();
        // The body never comes, and the server does not wait for it.
        let answered = answer_of(&mut socket, Duration::from_secs(5)).await;
        assert!(answered.starts_with("HTTP/1.1 401 "), "{answered}");
    }
}

#[tokio::test]
async fn the_bodies_of_one_caller_leave_room_for_the_others() {
    let shop = Shop::open(json!({})).await;
    let (ada, ben) = (shop.hire("ada", 1).await, shop.hire("ben", 1).await);
    let token = ada.token().unwrap();
    let head = format!(
        "PUT /v1/agents/me/presence HTTP/1.1\r\nHost: holdline\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: 262100\r\n\r\n{{"
    );
    let mut held = Vec::new();
    let refused = loop {
        let mut socket = TcpStream::connect(shop.address()).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        let answered = answer_of(&mut socket, Duration::from_millis(200)).await;
        if !answered.is_empty() {
            break answered;
        }
        held.push(socket);
        assert!(held.len() < 100, "the bodies of one caller are not bounded");
    };
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.to_lowercase().contains("retry-after: 1"), "{refused}");
    ben.choose("busy").await;
    drop(held);
    let start = tokio::time::Instant::now();
    while ada.put("/v1/agents/me/presence", json!({ "presence": "busy" })).await.status == 503 {
        assert!(start.elapsed() < PATIENCE, "what was taken is not given back");
    }
}

/// The answer that comes in time; empty if none does.
async fn answer_of(socket: &mut TcpStream, patience: Duration) -> String {
    let mut bytes = vec![0; 4_096];
    match tokio::time::timeout(patience, socket.read(&mut bytes)).await {
        Ok(Ok(count)) => String::from_utf8_lossy(&bytes[..count]).into_owned(),
        Ok(Err(_)) | Err(_) => String::new(),
    }
}
