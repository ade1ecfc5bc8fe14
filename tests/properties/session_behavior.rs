//! Laws of a session's dialogue, held against any order of frames and answers: each frame is done
//! once, nothing is said after the end, and while an answer is awaited nothing else is done.

mod moves;

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};

use holdline::behavior::message::{Closing, FromSession, NotJoined, ToSession};
use holdline::behavior::session::{
    Behavior, Facts, Identified, Input, Named, NotStarted, Output, Spending, Unheard,
};
use holdline::domain::cause::Cause;
use holdline::domain::conversation::State;
use holdline::domain::conversation::event::Reason;
use holdline::domain::id::{ConversationId, History, Seq, SessionId, VisitorId};
use holdline::domain::settings::NotVouched;
use holdline::domain::time::{Span, Timestamp};
use holdline::wire::client::Reference;
use holdline::wire::refusal::RefusalCode;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use crate::config;
use crate::script::{DAWN, Held};
use crate::session_behavior::moves::{FRAMES, Move, Near, Script, script};

const HEARTBEAT: Span = Span::from_secs(25);

/// What is wrong with what a session wants done. It shows that the laws can fail.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Nothing,
    /// A frame is done twice when its answer comes.
    DoneTwice,
    /// A frame that is answered is never done.
    NeverDone,
    SaysAfterTheEnd,
    ActsWhileSettling,
}

/// A question that was asked and is not answered yet.
#[derive(Debug)]
enum Asked {
    Identity,
    Chat,
    Budget,
    Start,
    Entrance(ConversationId),
    Rest(ConversationId),
    Request(Reference),
}

/// A session, and everything that it talks to.
struct World {
    session: Behavior,
    now: Timestamp,
    near: Near,
    is_at_once: bool,
    wrong: Wrong,
    asked: VecDeque<Asked>,
    joined: Option<ConversationId>,
    given: usize,
    done: usize,
    is_over: bool,
    /// The kinds of everything that the session wanted done.
    kinds: BTreeSet<String>,
}

fn chat(number: u8) -> ConversationId {
    ConversationId::from_bits(u128::from(number % 3) + 1)
}

fn spent(spending: Spending, dice: u8) -> Input {
    let wait = Span::from_secs(1);
    if dice % 7 > 0 { Input::Spent(spending) } else { Input::OverBudget(spending, wait) }
}

impl World {
    fn new(script: &Script, wrong: Wrong) -> Self {
        Self {
            session: Behavior::new(DAWN, HEARTBEAT, None),
            now: DAWN,
            near: script.near.clone(),
            is_at_once: script.is_at_once,
            wrong,
            asked: VecDeque::new(),
            joined: None,
            given: 0,
            done: 0,
            is_over: false,
            kinds: BTreeSet::new(),
        }
    }

    fn requests(&self) -> usize {
        self.asked.iter().filter(|asked| matches!(asked, Asked::Request(_))).count()
    }

    fn is_settling(&self) -> bool {
        self.asked.len() > self.requests()
    }

    fn turn(&mut self, input: Input, dice: u8) -> Held {
        let (mut inputs, mut dice) = (VecDeque::from([input]), dice);
        while let Some(input) = inputs.pop_front() {
            let is_text = matches!(input, Input::Text(_));
            self.given += usize::from(is_text || matches!(input, Input::Ping(_) | Input::Pong));
            let is_answer = matches!(input, Input::Told(..));
            let must_wait = is_text && self.is_settling() && !self.is_over;
            let (session, history) = (SessionId::from_bits(1), History::new(1));
            let facts = Facts { session, history, near: &self.near };
            let mut out = Vec::new();
            self.session.handle(input, self.now, &facts, &mut out);
            self.bend(&mut out, is_answer, must_wait);
            for output in out {
                dice = dice.wrapping_mul(5).wrapping_add(13);
                self.judge(&output, must_wait)?;
                self.kinds.insert(kind_of(&output));
                inputs.extend(self.perform(output, dice));
            }
        }
        self.look()
    }

    /// Changes what the session wants done into what a session with a wrong rule would want.
    fn bend(&self, out: &mut Vec<Output>, is_answer: bool, must_wait: bool) {
        let is_done = |output: &Output| matches!(output, Output::Done);
        let ends = out.iter().any(|output| matches!(output, Output::Close(_)));
        match self.wrong {
            Wrong::DoneTwice if is_answer && out.iter().any(is_done) => out.push(Output::Done),
            Wrong::NeverDone if is_answer => out.retain(|output| !is_done(output)),
            Wrong::SaysAfterTheEnd if ends => out.push(Output::Say("late".into())),
            Wrong::ActsWhileSettling if must_wait => {
                out.push(Output::FindChat(VisitorId::from_bits(1)));
            }
            _ => {}
        }
    }

    /// Whether this may be done now.
    fn judge(&self, output: &Output, must_wait: bool) -> Held {
        if self.is_over {
            let is_silent = match output {
                Output::Done | Output::Leave(..) | Output::Note(_) | Output::Spend(_) => true,
                Output::ToConversation(_, said) => matches!(said, FromSession::Lost(_)),
                _ => false,
            };
            prop_assert!(is_silent, "after the end: {:?}", output);
        }
        if must_wait {
            let is_beat = matches!(output, Output::Beat(_));
            prop_assert!(is_beat, "while it waits for an answer: {:?}", output);
        }
        Ok(())
    }

    fn perform(&mut self, output: Output, dice: u8) -> Option<Input> {
        match output {
            Output::Done => self.done += 1,
            Output::Identify(_) => return self.ask(Asked::Identity, dice),
            Output::FindChat(_) => return self.ask(Asked::Chat, dice),
            // A message leaves no question open: it is charged at once.
            Output::Spend(post @ Spending::Post(..)) => return Some(spent(post, dice)),
            Output::Spend(Spending::RefusedToken) => return self.ask(Asked::Budget, dice),
            Output::Start(_) => return self.ask(Asked::Start, dice),
            Output::ToConversation(conversation, said) => {
                let unheard = Unheard::of(&said);
                if dice.is_multiple_of(11) {
                    return unheard.map(Input::Unheard);
                }
                match said {
                    FromSession::Join(_) | FromSession::Again(_) => {
                        self.asked.push_back(Asked::Entrance(conversation));
                    }
                    FromSession::Hear { until: Some(_), .. } => {
                        self.asked.push_back(Asked::Rest(conversation));
                    }
                    FromSession::Post(reference, ..) | FromSession::End(reference) => {
                        self.asked.push_back(Asked::Request(reference));
                    }
                    _ => {}
                }
            }
            Output::Resume => return Some(Input::Resume),
            Output::Close(_) | Output::Depart(..) => {
                self.is_over = true;
                self.asked.clear();
            }
            Output::Leave(..) => self.is_over = true,
            _ => {}
        }
        None
    }

    fn ask(&mut self, asked: Asked, dice: u8) -> Option<Input> {
        if self.is_at_once {
            return Some(self.answer(asked, dice));
        }
        if !self.is_over {
            self.asked.push_back(asked);
        }
        None
    }

    /// One of the possible answers.
    fn answer(&mut self, asked: Asked, dice: u8) -> Input {
        match asked {
            Asked::Identity => {
                let named = Named { conversation: chat(dice), is_of_this_history: dice > 90 };
                let vouched = match dice % 5 {
                    0 => Err(NotVouched::Expired),
                    1 => Err(NotVouched::Signature),
                    2 => Ok(Some(VisitorId::from_bits(2))),
                    _ => Ok(None),
                };
                Input::Identified(Box::new(Identified {
                    browser: VisitorId::from_bits(1),
                    vouched,
                    named: (dice % 3 > 0).then_some(named),
                }))
            }
            Asked::Chat => Input::Found((dice % 2 > 0).then(|| chat(dice / 2))),
            Asked::Budget => spent(Spending::RefusedToken, dice),
            Asked::Start if dice % 4 > 0 => {
                self.asked.push_front(Asked::Entrance(chat(dice)));
                Input::Started(Ok(chat(dice)))
            }
            Asked::Start => {
                Input::Started(Err(NotStarted { code: RefusalCode::QueueFull, retry_after: None }))
            }
            Asked::Entrance(conversation) => self.answer_entrance(conversation, dice),
            Asked::Rest(conversation) => Input::Told(ToSession::Over(conversation), None),
            Asked::Request(reference) => {
                let refused = RefusalCode::Unavailable;
                let (state, seq) = (State::Waiting, Seq::new(9));
                let told = match dice % 2 {
                    0 => ToSession::Refused { reference, code: refused },
                    _ => ToSession::Done { reference, state, seq, reason: None },
                };
                Input::Told(told, None)
            }
        }
    }

    fn answer_entrance(&mut self, conversation: ConversationId, dice: u8) -> Input {
        let seq = Seq::new(u32::from(dice % 4));
        let why = match dice % 5 {
            0 => NotJoined::Unknown,
            1 => NotJoined::Denied(RefusalCode::Overloaded),
            2 => NotJoined::Ended {
                state: State::Closed,
                reason: Some(Reason::CustomerEnded),
                seq,
                redirect: None,
                closed_at: Some(DAWN),
            },
            _ => {
                self.joined = Some(conversation);
                let told = ToSession::Joined { conversation, state: State::Waiting, seq };
                return Input::Told(told, Some("token".into()));
            }
        };
        Input::Told(ToSession::NotJoined { conversation, why }, None)
    }

    /// Checks the law of `done` after a turn.
    fn look(&self) -> Held {
        if self.is_over {
            prop_assert!(self.done <= self.given, "{} frames are done too often", self.given);
            return Ok(());
        }
        let accounted = self.done + self.requests();
        if self.is_settling() {
            prop_assert!(accounted < self.given, "what is asked is done already");
        } else {
            prop_assert_eq!(accounted, self.given, "done, or to be answered; and given");
        }
        Ok(())
    }

    fn make(&mut self, one: Move, dice: u8) -> Held {
        match one {
            Move::Say(frame) => self.turn(Input::Text(FRAMES[frame].into()), dice),
            Move::Ping => self.turn(Input::Ping("x".into()), dice),
            Move::Pong => self.turn(Input::Pong, dice),
            Move::Answer => self.answer_first(dice),
            Move::Frame => {
                let frame = ToSession::Frame { seq: Seq::new(dice.into()), text: "{}".into() };
                self.turn(Input::Told(frame, None), dice)
            }
            Move::Probe => self.turn(Input::Told(ToSession::Probe, None), dice),
            Move::Over => {
                // A conversation answers everything before it is over, and no session waits for it
                // then.
                while !self.is_settling() && self.requests() > 0 {
                    self.answer_first(dice)?;
                }
                match self.joined.take_if(|_| self.asked.is_empty()) {
                    Some(over) => self.turn(Input::Told(ToSession::Over(over), None), dice),
                    None => Ok(()),
                }
            }
            Move::Close => self.turn(Input::Told(ToSession::Close(Closing::Draining), None), dice),
            Move::Wait(millis) => {
                self.now = self.now + Span::from_millis(millis);
                match self.session.wake_at().is_some_and(|at| at <= self.now) {
                    true => self.turn(Input::Wake, dice),
                    false => Ok(()),
                }
            }
            Move::End => self.turn(Input::Ended(Cause::Reset), dice),
        }
    }

    fn answer_first(&mut self, dice: u8) -> Held {
        let Some(asked) = self.asked.pop_front() else { return Ok(()) };
        let input = self.answer(asked, dice);
        self.turn(input, dice)
    }
}

/// Plays a dialogue, and at last answers everything that is not answered yet.
fn play(script: Script, wrong: Wrong) -> Result<BTreeSet<String>, TestCaseError> {
    let mut world = World::new(&script, wrong);
    for _ in 0..script.refused {
        world.make(Move::Say(FRAMES.len() - 1), 0)?;
        world.now = world.now + Span::from_millis(100);
    }
    for (dice, one) in script.moves {
        world.make(one, dice)?;
    }
    for dice in (0..=u8::MAX).cycle().take(2_000) {
        world.answer_first(dice)?;
    }
    prop_assert!(world.asked.is_empty(), "it asks for ever: {:?}", world.asked);
    Ok(world.kinds)
}

/// The first word of an output.
fn kind_of(output: &Output) -> String {
    format!("{output:?}").split(|next: char| !next.is_alphanumeric()).take(1).collect()
}

proptest! {
    #![proptest_config(config())]

    /// Each frame is done once. Nothing is said after the end. While an answer is awaited nothing
    /// else is done, whether answers come in the same turn or later.
    #[test]
    fn a_dialogue_keeps_its_laws(script in script()) {
        play(script, Wrong::Nothing)?;
    }
}

/// Whether any of the dialogues that every run tries shows that this is wrong.
fn is_noticed(wrong: Wrong) -> bool {
    let config = ProptestConfig { failure_persistence: None, ..config() };
    TestRunner::new(config).run(&script(), |script| play(script, wrong).map(drop)).is_err()
}

#[test]
fn a_dialogue_that_breaks_a_law_is_noticed() {
    let wrong =
        [Wrong::DoneTwice, Wrong::NeverDone, Wrong::SaysAfterTheEnd, Wrong::ActsWhileSettling];
    for wrong in wrong {
        assert!(is_noticed(wrong), "{wrong:?} is not noticed");
    }
}

#[test]
fn dialogues_want_everything_done_that_can_be() {
    let kinds = RefCell::new(BTreeSet::new());
    let played = TestRunner::new(config()).run(&script(), |script| {
        kinds.borrow_mut().extend(play(script, Wrong::Nothing)?);
        Ok(())
    });
    played.expect("they keep the laws");
    let all = [
        "Beat",
        "Close",
        "Count",
        "Depart",
        "Done",
        "FindChat",
        "Forget",
        "Identify",
        "Leave",
        "Note",
        "PassOn",
        "Ping",
        "Pong",
        "Resume",
        "Say",
        "Spend",
        "Start",
        "ToConversation",
    ];
    assert_eq!(kinds.into_inner(), all.map(String::from).into());
}
