//! The id and the name in an administrator's document. The address of the document also has the id.

use crate::domain::text::DisplayName;
use crate::wire::document::{self, Document};

/// A document that was read can be put back: its own id is taken, another's is not.
pub(super) fn same_id(document: &mut Document, id: &str) {
    let given = document.optional("id", document::text);
    if given.is_some_and(|given| given != id) {
        document.refuse("id", format!("must be {id}, as in the address, or absent"));
    }
}

/// The name that is given, or the id where none is.
pub(super) fn name_or_id(document: &mut Document, id: &str) -> Option<DisplayName> {
    let given = document.optional("name", document::text);
    match DisplayName::parse(given.as_deref().unwrap_or(id)) {
        Ok(name) => Some(name),
        Err(refusal) => {
            document.refuse("name", refusal.to_string());
            None
        }
    }
}
