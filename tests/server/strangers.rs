//! Bounds for strangers: what one address, one site or one widget may use, which client a proxy
//! names, and that nobody else notices.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::console::{Console, PATIENCE};
use crate::shop::{Running, Shop};
use crate::widget::{Introduction, Widget, mint_visitor};

const FORWARDED: &str = "x-forwarded-for";

/// A shop behind a proxy on this machine, with more of the environment.
async fn behind_a_proxy(more: &[(&str, &str)]) -> Shop {
    let mut environment = vec![("HOLDLINE_TRUSTED_PROXIES", "127.0.0.1")];
    environment.extend_from_slice(more);
    Shop::open_under(json!({ "window_s": 60 }), &environment).await
}

/// A widget of a client whom the proxy names, after it was let in and welcomed. If it was refused,
/// the code, and after how many seconds to come back.
async fn come(shop: &Shop, client: &str) -> Result<Widget, (String, u64)> {
    come_with(shop, &[(FORWARDED, client)]).await
}

async fn come_with(shop: &Shop, headers: &[(&'static str, &str)]) -> Result<Widget, (String, u64)> {
    match Widget::try_connect_with(shop.address(), "shop", headers).await {
        Ok(mut widget) => {
            let visitor = Some(mint_visitor());
            widget.hello(Introduction { visitor, ..Introduction::default() }).await;
            Ok(widget)
        }
        Err(Error::Http(answer)) => {
            let wait = answer.headers().get("retry-after").expect("it says when to come back");
            let wait = wait.to_str().unwrap().parse().unwrap();
            let problem: Value = serde_json::from_slice(answer.body().as_ref().unwrap()).unwrap();
            assert_eq!(answer.status(), problem["status"].as_u64().unwrap() as u16);
            Err((problem["code"].as_str().unwrap().to_owned(), wait))
        }
        Err(other) => panic!("it is answered: {other}"),
    }
}

fn code<T>(came: Result<T, (String, u64)>) -> String {
    came.err().expect("it is refused").0
}

async fn refusals(shop: &Shop, code: &str) -> u64 {
    let metrics = Console::answer(shop.admin.request(Method::GET, "/metrics")).await;
    let of_code = format!("code=\"{code}\"");
    let lines = metrics.text.lines().filter(|line| line.starts_with("holdline_refusals_total"));
    let of_code = lines.filter(|line| line.contains(&of_code));
    of_code.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

#[tokio::test]
async fn an_address_may_have_so_many_sockets_without_a_chat_and_others_are_let_in() {
    let shop = behind_a_proxy(&[("HOLDLINE_SOCKETS_WITHOUT_CHAT_PER_ADDRESS", "3")]).await;
    let mut inside = Vec::new();
    for _ in 0..3 {
        inside.push(come(&shop, "192.0.2.7").await.unwrap());
    }
    let (code, wait) = come(&shop, "192.0.2.7").await.err().unwrap();
    assert_eq!((code.as_str(), wait), ("too_many_sockets", 10));
    assert_eq!(refusals(&shop, "too_many_sockets").await, 1);
    come(&shop, "192.0.2.8").await.unwrap();
    // A socket that begins a chat is in one, and makes room. A socket that goes makes room as well.
    inside[0].start("start", "Kim").await;
    inside.push(come(&shop, "192.0.2.7").await.unwrap());
    come(&shop, "192.0.2.7").await.err().unwrap();
    inside.pop().unwrap().close(1000).await;
    let began = tokio::time::Instant::now();
    while come(&shop, "192.0.2.7").await.is_err() {
        assert!(began.elapsed() < PATIENCE, "the one that went made no room");
    }
}

#[tokio::test]
async fn a_network_of_ipv6_counts_as_one_address() {
    let shop = behind_a_proxy(&[("HOLDLINE_SOCKETS_WITHOUT_CHAT_PER_ADDRESS", "1")]).await;
    let _inside = come(&shop, "2001:db8:0:1::7").await.unwrap();
    assert_eq!(code(come(&shop, "2001:db8:0:1:ffff::8").await), "too_many_sockets");
    let _other = come(&shop, "2001:db8:0:2::7").await.unwrap();
    // An IPv4 address that is written as an IPv6 address is the same address.
    let _four = come(&shop, "192.0.2.7").await.unwrap();
    assert_eq!(code(come(&shop, "::ffff:192.0.2.7").await), "too_many_sockets");
}

#[tokio::test]
async fn an_address_may_have_so_many_connections_and_handshakes() {
    let shop = behind_a_proxy(&[
        ("HOLDLINE_CONNECTIONS_PER_ADDRESS", "2"),
        ("HOLDLINE_UPGRADES_PER_ADDRESS", "4"),
    ])
    .await;
    let one = come(&shop, "192.0.2.7").await.unwrap();
    let _two = come(&shop, "192.0.2.7").await.unwrap();
    assert_eq!(code(come(&shop, "192.0.2.7").await), "too_many_connections");
    one.close(1000).await;
    let mut refused = Vec::new();
    let began = tokio::time::Instant::now();
    while refused.last().is_none_or(|(code, _)| code != "too_many_upgrades") {
        match come(&shop, "192.0.2.7").await {
            Ok(widget) => drop(widget.close(1000).await),
            Err(why) => refused.push(why),
        }
        assert!(began.elapsed() < PATIENCE, "it may shake hands for ever: {refused:?}");
    }
    let (_, wait) = refused.last().unwrap();
    assert!((1..=15).contains(wait), "4 in a minute is one in 15 s, and it says {wait} s");
}

#[tokio::test]
async fn an_address_begins_so_many_chats_in_a_minute_and_so_many_wait() {
    let shop = behind_a_proxy(&[
        ("HOLDLINE_STARTS_PER_ADDRESS", "4"),
        ("HOLDLINE_WAITING_CHATS_PER_ADDRESS", "2"),
    ])
    .await;
    let ana = shop.hire("ana", 5).await;
    let mut first = come(&shop, "192.0.2.7").await.unwrap();
    first.start("start", "Kim").await;
    let mut second = come(&shop, "192.0.2.7").await.unwrap();
    second.start("start", "Kim").await;
    let mut third = come(&shop, "192.0.2.7").await.unwrap();
    third.say(json!({ "type": "start", "ref": "a", "id": "a" })).await;
    let refused = third.expect_refused("too_many_waiting").await;
    assert_eq!((&refused["ref"], &refused["retry_after_ms"]), (&json!("a"), &json!(10_000)));
    // A customer who has a chat is brought back into it, whatever the budget says.
    let mut again = Widget::try_connect_with(shop.address(), "shop", &[(FORWARDED, "192.0.2.7")])
        .await
        .expect("it is let in");
    again
        .hello(Introduction { visitor: Some(first.visitor.clone()), ..Introduction::default() })
        .await;
    assert_eq!(again.conversation, first.conversation);
    // A chat that is offered still waits. A chat that is accepted, or is over, does not wait any
    // more.
    ana.choose("available").await;
    ana.until_state(&first.conversation, "active").await;
    third.say(json!({ "type": "start", "ref": "c", "id": "c" })).await;
    third.expect_refused("too_many_waiting").await;
    ana.act(&first.conversation, "accept").await.ok();
    third.start("b", "Kim").await;
    second.say(json!({ "type": "end", "ref": "end" })).await;
    second.until_state("closed").await;
    let mut fourth = come(&shop, "192.0.2.7").await.unwrap();
    fourth.start("start", "Kim").await;
    // That makes four chats in this minute.
    ana.act(&third.conversation, "accept").await.ok();
    let mut fifth = come(&shop, "192.0.2.7").await.unwrap();
    fifth.say(json!({ "type": "start", "ref": "a", "id": "a" })).await;
    let refused = fifth.expect_refused("too_many_starts").await;
    let wait = refused["retry_after_ms"].as_u64().expect("it says when to try again");
    assert!((1_000..=15_000).contains(&wait), "{wait}");
    let mut other = come(&shop, "192.0.2.8").await.unwrap();
    other.start("start", "Kim").await;
}

#[tokio::test]
async fn an_address_posts_so_many_messages_in_a_minute_and_others_go_on() {
    let shop = behind_a_proxy(&[("HOLDLINE_POSTS_PER_ADDRESS", "12")]).await;
    let mut widget = come(&shop, "192.0.2.7").await.unwrap();
    widget.start("start", "Kim").await;
    let mut tab = come(&shop, "192.0.2.7").await.unwrap();
    tab.start("start", "Lee").await;
    // A long message counts as several, whichever chat it is in.
    widget.post("long", &"a".repeat(5_999)).await;
    tab.post("long", &"a".repeat(5_119)).await;
    widget.post("short", "a").await;
    widget.say(json!({ "type": "post", "ref": "r", "id": "more", "text": "b" })).await;
    let refused = widget.expect_refused("rate_limited").await;
    assert_eq!(refused["ref"], "r");
    let wait = refused["retry_after_ms"].as_u64().expect("it says when to come back");
    assert!((1_000..=5_000).contains(&wait), "12 in a minute is one in 5 s, and it says {wait} ms");
    assert_eq!(refusals(&shop, "rate_limited").await, 1);
    let mut other = come(&shop, "192.0.2.8").await.unwrap();
    other.start("start", "Ann").await;
    other.post("short", "a").await;
}

#[tokio::test]
async fn not_all_messages_of_a_minute_may_come_at_once() {
    let shop = behind_a_proxy(&[("HOLDLINE_POSTS_PER_ADDRESS", "600")]).await;
    let mut widget = come(&shop, "192.0.2.7").await.unwrap();
    widget.start("start", "Kim").await;
    // Each of these counts as six messages, and a hundred may come at once. So the seventeenth is
    // refused.
    for number in 0..16 {
        widget.post(&format!("long-{number}"), &"a".repeat(5_999)).await;
    }
    for number in 16..40 {
        let id = format!("long-{number}");
        let text = "a".repeat(5_999);
        widget.say(json!({ "type": "post", "ref": "r", "id": id, "text": text })).await;
    }
    let refused = widget.expect_refused("rate_limited").await;
    assert_eq!(refused["retry_after_ms"], 1_000, "ten come back in a second");
}

#[tokio::test]
async fn a_site_and_a_widget_have_budgets_of_their_own() {
    let shop = behind_a_proxy(&[
        ("HOLDLINE_WAITING_CHATS_PER_SITE", "1"),
        ("HOLDLINE_WAITING_CHATS_PER_WIDGET", "2"),
    ])
    .await;
    let from = |page, client| [("origin", page), (FORWARDED, client)];
    let (one, other) = ("https://one.example", "https://other.example");
    let mut first = come_with(&shop, &from(one, "192.0.2.1")).await.unwrap();
    first.start("start", "Kim").await;
    let mut same_site = come_with(&shop, &from(one, "192.0.2.2")).await.unwrap();
    same_site.say(json!({ "type": "start", "ref": "a", "id": "a" })).await;
    same_site.expect_refused("too_many_waiting").await;
    let mut other_site = come_with(&shop, &from(other, "192.0.2.3")).await.unwrap();
    other_site.start("start", "Kim").await;
    let mut same_widget =
        come_with(&shop, &from("https://third.example", "192.0.2.4")).await.unwrap();
    same_widget.say(json!({ "type": "start", "ref": "a", "id": "a" })).await;
    same_widget.expect_refused("too_many_waiting").await;
    let widget = json!({ "workstream": "sales", "origins": ["*"] });
    shop.admin.put("/v1/widgets/second", widget).await.ok();
    let headers = from("https://fourth.example", "192.0.2.5");
    let mut second = Widget::try_connect_with(shop.address(), "second", &headers).await.unwrap();
    second.hello(Introduction { visitor: Some(mint_visitor()), ..Introduction::default() }).await;
    second.start("start", "Kim").await;
}

#[tokio::test]
async fn whom_a_stranger_names_is_not_believed() {
    let one = [("HOLDLINE_SOCKETS_WITHOUT_CHAT_PER_ADDRESS", "1")];
    // No proxy is trusted. This machine has no bound, whichever client it names.
    let shop = Shop::open_under(json!({}), &one).await;
    let _a = come(&shop, "192.0.2.7").await.unwrap();
    let _b = come(&shop, "192.0.2.7").await.unwrap();
    // Behind a proxy, the last address that is no proxy's counts, and nothing before it.
    let shop = behind_a_proxy(&one).await;
    let _c = come(&shop, "192.0.2.7").await.unwrap();
    for spoofed in ["192.0.2.8, 192.0.2.7", "127.0.0.1, 192.0.2.7", "unknown, 192.0.2.7, 127.0.0.1"]
    {
        assert_eq!(code(come(&shop, spoofed).await), "too_many_sockets", "{spoofed}");
    }
    // A header that the operator did not ask for is the client's own word.
    let forwarded = [(FORWARDED, "192.0.2.7"), ("forwarded", "for=192.0.2.9")];
    assert_eq!(code(come_with(&shop, &forwarded).await), "too_many_sockets");
}

#[tokio::test]
async fn the_standard_header_names_clients_where_that_is_asked_for() {
    let shop = behind_a_proxy(&[
        ("HOLDLINE_SOCKETS_WITHOUT_CHAT_PER_ADDRESS", "1"),
        ("HOLDLINE_FORWARDED_HEADER", "Forwarded"),
    ])
    .await;
    let named = |client| [("forwarded", client), (FORWARDED, "192.0.2.99")];
    let _one = come_with(&shop, &named("for=192.0.2.7;proto=https")).await.unwrap();
    let again = named("for=192.0.2.9, For=\"192.0.2.7:4711\"");
    assert_eq!(code(come_with(&shop, &again).await), "too_many_sockets");
    let _six = come_with(&shop, &named("for=\"[2001:db8::1]\"")).await.unwrap();
    assert_eq!(
        code(come_with(&shop, &named("for=\"[2001:db8::2]:80\"")).await),
        "too_many_sockets"
    );
}

#[tokio::test]
async fn a_connection_of_a_proxy_begins_with_its_header_where_that_is_asked_for() {
    let environment = [
        ("HOLDLINE_TRUSTED_PROXIES", "127.0.0.1"),
        ("HOLDLINE_PROXY_PROTOCOL", "true"),
        ("HOLDLINE_CONNECTIONS_PER_ADDRESS", "1"),
    ];
    let data = Arc::new(tempfile::tempdir().expect("a directory"));
    let server = Running::start_under(data, "off", &environment);
    let asked = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let ask = async |header: &[u8]| {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&[header, asked].concat()).await.unwrap();
        let mut head = [0; 15];
        let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut head)).await;
        let is_answered = read.expect("it is answered or reset").is_ok();
        (is_answered && head == *b"HTTP/1.1 200 OK").then_some(stream)
    };
    let two = |address: [u8; 4]| {
        let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
        header.extend(address);
        header.extend([192, 0, 2, 99, 0x12, 0x67, 0, 80]);
        header
    };
    let first = ask(b"PROXY TCP4 192.0.2.7 192.0.2.99 4711 80\r\n").await.expect("it is taken");
    assert!(ask(&two([192, 0, 2, 7])).await.is_none(), "its address has one connection already");
    let _six = ask(b"PROXY TCP6 2001:db8::7 2001:db8::99 4711 80\r\n").await.expect("it is taken");
    let _other = ask(&two([192, 0, 2, 8])).await.expect("it is taken");
    // A proxy that speaks for itself has no bound.
    let _local = ask(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0").await.expect("it is taken");
    let _unknown = ask(b"PROXY UNKNOWN\r\n").await.expect("it is taken");
    for not_one in [&b""[..], b"PROXY TCP4 192.0.2.7\r\n", b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c"] {
        assert!(ask(not_one).await.is_none(), "{not_one:?} is no header");
    }
    drop(first);
    let began = tokio::time::Instant::now();
    while ask(&two([192, 0, 2, 7])).await.is_none() {
        assert!(began.elapsed() < PATIENCE, "the one that went made no room");
    }
}

#[tokio::test]
async fn who_guesses_tokens_is_told_to_stop_and_a_good_one_is_taken() {
    let shop = behind_a_proxy(&[("HOLDLINE_REFUSED_TOKENS_PER_ADDRESS", "5")]).await;
    let ana = shop.hire("ana", 5).await;
    let ask = |console: &Console, client: &str| {
        Console::answer(console.request(Method::GET, "/v1/agents/me").header(FORWARDED, client))
    };
    let guesser = shop.admin.with_token("hlt_not-one-of-ours-0000000000000");
    for _ in 0..5 {
        ask(&guesser, "192.0.2.7").await.refused(401, "unknown_token");
    }
    let told = ask(&guesser, "192.0.2.7").await;
    told.refused(429, "too_many_attempts");
    let wait: u64 = told.header("retry-after").expect("it says when").parse().unwrap();
    assert!((1..=12).contains(&wait), "{wait}");
    assert_eq!(told.header("connection"), Some("close"));
    ask(&ana, "192.0.2.7").await.ok();
    ask(&guesser, "192.0.2.8").await.refused(401, "unknown_token");
    // A request without any token is no guess.
    for _ in 0..10 {
        ask(&shop.admin.stranger(), "192.0.2.9").await.refused(401, "missing_token");
    }
    assert_eq!(refusals(&shop, "too_many_attempts").await, 1);
    assert_eq!(refusals(&shop, "unknown_token").await, 6);
}

#[tokio::test]
async fn a_widget_that_shows_tokens_that_are_not_ours_is_closed_after_some() {
    let shop = behind_a_proxy(&[("HOLDLINE_REFUSED_TOKENS_PER_ADDRESS", "2")]).await;
    let show = async |client: &str| {
        let headers = [(FORWARDED, client)];
        let mut widget =
            Widget::try_connect_with(shop.address(), "shop", &headers).await.expect("it is let in");
        widget.say(json!({ "type": "hello", "token": "bm90IG91cnM" })).await;
        widget.expect_refused("token_invalid").await;
        widget
    };
    for _ in 0..2 {
        show("192.0.2.7").await.until("welcome").await;
    }
    let (_, closed) = show("192.0.2.7").await.ended().await;
    assert_eq!(closed.0, 4008, "it is refused too often");
    show("192.0.2.8").await.until("welcome").await;
}

#[tokio::test]
async fn a_flood_of_pings_or_pongs_is_closed_and_what_a_browser_sends_is_not() {
    let shop = Shop::open(json!({ "window_s": 60 })).await;
    for message in [Message::Ping(vec![0].into()), Message::Pong(vec![0].into())] {
        let mut widget = shop.browser().await;
        let began = tokio::time::Instant::now();
        while widget.send(message.clone()).await.is_ok() {
            assert!(began.elapsed() < PATIENCE, "it may go on for ever");
        }
        let (_, closed) = widget.ended().await;
        assert!(matches!(closed.0, 4008 | 1006), "{closed:?}");
    }
    let mut calm = shop.browser().await;
    for _ in 0..100 {
        calm.send(Message::Ping(vec![].into())).await.unwrap();
    }
    assert!(calm.next_within(Duration::from_millis(1)).await.is_none_or(|it| it.is_ok()));
    calm.start("start", "Kim").await;
}
