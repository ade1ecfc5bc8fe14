//! How a conversation commits itself: it decides, applies the decision, has the events written, and
//! holds back what follows from them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::behavior::conversation::Behavior;
use crate::behavior::conversation::gate::Deferred;
use crate::behavior::conversation::news;
use crate::behavior::conversation::output::{Note, Output, Tally};
use crate::behavior::conversation::turn::Turn;
use crate::domain::conversation::command::{Answer, Command, Refusal};
use crate::domain::conversation::event::Event;
use crate::domain::decision::Decision;
use crate::domain::id::SessionId;
use crate::domain::settings::Workstream;

impl Behavior {
    /// The settings in force for this conversation.
    pub(super) fn workstream<'a>(&self, turn: &Turn<'a>) -> Cow<'a, Arc<Workstream>> {
        turn.facts.workstream_of(self.conversation.opening())
    }

    /// Decides, applies, and has the events written; what follows is held back.
    pub(super) fn perform(
        &mut self,
        command: Command,
        turn: &mut Turn<'_>,
    ) -> Result<Answer, Refusal> {
        let workstream = self.workstream(turn);
        self.perform_by(command, None, &workstream, turn)
    }

    /// The same for a command of a session, and with these settings.
    pub(super) fn perform_by(
        &mut self,
        command: Command,
        author: Option<SessionId>,
        workstream: &Workstream,
        turn: &mut Turn<'_>,
    ) -> Result<Answer, Refusal> {
        let decision = self.conversation.decide(command, turn.now, workstream)?;
        Ok(self.carry_through(decision, author, turn))
    }

    fn carry_through(
        &mut self,
        decision: Decision,
        author: Option<SessionId>,
        turn: &mut Turn<'_>,
    ) -> Answer {
        let answer = decision.answer;
        if decision.events.is_empty() {
            return answer;
        }
        self.write_restart(turn);
        self.note_lateness(&decision.events, turn);
        let agent_before = self.conversation.agent().cloned();
        let pending = self.conversation.commit(decision, turn.now);
        let (first, through) = (pending.first(), self.conversation.seq());
        self.gate.note_append(first, through);
        turn.put(Output::Append { first, at: turn.now, events: pending.shared_events() });
        let told = news::for_agents(&self.conversation, &pending, agent_before.as_ref(), turn);
        self.gate.hold(pending, through, author, told);
        self.recount(turn);
        answer
    }

    /// Holds `then` back until everything before it is durable.
    pub(super) fn then(&mut self, then: Deferred, turn: &mut Turn<'_>) {
        // A restart changes no claim, so messages about claims alone need not wait for it.
        if !matches!(then, Deferred::Adjust(..) | Deferred::StateClaims(_)) {
            self.write_restart(turn);
        }
        if let Some(then) = self.gate.after(self.written_through(), then) {
            self.follow(then, turn);
        }
    }

    /// Notes how late the end of a window was, if that is what was decided.
    fn note_lateness(&self, events: &[Event], turn: &mut Turn<'_>) {
        let Some(absence) = self.conversation.absence() else { return };
        if events.iter().any(|event| matches!(event, Event::CustomerDisconnected { .. })) {
            turn.note(Note::Late(turn.now.since(absence.until)));
        }
    }

    pub(super) fn recount(&mut self, turn: &mut Turn<'_>) {
        let after = Tally::of(&self.conversation);
        if after != self.counted {
            let before = std::mem::replace(&mut self.counted, after);
            turn.note(Note::Counted { before, after });
        }
    }
}
