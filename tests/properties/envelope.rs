//! What actors say to each other crosses to another node unchanged, and nothing else does.

mod answers;
mod dice;
mod examples;
mod variants;

use holdline::behavior::envelope::{ENVELOPE_VERSION, Envelope, EnvelopeFault, read, write};
use holdline::behavior::message::{RequestId, ToConversation, ToQueue};
use holdline::domain::id::ConversationId;
use holdline::limits;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::config;
use dice::Dice;
use examples::examples;
use variants::Seen;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/envelopes.json");

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_message_comes_back_unchanged(seed: u64) {
        for envelope in examples(&mut Dice::seeded(seed)) {
            let text = write(&envelope);
            prop_assert_eq!(read(&text), Ok(envelope), "{}", text);
        }
    }
}

#[test]
fn every_variant_has_an_example() {
    let mut seen = Seen::default();
    for envelope in examples(&mut Dice::plain()) {
        seen.look_at(&envelope);
    }
    let missing = seen.missing();
    assert!(missing.is_empty(), "these have no example: {missing:#?}");
}

/// `UPDATE_EXPECT=1` writes the file anew. Once nodes of several releases run beside each other, a
/// line changes only with the version.
#[test]
fn the_form_is_the_one_that_was_agreed_on() {
    let examples = examples(&mut Dice::plain());
    let lines: Vec<_> = examples.iter().map(write).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let golden = std::fs::read_to_string(FILE).unwrap();
    for (golden, line) in golden.lines().zip(text.lines()) {
        assert_eq!(golden, line);
    }
    assert_eq!(golden, text, "UPDATE_EXPECT=1 adds new examples");
}

#[test]
fn what_is_nothing_is_left_out() {
    let figures = Envelope::Queue("sales".parse().unwrap(), ToQueue::Figures(RequestId::new(7)));
    let text = r#"{"kind":"queue","to":"sales","message":{"kind":"figures","request":7}}"#;
    assert_eq!(write(&figures), format!(r#"{{"version":1,"envelope":{text}}}"#));

    let id = ConversationId::from_bits(1);
    let state = Envelope::Conversation(id, ToConversation::StateClaims(None));
    let text =
        format!(r#"{{"kind":"conversation","to":"{id}","message":{{"kind":"state_claims"}}}}"#);
    assert_eq!(write(&state), format!(r#"{{"version":1,"envelope":{text}}}"#));
}

/// The places of all values in a JSON text, as pointers and as a fault names them.
fn places(value: &Value, pointer: &str, field: &str, found: &mut Vec<(String, String)>) {
    let inner: Vec<_> = match value {
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), it)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, it)| (index.to_string(), it)).collect()
        }
        _ => return,
    };
    for (name, value) in inner {
        let pointer = format!("{pointer}/{name}");
        let field = if field.is_empty() { name } else { format!("{field}.{name}") };
        places(value, &pointer, &field, found);
        found.push((pointer, field));
    }
}

fn field_of(fault: Result<Envelope, EnvelopeFault>, changed: &Value) -> String {
    match fault {
        Err(EnvelopeFault::Field(error)) => error.field,
        other => panic!("{other:?}, and not a field: {changed}"),
    }
}

/// Each envelope, read as JSON, with the places of everything in it.
fn taken_apart() -> impl Iterator<Item = (Value, Vec<(String, String)>)> {
    examples(&mut Dice::plain()).into_iter().map(|envelope| {
        let whole: Value = serde_json::from_str(&write(&envelope)).unwrap();
        let mut found = Vec::new();
        places(&whole, "", "", &mut found);
        (whole, found)
    })
}

#[test]
fn what_is_malformed_is_refused_by_its_name() {
    for (whole, places) in taken_apart() {
        for (pointer, field) in places {
            let mut changed = whole.clone();
            let value = changed.pointer_mut(&pointer).unwrap();
            *value = if value.is_array() { json!({}) } else { json!([]) };
            assert_eq!(field_of(read(&changed.to_string()), &changed), field, "{changed}");
        }
    }
}

#[test]
fn what_is_missing_is_refused_by_its_name_or_is_nothing() {
    for (whole, places) in taken_apart() {
        for (pointer, field) in places {
            let mut changed = whole.clone();
            let (around, name) = pointer.rsplit_once('/').unwrap();
            let Some(fields) = changed.pointer_mut(around).unwrap().as_object_mut() else {
                continue;
            };
            fields.remove(name);
            match read(&changed.to_string()) {
                Ok(envelope) => {
                    let again: Value = serde_json::from_str(&write(&envelope)).unwrap();
                    assert_eq!(again, changed, "{field} has become something");
                }
                fault => assert_eq!(field_of(fault, &changed), field, "{changed}"),
            }
        }
    }
}

#[test]
fn what_is_not_known_is_refused_by_its_name() {
    for (whole, places) in taken_apart() {
        let around = places.into_iter().chain([(String::new(), String::new())]);
        for (pointer, field) in around {
            let mut changed = whole.clone();
            let Some(fields) = changed.pointer_mut(&pointer).unwrap().as_object_mut() else {
                continue;
            };
            fields.insert("added_later".to_owned(), json!(1));
            let expected = format!("{field}.added_later");
            let named = field_of(read(&changed.to_string()), &changed);
            assert_eq!(named, expected.trim_start_matches('.'), "{changed}");
        }
    }
}

#[test]
fn what_is_no_envelope_is_refused() {
    let to_ann = |message: Value| json!({ "kind": "agent", "to": "ann", "message": message });
    let malformed = [
        (json!({ "kind": "agent", "to": "not an id", "message": {} }), "envelope.to"),
        (json!({ "kind": "nobody" }), "envelope.kind"),
        (to_ann(json!({ "kind": "sing" })), "envelope.message.kind"),
        (to_ann(json!({ "kind": "show", "request": -1 })), "envelope.message.request"),
        (to_ann(json!({ "kind": "show", "request": 0.5 })), "envelope.message.request"),
        (
            to_ann(json!({ "kind": "serve", "queues": ["a", "b", "?"] })),
            "envelope.message.queues.2",
        ),
    ];
    for (envelope, field) in malformed {
        let text = json!({ "version": 1, "envelope": envelope });
        assert_eq!(field_of(read(&text.to_string()), &text), field, "{text}");
    }
    let later = [0, 2, u32::MAX].map(|version| {
        let text = json!({ "version": version, "envelope": { "sort": 9 }, "added_later": true });
        (version, text.to_string())
    });
    for (version, text) in later {
        assert_ne!(version, ENVELOPE_VERSION);
        assert_eq!(read(&text), Err(EnvelopeFault::UnknownVersion(version)));
    }
    for envelope in examples(&mut Dice::plain()) {
        let text = write(&envelope);
        let cut = text.char_indices().map(|(end, _)| &text[..end]);
        for part in cut.step_by(1 + text.len() / 16) {
            assert!(matches!(read(part), Err(EnvelopeFault::NotJson(_))), "{part}");
        }
    }
    for text in ["null", "[]", "1"] {
        assert_eq!(field_of(read(text), &json!(text)), "");
    }
}

#[test]
fn what_is_too_long_is_refused_unread() {
    let text = " ".repeat(limits::ENVELOPE_BYTES_MAX);
    assert!(matches!(read(&text), Err(EnvelopeFault::NotJson(_))));
    let longer = text + " ";
    assert_eq!(read(&longer), Err(EnvelopeFault::TooLong(longer.len())));
}
