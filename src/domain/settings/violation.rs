//! A rule that a document breaks, and the rules that documents of several kinds have in common:
//! how their ids read, and that a number lies in its range.

use crate::domain::time::Span;

/// A rule that a document breaks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// The field, as it is called in the document.
    pub field: &'static str,
    /// What it must be.
    pub message: String,
}

impl Violation {
    /// `field` breaks the rule told by `message`.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

/// `.` and `..` in an address mean another address, so no id may be one of them. Ids from before
/// this rule stay as they are.
pub(super) fn unreachable_id(id: &str) -> Option<Violation> {
    let message = "must not be . or .., which mean something else in an address";
    [".", ".."].contains(&id).then(|| Violation::new("id", message))
}

/// What is wrong with a number that must lie in this range; nothing when it does.
pub(super) fn outside(
    field: &'static str,
    value: u64,
    least: u64,
    most: u64,
    unit: &str,
) -> Option<Violation> {
    let inside = (least..=most).contains(&value);
    (!inside).then(|| Violation::new(field, format!("must be from {least} to {most}{unit}")))
}

/// The same for a length of time, in seconds.
pub(super) fn span_outside(
    field: &'static str,
    span: Span,
    least: u64,
    most: u64,
) -> Option<Violation> {
    let inside = (Span::from_secs(least)..=Span::from_secs(most)).contains(&span);
    (!inside).then(|| Violation::new(field, format!("must be from {least} to {most} seconds")))
}
