//! The reference for people names everything that the code knows.

use holdline::wire::client::parse;
use holdline::wire::close::CloseCode;
use holdline::wire::refusal::RefusalCode;
use serde_json::Value;

use crate::schema_of;

const DOCUMENT: &str = include_str!("../../docs/wire.md");

#[test]
fn every_code_is_documented() {
    for code in RefusalCode::all() {
        let row = format!("| `{}` |", code.code());
        assert!(DOCUMENT.contains(&row), "{row}");
    }
    for code in CloseCode::ALL {
        let row = format!("| {} | `{}` |", code.number(), code.name());
        assert!(DOCUMENT.contains(&row), "{row}");
    }
}

#[test]
fn every_example_is_a_frame() {
    let (client, server) = (schema_of("client"), schema_of("server"));
    let mut types = std::collections::BTreeSet::new();
    for line in DOCUMENT.lines() {
        let Some((arrow, frame)) = line.trim_start().split_at_checked(2) else { continue };
        let (schema, from_client) = match arrow {
            "> " if frame.starts_with('{') => (&client, true),
            "< " if frame.starts_with('{') => (&server, false),
            _ => continue,
        };
        let json: Value = serde_json::from_str(frame).unwrap_or_else(|_| panic!("{frame}"));
        assert!(schema.is_valid(&json), "{frame}");
        assert!(!from_client || parse(frame.as_bytes()).is_ok(), "{frame}");
        types.insert((from_client, json["type"].as_str().unwrap().to_owned()));
    }
    assert_eq!(types.len(), 8 + 14, "every type of frame has an example: {types:?}");
}
