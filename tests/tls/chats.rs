//! Chats and requests over TLS.

use rustls::ProtocolVersion;
use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};

use crate::client::{Client, secret_of};
use crate::console::PATIENCE;
use crate::site::Site;
use crate::widget::{Closed, Widget};

fn said(text: &str, id: &str) -> String {
    json!({ "id": id, "text": text }).to_string()
}

/// Has an agent take a chat, and returns the address of the chat.
async fn accept(agent: &Client, conversation: &str) -> String {
    agent.done("PUT /v1/agents/me/presence", r#"{"presence":"available"}"#).await;
    let path = format!("/v1/conversations/{conversation}");
    let began = std::time::Instant::now();
    while agent.ask(&format!("GET {path}"), "").await.unwrap().status != 200 {
        assert!(began.elapsed() < PATIENCE, "the chat is not shown");
    }
    agent.done(&format!("POST {path}/accept"), "").await;
    path
}

/// An agent who has taken the chat of a customer, the customer, and the address of that chat.
async fn talking(site: &Site, client: &Client) -> (Client, Widget, String) {
    let ada = client.acting_as("ada", site.folder.path());
    let mut kim = client.browser("demo").await;
    kim.start("start", "Kim").await;
    let path = accept(&ada, &kim.conversation).await;
    (ada, kim, path)
}

#[tokio::test]
async fn a_chat_goes_over_either_version() {
    let site = Site::open(&[]);
    for (version, is) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let client = Client::of_versions(site.program.address, &site.authority, &[version]);
        for offered in [&["http/1.1"][..], &["h2", "http/1.1"], &[]] {
            let stream = client.offering(offered).connect().await.unwrap();
            let session = stream.get_ref().1;
            assert_eq!(session.protocol_version(), Some(is));
            let chosen = (!offered.is_empty()).then_some(&b"http/1.1"[..]);
            assert_eq!(session.alpn_protocol(), chosen);
        }
        assert_eq!(client.get("/healthz").await.unwrap().body, "alive\n");
        let mut kim = client.browser("demo").await;
        kim.start("start", "Kim").await;
        // This is more than one TLS record has room for.
        let long = "漢".repeat(5_900);
        for number in 0..20 {
            kim.post(&format!("k{number}"), &format!("{number} {long}")).await;
        }
        let path = format!("GET /v1/conversations/{}/transcript?audience=agent", kim.conversation);
        let page = client.done(&path, "").await;
        let texts = page["entries"].as_array().unwrap().iter().map(|entry| entry["text"].as_str());
        assert!(texts.flatten().any(|text| text == format!("3 {long}")), "{page}");
        kim.close(1000).await;
    }
}

#[tokio::test]
async fn an_agent_and_a_customer_talk_and_a_lost_customer_comes_back() {
    let site = Site::open(&[]);
    let client = site.client();
    let (ada, mut kim, path) = talking(&site, &client).await;
    kim.until("joined").await;
    ada.done(&format!("POST {path}/messages"), &said("hello", "a1")).await;
    kim.until("message").await;
    let id = kim.conversation.clone();
    let hello = kim.kill().await;
    ada.done(&format!("POST {path}/messages"), &said("are you there?", "a2")).await;
    // A socket changes its thread when the customer returns on another thread than the chat's.
    for turn in 0..100 {
        let mut back = client.widget("demo").await;
        let mut frame = json!({ "type": "hello", "visitor": hello.visitor, "token": hello.token });
        frame["after"] = json!(hello.after);
        back.say(frame).await;
        let text = format!("k{turn}");
        back.say(json!({ "type": "post", "ref": text, "id": text, "text": text })).await;
        let welcome = back.expect("welcome").await;
        assert_eq!(welcome["conversation"]["id"], id);
        back.expect_text("agent", "are you there?").await;
        back.until("posted").await;
        if turn >= 3 && client.metric("holdline_moved_sockets_total ").await > 0 {
            ada.done(&format!("POST {path}/messages"), &said("there you are", "a3")).await;
            while back.until("message").await["text"] != "there you are" {}
            return;
        }
        back.kill().await;
    }
    panic!("no socket has changed its thread");
}

#[tokio::test]
async fn a_reader_who_is_too_slow_is_closed_over_tls_as_well() {
    let site = Site::open(&[]);
    let client = site.client();
    let (ada, mut kim, path) = talking(&site, &client).await;
    kim.until("joined").await;
    let _silent = kim.freeze();
    let text = "漢".repeat(5_900);
    for number in 0..2_000 {
        ada.done(&format!("POST {path}/messages"), &said(&text, &format!("a{number}"))).await;
        if client.metric("holdline_slow_readers_total ").await > 0 {
            return;
        }
    }
    panic!("everything waits for somebody who does not read");
}

/// What the socket has not taken is sent as soon as there is room, even if nothing more is said.
#[tokio::test]
async fn a_reader_who_pauses_is_sent_everything() {
    let site = Site::open(&[]);
    let client = site.client();
    let (ada, kim, path) = talking(&site, &client).await;
    let mut tab = client.pausing_tab(&kim.introduction()).await;
    let text = "漢".repeat(5_900);
    // This is more than the kernel holds for a connection, and less than what makes a reader too
    // slow.
    for round in 0..3 {
        for number in 0..165 + 8 * round {
            let id = format!("a{round}.{number}");
            ada.done(&format!("POST {path}/messages"), &said(&text, &id)).await;
        }
        let last = format!("last-of-{round}");
        ada.done(&format!("POST {path}/messages"), &said(&last, &last)).await;
        hear(&mut tab, &last).await;
    }
}

/// Reads until the stream holds this text.
async fn hear(stream: &mut (impl tokio::io::AsyncRead + Unpin), part: &str) {
    use tokio::io::AsyncReadExt as _;

    let (mut heard, mut chunk) = (Vec::new(), vec![0; 4_096]);
    // This is less than the time after which the server asks for a sign of life, which would send
    // all of it.
    let limit = tokio::time::Instant::now() + std::time::Duration::from_secs(15);
    while !String::from_utf8_lossy(&heard).contains(part) {
        let reading = tokio::time::timeout_at(limit, stream.read(&mut chunk)).await;
        let count = reading.unwrap_or_else(|_| panic!("{part} does not come")).expect("it is open");
        assert!(count > 0, "it was closed before {part}");
        heard.drain(..heard.len().saturating_sub(64));
        heard.extend_from_slice(&chunk[..count]);
    }
}

#[tokio::test]
async fn a_server_that_stops_says_so_over_tls_and_ends_well() {
    let site = Site::open(&[]);
    let client = site.client();
    let mut kim = client.browser("demo").await;
    kim.start("start", "Kim").await;
    site.program.terminate();
    let (frames, closed) = kim.ended().await;
    assert_eq!((&frames.last().unwrap()["reason"], closed), (&json!("restart"), Closed(1012)));
    assert_eq!(site.program.ended().await.code(), Some(0));
}

#[tokio::test]
async fn an_agents_feed_goes_over_tls() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let site = Site::open(&[]);
    let client = site.client();
    let mut feed = client.connect().await.unwrap();
    let token = secret_of("ada", site.folder.path());
    let request = format!(
        "GET /v1/agents/me/feed HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    feed.write_all(request.as_bytes()).await.unwrap();
    let mut heard = String::new();
    let mut until = async |part: &str| {
        let mut chunk = [0; 4_096];
        while !heard.contains(part) {
            let reading = tokio::time::timeout(PATIENCE, feed.read(&mut chunk)).await;
            let count = reading.unwrap_or_else(|_| panic!("no {part} in {heard}")).unwrap();
            assert!(count > 0, "it has ended: {heard}");
            heard.push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
    };
    until("event: presence").await;
    client.done("PUT /v1/agents/ada/presence", r#"{"presence":"available"}"#).await;
    let mut kim = client.browser("demo").await;
    kim.start("start", "Kim").await;
    until("event: offer").await;
    let presence = async || client.done("GET /v1/agents/ada", "").await["presence"].clone();
    assert_eq!(presence().await, "available");
    drop(feed);
    let began = std::time::Instant::now();
    while presence().await != Value::from("offline") {
        assert!(began.elapsed() < PATIENCE, "a console that has gone is still there");
    }
}
