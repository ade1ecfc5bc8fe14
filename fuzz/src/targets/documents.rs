//! The bodies that people send over HTTP, above all settings. A good one is written as it was read,
//! and read as it was written.

use std::fmt::Debug;

use holdline::wire::objects::{
    AgentDocument, AuditRetentionDocument, MessageDocument, QueueDocument, WidgetDocument,
    WorkstreamDocument,
};
use serde::Serialize;

/// The first byte says which document the rest is.
pub(crate) fn run(bytes: &[u8]) {
    let Some((kind, body)) = bytes.split_first() else { return };
    let id = "one";
    match kind % 6 {
        0 => {
            let read = |body: &[u8]| WorkstreamDocument::read(parsed(id), body, None).ok();
            comes_back(
                read,
                body,
                |it| it.violations().is_empty(),
                |it| json(&WorkstreamDocument::from(it)),
            );
        }
        1 => {
            let read = |body: &[u8]| QueueDocument::read(parsed(id), body).ok();
            comes_back(
                read,
                body,
                |it| it.violations().is_empty(),
                |it| json(&QueueDocument::from(it)),
            );
        }
        2 => {
            let read = |body: &[u8]| WidgetDocument::read(parsed(id), body).ok();
            comes_back(
                read,
                body,
                |it| it.violations().is_empty(),
                |it| json(&WidgetDocument::from(it)),
            );
        }
        3 => {
            let read = |body: &[u8]| AgentDocument::read(parsed(id), body).ok();
            comes_back(
                read,
                body,
                |it| it.violations().is_empty(),
                |it| json(&AgentDocument::from(it)),
            );
        }
        4 => {
            let read = |body: &[u8]| AuditRetentionDocument::read(body).ok();
            comes_back(read, body, |_| true, |it| json(&AuditRetentionDocument::from(*it)));
        }
        _ => {
            let _judged = MessageDocument::read(body);
        }
    }
}

fn parsed<T: std::str::FromStr<Err: Debug>>(id: &str) -> T {
    id.parse().unwrap_or_else(|error| panic!("{id} is an id: {error:?}"))
}

fn json(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).unwrap_or_else(|error| panic!("a document is JSON: {error}"))
}

fn comes_back<T: Debug + PartialEq>(
    read: impl Fn(&[u8]) -> Option<T>,
    body: &[u8],
    is_good: impl Fn(&T) -> bool,
    write: impl Fn(&T) -> Vec<u8>,
) {
    let Some(before) = read(body).filter(is_good) else { return };
    let written = write(&before);
    let after = read(&written);
    assert_eq!(after.as_ref(), Some(&before), "{}", String::from_utf8_lossy(&written));
}
