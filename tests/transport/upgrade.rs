//! Which sockets are let in, which are not, and that plain HTTP is served beside them.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{self, protocol::CloseFrame};

use holdline::wire::problem::UPGRADE_KINDS;

use crate::peer::{Peer, frame, request, text};
use crate::server::{Server, until};

#[test]
fn a_widget_is_let_in_and_echoed() {
    let server = Server::start();
    let mut peer = Peer::connect(server.address);
    peer.send(request("/v1/widget?widget=shop", "soap, holdline.v1").as_bytes());
    let head = peer.head().to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 switching protocols\r\n"), "{head}");
    assert!(head.contains("\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
    assert!(head.contains("\r\nsec-websocket-protocol: holdline.v1\r\n"), "{head}");
    peer.send(&text("hello"));
    assert_eq!(peer.text(), "hello");
    let long = "é".repeat(40_000);
    peer.send(&text(&long));
    assert_eq!(peer.text(), long);
    peer.send(&frame(0x89, b"are you there"));
    assert_eq!(peer.frame(), Some((0x8a, b"are you there".to_vec())));
    let requests = server.seen.requests.lock().unwrap();
    assert_eq!(requests[0].widget, "shop");
    assert_eq!(requests[0].path, "/v1/widget");
    assert_eq!(requests[0].origin.as_deref(), Some("https://shop.test"));
    assert_eq!(requests[0].user_agent.as_deref(), Some("peer/1"));
    assert_eq!(requests[0].client, Some(peer.stream.local_addr().unwrap().ip()));
}

#[test]
fn what_comes_with_the_request_is_not_lost() {
    let server = Server::start();
    let mut peer = Peer::connect(server.address);
    let mut bytes = request("/v1/widget?widget=shop", "holdline.v1").into_bytes();
    bytes.extend(text("early"));
    bytes.extend(text("bird"));
    let (all_but_one, one) = bytes.split_at(bytes.len() - 1);
    peer.send(all_but_one);
    peer.head();
    assert_eq!(peer.text(), "early");
    peer.send(one);
    assert_eq!(peer.text(), "bird");
}

fn with_header(request: &str, header: &str) -> String {
    request.replacen("\r\n", &format!("\r\n{header}\r\n"), 1)
}

#[test]
fn others_are_turned_away_with_a_problem_document() {
    let server = Server::start();
    let good = request("/v1/widget?widget=shop", "holdline.v1");
    let cases = [
        (request("/v1/elsewhere?widget=shop", "holdline.v1"), 404, "not_found"),
        (request("/v1/widget", "holdline.v1"), 400, "widget_missing"),
        (request("/v1/widget?widget=other", "holdline.v1"), 404, "unknown_widget"),
        (request("/v1/widget?widget=shop", "holdline.v2"), 400, "subprotocol_missing"),
        (good.replace("Version: 13", "Version: 8"), 426, "version_unsupported"),
        (good.replace("HTTP/1.1", "HTTP/1.0"), 400, "upgrade_malformed"),
        (good.replace("GET ", "POST "), 405, "method_not_allowed"),
        (good.replace("Key: dGhl", "Key: d"), 400, "upgrade_malformed"),
        (good.replace("HTTP/1.1", "HTTP/1.0"), 400, "upgrade_malformed"),
        (good.replace("https://shop.test", "https://sh\u{f6}p.test"), 400, "upgrade_malformed"),
        (with_header(&good, "Origin: https://evil.test"), 400, "upgrade_malformed"),
        (with_header(&good, "Content-Length: 5") + "abcde", 400, "upgrade_malformed"),
        (with_header(&good, "Sec-WebSocket-Version: 8"), 400, "upgrade_malformed"),
    ];
    for (request, status, code) in cases {
        let mut peer = Peer::connect(server.address);
        peer.send(request.as_bytes());
        let head = peer.head();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(head.contains("application/problem+json"), "{head}");
        let problem: serde_json::Value = serde_json::from_str(&peer.rest()).unwrap();
        assert_eq!((&problem["status"], &problem["code"]), (&status.into(), &code.into()));
        assert_eq!(problem["type"], format!("urn:holdline:problem:{code}"));
        assert!(head.contains("\r\ncache-control: no-store\r\n"), "{head}");
        let kind = UPGRADE_KINDS.iter().find(|kind| kind.code == code).unwrap();
        assert_eq!((problem["title"].as_str(), status), (Some(kind.title), kind.status));
    }
    assert!(server.seen.ends().is_empty(), "nobody was let in");
}

#[test]
fn lines_that_end_with_less_than_both_are_no_requests() {
    let server = Server::start();
    let good = request("/v1/widget?widget=shop", "holdline.v1");
    let lengths = |lines: &str| format!("POST /plain HTTP/1.1\r\nHost: test\r\n{lines}\r\n\r\nhi");
    let chunked = "GET /plain HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
    for bad in [
        "GET /plain HTTP/1.1\nHost: test\n\n".to_owned(),
        "GET /plain HTTP/1.1\r\nHost: test\n\r\n".to_owned(),
        good.replace("\r\nOrigin", "\nOrigin"),
        "GET /plain HTTP/1.1\r\nHost: test\r\n\r\nGET /plain HTTP/1.1\nHost: test\n\n".to_owned(),
        // The bad lines come behind a body in chunks. Or the body has chunks and a length as well,
        // and other readers may go by the length.
        format!("{chunked}2\r\nhi\r\n0\r\n\r\nGET /plain HTTP/1.1\nHost: test\n\n"),
        format!("{chunked}2\r\nhi\r\n0\r\n\r\n").replace("Host", "Content-Length: 3\r\nHost"),
        // A body has two lengths, also in one line, or a length that other readers read
        // differently.
        lengths("Content-Length: 2\r\nContent-Length: 3"),
        lengths("Content-Length: 2\r\nContent-Length: 2"),
        lengths("Content-Length: 2, 3"),
        lengths("Content-Length: +2"),
        lengths("Content-Length: 0x2"),
    ] {
        let mut peer = Peer::connect(server.address);
        peer.send(bad.as_bytes());
        let answer = peer.rest();
        assert!(answer.contains("HTTP/1.1 400 "), "{bad:?}: {answer}");
        assert!(!answer.contains(" 101 "), "{answer}");
    }
    assert!(server.seen.ends().is_empty(), "nobody was let in");
}

#[test]
fn plain_http_is_served_beside_and_before() {
    let server = Server::start();
    let mut peer = Peer::connect(server.address);
    for _ in 0..2 {
        peer.send(b"GET /plain HTTP/1.1\r\nHost: test\r\n\r\n");
        let head = peer.head();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let mut body = [0; 2];
        std::io::Read::read_exact(&mut peer.stream, &mut body).unwrap();
        assert_eq!(&body, b"hi");
    }
    peer.send(request("/v1/widget?widget=shop", "holdline.v1").as_bytes());
    assert!(peer.head().starts_with("HTTP/1.1 101 "));
    peer.send(&text("after all"));
    assert_eq!(peer.text(), "after all");
    assert_eq!(server.figures.accepted(), 1);
}

#[test]
fn stopping_lets_requests_finish_and_takes_no_more() {
    let mut server = Server::start();
    let mut peer = Peer::connect(server.address);
    peer.send(b"GET /slow HTTP/1.1\r\nHost: test\r\n\r\n");
    let mut idle = Peer::connect(server.address);
    idle.send(b"GET /plain HTTP/1.1\r\nHost: test\r\n\r\n");
    idle.head();
    until("both are accepted", || server.figures.accepted() == 2);
    let start = std::time::Instant::now();
    server.join();
    assert!(start.elapsed() < Duration::from_secs(8), "an idle connection does not hold it up");
    assert!(peer.rest().ends_with("done"));
    assert!(std::net::TcpStream::connect(server.address).is_err());
}

#[tokio::test]
async fn a_library_that_is_not_ours_gets_along() {
    let server = Server::start();
    let address = format!("ws://{}/v1/widget?widget=shop", server.address);
    let mut request = address.into_client_request().unwrap();
    let protocol = HeaderValue::from_static("holdline.v1");
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    socket.send(tungstenite::Message::text("hello")).await.unwrap();
    let heard = socket.next().await.unwrap().unwrap();
    assert_eq!(heard, tungstenite::Message::text("hello"));
    let goodbye = CloseFrame { code: 4321.into(), reason: "enough".into() };
    socket.close(Some(goodbye)).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
    until("the session has ended", || !server.seen.ends().is_empty());
    let code = holdline::socket::SocketEnd::Closed(4321);
    assert_eq!(server.seen.ends(), [Some(code)]);
}
