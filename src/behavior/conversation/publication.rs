//! What becomes of a decision once it is durable: customers and agents are told, claims are acted
//! upon, answers are given.

use bytestring::ByteString;

use crate::behavior::conversation::Behavior;
use crate::behavior::conversation::gate::{Deferred, ForAgents, Through};
use crate::behavior::conversation::news;
use crate::behavior::conversation::output::Note;
use crate::behavior::conversation::turn::Turn;
use crate::behavior::message::{Answered, Closing, ToAgent, ToSession};
use crate::domain::cause::Cause;
use crate::domain::conversation::event::{Audience, Event, Recorded};
use crate::domain::decision::{Receipt, Released};
use crate::domain::id::{Seq, SessionId};
use crate::domain::time::Timestamp;
use crate::wire::server::ServerFrame;

impl Behavior {
    /// The journal is durable up to here: lets everything through the gate that this covers.
    pub(super) fn release(&mut self, receipt: Receipt, turn: &mut Turn<'_>) {
        while let Some(through) = self.gate.open(receipt) {
            match through {
                Through::Decision { released, author, for_agents } => {
                    self.let_out(released, author, for_agents, turn);
                }
                Through::Deferred(then) => self.follow(then, turn),
            }
        }
    }

    fn let_out(
        &mut self,
        released: Released,
        author: Option<SessionId>,
        for_agents: ForAgents,
        turn: &mut Turn<'_>,
    ) {
        self.publish(&released, author, turn);
        for (agent, told) in for_agents {
            if !told.is_empty() {
                turn.tell_agent(agent, ToAgent::Tell(told));
            } else if turn.facts.near.has_listened(&agent) {
                // A console listens now, and none did when this was decided.
                self.show_to(agent, None, turn);
            }
        }
        let last = released.first.plus(count(&released.events).saturating_sub(1));
        for effect in released.effects {
            self.carry_out(effect, last, turn);
        }
    }

    /// Does what was held back.
    pub(super) fn follow(&mut self, then: Deferred, turn: &mut Turn<'_>) {
        match then {
            Deferred::Answer(request, answer) => turn.answer(request, answer),
            Deferred::Send(session, message) => self.answer(session, message, turn),
            Deferred::Joined(session, heard, joined) => {
                turn.tell_session(session, joined);
                if let Some(heard) = heard {
                    self.hear_from(session, heard, None, turn);
                    self.ask_for_position(turn);
                }
            }
            Deferred::Hear { session, after, until, is_over } => {
                self.audience.is_over |= is_over;
                self.hear_from(session, after, until, turn);
            }
            Deferred::Tell(agent, told) => turn.tell_agent(agent, ToAgent::Tell(told)),
            Deferred::ShowTo(agent, feed, told) => {
                turn.tell_agent(agent, ToAgent::Shown(feed, told));
            }
            Deferred::Adjust(agent, adjust) => turn.tell_agent(agent, ToAgent::Command(adjust)),
            Deferred::StateClaims(request) => {
                self.state_claims(turn);
                if let Some(request) = request {
                    turn.answer(request, Ok(Answered::Done));
                }
            }
        }
    }

    fn publish(&mut self, released: &Released, author: Option<SessionId>, turn: &mut Turn<'_>) {
        for (event, number) in released.events.iter().zip(released.first.number()..) {
            let seq = Seq::new(number);
            note(event, turn);
            match event {
                Event::SessionLost { session, cause, .. } => self.let_go(*session, *cause, turn),
                Event::ServerRestarted { .. } => drop(self.audience.clear()),
                _ => {}
            }
            if event.is_seen_by(Audience::Customer) {
                self.show_all(seq, released.at, event, author, turn);
            }
            if matches!(event, Event::AgentLeft { .. }) && self.audience.typing.by_agent {
                // A signal ends with the agent who gave it.
                self.audience.typing.by_agent = false;
                self.tell_all(&ServerFrame::Typing { on: false }.render(), turn);
            }
            if matches!(event, Event::WrapupStarted { .. } | Event::ConversationClosed { .. }) {
                self.dismiss_audience(turn);
            }
        }
    }

    /// Shows an event to every session that hears the conversation live.
    fn show_all(
        &mut self,
        seq: Seq,
        at: Timestamp,
        event: &Event,
        author: Option<SessionId>,
        turn: &mut Turn<'_>,
    ) {
        let told = self.audience.publish(seq, author);
        if told.is_empty() {
            return;
        }
        let recorded = Recorded { seq, at, event: event.clone() };
        let frames = news::for_customer(&recorded, turn.facts);
        for session in told {
            for text in &frames {
                turn.show(session, seq, text.clone());
            }
        }
    }

    /// The customer takes no part any more: their sessions are free for another chat. A session
    /// that still reads what it missed is dismissed once it has.
    pub(super) fn dismiss_audience(&mut self, turn: &mut Turn<'_>) {
        let id = self.id();
        self.audience.is_over = true;
        for session in self.audience.take_live() {
            turn.tell_session(session, ToSession::Over(id));
        }
    }

    /// A session was lost by the server's own judgement; it may not know.
    fn let_go(&mut self, session: SessionId, cause: Cause, turn: &mut Turn<'_>) {
        self.audience.remove(session);
        self.tell_typing(turn);
        let closing = match cause {
            Cause::Replaced => Closing::Replaced,
            // The page may have announced that it was leaving before it fell silent.
            Cause::Silent | Cause::Left(_) => Closing::Silent,
            Cause::Closed(_)
            | Cause::Reset
            | Cause::Draining
            | Cause::Restarted
            | Cause::Refused(_) => return,
        };
        turn.close_session(session, closing);
    }

    /// Closes a session that reads too slowly.
    pub(super) fn drop_slow(&mut self, session: SessionId, turn: &mut Turn<'_>) {
        self.audience.remove(session);
        self.tell_typing(turn);
        turn.note(Note::SlowReader);
        turn.close_session(session, Closing::Slow);
    }

    /// Tells the agent that the customer types, or has stopped, where that has changed: by what a
    /// session said, or by its end.
    pub(super) fn tell_typing(&mut self, turn: &mut Turn<'_>) {
        let types = self.audience.is_typed_in();
        if std::mem::replace(&mut self.audience.typing.by_customer, types) != types {
            news::typing(&self.conversation, types, turn);
        }
    }

    /// Shows every session a frame that is only passing; a slow reader may miss it.
    pub(super) fn tell_all(&self, text: &ByteString, turn: &mut Turn<'_>) {
        for session in self.audience.sessions() {
            turn.show(session, Seq::ZERO, text.clone());
        }
    }
}

/// Counts what has happened.
fn note(event: &Event, turn: &mut Turn<'_>) {
    match event {
        Event::MessagePosted { .. } => turn.note(Note::Posted),
        Event::SessionLost { cause, .. } => turn.note(Note::SessionLost(*cause)),
        Event::CustomerDisconnected { cause, .. } => turn.note(Note::Disconnected(*cause)),
        Event::ConversationClosed { reason, .. } => turn.note(Note::Closed(*reason)),
        _ => {}
    }
}

fn count(events: &[Event]) -> u32 {
    u32::try_from(events.len()).unwrap_or(u32::MAX)
}
