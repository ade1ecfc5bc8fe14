//! How a conversation leaves: when it is over and nobody needs it any more, when it never began,
//! and when its actor cannot go on.

use crate::behavior::conversation::Behavior;
use crate::behavior::conversation::gate::{Gate, Waiters};
use crate::behavior::conversation::output::{Note, Output};
use crate::behavior::conversation::stage::Stage;
use crate::behavior::conversation::turn::Turn;
use crate::behavior::message::{Closing, Denial, ToConversation, Trouble};
use crate::domain::conversation::Conversation;
use crate::domain::id::Seq;
use crate::domain::time::{Span, Timestamp};

/// How long a conversation that is over stays, for callers that are about to ask for it.
const LINGER: Span = Span::from_secs(5);

/// How long an actor that has left the directory still answers.
const FAREWELL: Span = Span::from_millis(500);

/// How long to wait before a conversation whose append failed is opened again: while the disk is
/// full it would fail again at every message.
const REOPEN_AFTER: Span = Span::from_secs(1);

impl Behavior {
    /// Whether nothing can happen in it any more, or nothing ever has.
    fn is_over(&self) -> bool {
        let over = self.conversation.is_closed() || self.conversation.seq() == Seq::ZERO;
        over && matches!(self.stage, Stage::Serving)
    }

    /// Nobody will say the first word: requests that came meanwhile are denied.
    pub(super) fn never_begin(&mut self, turn: &mut Turn<'_>) {
        let kept = self.beginning.take().map_or_else(Vec::new, |beginning| beginning.kept);
        for request in kept.iter().filter_map(ToConversation::request) {
            turn.answer(request, Err(Denial::Unavailable));
        }
        turn.put(Output::Stop);
    }

    /// The caller that entered the conversation says the first word at once. A caller that died in
    /// between never does.
    pub(super) fn linger_for_first_word(&mut self, now: Timestamp) {
        self.leave_at = Some(now + LINGER);
    }

    pub(super) fn retire_if_over(&mut self, now: Timestamp) {
        if self.is_over() && self.leave_at.is_none() {
            self.leave_at = Some(now + LINGER);
        }
    }

    pub(super) fn retire_if_closed(&mut self, now: Timestamp) {
        if self.conversation.is_closed() && self.gate.is_open() {
            self.retire_if_over(now);
        }
    }

    /// Leaves the directory first and stops a moment later, so that nothing that is on its way is
    /// lost. A caller that asks meanwhile reads the same from the journal: the conversation changes
    /// no more.
    pub(super) fn leave_if_due(&mut self, turn: &mut Turn<'_>) {
        if self.leave_at.is_none_or(|at| at > turn.now) {
            return;
        }
        self.leave_at = None;
        if self.stage == Stage::Entered {
            self.begin(None, turn);
        } else if self.stage == Stage::Leaving {
            self.make_way(turn);
        } else if self.stage == Stage::Retired {
            turn.put(Output::Stop);
        } else if self.is_over() && self.gate.is_open() && self.audience.is_empty() {
            self.retire(turn);
        } else {
            self.retire_if_over(turn.now);
        }
    }

    fn retire(&mut self, turn: &mut Turn<'_>) {
        self.stage = Stage::Retired;
        turn.put(Output::LeaveDirectory);
        self.leave_at = Some(turn.now + FAREWELL);
    }

    /// Forgets everything. A session that still hears the chat is closed, and hears that there is
    /// no such chat when it comes back; so does whatever is on its way here.
    pub(super) fn erase(&mut self, turn: &mut Turn<'_>) {
        for session in self.audience.clear() {
            turn.close_session(session, Closing::Restarted);
        }
        self.conversation = Conversation::new(self.id());
        self.gate = Gate::default();
        self.retire(turn);
    }

    /// The journal may have lost what is held back, so what was decided here is not the truth. The
    /// conversation is opened again from the journal, a little later, and nobody waits for this
    /// actor in vain.
    pub(super) fn give_up(&mut self, trouble: Trouble, turn: &mut Turn<'_>) {
        let Waiters { mut sessions, agents, requests, stating } = self.gate.fail();
        for request in requests {
            turn.answer(request, Err(Denial::Trouble(trouble.clone())));
        }
        turn.note(Note::GaveUp(trouble));
        sessions.extend(self.audience.clear());
        for session in sessions {
            turn.close_session(session, Closing::Restarted);
        }
        let beginning = self.beginning.get_or_insert_default();
        // Requests that wait for these claims wait for those of the next actor instead.
        let state = |request| ToConversation::StateClaims(Some(request));
        beginning.kept.extend(stating.into_iter().map(state));
        beginning.agents.extend(agents);
        self.stage = Stage::Leaving;
        self.leave_at = Some(turn.now + REOPEN_AFTER);
    }

    /// Has the conversation opened again, and passes on what was told to this actor meanwhile.
    fn make_way(&mut self, turn: &mut Turn<'_>) {
        turn.put(Output::MakeWay);
        let beginning = self.beginning.take().unwrap_or_default();
        self.ask_for_offers(beginning.agents, turn);
        for message in beginning.kept {
            turn.put(Output::PassOn(message));
        }
        turn.put(Output::Stop);
    }
}
