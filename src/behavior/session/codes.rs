//! The codes on the wire for what the rules, the engine and the conversation say.

use crate::behavior::message::Closing;
use crate::domain::conversation::command::Refusal;
use crate::domain::session::{Finish, SessionRefusal};
use crate::wire::close::CloseCode;
use crate::wire::refusal::RefusalCode;

pub(super) const fn code_of(refusal: SessionRefusal) -> RefusalCode {
    match refusal {
        SessionRefusal::AlreadyGreeted => RefusalCode::AlreadyGreeted,
        SessionRefusal::HelloFirst => RefusalCode::HelloFirst,
        SessionRefusal::AlreadyStarted => RefusalCode::Conversation(Refusal::AlreadyStarted),
        SessionRefusal::NotStarted => RefusalCode::Conversation(Refusal::NotStarted),
    }
}

pub(super) const fn code_of_finish(finish: Finish) -> CloseCode {
    match finish {
        Finish::NoHello => CloseCode::HelloTimeout,
        Finish::RefusedTooOften => CloseCode::RefusedTooOften,
        Finish::Silent => CloseCode::Silent,
        Finish::Unanswered => CloseCode::Internal,
        Finish::Asked => CloseCode::Normal,
    }
}

pub(super) const fn code_of_closing(closing: Closing) -> CloseCode {
    match closing {
        Closing::Draining | Closing::Restarted => CloseCode::Restart,
        Closing::Replaced => CloseCode::Replaced,
        Closing::Silent => CloseCode::Silent,
        Closing::Slow => CloseCode::SlowReader,
    }
}

/// How a socket ends when it is denied the chat it comes back to. A widget that has come back more
/// often than it may would be denied again; every other denial passes.
pub(super) const fn close_code_of(denied: RefusalCode) -> CloseCode {
    match denied {
        RefusalCode::Conversation(Refusal::ConversationFull) => CloseCode::RefusedTooOften,
        _ => CloseCode::Overload,
    }
}
