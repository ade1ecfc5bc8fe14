//! The simulated behavior of a conversation: it does, in the same order of steps, what the engine's
//! actor does: decide, commit, append, hold behind the gate, and tell only what is durable.

mod handle;
pub mod input;
mod missed;
mod publish;

use std::sync::Arc;

use holdline::behavior::message::{Closing, Denial, ToAgent, ToConversation, ToSession, Trouble};
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::command::{Answer, Command, Refusal};
use holdline::domain::decision::Receipt;
use holdline::domain::id::{AgentId, ConversationId, Seq, SessionId};
use holdline::domain::settings::Workstream;
use holdline::domain::time::{Span, Timestamp};

use crate::node::AUDIT_EVERY;
use crate::node::audience::Audience;
pub use crate::node::chat::input::{Beginning, Input, Output, Turn};
use crate::node::facts::Facts;
use crate::node::gate::{Gate, Waiters};

const WAKES_AT_ONCE: usize = 32;
const LINGER: Span = Span::from_secs(5);
const FAREWELL: Span = Span::from_millis(500);
const REOPEN_AFTER: Span = Span::from_secs(1);

/// A conversation, as its actor has it.
#[derive(Debug)]
pub struct Chat {
    id: ConversationId,
    conversation: Conversation,
    stage: Stage,
    gate: Gate,
    audience: Audience,
    /// When it leaves the directory, and then the stage.
    leave_at: Option<Timestamp>,
    audited_at: Timestamp,
}

/// What it is doing.
#[derive(Debug)]
enum Stage {
    Entered(Vec<ToConversation>),
    Opening(Vec<ToConversation>),
    Serving,
    Retired,
    Leaving { kept: Vec<ToConversation>, agents: Vec<AgentId> },
}

impl Chat {
    /// A conversation that is about to begin, in one way or another.
    pub fn new(conversation: Conversation, now: Timestamp) -> Self {
        Self {
            id: conversation.id(),
            stage: Stage::Serving,
            gate: Gate::new(conversation.seq()),
            audience: Audience::new(conversation.seen_by_customer()),
            leave_at: None,
            audited_at: now,
            conversation,
        }
    }

    /// The conversation as it is here, durable or not.
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// Whether it serves, what it has decided is durable, and nobody waits to be told of it.
    pub fn is_settled(&self) -> bool {
        matches!(self.stage, Stage::Serving | Stage::Retired)
            && self.gate.is_open()
            && self.audience.retry_at().is_none()
    }

    /// When it wants to be woken.
    pub fn wake_at(&self, now: Timestamp, facts: &Facts<'_>) -> Option<Timestamp> {
        let mut due = self.conversation.wake_at();
        if !matches!(self.stage, Stage::Serving) {
            due = None;
        }
        if !facts.is_writable {
            due = due.map(|at| at.max(now + Span::from_secs(1)));
        }
        due.into_iter().chain(self.leave_at).chain(self.audience.retry_at()).min()
    }

    /// Deals with one input.
    pub fn handle(
        &mut self,
        input: Input,
        now: Timestamp,
        facts: &Facts<'_>,
        out: &mut Vec<Output>,
    ) {
        let turn = &mut Turn { now, facts, out };
        if !matches!(input, Input::Durable(_) | Input::Page { .. }) {
            self.listen(turn);
        }
        match input {
            Input::Begin(Beginning::Fresh) => self.stage = Stage::Entered(Vec::new()),
            Input::Begin(Beginning::Recovered) => self.recover(turn),
            Input::Begin(Beginning::Unread) => {
                self.stage = Stage::Opening(Vec::new());
                turn.out.push(Output::Load);
            }
            Input::Told(told) => self.take(turn, told),
            Input::Loaded(found) => self.loaded(turn, found.map(|found| *found)),
            Input::Wake => self.wake(turn),
            _ if matches!(self.stage, Stage::Leaving { .. }) => {}
            Input::Durable(receipt) => {
                self.durable(turn, receipt);
                if self.conversation.is_closed() && self.gate.is_open() {
                    self.retire_if_over(turn);
                }
            }
            Input::Lost => self.give_up(turn),
            Input::Page { session, through, entries } => {
                self.catch_up(turn, session, through, &entries);
            }
            Input::NoRoom(session) => self.retry_later(turn, session),
            Input::Slow(session) => self.drop_slow(turn, session),
            Input::Missing(agent) => self.take(turn, ToConversation::AgentGone(agent)),
        }
    }

    /// Takes note of all signs of life that there are.
    fn listen(&mut self, turn: &Turn<'_>) {
        let attending = self.conversation.attendance().sessions().iter();
        for session in attending.map(|one| one.session).collect::<Vec<_>>() {
            if let Some(signs) = turn.facts.pulses.take_signs(session, self.id) {
                self.conversation.hear_all(session, signs);
            }
        }
    }

    fn workstream(&self, turn: &Turn<'_>) -> Arc<Workstream> {
        let Some(opening) = self.conversation.opening() else {
            return Arc::new(Workstream::new("none".parse().unwrap(), "none".parse().unwrap()));
        };
        turn.facts.settings.workstream_of(opening).into_owned()
    }

    fn perform(&mut self, turn: &mut Turn<'_>, command: Command) -> Result<Answer, Refusal> {
        let workstream = self.workstream(turn);
        self.perform_for(turn, command, None, &workstream)
    }

    fn perform_for(
        &mut self,
        turn: &mut Turn<'_>,
        command: Command,
        author: Option<SessionId>,
        workstream: &Workstream,
    ) -> Result<Answer, Refusal> {
        let now = turn.now;
        let decision = self.conversation.decide(command, now, workstream)?;
        let answer = decision.answer;
        if decision.events.is_empty() {
            return Ok(answer);
        }
        let before = self.conversation.agent().cloned();
        let pending = self.conversation.commit(decision, now);
        let (first, events) = (pending.first(), pending.events().to_vec());
        turn.out.push(Output::Append { first, at: now, events });
        let told = publish::for_agents(&self.conversation, &pending, before.as_ref(), now);
        self.gate.hold(pending, author, told);
        Ok(answer)
    }

    fn durable(&mut self, turn: &mut Turn<'_>, receipt: Receipt) {
        for through in self.gate.open(receipt) {
            self.release(turn, through);
        }
    }

    fn loaded(&mut self, turn: &mut Turn<'_>, found: Option<Conversation>) {
        let Stage::Opening(kept) = std::mem::replace(&mut self.stage, Stage::Serving) else {
            return;
        };
        if let Some(conversation) = found {
            self.gate = Gate::new(conversation.seq());
            self.audience = Audience::new(conversation.seen_by_customer());
            self.conversation = conversation;
            self.recover(turn);
        }
        for told in kept {
            self.take(turn, told);
        }
        self.retire_if_over(turn);
    }

    /// After a restart, or after a fault: sessions are lost, timers start anew, and every claim is
    /// stated again.
    fn recover(&mut self, turn: &mut Turn<'_>) {
        for attending in self.conversation.attendance().sessions().to_vec() {
            turn.tell_session(attending.session, ToSession::Close(Closing::Restarted));
        }
        self.perform(turn, Command::Recover).expect("recovery is never refused");
        self.state_claims(turn);
    }

    /// What was decided here may not be the truth; it is read again.
    fn give_up(&mut self, turn: &mut Turn<'_>) {
        turn.out.push(Output::Fault);
        let Waiters { requests, mut sessions, agents, stating } = self.gate.fail();
        let trouble = Trouble { is_of_writing: true, text: "the disk".into() };
        for request in requests {
            turn.answer(request, Err(Denial::Trouble(trouble.clone())));
        }
        sessions.extend(self.audience.clear());
        for session in sessions {
            turn.tell_session(session, ToSession::Close(Closing::Restarted));
        }
        // Whoever waits for these claims waits for those of the one that takes its place.
        let state = |request| ToConversation::StateClaims(Some(request));
        let kept = stating.into_iter().map(state).collect();
        self.stage = Stage::Leaving { kept, agents };
        self.leave_at = Some(turn.now + REOPEN_AFTER);
    }

    /// Has the conversation opened again, and passes on what it was told meanwhile.
    fn make_way(&mut self, turn: &mut Turn<'_>) {
        let Stage::Leaving { kept, agents } = std::mem::replace(&mut self.stage, Stage::Retired)
        else {
            return;
        };
        turn.out.push(Output::LeaveDirectory);
        if self.conversation.seq() > Seq::ZERO {
            turn.out.push(Output::PassOn(ToConversation::StateClaims(None)));
        }
        for agent in agents {
            turn.tell_agent(agent, ToAgent::AskAbout(self.id));
        }
        for told in kept {
            match told {
                ToConversation::Offer(agent, ..) => {
                    turn.tell_agent(agent, ToAgent::AskAbout(self.id));
                }
                told => turn.out.push(Output::PassOn(told)),
            }
        }
        turn.out.push(Output::Stop);
    }

    /// Serves every timer that is due.
    fn wake(&mut self, turn: &mut Turn<'_>) {
        self.leave_if_due(turn);
        for session in self.audience.take_retries(turn.now) {
            self.read_missed(turn, session);
        }
        if !matches!(self.stage, Stage::Serving) || !turn.facts.is_writable {
            return;
        }
        for session in self.conversation.ask_quiet(turn.now) {
            turn.tell_session(session, ToSession::Probe);
        }
        for _ in 0..WAKES_AT_ONCE {
            if self.conversation.wake_at().is_none_or(|at| at > turn.now) {
                break;
            }
            if self.perform(turn, Command::Wake).is_err() {
                break;
            }
        }
        self.repeat_lease(turn);
    }

    fn retire_if_over(&mut self, turn: &Turn<'_>) {
        let over = self.conversation.is_closed() || self.conversation.seq() == Seq::ZERO;
        if over && matches!(self.stage, Stage::Serving) {
            self.leave_at.get_or_insert(turn.now + LINGER);
        }
    }

    /// It has lingered for long enough, if nobody needs it any more.
    fn leave_if_due(&mut self, turn: &mut Turn<'_>) {
        if self.leave_at.is_none_or(|at| at > turn.now) {
            return;
        }
        self.leave_at = None;
        let over = self.conversation.is_closed() || self.conversation.seq() == Seq::ZERO;
        match &self.stage {
            Stage::Leaving { .. } => self.make_way(turn),
            Stage::Retired => turn.out.push(Output::Stop),
            Stage::Serving if over && self.gate.is_open() && self.audience.is_empty() => {
                self.stage = Stage::Retired;
                turn.out.push(Output::LeaveDirectory);
                self.leave_at = Some(turn.now + FAREWELL);
            }
            Stage::Serving | Stage::Entered(_) | Stage::Opening(_) => self.retire_if_over(turn),
        }
    }

    /// Repeats a lease from time to time, so that an agent who forgot it is corrected.
    fn repeat_lease(&mut self, turn: &mut Turn<'_>) {
        let due = turn.now.since(self.audited_at) >= AUDIT_EVERY;
        let Some(lease) = self.conversation.lease().filter(|_| due && self.gate.is_open()) else {
            return;
        };
        let (conversation, seq) = (self.id, self.conversation.seq());
        let (agent, lease) = (lease.agent.clone(), Some(lease.clone()));
        turn.tell_agent(agent, ToAgent::Adjust { conversation, seq, lease, repeated: true });
        self.audited_at = turn.now;
    }
}
