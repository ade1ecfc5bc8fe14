//! A conversation as bytes: a version, and the conversation in postcard.
//!
//! Snapshots live in `chats.db` only, which can always be rebuilt from the journal. So their form
//! may change freely, as long as the version changes with it.

mod attendance;
mod mirror;
mod names;
mod phase;

use crate::domain::conversation::Conversation;
use crate::domain::conversation::parts::Parts;
use crate::journal::record::Unreadable;

pub use crate::journal::snapshot::names::Names;

/// The version of the form, and the first byte of every snapshot. A change of the form must raise
/// it and the version of `chats.db`, which is then rebuilt.
pub const VERSION: u8 = 3;

/// The conversation as bytes.
///
/// # Panics
///
/// Never: a snapshot holds only what its form has room for.
#[expect(clippy::expect_used, reason = "the invariant is in the message")]
pub fn encode(conversation: &Conversation) -> Vec<u8> {
    let parts = Parts::from(conversation.clone());
    let mirror = mirror::Snapshot::from(&parts);
    postcard::to_extend(&mirror, vec![VERSION])
        .expect("a snapshot holds texts, numbers and structs, and a vector takes all of it")
}

/// The conversation that these bytes hold.
pub fn decode(bytes: &[u8]) -> Result<Conversation, Unreadable> {
    decode_with(&mut Names::default(), bytes)
}

/// The same for a caller that reads many snapshots, which then share their common texts.
pub fn decode_with(names: &mut Names, bytes: &[u8]) -> Result<Conversation, Unreadable> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => {
            let mirror: mirror::Snapshot<'_> = postcard::from_bytes(rest)
                .map_err(|error| Unreadable(format!("a snapshot is malformed: {error}")))?;
            Ok(Conversation::from(mirror.read(names)?))
        }
        Some((version, _)) => Err(Unreadable(format!(
            "a snapshot has the version {version}; only {VERSION} is known"
        ))),
        None => Err(Unreadable("a snapshot is empty".to_owned())),
    }
}
