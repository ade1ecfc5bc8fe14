//! Bad input over the socket: each has its documented refusal or close code, and what was accepted
//! before is still there.

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::console::PATIENCE;
use crate::shop::Shop;
use crate::widget::{Closed, Introduction, Widget, mint_visitor};

fn post(id: &str, text: &str) -> Value {
    json!({ "type": "post", "ref": "r", "id": id, "text": text })
}

/// Frames that are refused, each with the code of its refusal and the field that the refusal names.
fn refused_frames() -> Vec<(String, &'static str, Option<&'static str>)> {
    let long = "x".repeat(65);
    let with = |mut frame: Value, field: &str, value: Value| {
        frame[field] = value;
        frame
    };
    let without = |mut frame: Value, field: &str| {
        frame.as_object_mut().unwrap().remove(field);
        frame
    };
    let good = post("k2", "words");
    let frames = [
        (json!([]), "malformed", None),
        (json!("post"), "malformed", None),
        (json!({}), "missing_field", Some("type")),
        (json!({ "type": 5 }), "invalid_field", Some("type")),
        (json!({ "type": "dance", "ref": 1 }), "unknown_type", Some("type")),
        (without(good.clone(), "ref"), "missing_field", Some("ref")),
        (without(good.clone(), "id"), "missing_field", Some("id")),
        (without(good.clone(), "text"), "missing_field", Some("text")),
        (with(good.clone(), "ref", json!({})), "invalid_field", Some("ref")),
        (with(good.clone(), "ref", json!(long)), "too_long", Some("ref")),
        (with(good.clone(), "id", json!(7)), "invalid_field", Some("id")),
        (with(good.clone(), "id", json!("")), "invalid_field", Some("id")),
        (with(good.clone(), "id", json!("a b")), "invalid_field", Some("id")),
        (with(good.clone(), "id", json!(long)), "too_long", Some("id")),
        (with(good.clone(), "text", json!(null)), "missing_field", Some("text")),
        (with(good.clone(), "text", json!(["x"])), "invalid_field", Some("text")),
        (with(good.clone(), "text", json!(" \n\t ")), "invalid_field", Some("text")),
        (with(good.clone(), "text", json!("x".repeat(6_001))), "too_long", Some("text")),
        (with(good, "id", json!("k1")), "id_reused", None),
        (json!({ "type": "typing", "on": "yes" }), "invalid_field", Some("on")),
        (json!({ "type": "read", "seq": -1 }), "invalid_field", Some("seq")),
        (json!({ "type": "read" }), "missing_field", Some("seq")),
        (json!({ "type": "leaving", "cause": "bored" }), "invalid_field", Some("cause")),
        (json!({ "type": "start", "ref": 1 }), "missing_field", Some("id")),
        (
            json!({ "type": "start", "ref": 1, "id": "s", "name": "n".repeat(101) }),
            "too_long",
            Some("name"),
        ),
        (
            json!({ "type": "start", "ref": 1, "id": "s", "name": "Kim\u{1b}[2J" }),
            "invalid_field",
            Some("name"),
        ),
        (
            json!({ "type": "start", "ref": 1, "id": "s", "name": "mik\u{202e}" }),
            "invalid_field",
            Some("name"),
        ),
        (
            json!({ "type": "start", "ref": 1, "id": "s", "form": [1] }),
            "invalid_field",
            Some("form"),
        ),
        (
            json!({ "type": "start", "ref": 1, "id": "s", "context": { "a": "x".repeat(4_100) } }),
            "too_long",
            Some("context"),
        ),
        (json!({ "type": "hello" }), "already_greeted", None),
    ];
    let mut all: Vec<_> =
        frames.into_iter().map(|(frame, code, field)| (frame.to_string(), code, field)).collect();
    all.push(("{\"type\":\"post\"".to_owned(), "malformed", None));
    all.push(("not JSON".to_owned(), "malformed", None));
    all.push((String::new(), "malformed", None));
    all.push(("[".repeat(20_000), "malformed", None));
    let twice = r#"{"type":"post","ref":1,"id":"k9","text":"one","text":"two"}"#;
    all.push((twice.to_owned(), "malformed", None));
    all
}

async fn chat(shop: &Shop) -> Widget {
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    kim.post("k1", "kept").await;
    kim
}

#[tokio::test]
async fn every_bad_frame_is_refused_by_its_code_and_the_chat_goes_on() {
    let shop = Shop::open(json!({})).await;
    let mut kim = chat(&shop).await;
    for (frame, code, field) in refused_frames() {
        kim.send(Message::text(frame.as_str())).await.unwrap();
        let refused = kim.expect_refused(code).await;
        let shown: String = frame.chars().take(80).collect();
        if let Some(field) = field {
            assert_eq!(refused["field"], field, "{shown}: {refused}");
        }
    }
    let longest = "ü".repeat(6_000);
    kim.post("k2", &longest).await;
    let texts = shop.admin.transcript(&kim.conversation, "customer").await;
    assert_eq!(texts, ["kept", longest.as_str()]);
    // Unknown fields are ignored.
    kim.say(json!({ "type": "post", "ref": 1, "id": "k3", "text": "x", "mood": { "a": [1] } }))
        .await;
    kim.expect("posted").await;
}

fn text_frame(payload: Vec<u8>, opcode: Data, is_final: bool) -> Message {
    Message::Frame(Frame::message(payload, OpCode::Data(opcode), is_final))
}

#[tokio::test]
async fn what_breaks_the_protocol_closes_the_socket_with_its_code() {
    let shop = Shop::open(json!({ "window_s": 30 })).await;
    let binary = vec![Message::binary(vec![1, 2, 3])];
    let not_text = vec![text_frame(vec![0xff, 0xfe], Data::Text, true)];
    let oversized = vec![text_frame(vec![b'x'; 81_921], Data::Text, true)];
    let mut fragments = vec![text_frame(vec![b'x'], Data::Text, false)];
    fragments.extend((0..300).map(|_| text_frame(vec![b'x'], Data::Continue, false)));
    let mut large = vec![text_frame(vec![b'x'; 40_000], Data::Text, false)];
    large.extend((0..3).map(|_| text_frame(vec![b'x'; 40_000], Data::Continue, false)));
    let stray = vec![text_frame(vec![b'x'], Data::Continue, true)];
    let cases = [
        (binary, 1003, "binary", "refused"),
        (not_text, 1007, "invalid_utf8", "refused"),
        (oversized, 1009, "too_big", "refused"),
        (fragments, 1009, "too_big", "refused"),
        (large, 1009, "too_big", "refused"),
        (stray, 1002, "protocol", "refused"),
    ];
    for (frames, code, reason, cause) in cases {
        let mut kim = chat(&shop).await;
        let id = kim.conversation.clone();
        for frame in frames {
            // The server may have closed the socket before the last frame.
            let _closed = kim.send(frame).await;
        }
        let (told, closed) = kim.ended().await;
        assert_eq!(closed, Closed(code), "{reason}");
        let bye = told.last().expect("a bye");
        assert_eq!((&bye["type"], &bye["reason"]), (&json!("bye"), &json!(reason)));
        let path = format!("/v1/conversations/{id}");
        let away = |chat: &Value| chat["customer"]["connected"] == false;
        let chat = shop.admin.until(&path, "away", away).await;
        assert_eq!(chat["customer"]["cause"], cause, "{reason}");
        let back = shop.visit(kim.introduction()).await;
        assert_eq!(back.conversation, id);
        assert_eq!(shop.admin.transcript(&id, "customer").await, ["kept"]);
    }
}

#[tokio::test]
async fn whoever_does_not_listen_is_closed_after_a_hundred_refusals() {
    let shop = Shop::open(json!({ "window_s": 30 })).await;
    let mut kim = chat(&shop).await;
    for _ in 0..10_000 {
        if kim.send(Message::text("nonsense")).await.is_err() {
            break;
        }
    }
    let (told, closed) = kim.ended().await;
    let refused = told.iter().filter(|frame| frame["type"] == "refused").count();
    assert_eq!(closed, Closed(4008));
    assert!((99..=100).contains(&refused), "{refused} refusals");
    let back = shop.visit(kim.introduction()).await;
    assert_eq!(back.conversation, kim.conversation);
    assert_eq!(shop.admin.transcript(&kim.conversation, "customer").await, ["kept"]);
}

#[tokio::test]
async fn too_many_frames_are_refused_and_may_be_sent_again_later() {
    let shop = Shop::open(json!({})).await;
    let mut kim = chat(&shop).await;
    for number in 0..270 {
        kim.post_only(&format!("m{number}"), "words").await;
    }
    let (mut posted, mut refused) = (0, 0);
    while posted + refused < 270 {
        match kim.next_within(PATIENCE).await.unwrap().unwrap() {
            frame if frame["type"] == "posted" => posted += 1,
            frame if frame["type"] == "refused" => {
                assert_eq!(frame["code"], "rate_limited");
                refused += 1;
            }
            _ => {}
        }
    }
    assert!(posted >= 190 && refused > 0, "{posted} posted, {refused} refused");
    let start = Instant::now();
    loop {
        kim.post_only("later", "words").await;
        let answer = kim.until_any(&["posted", "refused"]).await;
        if answer["type"] == "posted" {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "it may speak again");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let texts = shop.admin.transcript(&kim.conversation, "customer").await;
    assert_eq!(texts.len(), posted + 2);
}

#[tokio::test]
async fn frames_out_of_their_order_are_refused() {
    let shop = Shop::open(json!({})).await;
    let mut kim = Widget::connect(shop.address(), "shop").await;
    for early in [
        post("k1", "x"),
        json!({ "type": "start", "ref": 1, "id": "s" }),
        json!({ "type": "beat", "seq": 0 }),
    ] {
        kim.say(early).await;
        kim.expect_refused("hello_first").await;
    }
    kim.hello(Introduction { visitor: Some(mint_visitor()), ..Introduction::default() }).await;
    kim.say(post("k1", "x")).await;
    assert_eq!(kim.expect_refused("not_started").await["ref"], "r");
    kim.say(json!({ "type": "end", "ref": 9 })).await;
    assert_eq!(kim.expect_refused("not_started").await["ref"], 9);
    for (field, value) in [("visitor", json!("short")), ("token", json!(7)), ("after", json!("x"))]
    {
        let mut other = Widget::connect(shop.address(), "shop").await;
        let mut hello = json!({ "type": "hello" });
        hello[field] = value;
        other.say(hello).await;
        assert_eq!(other.expect_refused("invalid_field").await["field"], field);
        other.hello(Introduction::default()).await;
    }
}

#[tokio::test]
async fn a_token_that_is_not_ours_leads_nowhere_and_the_session_goes_on() {
    let shop = Shop::open(json!({})).await;
    shop.admin
        .put("/v1/widgets/other", json!({ "workstream": "sales", "origins": ["*"] }))
        .await
        .ok();
    let kim = chat(&shop).await;
    let mut forged = kim.token.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'B' } else { 'A' });
    let cases = [
        ("shop", forged),
        ("shop", "hl1.Zm9v.YmFy".to_owned()),
        ("shop", "nonsense".to_owned()),
        ("other", kim.token.clone()),
    ];
    for (widget, token) in cases {
        let mut thief = Widget::connect(shop.address(), widget).await;
        let hello = json!({ "type": "hello", "token": token, "visitor": mint_visitor() });
        thief.say(hello).await;
        thief.expect_refused("token_invalid").await;
        let welcome = thief.expect("welcome").await;
        assert!(welcome.get("conversation").is_none() && welcome.get("ended").is_none());
        thief.start("start", "Mallory").await;
        assert_ne!(thief.conversation, kim.conversation);
    }
    assert_eq!(shop.admin.transcript(&kim.conversation, "customer").await, ["kept"]);
}

#[tokio::test]
async fn a_socket_that_says_nothing_is_closed_after_ten_seconds() {
    let shop = Shop::open(json!({})).await;
    let start = Instant::now();
    let mut silent = Widget::connect(shop.address(), "shop").await;
    let (told, closed) = silent.ended().await;
    assert_eq!((told[0]["reason"].as_str(), closed), (Some("hello_timeout"), Closed(4000)));
    let waited = start.elapsed().as_millis();
    assert!((9_990..13_000).contains(&waited), "{waited} ms");
}
