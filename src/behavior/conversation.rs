//! What a conversation does with each input: it decides, has the decision written, and tells only
//! what is written.
//!
//! ```text
//!   input ──> decide ──> append ──> journal          (nothing is told yet)
//!                           │
//!                           └──> held back ──durable──> publish, act, answer
//! ```
//!
//! Every answer, including refusals and views, waits until all earlier decisions are durable, so
//! nobody hears of a state that a crash could still undo.

mod audience;
mod catch_up;
mod claims;
mod commitment;
mod customer;
mod departure;
mod gate;
mod input;
mod news;
mod output;
mod publication;
mod restart;
mod staff;
mod stage;
mod turn;

pub use crate::behavior::conversation::input::Input;
pub use crate::behavior::conversation::output::{Note, Output, Tally};

use crate::behavior::conversation::audience::Audience;
use crate::behavior::conversation::gate::{Deferred, Gate};
use crate::behavior::conversation::stage::{Beginning, Stage};
use crate::behavior::conversation::turn::Turn;
use crate::behavior::facts::Facts;
use crate::behavior::message::{Answered, Denial, FromSession, ToAgent, ToConversation, ToSession};
use crate::domain::conversation::command::Command;
use crate::domain::conversation::{Conversation, Phase};
use crate::domain::decision::Receipt;
use crate::domain::id::{AgentId, ConversationId, Seq, SessionId};
use crate::domain::time::{Span, Timestamp};
use crate::limits;
use crate::wire::server::ServerFrame;

/// A conversation, as its actor has it.
#[derive(Debug)]
pub struct Behavior {
    conversation: Conversation,
    gate: Gate,
    audience: Audience,
    beginning: Option<Box<Beginning>>,
    /// When to leave the directory, if the conversation is over and nobody needs it; in other
    /// stages, when to leave the stage.
    leave_at: Option<Timestamp>,
    /// The latest time at which the restart is written; nothing once it is.
    unwritten_until: Option<Timestamp>,
    /// When it last repeated its lease to the agent.
    audited_at: Timestamp,
    stage: Stage,
    /// What the conversation counts as in the gauges, as last reported.
    counted: Tally,
}

// There are millions of these.
const _: () = assert!(size_of::<Behavior>() <= 240);

/// The session for whose silence a conversation waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Silence {
    /// The session.
    pub session: SessionId,
    /// How long after a sign of life the conversation wants to be woken.
    pub after: Span,
    /// When the conversation wants to be woken regardless of signs of life.
    pub until: Option<Timestamp>,
}

impl Behavior {
    fn new(conversation: Conversation, stage: Stage, now: Timestamp) -> Self {
        Self {
            gate: Gate::default(),
            audience: Audience::new(conversation.seen_by_customer()),
            conversation,
            beginning: None,
            leave_at: None,
            unwritten_until: None,
            audited_at: now,
            stage,
            counted: Tally::default(),
        }
    }

    /// A conversation that is about to begin. It answers nobody until it is told the first word:
    /// before that, a caller would hear that there is no such conversation.
    pub fn entered(id: ConversationId, now: Timestamp) -> Self {
        let mut behavior = Self::new(Conversation::new(id), Stage::Entered, now);
        behavior.linger_for_first_word(now);
        behavior
    }

    /// A conversation as it was when the server stopped. Its timers count from `counts_from`, or
    /// from when it begins if that is later. The restart of the server is written within
    /// `write_within`.
    pub fn recovered(
        conversation: Conversation,
        counts_from: Timestamp,
        write_within: Span,
        now: Timestamp,
    ) -> Self {
        let mut behavior = Self::new(conversation, Stage::Recovering, now);
        let beginning = Beginning { write_within, counts_from, ..Beginning::default() };
        behavior.beginning = Some(Box::new(beginning));
        behavior
    }

    /// A conversation that is read from the journal first.
    pub fn opening(id: ConversationId, now: Timestamp) -> Self {
        Self::new(Conversation::new(id), Stage::Opening, now)
    }

    /// Its id.
    pub const fn id(&self) -> ConversationId {
        self.conversation.id()
    }

    /// What the conversation counts as in the gauges, as last reported.
    pub const fn counted(&self) -> Tally {
        self.counted
    }

    /// Whether the journal was given something that is not known to be durable.
    pub const fn is_in_flight(&self) -> bool {
        self.gate.is_in_flight()
    }

    /// The conversation in its latest state, durable or not.
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// Whether the conversation serves, all its decisions are durable, and no session still waits
    /// to be told of them.
    pub fn is_settled(&self) -> bool {
        matches!(self.stage, Stage::Serving | Stage::Retired)
            && !self.gate.is_in_flight()
            && self.unwritten_until.is_none()
            && self.audience.retry_at().is_none()
    }

    /// Whether signs of life may postpone the conversation's next wake-up.
    pub fn is_connected(&self) -> bool {
        self.conversation.attendance().is_connected()
    }

    /// Whether the journal has, or may have, something of the conversation.
    pub fn may_be_written(&self) -> bool {
        self.conversation.seq() > Seq::ZERO || matches!(self.stage, Stage::Opening | Stage::Leaving)
    }

    /// Whether the conversation is over and its actor about to stop: it has nothing more to decide.
    pub const fn is_retired(&self) -> bool {
        matches!(self.stage, Stage::Retired)
    }

    const fn is_serving(&self) -> bool {
        matches!(self.stage, Stage::Serving)
    }

    /// When it wants to be woken.
    pub fn wake_at(&self, now: Timestamp, facts: &Facts<'_>) -> Option<Timestamp> {
        if self.stage == Stage::Leaving {
            return self.leave_at;
        }
        let due = self.conversation.wake_at().into_iter().chain(self.unwritten_until);
        let mut due = due.chain(self.lease_repeated_at(facts.audit_every)).min();
        if due.is_some() && !facts.is_writable {
            // While nothing can be written nothing can be decided; look again in a moment.
            due = due.max(Some(now + Span::from_secs(1)));
        }
        due.into_iter().chain(self.leave_at).chain(self.audience.retry_at()).min()
    }

    /// The session for whose silence the conversation wants to be woken at `due`, if there is one.
    /// A lease is repeated to its agent every `audit_every`.
    pub fn silence(&self, due: Timestamp, audit_every: Span) -> Option<Silence> {
        let watched = self.conversation.watched().filter(|watched| watched.wake_at == due)?;
        let repeated_at = self.lease_repeated_at(audit_every);
        let own = [self.unwritten_until, repeated_at, self.leave_at, self.audience.retry_at()];
        let until = own.into_iter().flatten().chain(watched.otherwise).min();
        Some(Silence { session: watched.session, after: watched.after, until })
    }

    /// Deals with one input.
    pub fn handle(
        &mut self,
        input: Input,
        now: Timestamp,
        facts: &Facts<'_>,
        out: &mut Vec<Output>,
    ) {
        let turn = &mut Turn::new(now, facts, out);
        match input {
            Input::Begin => match self.stage {
                Stage::Opening => turn.put(Output::Load),
                Stage::Recovering => self.restart(turn),
                Stage::Entered | Stage::Serving | Stage::Retired | Stage::Leaving => {}
            },
            Input::Told(message) => self.take(message, turn),
            Input::Heard(heard) => self.conversation.hear_all(heard.session, heard.signs),
            Input::Durable(receipt) => self.durable(receipt, turn),
            Input::Lost(trouble) => {
                // `Entered` and `Opening` have nothing in flight to lose; `Leaving` knows already.
                if !matches!(self.stage, Stage::Entered | Stage::Opening | Stage::Leaving) {
                    self.listen(turn.facts);
                    self.give_up(trouble, turn);
                }
            }
            Input::Loaded(found) if self.stage == Stage::Opening => match found {
                Ok(found) => self.opened(found, turn),
                Err(trouble) => self.give_up(trouble, turn),
            },
            Input::Loaded(_) => {}
            Input::Page { session, after, through, entries } => {
                self.catch_up(session, (after, through), entries, turn);
            }
            Input::NoRoom(session) => self.stall(session, turn),
            Input::Slow(session) => self.drop_slow(session, turn),
            Input::Wake => self.wake(turn),
        }
    }

    fn durable(&mut self, receipt: Receipt, turn: &mut Turn<'_>) {
        if !matches!(self.stage, Stage::Opening | Stage::Leaving) {
            self.release(receipt, turn);
            self.retire_if_closed(turn.now);
        }
    }

    /// Serves every timer that is due.
    fn wake(&mut self, turn: &mut Turn<'_>) {
        self.leave_if_due(turn);
        self.retry_pages(turn);
        if !self.is_serving() || !turn.facts.is_writable {
            return;
        }
        self.listen(turn.facts);
        self.write_restart_if_due(turn);
        for session in self.conversation.ask_quiet(turn.now) {
            turn.note(Note::Probed);
            turn.tell_session(session, ToSession::Probe);
        }
        for _ in 0..limits::TIMERS_SERVED_AT_ONCE {
            // What has become due meanwhile is served at the next wake.
            if self.conversation.wake_at().is_none_or(|at| at > turn.now) {
                break;
            }
            if self.perform(Command::Wake, turn).is_err() {
                break;
            }
        }
        self.repeat_lease(turn);
    }

    /// Takes note of all signs of life so far, so that every answer takes them into account.
    pub fn listen(&mut self, facts: &Facts<'_>) {
        let id = self.id();
        let mut next = 0;
        while let Some(attending) = self.conversation.attendance().sessions().get(next) {
            let session = attending.session;
            if let Some(signs) = facts.near.take_signs(session, id) {
                self.conversation.hear_all(session, signs);
            }
            next += 1;
        }
    }

    fn take(&mut self, message: ToConversation, turn: &mut Turn<'_>) {
        match self.stage {
            Stage::Serving | Stage::Recovering | Stage::Retired => {}
            Stage::Entered if is_first_word(&message) => return self.begin(Some(message), turn),
            Stage::Entered if matches!(message, ToConversation::NeverBegins) => {
                return self.never_begin(turn);
            }
            Stage::Entered | Stage::Opening | Stage::Leaving => return self.keep(message, turn),
        }
        self.listen(turn.facts);
        match message {
            ToConversation::Session(session, said) => self.session_said(session, said, turn),
            ToConversation::Ask(command, request) => self.ask(*command, request, turn),
            ToConversation::Show(request) => self.show(request, turn),
            ToConversation::Signal(agent, signal, request) => {
                let answer = self.signal(&agent, signal, turn);
                turn.answer(request, answer.map(|()| Answered::Done));
            }
            ToConversation::Offer(agent, reservation, units) => {
                self.offer(&agent, (reservation, units), turn);
            }
            ToConversation::Withdraw(agent, reservation) => {
                self.settle_reservation(&agent, reservation, turn);
            }
            ToConversation::AgentGone(agent) => {
                self.perform_about(agent.clone(), Command::AgentGone { agent }, turn);
            }
            ToConversation::MissAgent(agent, since) => {
                self.perform_about(agent.clone(), Command::MissAgent { agent, since }, turn);
            }
            ToConversation::MeetAgent(agent) => {
                self.perform_about(agent.clone(), Command::MeetAgent { agent }, turn);
            }
            ToConversation::ShowTo(agent, feed) => self.show_to(agent, feed, turn),
            ToConversation::ConfirmLease(agent) => self.confirm_lease(agent, turn),
            ToConversation::StateClaims(request) => {
                self.then(Deferred::StateClaims(request), turn);
            }
            ToConversation::BeCounted(setting, request) => {
                self.be_counted(&setting, request, turn);
            }
            ToConversation::NeverBegins => turn.put(Output::Stop),
            ToConversation::Erased => self.erase(turn),
            ToConversation::Position { position, wait } if self.is_waiting() => {
                let frame = ServerFrame::Queue { position, wait_ms: wait }.render();
                self.tell_all(&frame, turn);
            }
            // The chat no longer waits for an agent.
            ToConversation::Position { .. } => {}
        }
    }

    /// Keeps a message for later. Of an offer it keeps only whose it is: the units that the agent
    /// set aside may be gone by then, so the agent is asked for the offer once more.
    fn keep(&mut self, message: ToConversation, turn: &mut Turn<'_>) {
        let beginning = self.beginning.get_or_insert_default();
        if beginning.kept.len() + beginning.agents.len() < limits::OPENING_MESSAGES_MAX {
            return match message {
                ToConversation::Offer(agent, ..) => beginning.agents.push(agent),
                message => beginning.kept.push(message),
            };
        }
        turn.note(Note::NotKept);
        if let Some(request) = message.request() {
            turn.answer(request, Err(Denial::Unavailable));
        }
    }

    const fn is_waiting(&self) -> bool {
        matches!(self.conversation.phase(), Phase::Open { .. })
    }

    /// Begins to serve, because the first word has come or because nobody will say one. It takes
    /// that word first, and then the messages that it has kept.
    fn begin(&mut self, first: Option<ToConversation>, turn: &mut Turn<'_>) {
        self.stage = Stage::Serving;
        self.leave_at = None;
        self.take_kept(first, turn);
    }

    /// Serves the conversation that was read, as after a restart, and takes the messages that were
    /// kept meanwhile.
    fn opened(&mut self, found: Option<Box<Conversation>>, turn: &mut Turn<'_>) {
        self.stage = Stage::Serving;
        if let Some(conversation) = found {
            self.audience = Audience::new(conversation.seen_by_customer());
            self.conversation = *conversation;
            self.recover(turn);
        }
        self.take_kept(None, turn);
    }

    fn take_kept(&mut self, first: Option<ToConversation>, turn: &mut Turn<'_>) {
        let beginning =
            self.beginning.take().map_or_else(Beginning::default, |beginning| *beginning);
        for message in first.into_iter().chain(beginning.kept) {
            self.take(message, turn);
        }
        self.ask_for_offers(beginning.agents, turn);
        self.retire_if_over(turn.now);
    }

    /// Asks agents who may have set units aside for this chat to make their offer. Otherwise they
    /// would hold the units in vain.
    fn ask_for_offers(&self, agents: Vec<AgentId>, turn: &mut Turn<'_>) {
        for agent in agents {
            turn.tell_agent(agent, ToAgent::AskAbout(self.id()));
        }
    }
}

/// Whether this begins a chat.
fn is_first_word(message: &ToConversation) -> bool {
    match message {
        ToConversation::Session(_, FromSession::Join(join)) => join.start.is_some(),
        _ => false,
    }
}
