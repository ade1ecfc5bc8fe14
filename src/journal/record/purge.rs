//! The stored form of what the retention has taken out.

use serde::{Deserialize, Serialize};

use crate::domain::id::ConversationId;
use crate::domain::settings::Disposal;
use crate::journal::record::body::Record;
use crate::journal::record::setting::DisposalName;
use crate::journal::record::unreadable::Unreadable;

/// The kind of the record.
pub(super) const KIND: &str = "conversations_taken_out";

/// Conversations whose events are no longer in the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TakenOut {
    /// Which.
    pub conversations: Vec<ConversationId>,
    /// How many events they had together.
    pub events: u64,
    /// What has become of them.
    pub disposal: Disposal,
}

#[derive(Deserialize, Serialize)]
struct Form {
    conversations: Vec<String>,
    events: u64,
    then: DisposalName,
}

pub(super) fn encode(taken: &TakenOut) -> Record {
    let conversations = taken.conversations.iter().map(ToString::to_string).collect();
    Record::new(KIND, &Form { conversations, events: taken.events, then: taken.disposal.into() })
}

pub(super) fn decode(body: &str) -> Result<TakenOut, Unreadable> {
    let Form { conversations, events, then } = serde_json::from_str(body)?;
    let conversations =
        conversations.iter().map(|id| Ok(id.parse()?)).collect::<Result<_, Unreadable>>()?;
    Ok(TakenOut { conversations, events, disposal: then.into() })
}
