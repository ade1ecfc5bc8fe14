//! The way of what a session says to a conversation, and of the chat that it asks for.

use crate::behavior::message::{FromSession, Join};
use crate::behavior::session::{ChatRequest, NotStarted};
use crate::domain::conversation::command::StartRequest;
use crate::domain::id::{ConversationId, Seq, WidgetId};
use crate::domain::time::Span;
use crate::engine::{Entrance, Visit};
use crate::socket::session::guest::Guest;
use crate::strangers::{OverBudget, Use};
use crate::wire::refusal::RefusalCode;

/// Tells a conversation what a session says. False if nobody hears it.
pub(super) fn deliver(visit: &Visit, conversation: ConversationId, said: FromSession) -> bool {
    match said {
        FromSession::Join(join) => visit.join(conversation, entrance_of(*join)).is_ok(),
        FromSession::Again(join) => visit.join_again(conversation, entrance_of(*join)),
        FromSession::Hear { after, until: None } => visit.hear_from(conversation, after),
        FromSession::Hear { after, until: Some(until) } => {
            visit.hear_rest(conversation, after, until)
        }
        FromSession::Post(reference, id, text) => visit.post(conversation, reference, id, text),
        FromSession::End(reference) => visit.end(conversation, reference),
        FromSession::Typing(on) => visit.typing(conversation, on),
        FromSession::Read(seq) => visit.read(conversation, seq),
        FromSession::Leaving(how) => visit.leaving(conversation, how),
        FromSession::Asleep(on) => visit.asleep(conversation, on),
        FromSession::Lost(cause) => {
            visit.hear_no_more(conversation, cause);
            true
        }
    }
}

fn entrance_of(join: Join) -> Entrance {
    let Join { start: _, after, heartbeat, program, of } = join;
    Entrance { after, heartbeat, program, of }
}

/// Begins a chat, or comes back into the one that there is, if that is within the guest's budgets.
pub(super) fn start(
    visit: &Visit,
    guest: &Guest,
    widget: WidgetId,
    salt: u64,
    asked: ChatRequest,
) -> Result<ConversationId, NotStarted> {
    let ChatRequest { visitor, start, name, form, context, page, locale, heartbeat, program } =
        asked;
    // Whoever comes back into a chat begins none.
    let is_new = visit.chat_of(visitor).is_none();
    let keepsake = is_new.then(|| guest.ask_to_wait()).transpose().map_err(|over| denied(&over))?;
    let request = StartRequest { widget, visitor, start, salt, name, form, context, page, locale };
    let entrance = Entrance { after: Some(Seq::ZERO), heartbeat, program, of: None };
    visit
        .start_keeping(request, entrance, keepsake.flatten())
        .map_err(|code| NotStarted { code, retry_after: None })
}

fn denied(over: &OverBudget) -> NotStarted {
    let code = match over.of {
        Use::WaitingChat => RefusalCode::TooManyWaiting,
        _ => RefusalCode::TooManyStarts,
    };
    NotStarted { code, retry_after: Some(Span::from_secs(over.retry_after_s())) }
}
