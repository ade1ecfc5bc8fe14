//! A record as it is written: a kind, and a body that is JSON.

use serde::Serialize;

/// A record: what stands in the columns `kind` and `body`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// What it is, in the words of the domain: `message_posted`.
    pub kind: &'static str,
    /// The rest of it, a JSON object.
    pub body: String,
}

impl Record {
    /// The record of this kind with this body.
    pub(super) fn new(kind: &'static str, body: &impl Serialize) -> Self {
        Self { kind, body: json(body) }
    }
}

/// Where the record of an event is written to.
pub(super) struct Sink<'a> {
    pub(super) body: &'a mut Vec<u8>,
    /// Whether its kind stands around the body, because no column holds it.
    pub(super) is_named: bool,
}

impl Sink<'_> {
    /// Writes a record, and says its kind.
    pub(super) fn put(self, kind: &'static str, body: &impl Serialize) -> &'static str {
        if self.is_named {
            self.body.extend_from_slice(b"{\"kind\":\"");
            self.body.extend_from_slice(kind.as_bytes());
            self.body.extend_from_slice(b"\",\"body\":");
        }
        write_json(self.body, body);
        if self.is_named {
            self.body.push(b'}');
        }
        kind
    }
}

/// A body as a text.
pub(super) fn json(body: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    write_json(&mut bytes, body);
    text(bytes)
}

/// Writes a body behind what stands in `to`.
#[expect(clippy::expect_used, reason = "the invariant is in the message")]
pub(super) fn write_json(to: &mut Vec<u8>, body: &impl Serialize) {
    serde_json::to_writer(to, body)
        .expect("a record holds texts, numbers and structs, and JSON has a form for each");
}

/// The text of a body that was written.
#[expect(clippy::expect_used, reason = "the invariant is in the message")]
pub(super) fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).expect("JSON is written as UTF-8")
}
