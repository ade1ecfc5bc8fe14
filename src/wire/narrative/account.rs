//! The whole account of a conversation, for people: why it is as it is, who was there, and what
//! happened, in order.

use std::fmt::Write as _;

use crate::domain::conversation::event::Recorded;
use crate::domain::id::ConversationId;
use crate::domain::text::printable;
use crate::domain::timeline::Replay;
use crate::wire::narrative::changes::in_words;
use crate::wire::narrative::sessions::Sessions;
use crate::wire::narrative::timeline::sentence;
use crate::wire::narrative::why::{Grounds, why};
use crate::wire::time::rfc3339;

/// The account of a conversation. `history` must be whole from its first event to the moment that
/// the account is of, but for what was said; nothing when nothing had happened.
///
/// The first line answers why the chat is in its state. What was said stands nowhere in it: an
/// account goes to people who need not have read the chat. It may go to a terminal as it is: what
/// others wrote stands in it as [`printable`] makes it.
pub fn account(id: ConversationId, history: Vec<Recorded>) -> Option<String> {
    let (mut sessions, mut grounds) = (Sessions::new(usize::MAX), Grounds::default());
    let mut replay = Replay::new(id);
    let steps = history.into_iter().map(|recorded| {
        sessions.take(&recorded);
        grounds.take(&recorded);
        replay.step(recorded)
    });
    let steps: Vec<_> = steps.collect();
    let conversation = replay.conversation();
    let view = conversation.view()?;
    let mut text = format!("{}\n\n", printable(&why(&view, &grounds.events())));

    let name =
        view.customer.name.as_ref().map_or("nameless".into(), |name| printable(name.as_str()));
    let program = conversation.opening().and_then(|opening| opening.page.clone());
    let page = program.map_or_else(String::new, |page| format!(", on page {}", printable(&page)));
    let _infallible = writeln!(
        text,
        "Conversation {id}\n  customer {name}{page}\n  widget {}, workstream {}, queue {}\n  \
         {}, the last at {}",
        view.widget,
        view.workstream,
        view.queue,
        match steps.len() {
            1 => "1 event".to_owned(),
            count => format!("{count} events"),
        },
        steps.last().map_or_else(String::new, |last| rfc3339(last.recorded.at)),
    );

    text.push_str("\nThe customer's sessions\n");
    for session in sessions.latest() {
        let _infallible = writeln!(text, "  {}", printable(&session.told()));
    }
    if sessions.latest().next().is_none() {
        text.push_str("  none\n");
    }

    text.push_str("\nWhat happened\n");
    for step in &steps {
        let Recorded { seq, at, event } = &step.recorded;
        let sentence = sentence(event);
        let sentence = printable(&sentence);
        let _infallible = writeln!(text, "  {seq:>4}  {}  {sentence}", rfc3339(*at));
        for change in &step.changes {
            let _infallible = writeln!(text, "          {}", printable(&in_words(change)));
        }
    }
    Some(text)
}
