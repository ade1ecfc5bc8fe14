//! The stored form of what happened together: one record for all events of one append.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::conversation::event::Event;
use crate::journal::record::body::Sink;
use crate::journal::record::event;
use crate::journal::record::unreadable::Unreadable;

/// The kind of the record.
pub(super) const KIND: &str = "happened_together";

/// One of the events: what would stand in the columns `kind` and `body` if it stood alone.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Piece<'a> {
    /// What happened.
    pub kind: &'a str,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl<'a> Piece<'a> {
    /// The rest of it, byte for byte as it would be alone.
    pub fn body(&self) -> &'a str {
        self.body.get()
    }
}

pub(super) fn encode(events: &[Event], body: &mut Vec<u8>) {
    let mut separator = b'[';
    for event in events {
        body.push(separator);
        event::encode(event, Sink { body, is_named: true });
        separator = b',';
    }
    body.push(b']');
}

/// The events in a record with this kind and this body, each as it would stand alone; nothing
/// unless the record is one of several events.
pub fn read_append<'a>(kind: &str, body: &'a str) -> Option<Result<Vec<Piece<'a>>, Unreadable>> {
    (kind == KIND).then(|| decode(body))
}

/// What stands in a record of this kind.
fn decode(body: &str) -> Result<Vec<Piece<'_>>, Unreadable> {
    let pieces: Vec<Piece<'_>> = serde_json::from_str(body)?;
    if pieces.is_empty() {
        return Err(Unreadable("nothing stands in it".to_owned()));
    }
    Ok(pieces)
}
