//! Which clients are refused in the handshake, what becomes of them, and what the log says.

use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use rustls::version::TLS13;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::authority::Authority;
use crate::client::Client;
use crate::console::PATIENCE;
use crate::site::Site;
use crate::widget::{Introduction, mint_visitor};

/// Everything that the server answers to these bytes until it closes the connection.
async fn answered(site: &Site, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(site.program.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    // A reset counts as an end as well.
    let _end = tokio::time::timeout(PATIENCE, reading).await.expect("it is closed");
    answer
}

/// Waits until this many connections were refused for this reason.
async fn refused(site: &Site, code: &str, count: u64) {
    let began = std::time::Instant::now();
    while site.client().refusals(code).await != count {
        let found = site.client().refusals(code).await;
        assert!(began.elapsed() < PATIENCE, "{code}: {found} and not {count}");
    }
}

#[tokio::test]
async fn what_is_no_tls_is_closed_counted_and_told_in_few_lines() {
    let site = Site::open(&[]);
    for _ in 0..50 {
        let answer = answered(&site, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(!answer.starts_with(b"HTTP"), "it speaks in the clear");
    }
    refused(&site, "not_tls", 50).await;
    // A client that only looks whether somebody listens is counted, but the log does not tell of
    // it.
    for _ in 0..5 {
        drop(TcpStream::connect(site.program.address).await.unwrap());
    }
    refused(&site, "handshake_cut_short", 5).await;
    let log = site.log();
    let told = log.lines().filter(|line| line.contains("face=\"tls\"")).count();
    assert!((1..=30).contains(&told), "{told} lines: {log}");
    assert!(!log.contains("handshake_cut_short") && !log.contains("ERROR"), "{log}");
    assert!(log.contains("what came is no handshake of TLS"), "{log}");
}

#[tokio::test]
async fn old_versions_and_other_protocols_are_refused() {
    let site = Site::open(&[]);
    let address = site.program.address.to_string();
    let mut old = Command::new("openssl");
    old.args(["s_client", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0", "-connect", &address]);
    let said = tokio::task::spawn_blocking(move || old.output()).await.unwrap();
    let said = said.expect("openssl is there");
    let told = String::from_utf8_lossy(&said.stderr).to_string();
    assert!(!said.status.success() && told.contains("alert"), "{told}");
    refused(&site, "tls_incompatible", 1).await;
    let only = site.client().offering(&["h2"]).connect().await;
    assert!(only.is_err(), "HTTP/2 alone is nothing here");
    refused(&site, "tls_incompatible", 2).await;
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_certificate_is_told_of_as_such() {
    let site = Site::open(&[]);
    let stranger = Client::new(site.program.address, &Authority::new());
    assert!(stranger.connect().await.is_err());
    refused(&site, "handshake_given_up", 1).await;
}

#[tokio::test]
async fn a_handshake_that_stands_still_is_ended() {
    let site = Site::open(&[]);
    // The first bytes of a record that never comes to its end.
    let half = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00];
    let began = std::time::Instant::now();
    let (silent, begun) = tokio::join!(answered(&site, b""), answered(&site, &half));
    assert!(silent.is_empty() && begun.is_empty());
    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
    refused(&site, "handshake_too_slow", 2).await;
}

/// A connection on one of the last descriptors must show a token soon. In the handshake no
/// connection has shown one.
#[tokio::test]
async fn a_handshake_on_one_of_the_last_descriptors_has_no_longer_than_anybody_there() {
    let site = Site::open(&[]);
    let process = Pid::from_raw(i32::try_from(site.program.process()).unwrap()).expect("a process");
    let few = Rlimit { current: Some(160), maximum: Some(160) };
    prlimit(Some(process), Resource::Nofile, few).expect("a child can be limited");
    let mut inside = Vec::new();
    while let Ok(mut widget) = site.client().try_widget("demo").await {
        let visitor = Some(mint_visitor());
        widget.hello(Introduction { visitor, ..Introduction::default() }).await;
        inside.push(widget);
        assert!(inside.len() < 160, "there is a limit");
    }
    let half = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00];
    let began = std::time::Instant::now();
    let timed = async |bytes: &[u8]| {
        answered(&site, bytes).await;
        began.elapsed().as_secs_f64()
    };
    let all = tokio::join!(timed(b""), timed(&half), timed(b""), timed(&half));
    let soon = |took: &f64| (1.0..6.0).contains(took);
    let ended = [all.0, all.1, all.2, all.3].into_iter().filter(soon).count();
    // One of the four may have found a descriptor that a file had left.
    assert!(ended >= 3, "{all:?}: {}", site.log());
    let reply = site.client().get("/v1/agents").await.expect("it is answered");
    assert_eq!(reply.status, 200, "whoever has a token comes in");
}

#[tokio::test]
async fn who_is_in_the_handshake_counts_as_a_connection_of_whom_the_proxy_names_before_it() {
    let site = Site::open(&[
        ("HOLDLINE_TRUSTED_PROXIES", "127.0.0.1"),
        ("HOLDLINE_PROXY_PROTOCOL", "true"),
        ("HOLDLINE_CONNECTIONS_PER_ADDRESS", "1"),
    ]);
    let client = Client::of_versions(site.program.address, &site.authority, &[&TLS13]);
    let come = async |from: &str| {
        let mut stream = TcpStream::connect(site.program.address).await.unwrap();
        let header = format!("PROXY TCP4 {from} 192.0.2.99 4711 443\r\n");
        stream.write_all(header.as_bytes()).await.unwrap();
        stream
    };
    // This connection says which client it is for, and nothing more.
    let idle = come("192.0.2.7").await;
    let other = client.secure(come("192.0.2.8").await).await;
    assert!(other.is_ok(), "another address has its own");
    let began = std::time::Instant::now();
    // The server may begin with the two connections on different threads, so the first may not be
    // counted yet.
    while client.secure(come("192.0.2.7").await).await.is_ok() {
        assert!(began.elapsed() < PATIENCE, "its address has a connection already");
    }
    drop(idle);
    while client.secure(come("192.0.2.7").await).await.is_err() {
        assert!(began.elapsed() < PATIENCE, "the one that went made no room");
    }
}
