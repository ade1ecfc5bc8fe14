//! How much of a conversation one read gives back.

use crate::domain::conversation::event::{Event, Recorded};
use crate::journal::Fault;

/// What an event without a text counts for.
const BYTES_OF_ANY: usize = 64;

/// Takes from `events` until there are `entries`, or until the next would exceed `bytes`; at least
/// one if there is any.
pub(super) fn fill(
    events: impl Iterator<Item = Result<Recorded, Fault>>,
    entries: usize,
    bytes: usize,
) -> Result<Vec<Recorded>, Fault> {
    let mut page = Vec::new();
    let mut taken: usize = 0;
    for recorded in events.take(entries.max(1)) {
        let recorded = recorded?;
        taken = taken.saturating_add(weight(&recorded.event));
        if taken > bytes && !page.is_empty() {
            break;
        }
        page.push(recorded);
    }
    Ok(page)
}

fn weight(event: &Event) -> usize {
    let text = match event {
        Event::MessagePosted { text, .. } => text.as_str().len(),
        Event::ConversationStarted(opening) => {
            let texts =
                [opening.form.as_deref(), opening.context.as_deref(), opening.page.as_deref()];
            texts.into_iter().flatten().map(str::len).sum()
        }
        Event::SessionJoined { .. }
        | Event::SessionLost { .. }
        | Event::CustomerAway { .. }
        | Event::CustomerReturned { .. }
        | Event::CustomerDisconnected { .. }
        | Event::ChatOffered { .. }
        | Event::OfferEnded { .. }
        | Event::ChatAccepted { .. }
        | Event::AgentLeft { .. }
        | Event::AgentAway { .. }
        | Event::AgentBack { .. }
        | Event::CustomerReminded { .. }
        | Event::WrapupStarted { .. }
        | Event::LeaseReleased { .. }
        | Event::ConversationClosed { .. }
        | Event::ServerRestarted { .. } => 0,
    };
    text + BYTES_OF_ANY
}
