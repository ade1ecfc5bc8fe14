//! The door of a session.

use holdline::behavior::message::FromSession;

use crate::node::session::{Input, Output, Visit};
use crate::wrong::Wrong;
use crate::wrong::doors::Doors;

impl Doors {
    /// What a session is given in the place of this.
    pub fn into_session(&self, mut input: Input) -> Input {
        if let Input::Identified(identified) = &mut input
            && self.wrong == Some(Wrong::TrustsOtherHistories)
        {
            identified.is_of_now = true;
        }
        input
    }

    /// What is done in the place of what a session wants done.
    pub fn out_of_session(&self, visit: &Visit, out: &mut Vec<Output>) {
        let Some(wrong) = self.wrong else { return };
        let is_deaf = match wrong {
            Wrong::HearsNothing => true,
            Wrong::DeafWhileSettling => visit.is_awaiting(),
            _ => false,
        };
        out.retain(|output| !is_deaf || !matches!(output, Output::Beat(_)));
        for output in out {
            if let Output::ToConversation(_, FromSession::Again(join)) = output
                && wrong == Wrong::TrustsTheSession
            {
                join.after = Some(visit.seen());
            }
        }
    }
}
