//! Whether an agent is there: how their consoles come and go, and what others are told of it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::console::Console;
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

/// Reads until the answer holds this.
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
            // Nothing is unread, so the other side is told by nothing but this.
            stream.shutdown().await.expect("it is closed");
        } else {
            drop(stream);
        }
        until_presence(&sue, "ada", "offline").await;
        assert!(ended.elapsed() < Duration::from_secs(2), "{:?}", ended.elapsed());
    }
}
