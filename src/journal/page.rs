//! How much one read gives back.

use crate::domain::conversation::event::{Event, Recorded};
use crate::domain::conversation::view::View;
use crate::domain::text::MessageText;
use crate::journal::Fault;

/// What an event or a conversation counts for beside its texts.
const BYTES_OF_ANY: usize = 64;

/// Takes from `found` until there are `most`, or until the next would exceed `bytes` as `weight`
/// counts them; at least one if there is any.
pub(super) fn fill<T>(
    found: impl Iterator<Item = Result<T, Fault>>,
    most: usize,
    bytes: usize,
    weight: impl Fn(&T) -> usize,
) -> Result<Vec<T>, Fault> {
    let mut page = Vec::new();
    let mut taken: usize = 0;
    for one in found.take(most.max(1)) {
        let one = one?;
        taken = taken.saturating_add(weight(&one));
        if taken > bytes && !page.is_empty() {
            break;
        }
        page.push(one);
    }
    Ok(page)
}

/// The event without its text, for callers that only tell what happened: the text is the most that
/// an event has in memory.
pub(super) fn without_text(mut recorded: Recorded) -> Recorded {
    if let Event::MessagePosted { text, .. } = &mut recorded.event {
        *text = MessageText::left_out();
    }
    recorded
}

/// What a conversation counts for in a list.
pub(super) fn weight_of_view(view: &View) -> usize {
    let customer = &view.customer;
    let texts = [
        customer.form.as_deref(),
        customer.context.as_deref(),
        customer.page.as_deref(),
        customer.locale.as_deref(),
    ];
    texts.into_iter().flatten().map(str::len).sum::<usize>() + BYTES_OF_ANY
}

/// What an event counts for.
pub(super) fn weight(recorded: &Recorded) -> usize {
    let text = match &recorded.event {
        Event::MessagePosted { text, .. } => text.as_str().len(),
        Event::ConversationStarted(opening) => {
            let texts =
                [opening.form.as_deref(), opening.context.as_deref(), opening.page.as_deref()];
            texts.into_iter().flatten().map(str::len).sum()
        }
        Event::SessionJoined { program, .. } => program.as_deref().map_or(0, str::len),
        Event::SessionLost { .. }
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
