//! What others notice when an actor dies: a question to every chat reaches this chat, too, no
//! request waits in vain, and no console takes what it was told for the whole.

use std::sync::Arc;
use std::time::Duration;

use holdline::behavior::agent::FeedEvent;
use holdline::domain::agent::Presence;
use holdline::domain::conversation::command::Command;
use holdline::domain::id::ConversationId;
use holdline::domain::settings::registry::{SettingChange, SettingRefusal};
use holdline::domain::time::Span;
use holdline::engine::{Failure, Feed};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::customer::Customer;
use crate::world::{World, ada, parsed, run, settle, until};

async fn kill(world: &World, id: ConversationId) {
    world.faulty.kill_next();
    let unanswered = world.ask(id, Command::EndByCustomer).await;
    assert!(matches!(unanswered, Err(Failure::Unavailable)), "{unanswered:?}");
}

/// The chat is still being read again when it is asked, and dies once more with its answer in hand.
#[test]
fn a_chat_that_dies_while_it_is_asked_is_counted_all_the_same() {
    run(|| async {
        let world = World::new().await;
        let (_customer, id) = Customer::chatting(&world, 1).await;
        world.faulty.hold_reads();
        kill(&world, id).await;
        let engine = world.engine.clone();
        let widget = SettingChange::DeleteWidget(parsed("shop"));
        let deleting = actix_rt::spawn(async move { engine.change(widget).await });
        settle().await;
        assert!(!deleting.is_finished(), "it is asked, and has not been read yet");
        world.faulty.kill_next();
        world.faulty.release_reads();
        let deleted = timeout(Duration::from_secs(60), deleting).await.expect("it is answered");
        let deleted = deleted.unwrap();
        let Err(Failure::Setting(SettingRefusal::InUse(by))) = &deleted else {
            panic!("{deleted:?}")
        };
        assert_eq!(by, "1 live chat");
    });
}

#[test]
fn a_session_that_dies_has_gone_like_any_other() {
    run(|| async {
        let world = World::new().await;
        let (customer, id) = Customer::chatting(&world, 1).await;
        assert_eq!(world.engine.live_sessions(), 1);
        drop(customer);
        settle().await;
        let absence = world.engine.view(id).await.unwrap().customer.absence;
        assert_eq!(absence.map(|absence| absence.cause.name()), Some("reset"));
        assert_eq!(world.engine.live_sessions(), 0);
    });
}

/// What a feed has been told and the test has not yet taken from it.
fn told(feed: &mut Feed) -> Vec<FeedEvent> {
    std::iter::from_fn(|| feed.next_now()).collect()
}

fn kinds(told: &[FeedEvent]) -> Vec<&'static str> {
    told.iter().map(|event| event.kind.name()).collect()
}

async fn come_back(world: &World, after: &str) -> Vec<FeedEvent> {
    let (ada, after) = (ada(), Some(after.to_owned()));
    let mut feed = world.engine.open_feed(&ada, after, true, Span::from_secs(15)).await.unwrap();
    settle().await;
    told(&mut feed)
}

#[test]
fn consoles_hear_that_they_may_have_missed_something_of_a_chat_that_died() {
    run(|| async {
        let world = World::new().await;
        let (mut feed, customer, id) = Customer::talking(&world, 1).await;
        customer.post(id, "m1", "hello");
        settle().await;
        let before = told(&mut feed);
        let last_id = before.iter().filter_map(|event| event.id.clone()).next_back().unwrap();
        kill(&world, id).await;
        settle().await;
        let after = told(&mut feed);
        let kinds_after = kinds(&after);
        assert_eq!(kinds_after.first(), Some(&"place_unknown"), "{kinds_after:?}");
        for shown in ["presence", "capacity", "conversation"] {
            assert!(kinds_after.contains(&shown), "{shown} of {kinds_after:?}");
        }
        assert!(after[0].data.contains(&*last_id), "{} after {last_id}", after[0].data);
        let unknown = come_back(&world, &last_id).await;
        assert_eq!(kinds(&unknown).first(), Some(&"place_unknown"), "it comes back from before");
        let newest: Arc<str> =
            after.iter().filter_map(|event| event.id.clone()).next_back().unwrap();
        let known = come_back(&world, &newest).await;
        assert!(!kinds(&known).contains(&"place_unknown"), "{:?}", kinds(&known));
    });
}

#[test]
fn a_place_in_the_feeds_of_an_actor_that_died_is_none_in_those_of_the_next() {
    run(|| async {
        let world = World::new().await;
        let (mut feed, customer, id) = Customer::talking(&world, 1).await;
        settle().await;
        let last_id =
            told(&mut feed).iter().filter_map(|event| event.id.clone()).next_back().unwrap();
        world.faulty.kill_next();
        assert!(world.engine.choose_presence(&ada(), Presence::Busy).await.is_err());
        until("she is there again with her lease", || async {
            world.engine.agent(&ada()).await.is_ok_and(|agent| agent.used == 1)
        })
        .await;
        let _feed = world.ada_works().await;
        customer.post(id, "m1", "hello");
        settle().await;
        // The new actor's numbers go on until the old place's number is one of those after the
        // message.
        for round in 0..40 {
            let presence = if round % 2 == 0 { Presence::Busy } else { Presence::Available };
            world.engine.choose_presence(&ada(), presence).await.unwrap();
        }
        let missed = come_back(&world, &last_id).await;
        let is_told = missed.iter().any(|event| event.data.contains("hello"));
        assert!(is_told, "{:?} after {last_id}", kinds(&missed));
    });
}

/// What a chat claims of others is lost with its actor, and stated again before anybody comes in.
#[test]
fn a_chat_that_dies_at_a_start_keeps_its_visitor_and_its_agent() {
    run(|| async {
        let world = World::new().await;
        let (_feed, _customer, id) = Customer::talking(&world, 1).await;
        let (given, journal) = oneshot::channel();
        let starting = actix_rt::spawn(world.crash_into(|journal| {
            journal.kill_next_asker();
            journal.hold_reads();
            given.send(journal.clone()).expect("it is waited for");
        }));
        settle().await;
        assert!(!starting.is_finished(), "nobody comes in before the chat is read again");
        journal.await.unwrap().release_reads();
        let world = timeout(Duration::from_secs(60), starting).await.expect("it starts").unwrap();
        assert_eq!(Customer::new(&world).chat_of(1), Some(id), "the visitor has this chat");
        assert_eq!(world.used().await, 1, "the agent has it, too");
    });
}
