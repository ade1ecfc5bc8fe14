//! Laws of what an agent's actor does with what comes in: requests are answered, a wake is not
//! wanted again at once, and the queue hears of a lease before the chat is asked.

mod feed;

use std::collections::BTreeMap;
use std::sync::Arc;

use holdline::behavior::agent::{Behavior, Choice, Facts, Input, Opening, Output, name_of_feed};
use holdline::behavior::message::{RequestId, ToAgent, ToConversation, Trouble};
use holdline::domain::agent::{Agent, Presence};
use holdline::domain::id::{ConversationId, History, QueueId};
use holdline::domain::lease::{Lease, Purpose};
use holdline::domain::position::Position;
use holdline::domain::queue::QueueCommand;
use holdline::domain::settings::{AgentSettings, Role};
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::config;
use crate::script::{DAWN, agent_named};

/// How often the agents here audit their leases.
const AUDIT_EVERY: Span = Span::from_secs(30);

/// An agent who serves one queue, in this run of the server.
fn behavior(run: u64, now: Timestamp) -> Behavior {
    let (id, name) = (agent_named("ada"), DisplayName::parse("Ada").expect("a name"));
    let settings = Arc::new(AgentSettings { id, name, role: Role::Agent, units: 5 });
    let agent = Agent::new(settings, Some(Presence::Available), now);
    Behavior::new(agent, vec![line()], run, History::new(7), AUDIT_EVERY)
}

fn line() -> QueueId {
    "line".parse().expect("an id")
}

fn lease() -> Lease {
    Lease::new(agent_named("ada"), 1, Purpose::Offer, Span::from_secs(60))
}

fn facts() -> Facts {
    Facts { told_through: Position(0), is_draining: false }
}

/// What a caller asks, or what comes in besides.
#[derive(Clone, Debug)]
enum Step {
    Show,
    Choose(Presence, bool),
    Beat(u64),
    Expect(u64),
    Open(bool),
    Close(u64),
    /// One of the choices that are being written is on the disk, or could not be written.
    Written(Index, bool),
    Reserve(u128),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Show),
        (proptest::sample::select(&Presence::ALL[..]), any::<bool>())
            .prop_map(|(presence, own)| Step::Choose(presence, own)),
        (0_u64..12).prop_map(Step::Beat),
        (0_u64..200).prop_map(Step::Expect),
        any::<bool>().prop_map(Step::Open),
        (1_u64..12).prop_map(Step::Close),
        (any::<Index>(), any::<bool>()).prop_map(|(which, is_good)| Step::Written(which, is_good)),
        (1_u128..4).prop_map(Step::Reserve),
        prop_oneof![0_u64..10, 0_u64..200_000].prop_map(Step::Wait),
    ]
}

/// An agent, and the callers who ask something of the agent.
struct Asked {
    behavior: Behavior,
    now: Timestamp,
    made: u64,
    /// How often each request was answered.
    answers: BTreeMap<RequestId, u32>,
    writing: Vec<Choice>,
}

impl Asked {
    fn new() -> Self {
        let behavior = behavior(1, DAWN);
        let mut asked =
            Self { behavior, now: DAWN, made: 0, answers: BTreeMap::new(), writing: Vec::new() };
        asked.give(Input::Begin);
        asked
    }

    fn request(&mut self) -> RequestId {
        self.made += 1;
        let request = RequestId::new(self.made);
        self.answers.insert(request, 0);
        request
    }

    fn give(&mut self, input: Input) {
        let mut out = Vec::new();
        self.behavior.handle(input, self.now, facts(), &mut out);
        for output in out {
            match output {
                Output::WritePresence(choice, _) => self.writing.push(choice),
                Output::Answer(request, _) | Output::Stop(request) => {
                    *self.answers.get_mut(&request).expect("somebody asked") += 1;
                }
                _ => {}
            }
        }
    }

    fn written(&mut self, which: usize, is_good: bool) {
        let choice = self.writing.remove(which);
        let trouble = Trouble { is_of_writing: true, text: "full".into() };
        self.give(Input::PresenceWritten(choice, if is_good { Ok(()) } else { Err(trouble) }));
    }

    fn take(&mut self, step: Step) {
        let told = match step {
            Step::Show => ToAgent::Show(self.request()),
            Step::Choose(presence, own) => {
                let by = (!own).then(|| agent_named("eve"));
                ToAgent::ChoosePresence(presence, by, self.request())
            }
            Step::Beat(feed) => ToAgent::Beat(name_of_feed(1, feed).to_string(), self.request()),
            Step::Expect(grace) => ToAgent::Expect(Span::from_secs(grace), self.request()),
            Step::Open(watching) => {
                let request = self.request();
                let (feed, heartbeat) = (self.made, Span::from_secs(15));
                let opening = Opening { feed, after: None, watching, heartbeat, request };
                return self.give(Input::OpenFeed(opening));
            }
            Step::Close(feed) => return self.give(Input::FeedClosed(feed)),
            Step::Written(..) if self.writing.is_empty() => return,
            Step::Written(which, is_good) => {
                return self.written(which.index(self.writing.len()), is_good);
            }
            Step::Reserve(chat) => {
                ToAgent::Reserve(line(), ConversationId::from_bits(chat), lease())
            }
            Step::Wait(millis) => {
                self.now = self.now + Span::from_millis(millis);
                return self.give(Input::Wake);
            }
        };
        self.give(Input::Told(told));
    }
}

proptest! {
    #![proptest_config(config())]

    /// Every request is answered once, in whatever order the disk answers. Before the end, only
    /// requests whose choices are still being written are unanswered.
    #[test]
    fn every_request_is_answered_exactly_once(steps in vec(step(), 0..60)) {
        let mut asked = Asked::new();
        for step in steps {
            asked.take(step);
            let unanswered: Vec<_> =
                asked.answers.iter().filter(|(_, times)| **times == 0).map(|(id, _)| *id).collect();
            let writing: Vec<_> = asked.writing.iter().map(|choice| choice.request).collect();
            prop_assert!(unanswered.iter().all(|id| writing.contains(id)));
            prop_assert_eq!(unanswered.len(), writing.len());
        }
        while !asked.writing.is_empty() {
            asked.written(0, true);
        }
        let request = asked.request();
        asked.give(Input::Told(ToAgent::Dismiss(request)));
        prop_assert!(asked.answers.values().all(|times| *times == 1));
    }

    /// An agent that was woken asks for a later wake, so that no actor spins.
    #[test]
    fn a_wake_is_not_wanted_again_at_once(steps in vec(step(), 0..60)) {
        let mut asked = Asked::new();
        for step in steps {
            asked.take(step);
            while let Some(at) = asked.behavior.wake_at(facts()).filter(|at| *at <= asked.now) {
                asked.give(Input::Wake);
                prop_assert!(asked.behavior.wake_at(facts()) != Some(at));
            }
            // While the server stops, no actor is woken to give anybody up.
            let at = asked.behavior.wake_at(Facts { is_draining: true, ..facts() });
            prop_assert!(at.is_none_or(|at| at > asked.now));
        }
    }
}

fn outputs(behavior: &mut Behavior, input: Input, now: Timestamp) -> Vec<Output> {
    let mut out = Vec::new();
    behavior.handle(input, now, facts(), &mut out);
    out
}

/// An agent who is there and may be given chats.
fn present() -> Behavior {
    let mut behavior = behavior(1, DAWN);
    outputs(&mut behavior, Input::Begin, DAWN);
    let (feed, heartbeat) = (1, Span::from_secs(15));
    let request = RequestId::new(1);
    let opening = Opening { feed, after: None, watching: false, heartbeat, request };
    outputs(&mut behavior, Input::OpenFeed(opening), DAWN);
    behavior
}

#[test]
fn the_queue_hears_of_a_lease_before_the_chat_is_asked() {
    let mut behavior = present();
    let chat = ConversationId::from_bits(1);
    let reserve = || Input::Told(ToAgent::Reserve(line(), chat, lease()));
    let out = outputs(&mut behavior, reserve(), DAWN);
    let granted = |output: &Output| match output {
        Output::ToQueue(_, command) => matches!(**command, QueueCommand::Granted(..)),
        _ => false,
    };
    let asked = |output: &Output| match output {
        Output::ToConversation(_, message) => matches!(**message, ToConversation::Offer(..)),
        _ => false,
    };
    let (granted, asked) = (out.iter().position(granted), out.iter().position(asked));
    assert!(granted.is_some() && granted < asked, "{out:?}");

    // A queue that asks once more is wrong. It hears how the agent is when the chat has had its
    // time.
    let out = outputs(&mut behavior, reserve(), DAWN);
    let told = |output: &Output| match output {
        Output::ToQueue(_, command) => matches!(**command, QueueCommand::AgentChanged(_)),
        _ => false,
    };
    assert!(!out.iter().any(told), "{out:?}");
    let at = behavior.wake_at(facts()).expect("it wants to be woken");
    assert_eq!(at, DAWN + Span::from_millis(200));
    assert!(outputs(&mut behavior, Input::Wake, at).iter().any(told));
}

#[test]
fn an_agent_whose_wake_was_held_up_is_given_time() {
    let mut behavior = present();
    let beat = ToAgent::Beat(name_of_feed(1, 1).to_string(), RequestId::new(2));
    outputs(&mut behavior, Input::Told(beat), DAWN);
    let hung = |out: Vec<Output>| out.iter().any(|output| matches!(output, Output::EndFeed(1)));
    let late = DAWN + Span::from_secs(60);
    assert!(!hung(outputs(&mut behavior, Input::Wake, late)));
    assert!(!hung(outputs(&mut behavior, Input::Wake, late + Span::from_millis(999))));
    assert!(hung(outputs(&mut behavior, Input::Wake, late + Span::from_secs(1))));
}
