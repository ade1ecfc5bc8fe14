//! Random histories of one conversation: commands, signs of life, settings that change, and time
//! that passes, driven as the engine drives it.

use holdline::domain::cause::{Cause, Leaving, Misuse};
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::claims::Effects;
use holdline::domain::conversation::command::{Answer, Authority, Command, Refusal, StartRequest};
use holdline::domain::conversation::event::{Author, Recorded};
use holdline::domain::conversation::parts::Parts;
use holdline::domain::decision::Receipt;
use holdline::domain::id::{AgentId, ConversationId, MessageId, Seq, SessionId, VisitorId};
use holdline::domain::liveness::Liveness;
use holdline::domain::settings::Workstream;
use holdline::domain::text::{DisplayName, MessageText};
use holdline::domain::time::{Span, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::settings::workstream;

/// Whether a law held.
pub(crate) type Held = Result<(), TestCaseError>;

/// A random history.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    workstream: Workstream,
    lines: Vec<(u64, Line)>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Line {
    Ask(Command),
    Hear(SessionId),
    Announce(SessionId, Option<Leaving>),
    /// Nothing more happens before the next timer, which is served this many milliseconds late.
    Due(u64),
    Configure(Box<Workstream>),
}

/// What one command did.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    pub(crate) before: &'a Conversation,
    pub(crate) after: &'a Conversation,
    pub(crate) command: &'a Command,
    pub(crate) outcome: Result<Done, Refusal>,
    pub(crate) now: Timestamp,
    pub(crate) workstream: &'a Workstream,
}

/// A decision that was released.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) recorded: Vec<Recorded>,
    pub(crate) answer: Answer,
    pub(crate) effects: Effects,
}

/// A conversation and everything that its history has recorded.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) conversation: Conversation,
    pub(crate) journal: Vec<Recorded>,
    pub(crate) now: Timestamp,
    pub(crate) workstream: Workstream,
}

pub(crate) const DAWN: Timestamp = Timestamp::from_millis(1_700_000_000_000);

impl Life {
    pub(crate) fn new(workstream: Workstream) -> Self {
        Self {
            conversation: Conversation::new(ConversationId::from_bits(7)),
            journal: Vec::new(),
            now: DAWN,
            workstream,
        }
    }

    /// Asks, commits and records.
    pub(crate) fn ask(&mut self, command: Command) -> Result<Done, Refusal> {
        let decision = self.conversation.decide(command, self.now, &self.workstream)?;
        let pending = self.conversation.commit(decision, self.now);
        let released = pending
            .release(&Receipt::issue(self.conversation.seq()))
            .expect("the receipt covers everything");
        let places = released.first.number()..;
        let recorded: Vec<_> = released
            .events
            .into_iter()
            .zip(places)
            .map(|(event, place)| Recorded {
                seq: Seq::new(place),
                at: released.at,
                event: event.clone(),
            })
            .collect();
        self.journal.extend(recorded.iter().cloned());
        Ok(Done { recorded, answer: released.answer, effects: released.effects })
    }

    /// Asks, and checks what happened against a law.
    fn step(&mut self, command: Command, law: &mut impl FnMut(&Step<'_>) -> Held) -> Held {
        let before = self.conversation.clone();
        let outcome = self.ask(command.clone());
        law(&Step {
            before: &before,
            after: &self.conversation,
            command: &command,
            outcome,
            now: self.now,
            workstream: &self.workstream,
        })
    }

    /// Serves every timer that is due, as the engine does.
    fn serve(&mut self, law: &mut impl FnMut(&Step<'_>) -> Held) -> Held {
        let _probed = self.conversation.ask_quiet(self.now);
        // Sessions, window, reminder, end, wrap-up: more wakes than this at one moment are a busy
        // loop.
        for _ in 0..32 {
            if self.conversation.wake_at().is_none_or(|at| at > self.now) {
                return Ok(());
            }
            self.step(Command::Wake, law)?;
        }
        Err(TestCaseError::fail("the timers of one moment never end"))
    }
}

impl Script {
    /// Plays the script, and checks every step against a law.
    pub(crate) fn play(
        self,
        mut law: impl FnMut(&Step<'_>) -> Held,
    ) -> Result<Life, TestCaseError> {
        let mut life = Life::new(self.workstream);
        for (gap, line) in self.lines {
            life.now = life.now + Span::from_millis(gap);
            match line {
                Line::Ask(command) => life.step(command, &mut law)?,
                Line::Hear(session) => life.conversation.hear(session, life.now),
                Line::Announce(session, leaving) => {
                    life.conversation.hear_leaving(session, leaving);
                }
                Line::Due(late) => {
                    let due = life.conversation.wake_at().unwrap_or(life.now);
                    life.now = life.now.max(due) + Span::from_millis(late);
                    life.serve(&mut law)?;
                }
                Line::Configure(workstream) => life.workstream = *workstream,
            }
        }
        Ok(life)
    }
}

/// What is left of a conversation without the facts that no journal holds.
pub(crate) fn lasting(conversation: &Conversation) -> Parts {
    use holdline::domain::conversation::attendance::{Attendance, Attending};
    let parts = Parts::from(conversation.clone());
    let attending = parts
        .attendance
        .sessions()
        .iter()
        .map(|one| Attending {
            liveness: Liveness::new(DAWN, one.liveness.heartbeat()),
            leaving: None,
            heard: 0,
            widest_ms: 0,
            ..*one
        })
        .collect();
    let absence = parts.attendance.absence().copied();
    let attendance = Attendance::restore(attending, absence, parts.attendance.last_seen());
    Parts { attendance, ..parts }
}

pub(crate) fn agent_named(name: &str) -> AgentId {
    name.parse().expect("an id")
}

pub(crate) fn session_numbered(number: u64) -> SessionId {
    SessionId::from_bits(number)
}

pub(crate) fn start() -> Command {
    Command::Start(StartRequest {
        widget: "shop".parse().expect("an id"),
        visitor: VisitorId::from_bits(9),
        start: "s1".parse().expect("an id"),
        salt: 0,
        name: None,
        form: None,
        context: None,
        page: None,
        locale: None,
    })
}

fn agent() -> impl Strategy<Value = AgentId> {
    prop_oneof![6 => Just("ada"), 1 => Just("bob"), 1 => Just("cyd")].prop_map(agent_named)
}

fn session() -> impl Strategy<Value = SessionId> {
    prop_oneof![9 => 1_u64..=3, 1 => 1_u64..=40].prop_map(session_numbered)
}

fn authority() -> impl Strategy<Value = Authority> {
    prop_oneof![
        4 => agent().prop_map(Authority::Agent),
        1 => Just(Authority::Supervisor(agent_named("sue"))),
    ]
}

fn leaving() -> impl Strategy<Value = Leaving> {
    prop_oneof![Just(Leaving::Hidden), Just(Leaving::Unloaded)]
}

fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![
        leaving().prop_map(Cause::Left),
        (1000_u16..=1015).prop_map(Cause::Closed),
        Just(Cause::Reset),
        Just(Cause::Silent),
        Just(Cause::Draining),
        Just(Cause::Refused(Misuse::Rate)),
    ]
}

fn post() -> impl Strategy<Value = Command> {
    let author = prop_oneof![Just(Author::Customer), agent().prop_map(Author::Agent)];
    (author, 0_u8..12, prop_oneof![5 => Just(0_u8), 1 => Just(1_u8)]).prop_map(
        |(from, id, text)| Command::Post {
            by: None,
            from,
            id: format!("m{id}").parse::<MessageId>().expect("an id"),
            text: MessageText::parse(&format!("text {text}")).expect("a text"),
        },
    )
}

/// Commands that end a chat are rare; otherwise most histories would be short.
fn command() -> impl Strategy<Value = Command> {
    let heartbeat = (1_u64..=120).prop_map(Span::from_secs);
    prop_oneof![
        1 => Just(start()),
        24 => (session(), heartbeat).prop_map(|(session, heartbeat)| Command::Join {
            session,
            heartbeat,
            program: None,
        }),
        20 => (session(), cause()).prop_map(|(session, cause)| Command::Lose { session, cause }),
        16 => post(),
        1 => Just(Command::EndByCustomer),
        20 => agent().prop_map(|agent| Command::Offer { agent }),
        20 => agent().prop_map(|agent| Command::Accept { by: None,
            agent,
            name: DisplayName::parse("Ada").expect("a name"),
        }),
        16 => agent().prop_map(|agent| Command::Decline { by: None, agent }),
        8 => authority().prop_map(|by| Command::Release { by }),
        2 => authority().prop_map(|by| Command::End { by }),
        2 => authority().prop_map(|by| Command::Close { by }),
        4 => agent().prop_map(|agent| Command::Assign { agent, by: agent_named("sue") }),
        1 => Just(Command::ForceClose { by: agent_named("sue") }),
        8 => agent().prop_map(|agent| Command::AgentGone { agent }),
        8 => Just(Command::Wake),
        4 => Just(Command::Recover),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        10 => command().prop_map(Line::Ask),
        3 => session().prop_map(Line::Hear),
        1 => (session(), option::of(leaving()))
            .prop_map(|(session, leaving)| Line::Announce(session, leaving)),
        5 => prop_oneof![3 => Just(0_u64), 1 => 0_u64..500_000].prop_map(Line::Due),
        1 => workstream().prop_map(|workstream| Line::Configure(Box::new(workstream))),
    ]
}

/// A random history, which nearly always begins with a start.
pub(crate) fn script() -> impl Strategy<Value = Script> {
    let gap = prop_oneof![4 => 0_u64..3, 4 => 0_u64..30_000, 1 => 0_u64..600_000];
    let lines = vec((gap, line()), 1..80);
    (workstream(), prop::bool::weighted(0.95), lines).prop_map(|(workstream, begun, mut lines)| {
        if begun {
            lines.insert(0, (0, Line::Ask(start())));
        }
        Script { workstream, lines }
    })
}
