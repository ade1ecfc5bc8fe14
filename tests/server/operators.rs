//! What an operator sees, from which origins a widget is let in, and readers who are too slow.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use crate::chat::of_kind;
use crate::shop::{self, Shop};
use crate::widget::{Introduction, Widget, introduce};

#[tokio::test]
async fn health_and_metrics_tell_what_goes_on() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 3).await;
    ada.choose("available").await;
    let anybody = shop.admin.stranger();
    assert_eq!(anybody.get("/healthz").await.text, "alive\n");
    assert_eq!(anybody.get("/readyz").await.text, "ready\n");
    let mut kim = shop.talking(&ada).await;
    kim.post("k1", "one").await;
    kim.say(json!({ "type": "dance" })).await;
    kim.expect_refused("unknown_type").await;
    let lost = shop.talking(&ada).await;
    let id = lost.conversation.clone();
    lost.kill().await;
    ada.until_state(&id, "wrapup").await;
    let metrics = anybody.get("/metrics").await;
    assert!(
        metrics
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/openmetrics-text"))
    );
    for line in [
        "holdline_sessions 1",
        "holdline_conversations{state=\"active\"} 1",
        "holdline_conversations{state=\"wrapup\"} 1",
        "holdline_away 0",
        "holdline_started_total 2",
        "holdline_posted_total 1",
        "holdline_refused_frames_total 1",
        "holdline_leases 2",
        "holdline_drift_total 0",
        "holdline_losses_total{cause=\"closed\"} 1",
        "holdline_expiries_total{cause=\"closed\"} 1",
        "holdline_expiry_lateness_seconds_count 1",
        "# EOF",
    ] {
        assert!(metrics.text.lines().any(|found| found == line), "{line} in {}", metrics.text);
    }
}

#[tokio::test]
async fn a_widget_is_opened_from_its_origins_alone() {
    let shop = Shop::open(json!({})).await;
    let settings = json!({ "workstream": "sales", "origins": ["https://shop.test"] });
    shop.admin.put("/v1/widgets/shop", settings).await.ok();
    let open = async |widget: &'static str, origin: Option<&'static str>| {
        Widget::try_connect(shop.address(), widget, origin).await.map(|_| ())
    };
    assert!(open("shop", Some("https://shop.test")).await.is_ok());
    assert!(open("shop", Some("HTTPS://SHOP.TEST")).await.is_ok());
    assert!(open("shop", None).await.is_ok(), "a program is no browser");
    for (widget, origin, status, code) in [
        ("shop", "https://evil.test", 403, "origin_not_allowed"),
        ("shop", "http://shop.test", 403, "origin_not_allowed"),
        ("shop", "null", 403, "origin_not_allowed"),
        ("nothing", "https://shop.test", 404, "unknown_widget"),
    ] {
        match open(widget, Some(origin)).await {
            Err(Error::Http(answer)) => {
                assert_eq!(answer.status(), status);
                let body = answer.body().clone().unwrap_or_default();
                let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(problem["code"], code);
            }
            other => panic!("{origin}: {other:?}"),
        }
    }
    // A request looks like this when it comes through a proxy that does not know upgrades.
    let nobody = shop.admin.stranger();
    nobody.get("/v1/widget?widget=shop").await.refused(400, "upgrade_malformed");
    let posted = nobody.post("/v1/widget?widget=shop", json!({})).await;
    posted.refused(405, "method_not_allowed");
    assert_eq!(posted.header("allow"), Some("GET"));
    let page = shop.admin.stranger().get("/").await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'sha256-"));
}

/// A reader who stops reading while much is said is closed. A reader who comes back gets all of it.
#[tokio::test]
async fn a_slow_reader_is_closed_and_resumes_with_everything_once() {
    const MESSAGES_MAX: usize = 2_000;
    let shop = Shop::open(json!({ "window_s": 60, "heartbeat_s": 30 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let kim = shop.talking(&ada).await;
    let id = kim.conversation.clone();
    let hello = Introduction { after: Some(kim.seq), ..kim.introduction() };
    let slow = silent_reader(&shop, &hello);
    // Many of these are more than the kernel holds for a connection whose other end does not read.
    let text = "漢".repeat(5_900);
    let mut posted = 0;
    loop {
        for _ in 0..3 {
            ada.say(&id, &format!("a{posted}"), &format!("{posted} {text}")).await.ok();
            posted += 1;
        }
        if shop.admin.get("/metrics").await.text.contains("holdline_slow_readers_total 1") {
            break;
        }
        assert!(posted < MESSAGES_MAX, "{posted} messages wait for one who does not read");
    }
    // A reader who soon reads again is told why. After two seconds the server drops the connection.
    let told = tokio::task::spawn_blocking(move || last_of(slow)).await.unwrap();
    assert!(told.is_none_or(|code| code == 4002), "{told:?}");
    let timeline = ada.timeline(&id).await;
    let lost = of_kind(&timeline, "session_lost");
    assert_eq!(lost.len(), 1, "the other tab reads on");
    let why = lost[0]["details"]["evidence"].as_str().unwrap();
    assert!(why.contains("read too slowly"), "{why}");

    drop(kim);
    let mut back = shop.visit(hello).await;
    for number in 0..posted {
        let message = back.expect("message").await;
        assert_eq!(message["id"], format!("a{number}"));
    }
    assert!(back.settle().await.iter().all(|frame| frame["type"] == "beat"));
}

/// A socket that has said hello and reads nothing.
fn silent_reader(shop: &Shop, hello: &Introduction) -> TcpStream {
    let mut stream = TcpStream::connect(shop.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = "GET /v1/widget?widget=shop HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: holdline.v1\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let text = introduce(hello).to_string();
    // A masked text frame; a mask of zeros changes nothing.
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    let mut frame = vec![0x81, 0x80 | 126, length[0], length[1], 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    stream.write_all(&frame).unwrap();
    stream
}

/// The code of the close frame at the end of a socket's bytes; nothing if they end without one.
fn last_of(mut stream: TcpStream) -> Option<u16> {
    let mut bytes = Vec::new();
    let start = Instant::now();
    let mut chunk = vec![0; 65_536];
    while start.elapsed() < Duration::from_secs(20) {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
    let [.., 0x88, 2, high, low] = bytes.as_slice() else { return None };
    Some(u16::from_be_bytes([*high, *low]))
}

/// Sends a request with its address as it is. A library would tidy the address up.
fn ask_raw(shop: &Shop, request: &str) -> String {
    use std::io::{Read as _, Write as _};

    let mut stream = TcpStream::connect(shop.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn nothing_is_called_what_an_address_means_otherwise() {
    let shop = Shop::open(json!({})).await;
    for (kind, body) in [
        ("agents", json!({})),
        ("queues", json!({})),
        ("workstreams", json!({ "queue": "sales" })),
        ("widgets", json!({ "workstream": "sales", "origins": ["*"] })),
    ] {
        for id in [".", ".."] {
            let body = body.to_string();
            let request = format!(
                "PUT /v1/{kind}/{id} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
                 Authorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
                shop::ADMINISTRATOR,
                body.len()
            );
            let answer = ask_raw(&shop, &request);
            assert!(answer.starts_with("HTTP/1.1 422 "), "{kind}/{id}: {answer}");
            assert!(answer.contains(r#""field":"id""#), "{answer}");
        }
    }
}
