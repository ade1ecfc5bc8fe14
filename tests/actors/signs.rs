//! Signs of life that a conversation reads instead of being told of each one. The conversation
//! knows all of them before it decides, and they put off nothing but the silence of their own
//! session.

use holdline::domain::cause::{Cause, Evidence};
use holdline::domain::conversation::State;
use holdline::domain::conversation::event::{Audience, Event, Recorded};
use holdline::domain::id::{ConversationId, Seq};
use holdline::domain::time::{Span, Timestamp};
use holdline::engine::{Closing, ToSession};
use holdline::journal::Chats as _;

use crate::customer::Customer;
use crate::world::{World, run, workstream};

/// How each session was lost: the cause, when the session was last heard of, and the evidence.
async fn losses(world: &World, id: ConversationId) -> Vec<(Cause, Timestamp, Evidence)> {
    let read = world.memory.read(id, Seq::ZERO, Audience::Agent, 1_000, 1_000_000).await.unwrap();
    let loss = |Recorded { event, .. }| match event {
        Event::SessionLost { cause, heard_at, evidence, .. } => Some((cause, heard_at, evidence)),
        _ => None,
    };
    read.into_iter().filter_map(loss).collect()
}

fn is_closed(customer: &Customer) -> bool {
    let closing =
        |told: &ToSession| matches!(told, ToSession::Close(Closing::Silent)).then_some(());
    customer.find(closing).is_some()
}

#[test]
fn a_loss_knows_every_sign_of_life_before_it() {
    run(|| async {
        let world = World::new().await;
        let (customer, id) = Customer::chatting(&world, 1).await;
        for gap in [10_000, 13_000, 3_000] {
            world.pass(gap).await;
            customer.visit.hear(id, world.engine.now());
        }
        world.pass(12_000).await;
        // A message is a sign of life as well, and is counted once.
        customer.post(id, "m1", "still here");
        world.pass(1_000).await;
        customer.visit.hear(id, world.engine.now());
        let heard_at = world.engine.now();
        customer.lose(id);
        world.pass(10).await;
        let lost = losses(&world, id).await;
        // The start of the session counts, too.
        let evidence =
            Evidence { code: None, heard: 6, widest: Span::from_secs(13), asleep: false };
        assert_eq!(lost, [(Cause::Closed(1006), heard_at, evidence)]);
    });
}

#[test]
fn a_beating_session_puts_off_no_other_timer() {
    run(|| async {
        let world = World::new().await;
        let mut closing = workstream();
        closing.autoclose.open = Some(Span::from_secs(100));
        world.set(closing).await;
        let (customer, id) = Customer::chatting(&world, 1).await;
        let began_at = world.engine.now();
        let waits_for =
            |span: Span| span.as_millis() - world.engine.now().since(began_at).as_millis();
        for beat in 1..=9 {
            world.pass(waits_for(Span::from_secs(beat * 11))).await;
            customer.visit.hear(id, world.engine.now());
        }
        world.pass(waits_for(Span::from_millis(99_990))).await;
        assert_eq!(world.state(id).await, State::Open);
        world.pass(12).await;
        // Nobody asks the chat anything, so only its own timer can have woken it.
        let read = world.memory.read(id, Seq::ZERO, Audience::Agent, 100, 100_000).await.unwrap();
        assert!(matches!(read.last().unwrap().event, Event::ConversationClosed { .. }), "{read:?}");
    });
}

#[test]
fn of_two_tabs_the_silent_one_is_lost_and_the_other_is_not() {
    run(|| async {
        let world = World::new().await;
        let (silent, id) = Customer::chatting(&world, 1).await;
        let silent_from = world.engine.now();
        let beating = Customer::new(&world);
        beating.join(id, 99);
        for _ in 0..12 {
            world.pass(5_000).await;
            beating.visit.hear(id, world.engine.now());
            let is_over = world.engine.now().since(silent_from) > Span::from_secs(50);
            assert_eq!(is_closed(&silent), is_over);
        }
        assert!(!is_closed(&beating));
        assert!(world.engine.view(id).await.unwrap().customer.connected);
        let lost = losses(&world, id).await;
        assert_eq!(lost.len(), 1);
        assert_eq!(lost[0].0, Cause::Silent);
    });
}

#[test]
fn a_session_that_enters_another_chat_is_silent_in_the_first() {
    run(|| async {
        let world = World::new().await;
        let (_other, second) = Customer::chatting(&world, 2).await;
        let (customer, first) = Customer::chatting(&world, 1).await;
        world.pass(20_000).await;
        customer.visit.hear(first, world.engine.now());
        let heard_at = world.engine.now();
        customer.join(second, 99);
        for _ in 0..10 {
            world.pass(5_000).await;
            // Signs of life that the session gives another chat mean nothing to this chat.
            customer.visit.hear(first, world.engine.now());
            customer.visit.hear(second, world.engine.now());
        }
        world.pass(100).await;
        let lost = losses(&world, first).await;
        assert_eq!(lost.len(), 1);
        assert_eq!((lost[0].0, lost[0].1), (Cause::Silent, heard_at), "what it showed is known");
        assert!(world.engine.view(second).await.unwrap().customer.connected);
    });
}
