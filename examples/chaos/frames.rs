//! Widgets' frames and feeds' data, read lightly. A field is found by its name alone, because
//! everything before the first text of a person's is the server's own.

use tokio_tungstenite::tungstenite::Message;

use super::record::{Mark, text_of};

/// The `type` of a frame.
pub(crate) fn kind(text: &str) -> &str {
    word(text, "type").unwrap_or_default()
}

/// The first field of this name that is a text without escapes.
pub(crate) fn word<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = after(text, name)?.strip_prefix('"')?;
    rest.split_once('"').map(|(word, _)| word)
}

/// The first field of this name that is a whole number.
pub(crate) fn number(text: &str, name: &str) -> Option<u32> {
    let rest = after(text, name)?;
    let end = rest.find(|next: char| !next.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text;
    loop {
        let (_, found) = rest.split_once(name)?;
        if let Some(value) = found.strip_prefix("\":") {
            return Some(value);
        }
        rest = found;
    }
}

/// The post with this number of the customer's.
pub(crate) fn post(number: u32) -> Message {
    let mark = Mark::of_customer(number);
    let text = text_of(mark);
    Message::text(format!(r#"{{"type":"post","ref":{number},"id":"{mark}","text":"{text}"}}"#))
}

pub(crate) fn beat(seen: u32) -> Message {
    Message::text(format!(r#"{{"type":"beat","seq":{seen}}}"#))
}
