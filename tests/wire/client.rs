//! What a widget may say.

use holdline::domain::cause::Leaving;
use holdline::domain::id::Seq;
use holdline::limits;
use holdline::wire::client::{ClientFrame, Malformed, Reference, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::schema_of;

fn read(frame: &Value) -> Result<ClientFrame, Malformed> {
    parse(frame.to_string().as_bytes())
}

fn refusal(frame: &str) -> (&'static str, Option<&'static str>, String) {
    let malformed = parse(frame.as_bytes()).expect_err(frame);
    (malformed.code.code(), malformed.field, malformed.message)
}

#[test]
fn every_example_parses_and_is_valid() {
    let schema = schema_of("client");
    let examples = [
        json!({"type": "hello"}),
        json!({"type": "hello", "visitor": "00112233445566778899aabbccddeeff", "token": "t",
            "after": 7, "page": "https://shop.test/cart", "locale": "de", "extra": [1]}),
        json!({"type": "hello", "visitor": "00112233-4455-6677-8899-AABBCCDDEEFF", "token": null}),
        json!({"type": "start", "ref": "1", "id": "s-1"}),
        json!({"type": "start", "ref": 1, "id": "s-1", "name": "Ada", "form": {"topic": "bill"},
            "context": {"cart": {"items": 3}}}),
        json!({"type": "post", "ref": -1, "id": "m-1", "text": "hello"}),
        json!({"type": "post", "ref": "", "id": "m-1", "text": "x".repeat(6_000)}),
        json!({"type": "beat"}),
        json!({"type": "beat", "seq": 4_294_967_295_u32}),
        json!({"seq": 4, "type": "beat", "text": {"of": "another type"}}),
        json!({"type": "typing", "on": true}),
        json!({"type": "read", "seq": 3}),
        json!({"type": "leaving", "cause": "hidden"}),
        json!({"type": "leaving", "cause": "unloaded"}),
        json!({"type": "end", "ref": u64::MAX}),
    ];
    for example in &examples {
        assert!(schema.is_valid(example), "{example}");
        read(example).unwrap_or_else(|malformed| panic!("{example}: {malformed}"));
    }
}

#[test]
fn counter_examples_are_refused_by_both() {
    let schema = schema_of("client");
    let cases = [
        (json!([]), "malformed", None),
        (json!("beat"), "malformed", None),
        (json!({}), "missing_field", Some("type")),
        (json!({"type": 4}), "invalid_field", Some("type")),
        (json!({"type": "dance"}), "unknown_type", Some("type")),
        (json!({"type": "hello", "visitor": "secret"}), "invalid_field", Some("visitor")),
        (json!({"type": "hello", "visitor": "0".repeat(32)}), "invalid_field", Some("visitor")),
        (
            json!({"type": "start", "ref": 1, "id": "s", "name": "Kim\u{1b}[2J"}),
            "invalid_field",
            Some("name"),
        ),
        (
            json!({"type": "start", "ref": 1, "id": "s", "name": "mi\u{202e}K"}),
            "invalid_field",
            Some("name"),
        ),
        (json!({"type": "hello", "after": -1}), "invalid_field", Some("after")),
        (json!({"type": "hello", "token": 5}), "invalid_field", Some("token")),
        (json!({"type": "start", "id": "s"}), "missing_field", Some("ref")),
        (json!({"type": "start", "ref": 1}), "missing_field", Some("id")),
        (json!({"type": "start", "ref": 1, "id": "a b"}), "invalid_field", Some("id")),
        (json!({"type": "start", "ref": 1, "id": "a".repeat(65)}), "too_long", Some("id")),
        (json!({"type": "start", "ref": 1, "id": "s", "form": "f"}), "invalid_field", Some("form")),
        (json!({"type": "start", "ref": 1, "id": "s", "name": ""}), "invalid_field", Some("name")),
        (
            json!({"type": "start", "ref": 1, "id": "s", "name": "n".repeat(101)}),
            "too_long",
            Some("name"),
        ),
        (json!({"type": "post", "ref": 1, "id": "m"}), "missing_field", Some("text")),
        (json!({"type": "post", "ref": 1, "id": "m", "text": ""}), "invalid_field", Some("text")),
        (json!({"type": "post", "ref": 1, "id": "m", "text": " "}), "invalid_field", Some("text")),
        (
            json!({"type": "post", "ref": 1, "id": "m", "text": "x".repeat(6_001)}),
            "too_long",
            Some("text"),
        ),
        (json!({"type": "beat", "seq": 4_294_967_296_u64}), "invalid_field", Some("seq")),
        (json!({"type": "beat", "seq": 1.5}), "invalid_field", Some("seq")),
        (json!({"type": "typing", "on": "yes"}), "invalid_field", Some("on")),
        (json!({"type": "read"}), "missing_field", Some("seq")),
        (json!({"type": "leaving", "cause": "bored"}), "invalid_field", Some("cause")),
        (json!({"type": "end", "ref": {}}), "invalid_field", Some("ref")),
        (json!({"type": "end", "ref": 1.5}), "invalid_field", Some("ref")),
        (json!({"type": "end", "ref": "r".repeat(65)}), "too_long", Some("ref")),
    ];
    for (frame, code, field) in cases {
        assert!(!schema.is_valid(&frame), "{frame}");
        let (found, of, message) = refusal(&frame.to_string());
        assert_eq!((found, of), (code, field), "{frame}: {message}");
        assert!(field.is_none_or(|field| message.contains(field)), "{message}");
    }
}

#[test]
fn limits_that_a_schema_cannot_tell_are_kept() {
    let form = json!({"answer": "x".repeat(limits::FORM_BYTES_MAX)});
    let frame = json!({"type": "start", "ref": 1, "id": "s", "form": form}).to_string();
    let (code, field, message) = refusal(&frame);
    assert_eq!((code, field), ("too_long", Some("form")));
    assert!(message.contains("4096"), "{message}");
    let page = "ü".repeat(limits::PAGE_BYTES_MAX);
    let Ok(ClientFrame::Hello(hello)) = read(&json!({"type": "hello", "page": page})) else {
        panic!("a long page is cut")
    };
    assert_eq!(hello.page.unwrap().len(), limits::PAGE_BYTES_MAX);
}

#[test]
fn what_is_not_json_is_refused_with_its_ref_where_it_could_be_read() {
    let read = |bytes: &[u8]| parse(bytes).unwrap_err();
    assert_eq!(read(b"").code.code(), "malformed");
    assert_eq!(read(b"\xff{").code.code(), "malformed");
    assert_eq!(read(br#"{"type":"beat"} {}"#).code.code(), "malformed");
    assert_eq!(read(br#"{"type":"read","seq":1e999}"#).code.code(), "malformed");
    let cut = read(br#"{"ref":"r7","type":"post","text":"hel"#);
    assert_eq!(cut.reference, Some(Reference::Text("r7".into())));
    let twice = read(br#"{"type":"post","ref":8,"id":"a","id":"b","text":"x"}"#);
    assert_eq!((twice.code.code(), twice.field), ("malformed", Some("id")));
    assert_eq!(twice.reference, Some(Reference::Number(8)));
    let deep = format!(r#"{{"type":"start","ref":1,"form":{}"#, "[".repeat(60_000));
    assert_eq!(read(deep.as_bytes()).code.code(), "malformed");
    let ignored = format!(r#"{{"type":"beat","x":{}{}}}"#, "[".repeat(90), "]".repeat(90));
    assert_eq!(parse(ignored.as_bytes()), Ok(ClientFrame::Beat { seen: None }));
}

#[test]
fn frames_carry_what_was_said() {
    let beat = Ok(ClientFrame::Beat { seen: Some(Seq::new(12)) });
    assert_eq!(parse(br#"{"type":"beat","seq":12}"#), beat);
    assert_eq!(parse(br#"{ "seq": 12, "type": "beat" }"#), beat);
    assert!(parse(br#"{"type":"beat","seq":012}"#).is_err());
    let left = Ok(ClientFrame::Leaving { cause: Some(Leaving::Unloaded) });
    assert_eq!(parse(br#"{"type":"leaving","cause":"unloaded"}"#), left);
    let start = br#"{"type":"start","ref":"a","id":"s","form":{ "b" : [1, 2] }}"#;
    let Ok(ClientFrame::Start(start)) = parse(start) else { panic!("a start") };
    assert_eq!(start.form.as_deref(), Some(r#"{"b":[1,2]}"#));
}

#[test]
fn secrets_are_not_shown() {
    let hello = json!({"type": "hello", "visitor": "00112233445566778899aabbccddeeff",
        "token": "very-secret"});
    let Ok(ClientFrame::Hello(hello)) = read(&hello) else { panic!("a hello") };
    let shown = format!("{hello:?}");
    assert!(!shown.contains("secret") && !shown.contains("aabb"), "{shown}");
    assert_eq!(hello.visitor.unwrap().to_bytes()[..3], [0x00, 0x11, 0x22]);
    assert_eq!(hello.token.unwrap().reveal(), "very-secret");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        prop::sample::select(vec!["hello", "start", "post", "beat", "hidden", "end"])
            .prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "type", "ref", "id", "text", "seq", "on", "cause", "form", "name", "after", "visitor",
        ])
        .prop_map(str::to_owned),
        "[a-z]{1,5}",
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(name.clone(), inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn what_parses_is_valid_and_what_is_invalid_is_refused(mut frame in any_json()) {
        if let Value::Object(fields) = &mut frame {
            fields.entry("type").or_insert_with(|| "beat".into());
        }
        let schema = schema_of("client");
        prop_assert!(read(&frame).is_err() || schema.is_valid(&frame), "{}", frame);
    }

    #[test]
    fn any_cut_of_a_frame_is_refused(cut in 0_usize..70) {
        let frame = br#"{"type":"post","ref":"r","id":"m","text":"some words that were said"}"#;
        prop_assert!(parse(&frame[..cut.min(frame.len() - 1)]).is_err());
    }
}
