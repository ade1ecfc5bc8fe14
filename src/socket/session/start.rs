//! How a session asks for a chat.

use crate::behavior::message::Join;
use crate::behavior::session::{ChatRequest, NotStarted};
use crate::domain::conversation::command::StartRequest;
use crate::domain::id::{ConversationId, Seq, WidgetId};
use crate::domain::time::Span;
use crate::engine::Visit;
use crate::socket::session::guest::Guest;
use crate::strangers::{OverBudget, Use};
use crate::wire::refusal::RefusalCode;

/// Begins a chat, if the guest's budgets allow it, or comes back into the visitor's present chat.
pub(super) fn start(
    visit: &Visit,
    guest: &Guest,
    widget: WidgetId,
    salt: u64,
    asked: ChatRequest,
) -> Result<ConversationId, NotStarted> {
    let ChatRequest { visitor, start, name, form, context, page, locale, heartbeat, program } =
        asked;
    // A visitor who comes back into a chat begins none.
    let is_new = visit.chat_of(visitor).is_none();
    let keepsake = is_new.then(|| guest.ask_to_wait()).transpose().map_err(|over| denied(&over))?;
    let request = StartRequest { widget, visitor, start, salt, name, form, context, page, locale };
    let join = Join { start: None, after: Some(Seq::ZERO), heartbeat, program, of: None };
    visit
        .start(request, join, keepsake.flatten())
        .map_err(|code| NotStarted { code, retry_after: None })
}

fn denied(over: &OverBudget) -> NotStarted {
    let code = match over.of {
        Use::WaitingChat => RefusalCode::TooManyWaiting,
        _ => RefusalCode::TooManyStarts,
    };
    NotStarted { code, retry_after: Some(Span::from_secs(over.retry_after_s())) }
}
