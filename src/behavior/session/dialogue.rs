//! What a session knows, and what all parts of its dialogue do: say, refuse, ask, settle, close.

use std::sync::Arc;

use bytestring::ByteString;

use crate::behavior::message::FromSession;
use crate::behavior::session::codes::code_of_finish;
use crate::behavior::session::input::Facts;
use crate::behavior::session::output::{Note, Output, Presence};
use crate::behavior::session::pace::Pace;
use crate::behavior::session::stage::{Question, Stage};
use crate::domain::cause::Cause;
use crate::domain::id::{ConversationId, Seq, VisitorId};
use crate::domain::session::{Finish, Session, SessionCommand, SessionEvent, SessionRefusal};
use crate::domain::time::{Span, Timestamp};
use crate::wire::close::CloseCode;
use crate::wire::server::RefusedFrame;

/// A session, as its actor has it.
#[derive(Debug)]
pub struct Behavior {
    pub(super) session: Session,
    pub(super) stage: Stage,
    pub(super) introduction: Box<Introduction>,
    /// The latest place that it was told of.
    pub(super) seen: Seq,
    pub(super) spoke_at: Timestamp,
    pub(super) pace: Pace,
    /// Whether its page has stopped talking while its browser still answers.
    pub(super) is_asleep: bool,
    /// Whether its socket has changed its thread, which is done once at most.
    pub(super) has_moved: bool,
}

const _: () = assert!(size_of::<Behavior>() <= 104, "every socket has one");

/// How a session introduced itself.
#[derive(Debug)]
pub(super) struct Introduction {
    pub(super) page: Option<Arc<str>>,
    pub(super) locale: Option<Arc<str>>,
    pub(super) program: Option<Arc<str>>,
    /// Who the browser is, by the secret that it keeps.
    pub(super) browser: VisitorId,
    /// Who the site's server says that they are, where it does. That is seldom, so it is boxed.
    pub(super) vouched: Option<Box<VisitorId>>,
}

const _: () = assert!(size_of::<Introduction>() <= 72, "every socket has one");

impl Introduction {
    /// What is known before `hello`.
    pub(super) const fn of(program: Option<Arc<str>>) -> Self {
        let browser = VisitorId::from_bits(0);
        Self { page: None, locale: None, program, browser, vouched: None }
    }

    /// Who is there.
    pub(super) fn visitor(&self) -> VisitorId {
        self.vouched.as_deref().copied().unwrap_or(self.browser)
    }
}

/// What one turn has at hand, and what is to be done after it.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) now: Timestamp,
    pub(super) facts: &'a Facts<'a>,
    pub(super) out: &'a mut Vec<Output>,
}

impl Turn<'_> {
    pub(super) fn put(&mut self, output: Output) {
        self.out.push(output);
    }

    /// One frame has been dealt with.
    pub(super) fn done(&mut self) {
        self.put(Output::Done);
    }
}

impl Behavior {
    /// A session that was let in now, is asked to beat so often, and says it is this program.
    pub fn new(now: Timestamp, heartbeat: Span, program: Option<Arc<str>>) -> Self {
        Self {
            is_asleep: false,
            has_moved: false,
            session: Session::new(now, heartbeat),
            stage: Stage::new(),
            introduction: Box::new(Introduction::of(program)),
            seen: Seq::ZERO,
            spoke_at: now,
            pace: Pace::new(now),
        }
    }

    /// A session on the thread of its conversation, to which its socket was carried.
    pub fn arrived(now: Timestamp, heartbeat: Span, program: Option<Arc<str>>) -> Self {
        Self { has_moved: true, ..Self::new(now, heartbeat, program) }
    }

    /// How often it was asked to beat.
    pub fn heartbeat(&self) -> Span {
        self.session.heartbeat()
    }

    /// The program it says it is.
    pub const fn program(&self) -> Option<&Arc<str>> {
        self.introduction.program.as_ref()
    }

    /// The latest place that it was told of.
    pub const fn seen(&self) -> Seq {
        self.seen
    }

    /// Whether it waits for an answer.
    pub fn is_settling(&self) -> bool {
        self.stage.settling().is_some()
    }

    /// When it wants to be woken.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.session.wake_at()
    }

    pub(super) fn decide(
        &self,
        command: SessionCommand,
        turn: &Turn<'_>,
    ) -> Result<Option<SessionEvent>, SessionRefusal> {
        self.session.decide(command, turn.now)
    }

    pub(super) fn apply(&mut self, event: SessionEvent, turn: &Turn<'_>) {
        self.session.apply(event, turn.now);
    }

    /// Says a frame.
    pub(super) fn say(&mut self, text: ByteString, turn: &mut Turn<'_>) {
        self.spoke_at = turn.now;
        turn.put(Output::Say(text));
    }

    /// Says that something was refused. A widget that is refused too often is closed.
    pub(super) fn refuse(&mut self, told: RefusedFrame, turn: &mut Turn<'_>) {
        turn.put(Output::Note(Note::Refused(told.code)));
        self.say(told.text, turn);
        // This command is never refused.
        if let Ok(Some(event)) = self.decide(SessionCommand::Err, turn) {
            match event {
                SessionEvent::Finished(_) => self.close(CloseCode::RefusedTooOften, turn),
                event => self.apply(event, turn),
            }
        }
    }

    /// Asks something: until that is answered nothing else is read or done.
    pub(super) fn ask(&mut self, question: Question) {
        self.stage.unsettle(self.session.conversation());
        if let Some(settling) = self.stage.settling_mut() {
            settling.question = Some(question);
        }
    }

    /// The question is answered: the frame that asked it is done, and those behind it are taken.
    pub(super) fn settle(&mut self, conversation: Option<ConversationId>, turn: &mut Turn<'_>) {
        if !self.stage.is_over() {
            self.stage.settle(conversation);
            if let Some(conversation) = conversation {
                self.apply(SessionEvent::Joined(conversation), turn);
            } else {
                turn.put(Output::Count(Presence::WithoutChat));
                self.apply(SessionEvent::Left, turn);
            }
        }
        turn.done();
    }

    /// The conversation that it is in, also while it waits for an answer.
    pub(super) fn joined(&self) -> Option<ConversationId> {
        match self.stage.settling() {
            Some(settling) => settling.joined,
            None => self.session.conversation(),
        }
    }

    /// The conversation that must learn that this session is gone: the one that it is in, or the
    /// one that it was about to enter.
    pub(super) fn concerned(&self) -> Option<ConversationId> {
        let question = self.stage.settling().and_then(|settling| settling.question.as_ref());
        question.and_then(Question::enters).or_else(|| self.joined())
    }

    /// The conversation that is over, while the session is told what it missed of it.
    pub(super) fn telling(&self) -> Option<ConversationId> {
        match self.stage.settling()?.question {
            Some(Question::Missed(conversation)) => Some(conversation),
            _ => None,
        }
    }

    pub(super) fn close(&mut self, code: CloseCode, turn: &mut Turn<'_>) {
        if !self.stage.is_over() {
            turn.put(Output::Close(code));
            self.leave(code.cause(), turn);
        }
    }

    /// The session is gone, and nothing is said or done any more.
    pub(super) fn leave(&mut self, cause: Cause, turn: &mut Turn<'_>) {
        if let Some(over) = self.telling() {
            turn.put(Output::ToConversation(over, FromSession::Lost(cause)));
        }
        turn.put(Output::Leave(self.concerned(), cause));
        self.stage = Stage::Over;
        self.apply(SessionEvent::Finished(Finish::Asked), turn);
    }

    /// Looks whether a timer is due.
    pub(super) fn wake(&mut self, turn: &mut Turn<'_>) {
        // A wake is never refused.
        if let Ok(Some(event)) = self.decide(SessionCommand::Wake, turn) {
            match event {
                SessionEvent::Finished(finish) => self.close(code_of_finish(finish), turn),
                event => {
                    if event == SessionEvent::Probed {
                        turn.put(Output::Ping);
                    }
                    self.apply(event, turn);
                }
            }
        }
    }
}
