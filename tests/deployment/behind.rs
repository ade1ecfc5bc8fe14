//! What must hold behind each proxy: sockets and feeds pass and end as they do without it, they
//! outlive its timeouts while nobody speaks, and a restart of Holdline loses nothing.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::json;

use crate::bridge::CLIENT;
use crate::console::{Console, PATIENCE};
use crate::example::{Change, Kind};
use crate::feed::Feed;
use crate::site::Site;
use crate::widget::{Closed, Widget};

/// For each proxy, a short timeout for a silent socket, one for a silent feed, which says something
/// every ten seconds, and one that is too short for a feed.
const SHORT: [[&[Change<'_>]; 3]; 2] = [
    [
        &[("proxy_read_timeout 300s", "proxy_read_timeout 3s")],
        &[("proxy_read_timeout 60s", "proxy_read_timeout 14s")],
        &[("proxy_read_timeout 60s", "proxy_read_timeout 4s")],
    ],
    [
        &[("timeout tunnel 300s", "timeout tunnel 3s")],
        &[
            ("timeout client 60s", "timeout client 14s"),
            ("timeout server 60s", "timeout server 14s"),
        ],
        &[("timeout client 60s", "timeout client 4s"), ("timeout server 60s", "timeout server 4s")],
    ],
];

fn short(kind: Kind) -> [&'static [Change<'static>]; 3] {
    match kind {
        Kind::Nginx => SHORT[0],
        Kind::Haproxy => SHORT[1],
        Kind::Caddy => panic!("it has no such timeouts"),
    }
}

/// Opens a feed. A proxy that holds answers back would not even show the head of this one.
async fn listen(ada: &Console, after: Option<&str>) -> Feed {
    tokio::time::timeout(PATIENCE, ada.feed(after)).await.expect("the feed opens")
}

/// A chat between Ada and a customer who has just come.
async fn talking(site: &Site, ada: &Console, feed: &mut Feed) -> Widget {
    let mut kim = site.customer("shop").await;
    kim.start("start", "Kim").await;
    let id = kim.conversation.clone();
    feed.until_such("the offer", |event| event.name == "offer" && event.data["conversation"] == id)
        .await;
    ada.act(&id, "accept").await.ok();
    kim.until("joined").await;
    kim.until_state("active").await;
    kim
}

async fn a_chat_passes(kind: Kind) {
    let site = Site::open(kind, &[]).await;
    let ada = site.ada().await;
    let mut feed = listen(&ada, None).await;
    let mut kim = talking(&site, &ada, &mut feed).await;
    let id = kim.conversation.clone();
    // Each event has arrived before the next one is caused.
    for turn in 0..10 {
        let (own, theirs) = (format!("k{turn}"), format!("a{turn}"));
        kim.post(&own, "a question").await;
        feed.until_such(&own, |event| event.name == "message" && event.data["id"] == *own).await;
        ada.say(&id, &theirs, "an answer").await.ok();
        feed.until_such(&theirs, |event| event.data["id"] == *theirs).await;
        kim.expect_text("agent", "an answer").await;
    }
    kim.close(1000).await;
    let chat = site.admin.conversation(&id).await;
    assert_eq!(chat["customer"]["cause"], "closed", "{chat}");
    let evidence = chat["customer"]["evidence"].as_str().expect("evidence");
    assert!(evidence.contains("1000"), "the close frame has come through: {evidence}");

    // A customer who goes without a word is gone here at once, too, and not only silent.
    let lee = talking(&site, &ada, &mut feed).await;
    let id = lee.conversation.clone();
    lee.kill().await;
    let path = format!("/v1/conversations/{id}");
    let is_away = |chat: &serde_json::Value| chat["customer"]["connected"] == false;
    let chat = site.admin.until(&path, "the customer is away", is_away).await;
    assert_ne!(chat["customer"]["cause"], "silent", "{chat}");
    let closed = Instant::now();
    drop(feed);
    let is_offline = |agent: &serde_json::Value| agent["presence"] == "offline";
    site.admin.until("/v1/agents/ada", "the agent is offline", is_offline).await;
    assert!(closed.elapsed() < Duration::from_secs(5), "before another line was due");

    only_what_is_for_outside_is_reached(&ada).await;
    it_names_the_client(&site).await;
    without_tls_a_page_is_sent_to_it_and_a_program_is_told_nothing(&site).await;
}

/// The server knows where a socket comes from, whatever its client says about that.
async fn it_names_the_client(site: &Site) {
    for says in ["192.0.2.66", "192.0.2.66, 192.0.2.67"] {
        let headers = [("x-forwarded-for", says), ("forwarded", "for=192.0.2.66")];
        let invented = Widget::try_connect_with(site.address(), "shop", &headers).await;
        drop(invented.expect("the widget is let in"));
    }
    let clients = site.clients();
    assert!(clients.len() > 2, "{clients:?}");
    assert!(clients.iter().all(|client| client == CLIENT), "{clients:?}");
}

async fn only_what_is_for_outside_is_reached(ada: &Console) {
    let answer = ada.get("/v1/agents/me").await;
    answer.ok();
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/"] {
        let answer = ada.request(Method::GET, path).send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "{path}");
    }
}

async fn without_tls_a_page_is_sent_to_it_and_a_program_is_told_nothing(site: &Site) {
    let quiet = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let quiet = quiet.build().expect("a client");
    let at = |path: &str| quiet.get(format!("http://{}{path}", site.proxy.plain));
    let answer = at("/console/chats?of=ada").send().await.expect("an answer");
    let to = answer.headers()["location"].to_str().expect("an address");
    assert_eq!(answer.status(), 301);
    assert!(to.starts_with("https://") && to.ends_with("/console/chats?of=ada"), "{to}");
    for path in ["/v1/agents/me", "/v1/widget?widget=shop", "/v1/"] {
        let answer = at(path).bearer_auth("hlt_shown-in-the-clear").send().await;
        assert!(answer.is_err(), "{path}: {answer:?}");
    }
}

async fn an_idle_socket_outlives_the_timeout(kind: Kind) {
    let site = Site::open(kind, short(kind)[0]).await;
    site.place("lively", json!({ "heartbeat_s": 1, "window_s": 60 })).await;
    let mut kim = site.customer("lively").await;
    kim.start("start", "Kim").await;
    // The timeout is real: it cuts a socket on which neither end asks whether the other is there.
    site.place("slow", json!({ "heartbeat_s": 120, "window_s": 240 })).await;
    for _ in 0..2 {
        let mut slow = site.customer("slow").await;
        let opened = Instant::now();
        let (_, closed) = slow.ended().await;
        assert_eq!(closed, Closed(1006));
        assert!(opened.elapsed() > Duration::from_secs(2), "it was idle");
    }
    kim.post("k1", "still here").await;
    let timeline = site.admin.timeline(&kim.conversation).await;
    let joined = timeline.iter().filter(|entry| entry["kind"] == "session_joined");
    assert_eq!(joined.count(), 1, "they were never away: {timeline:#?}");
}

/// How many comments a feed sends, up to this many, to say that it is still there; and how long
/// that took.
async fn hear_comments(ada: &Console, count: usize) -> (usize, Duration) {
    let request = ada.request(Method::GET, "/v1/agents/me/feed");
    let answer = tokio::time::timeout(PATIENCE, request.send()).await.expect("the feed opens");
    let mut bytes = answer.expect("an answer").bytes_stream();
    let (opened, mut said) = (Instant::now(), String::new());
    let heard = |said: &str| said.matches(": keep\n").count();
    while heard(&said) < count {
        let next = tokio::time::timeout(2 * PATIENCE, bytes.next()).await;
        let Some(Ok(more)) = next.expect("it says something, or it ends") else { break };
        said.push_str(std::str::from_utf8(&more).expect("text"));
    }
    (heard(&said), opened.elapsed())
}

async fn an_idle_feed_outlives_the_timeout(kind: Kind) {
    let [_, fitting, too_short] = short(kind);
    let patient = Site::open(kind, fitting).await;
    let hasty = Site::open(kind, too_short).await;
    let (ada, other) = (patient.ada().await, hasty.ada().await);
    let (idle, cut) = tokio::join!(hear_comments(&ada, 2), hear_comments(&other, 1));
    assert_eq!(idle.0, 2, "{idle:?}");
    // The timeout is real: one that is too short ends the feed before the first comment.
    assert_eq!(cut.0, 0, "{cut:?}");
}

async fn a_restart_loses_nothing(kind: Kind) {
    let mut site = Site::open(kind, &[]).await;
    let ada = site.ada().await;
    let mut feed = listen(&ada, None).await;
    let mut kim = talking(&site, &ada, &mut feed).await;
    let id = kim.conversation.clone();
    let mut said = vec!["Ada joined".to_owned()];
    for (turn, is_killed) in [false, true].into_iter().enumerate() {
        let texts = ["before", "while away", "after"].map(|when| format!("{when} {turn}"));
        let [before, away, after] = &texts;
        kim.post(&format!("k{turn}"), before).await;
        feed.until_such(before, |event| event.data["text"] == **before).await;
        let program = site.program.take().expect("it runs");
        if is_killed {
            program.kill();
            assert_eq!(kim.ended().await.1, Closed(1006));
        } else {
            program.terminate();
            let (frames, closed) = kim.ended().await;
            assert_eq!(frames.last().expect("a bye")["type"], "bye");
            assert_eq!(closed, Closed(1012), "it is told that this is a restart");
            assert!(program.ended().await.success());
        }
        feed.rest().await;
        assert!(!site.lets_in().await, "nobody is there");

        site.start_again();
        let last = feed.last.take().expect("an id");
        feed = listen(&ada, Some(&last)).await;
        ada.say(&id, &format!("a{turn}"), away).await.ok();
        kim = site.come_back(kim.introduction()).await;
        assert_eq!(kim.conversation, id);
        kim.expect_text("agent", away).await;
        kim.post(&format!("l{turn}"), after).await;
        for text in [away, after] {
            feed.until_such(text, |event| event.data["text"] == **text).await;
        }
        said.extend(texts);
    }
    assert_eq!(ada.transcript(&id, "customer").await, said, "each once, in order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_passes_nginx_event_by_event_and_ends_cleanly() {
    a_chat_passes(Kind::Nginx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_passes_haproxy_event_by_event_and_ends_cleanly() {
    a_chat_passes(Kind::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_socket_outlives_the_timeout_of_nginx() {
    an_idle_socket_outlives_the_timeout(Kind::Nginx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_socket_outlives_the_timeout_of_haproxy() {
    an_idle_socket_outlives_the_timeout(Kind::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_feed_outlives_the_timeout_of_nginx() {
    an_idle_feed_outlives_the_timeout(Kind::Nginx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_feed_outlives_the_timeout_of_haproxy() {
    an_idle_feed_outlives_the_timeout(Kind::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_behind_nginx_loses_nothing() {
    a_restart_loses_nothing(Kind::Nginx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_behind_haproxy_loses_nothing() {
    a_restart_loses_nothing(Kind::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_passes_caddy_event_by_event_and_ends_cleanly() {
    a_chat_passes(Kind::Caddy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_behind_caddy_loses_nothing() {
    a_restart_loses_nothing(Kind::Caddy).await;
}
