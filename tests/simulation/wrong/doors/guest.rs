//! The door of a session.

use holdline::behavior::message::FromSession;

use crate::node::session::{Behavior, Input, Output};
use crate::wrong::Wrong;
use crate::wrong::doors::Doors;

impl Doors {
    /// What a session is given in place of this input.
    pub fn into_session(&self, mut input: Input) -> Input {
        if let Input::Identified(identified) = &mut input
            && self.wrong == Some(Wrong::TrustsOtherHistories)
            && let Some(named) = &mut identified.named
        {
            named.is_of_this_history = true;
        }
        input
    }

    /// What is done in place of a session's outputs.
    pub fn out_of_session(&self, session: &Behavior, out: &mut Vec<Output>) {
        let Some(wrong) = self.wrong else { return };
        let is_deaf = match wrong {
            Wrong::HearsNothing => true,
            Wrong::DeafWhileSettling => session.is_settling(),
            _ => false,
        };
        out.retain(|output| !is_deaf || !matches!(output, Output::Beat(_)));
        for output in out {
            if let Output::ToConversation(_, FromSession::Again(join)) = output
                && wrong == Wrong::TrustsTheSession
            {
                join.after = Some(session.seen());
            }
        }
    }
}
