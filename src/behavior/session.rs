//! What a session does with each input: it reads frames, asks the state machine whether they are
//! allowed now, passes them on, and says what comes back.
//!
//! ```text
//!   frame ──> read ──> decide ──> apply ──> passed on, or answered
//!                │                 ^
//!                v                 │
//!             kept while <──── asks, is answered
//! ```
//!
//! While the session waits for an answer it takes no further frame: they wait in order, and the
//! widget waits with them. Each frame is done once, with its answer where it has one.

mod answer;
mod codes;
mod dialogue;
mod frames;
mod greeting;
mod input;
mod output;
mod pace;
mod stage;
mod start;

pub use crate::behavior::session::dialogue::Behavior;
pub use crate::behavior::session::input::{
    Facts, Identified, Input, Named, Nearby, NotStarted, Unheard,
};
pub use crate::behavior::session::output::{
    ChatRequest, Credentials, Note, Output, Presence, Spending,
};

use crate::behavior::message::FromSession;
use crate::behavior::session::dialogue::Turn;
use crate::domain::time::Timestamp;
use crate::wire::close::CloseCode;

impl Behavior {
    /// Deals with one input.
    pub fn handle(
        &mut self,
        input: Input,
        now: Timestamp,
        facts: &Facts<'_>,
        out: &mut Vec<Output>,
    ) {
        let turn = &mut Turn { now, facts, out };
        match input {
            // Nothing is said or done any more.
            Input::Text(_) | Input::Ping(_) | Input::Pong if self.stage.is_over() => turn.done(),
            _ if self.stage.is_over() => {}
            Input::Text(text) => self.take_text(text, turn),
            Input::Ping(payload) => self.pinged(payload, turn),
            Input::Pong => self.hear_browser(turn),
            Input::Told(told, token) => self.told(told, token.as_deref(), turn),
            Input::Unheard(unheard) => self.unheard(unheard, turn),
            Input::Identified(identified) => self.identified(&identified, turn),
            Input::Found(found) => self.found(found, turn),
            Input::Started(started) => self.started(started, turn),
            Input::Spent(Spending::Post(reference, id, text)) => {
                self.speak(FromSession::Post(reference, id, text), turn);
            }
            Input::Spent(Spending::RefusedToken) => self.may_show_another(turn),
            Input::OverBudget(Spending::Post(reference, ..), wait) => {
                self.posts_too_much(&reference, wait, turn);
            }
            Input::OverBudget(Spending::RefusedToken, _) => {
                self.close(CloseCode::RefusedTooOften, turn);
            }
            Input::Resume => self.resume(turn),
            Input::Ended(cause) => self.leave(cause, turn),
            Input::Wake => self.wake(turn),
        }
        if self.stage.takes_up() {
            turn.put(Output::Resume);
        }
    }
}
