//! What the server says.

use std::collections::BTreeSet;

use holdline::domain::conversation::State;
use holdline::domain::conversation::event::Reason;
use holdline::domain::id::{ConversationId, History, MessageId, Seq, SessionId};
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};
use holdline::wire::client::{Reference, parse};
use holdline::wire::close::CloseCode;
use holdline::wire::refusal::RefusalCode;
use holdline::wire::schema::SCHEMA;
use holdline::wire::server::{Connection, Ended, Limits, Live, ServerFrame, Speaker, refused};
use holdline::wire::time::Rfc3339;
use serde_json::{Value, json};

use crate::schema_of;

const SEQ: Seq = Seq::new(7);
const AT: Timestamp = Timestamp::from_millis(1_767_225_600_250);

fn check(frame: &str, expected: &Value) {
    let frame: Value = serde_json::from_str(frame).unwrap();
    assert_eq!(&frame, expected);
    assert!(schema_of("server").is_valid(&frame), "{frame}");
}

#[test]
fn every_frame_is_what_the_schema_says() {
    let id = ConversationId::from_bits(0x0011_2233);
    let shown = "00000000-0000-0000-0000-000000112233";
    let (reference, number) = (Reference::Text("a\"b".into()), Reference::Negative(-4));
    let message: MessageId = "m-1".parse().unwrap();
    let name = DisplayName::parse("Grace").unwrap();
    let live = Live { id, token: "t", state: State::Active, seq: SEQ };
    let ended = Ended {
        id,
        state: State::Wrapup,
        reason: Reason::CustomerDisconnectedWhileActive,
        seq: SEQ,
        redirect: Some("https://shop.test/"),
    };
    let welcome = |conversation, ended| ServerFrame::Welcome {
        session: SessionId::from_bits(255),
        heartbeat_ms: Span::from_secs(25),
        window_ms: Span::from_secs(180),
        history: History::new(1),
        limits: Limits::NOW,
        conversation,
        ended,
    };
    let limits = json!({"text_chars": 6000, "name_chars": 100, "form_bytes": 4096,
        "frame_bytes": 81_920, "frames_per_second": 20, "frames_burst": 200});
    let plain = json!({"type": "welcome", "session": "00000000000000ff", "heartbeat_ms": 25_000,
        "window_ms": 180_000, "history": "00000001", "limits": limits});
    check(&welcome(None, None).render(), &plain);
    let mut full = plain;
    full["conversation"] = json!({"id": shown, "token": "t", "state": "active", "seq": 7});
    full["ended"] = json!({"id": shown, "state": "wrapup", "redirect": "https://shop.test/",
        "reason": "customer_disconnected_while_active", "seq": 7});
    check(&welcome(Some(live), Some(ended)).render(), &full);
    let at = "2026-01-01T00:00:00.250Z";
    let frames = [
        (
            ServerFrame::Started {
                reference: &reference,
                conversation: id,
                token: "t",
                state: State::Open,
                seq: SEQ,
            },
            json!({"type": "started", "ref": "a\"b", "conversation": shown, "token": "t",
                "state": "open", "seq": 7}),
        ),
        (
            ServerFrame::Posted { reference: &number, id: &message, seq: SEQ, at: AT },
            json!({"type": "posted", "ref": -4, "id": "m-1", "seq": 7, "at": at}),
        ),
        (ServerFrame::Beat { seq: SEQ }, json!({"type": "beat", "seq": 7})),
        (
            ServerFrame::Message {
                seq: SEQ,
                id: "m-1",
                from: Speaker::Agent,
                name: Some("Grace"),
                text: "hi\u{2028}",
                at: AT,
            },
            json!({"type": "message", "seq": 7, "id": "m-1", "from": "agent", "name": "Grace",
                "text": "hi\u{2028}", "at": at}),
        ),
        (
            ServerFrame::State {
                reference: Some(&reference),
                seq: SEQ,
                state: State::Wrapup,
                reason: Some(Reason::CustomerEnded),
            },
            json!({"type": "state", "ref": "a\"b", "seq": 7, "state": "wrapup",
                "reason": "customer_ended"}),
        ),
        (
            ServerFrame::Joined { seq: SEQ, name: &name, at: AT },
            json!({"type": "joined", "seq": 7, "name": "Grace", "at": at}),
        ),
        (
            ServerFrame::Left { seq: SEQ, name: None, at: AT },
            json!({"type": "left", "seq": 7, "at": at}),
        ),
        (
            ServerFrame::Agent { seq: SEQ, state: Connection::Away, name: Some("Grace"), at: AT },
            json!({"type": "agent", "seq": 7, "state": "away", "name": "Grace", "at": at}),
        ),
        (
            ServerFrame::Agent { seq: SEQ, state: Connection::Back, name: None, at: AT },
            json!({"type": "agent", "seq": 7, "state": "back", "at": at}),
        ),
        (
            ServerFrame::Queue { position: 3, wait_ms: Some(Span::from_secs(9)) },
            json!({"type": "queue", "position": 3, "wait_ms": 9_000}),
        ),
        (
            ServerFrame::Queue { position: 1, wait_ms: None },
            json!({"type": "queue", "position": 1}),
        ),
        (ServerFrame::Typing { on: true }, json!({"type": "typing", "on": true})),
        (ServerFrame::Read { seq: SEQ }, json!({"type": "read", "seq": 7})),
    ];
    for (frame, expected) in frames {
        check(&frame.render(), &expected);
    }
}

#[test]
fn a_refusal_names_the_field_and_echoes_the_ref() {
    let malformed = parse(br#"{"type":"post","ref":9,"id":"m","text":5}"#).unwrap_err();
    check(
        &ServerFrame::malformed(&malformed).render(),
        &json!({"type": "refused", "ref": 9, "code": "invalid_field", "field": "text",
            "message": "`text` must be a text"}),
    );
}

#[test]
fn every_refusal_code_is_in_the_schema_and_no_other() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let listed: Vec<String> =
        serde_json::from_value(schema["$defs"]["refusal_code"]["enum"].clone()).unwrap();
    let codes: Vec<&str> = RefusalCode::all().map(RefusalCode::code).collect();
    assert_eq!(listed, codes);
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    for code in RefusalCode::all() {
        let frame = refused(None, code);
        let frame: Value = serde_json::from_str(&frame.text).unwrap();
        assert!(schema_of("server").is_valid(&frame), "{frame}");
    }
}

#[test]
fn every_close_code_is_in_the_schema_and_no_other() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(schema["$defs"]["close"]["oneOf"].as_array().unwrap().len(), CloseCode::ALL.len());
    for code in CloseCode::ALL {
        let bye = json!({"type": "bye", "code": code.number(), "reason": code.name(),
            "retry_after_ms": 1_500});
        check(&ServerFrame::bye(code, Span::from_millis(1_500)).render(), &bye);
        let mut wrong = bye;
        wrong["code"] = json!(4999);
        assert!(!schema_of("server").is_valid(&wrong));
    }
}

#[test]
fn every_state_and_reason_is_in_the_schema_and_no_other() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(schema["$defs"]["state"]["enum"], json!(State::ALL.map(State::name)));
    assert_eq!(schema["$defs"]["reason"]["enum"], json!(Reason::ALL.map(Reason::name)));
}

#[test]
fn counter_examples_are_refused() {
    let schema = schema_of("server");
    for frame in [
        json!({"type": "beat"}),
        json!({"type": "state", "seq": 1, "state": "asleep"}),
        json!({"type": "queue", "position": 0}),
        json!({"type": "posted", "ref": 1, "id": "m", "seq": 1, "at": "2026-01-01T00:00:00Z"}),
        json!({"type": "message", "seq": 1, "id": "m", "from": "robot", "text": "x", "at": "x"}),
    ] {
        assert!(!schema.is_valid(&frame), "{frame}");
    }
}

#[test]
fn times_have_milliseconds_and_never_fail() {
    let shown = |millis| Rfc3339(Timestamp::from_millis(millis)).to_string();
    assert_eq!(shown(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(shown(1_767_225_600_007), "2026-01-01T00:00:00.007Z");
    assert!(shown(i64::MAX).starts_with("9999-"));
    assert_eq!(shown(i64::MIN), "1970-01-01T00:00:00.000Z");
}
