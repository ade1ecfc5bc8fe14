//! The behavior of a conversation, given anything in any order: every request is answered once,
//! nobody hears of what is not durable, and no session misses or hears twice what a customer may
//! see.

mod room;

use holdline::behavior::conversation::{Behavior, Input};
use holdline::behavior::message::{AgentSignal, FromSession, RequestId, ToConversation, Trouble};
use holdline::domain::cause::Cause;
use holdline::domain::conversation::command::Command;
use holdline::domain::conversation::event::Event;
use holdline::domain::id::Seq;
use holdline::domain::text::{DisplayName, MessageText};
use holdline::domain::time::Span;
use holdline::wire::client::Reference;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;
use crate::conversation_behavior::room::{Room, parsed};
use crate::script::{Held, agent_named, session_numbered};

/// One thing that the conversation is given. A session is named by its tab.
#[derive(Clone, Debug)]
enum Thing {
    Join(usize, u32),
    Post(usize, u32),
    Lose(usize),
    End(usize),
    Offer,
    Accept,
    Show,
    Signal,
    State,
    Later(u64),
    /// The journal confirms all places except this many at the end.
    Confirm(u32),
    /// The page that was asked for first is read.
    Read,
    /// There was no room for the page that was asked for first.
    NoRoom,
    Slow(usize),
    Lost,
}

fn thing() -> impl Strategy<Value = Thing> {
    let session = || 0_usize..3;
    prop_oneof![
        8 => (session(), 0_u32..12).prop_map(|(session, after)| Thing::Join(session, after)),
        16 => (session(), 0_u32..1_000).prop_map(|(session, number)| Thing::Post(session, number)),
        3 => session().prop_map(Thing::Lose),
        1 => session().prop_map(Thing::End),
        2 => Just(Thing::Offer),
        4 => Just(Thing::Accept),
        3 => Just(Thing::Show),
        2 => Just(Thing::Signal),
        2 => Just(Thing::State),
        4 => (0_u64..3_000).prop_map(Thing::Later),
        12 => (0_u32..4).prop_map(Thing::Confirm),
        8 => Just(Thing::Read),
        2 => Just(Thing::NoRoom),
        1 => session().prop_map(Thing::Slow),
        1 => Just(Thing::Lost),
    ]
}

fn do_this(room: &mut Room, thing: Thing) -> Held {
    if room.is_stopped {
        return Ok(());
    }
    match thing {
        Thing::Join(tab, after) => room.join(room.session(tab), Seq::new(after), false),
        Thing::Post(tab, number) => {
            let (reference, text) = (Reference::Number(1), format!("text {number}"));
            let text = MessageText::parse(&text).expect("a text");
            let post = FromSession::Post(reference, parsed(&format!("m{number}")), text);
            room.say(tab, post)
        }
        Thing::Lose(tab) => {
            let session = room.session(tab);
            room.leave(session);
            let lost = FromSession::Lost(Cause::Reset);
            room.told(ToConversation::Session(session, lost))
        }
        Thing::End(tab) => room.say(tab, FromSession::End(Reference::Number(2))),
        Thing::Offer => room.told(ToConversation::Offer(agent_named("ada"), 1, 1)),
        Thing::Accept => {
            let (agent, request) = (agent_named("ada"), room.request());
            let name = DisplayName::parse("Ada").expect("a name");
            let accept = Command::Accept { by: None, agent, name };
            room.told(ToConversation::Ask(Box::new(accept), request))
        }
        Thing::Show => {
            let request = room.request();
            room.told(ToConversation::Show(request))
        }
        Thing::Signal => {
            let (agent, request) = (agent_named("ada"), room.request());
            room.told(ToConversation::Signal(agent, AgentSignal::Typing(true), request))
        }
        Thing::State => {
            let request = room.request();
            room.told(ToConversation::StateClaims(Some(request)))
        }
        Thing::Later(later) => {
            room.now = room.now + Span::from_millis(later);
            room.give(Input::Wake)
        }
        Thing::Confirm(but) => room.confirm(but),
        Thing::Read => room.read(),
        Thing::NoRoom if room.pages.is_empty() => Ok(()),
        Thing::NoRoom => {
            let (session, ..) = room.pages.remove(0);
            room.give(Input::NoRoom(session))
        }
        Thing::Slow(tab) if room.hears(tab) => room.give(Input::Slow(room.session(tab))),
        Thing::Slow(_) => Ok(()),
        Thing::Lost => {
            room.journal.truncate(room.durable.number() as usize);
            let text = "the disk is gone".into();
            room.give(Input::Lost(Trouble { is_of_writing: false, text }))
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_a_conversation_is_given_it_tells_each_what_they_are_due(
        things in vec(thing(), 1..120),
    ) {
        let mut room = Room::new();
        room.join(session_numbered(1), Seq::ZERO, true)?;
        for thing in things {
            do_this(&mut room, thing)?;
        }
        room.settle()?;
        // After a fault the conversation soon makes way for another one, which answers what is
        // left.
        room.now = room.now + Span::from_secs(2);
        room.give(Input::Wake)?;
        room.settle()?;
        if !room.is_stopped {
            room.is_complete()?;
        }
        let asked = 1..=room.asked;
        for request in asked.map(RequestId::new) {
            prop_assert_eq!(room.answered.get(&request), Some(&1), "{:?}", request);
        }
    }
}

/// When a chat can at last be offered, the units that the agent set aside may be gone.
#[test]
fn an_offer_that_had_to_wait_is_asked_for_again() {
    let is_offered =
        |room: &Room| room.journal.iter().any(|it| matches!(it.event, Event::ChatOffered { .. }));
    let mut room = Room::new();
    room.join(session_numbered(1), Seq::ZERO, true).expect("joins");
    room.confirm(0).expect("is durable");
    let durable = room.behavior.conversation().clone();
    do_this(&mut room, Thing::Lost).expect("gives up");
    do_this(&mut room, Thing::Offer).expect("waits");
    assert_eq!(room.asked_about, 0, "before it makes way");
    do_this(&mut room, Thing::Later(2_000)).expect("makes way");
    assert_eq!(room.asked_about, 1, "after it has made way");

    room.is_stopped = false;
    room.behavior = Behavior::opening(durable.id(), room.now);
    room.give(Input::Begin).expect("is read");
    do_this(&mut room, Thing::Offer).expect("waits");
    assert_eq!(room.asked_about, 1, "before it is read");
    room.give(Input::Loaded(Ok(Some(Box::new(durable))))).expect("serves");
    assert_eq!(room.asked_about, 2, "once it serves");
    assert!(!is_offered(&room), "nothing is offered");

    do_this(&mut room, Thing::Join(0, 0)).expect("comes back");
    do_this(&mut room, Thing::Offer).expect("is offered");
    assert!(is_offered(&room), "the offer that the agent makes then");
}
