//! Conversations that are read late. What they are told meanwhile waits, and no caller waits in
//! vain.

use std::time::Duration;

use holdline::domain::conversation::command::{Answer, Command};
use holdline::domain::conversation::event::{Audience, Author, Event};
use holdline::domain::conversation::view::View;
use holdline::domain::id::{ConversationId, Seq};
use holdline::domain::text::MessageText;
use holdline::engine::{Closing, Failure, ToSession};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::customer::Customer;
use crate::world::{World, ada, parsed, run, settle, until};

/// A chat with Ada.
async fn talking(world: &World) -> (Customer, ConversationId) {
    let (customer, id) = Customer::chatting(world, 1).await;
    settle().await;
    world.ada_accepts(id).await;
    settle().await;
    (customer, id)
}

/// Kills the actor of a chat. The chat is not read again before reads are released.
async fn kill_and_read_late(world: &World, id: ConversationId) {
    world.faulty.hold_reads();
    world.faulty.kill_next();
    let unanswered = world.ask(id, Command::EndByCustomer).await;
    assert!(matches!(unanswered, Err(Failure::Unavailable)), "{unanswered:?}");
    settle().await;
}

fn say(world: &World, id: ConversationId, text: &str) -> JoinHandle<Result<Answer, Failure>> {
    let said = MessageText::parse(text).unwrap();
    let from = Author::Agent(ada());
    let post = Command::Post { by: None, from, id: parsed(text), text: said };
    let engine = world.engine.clone();
    actix_rt::spawn(async move { engine.command(id, post).await })
}

fn look(world: &World, id: ConversationId) -> JoinHandle<Result<View, Failure>> {
    let engine = world.engine.clone();
    actix_rt::spawn(async move { engine.view(id).await })
}

/// What a task gives; it must come in time.
async fn in_time<T>(task: JoinHandle<T>) -> T {
    timeout(Duration::from_secs(60), task).await.expect("it is answered").unwrap()
}

/// What was said in a conversation, in order.
async fn said(world: &World, id: ConversationId) -> Vec<String> {
    let history =
        world.engine.history(id, Seq::ZERO, Audience::Agent, 100, usize::MAX).await.unwrap();
    let texts = history.into_iter().filter_map(|recorded| match recorded.event {
        Event::MessagePosted { text, .. } => Some(text.as_str().to_owned()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn what_a_conversation_is_told_while_it_is_read_is_served_in_order() {
    run(|| async {
        let world = World::new().await;
        let _feed = world.ada_works().await;
        let (_customer, id) = talking(&world).await;
        kill_and_read_late(&world, id).await;
        let mut posts = Vec::new();
        for text in ["one", "two", "three"] {
            posts.push(say(&world, id, text));
            settle().await;
        }
        let seen = look(&world, id);
        world.pass(10_000).await;
        assert!(!seen.is_finished() && posts.iter().all(|post| !post.is_finished()));
        world.faulty.release_reads();
        for post in posts {
            in_time(post).await.unwrap();
        }
        in_time(seen).await.unwrap();
        assert_eq!(said(&world, id).await, ["one", "two", "three"]);
    });
}

#[test]
fn one_that_dies_while_it_is_read_leaves_no_question_open() {
    run(|| async {
        let world = World::new().await;
        let _feed = world.ada_works().await;
        let (_customer, id) = talking(&world).await;
        kill_and_read_late(&world, id).await;
        let kept = (say(&world, id, "one"), look(&world, id));
        settle().await;
        world.faulty.kill_next_asker();
        let (in_hand, behind) = (look(&world, id), look(&world, id));
        let kept = (in_time(kept.0).await, in_time(kept.1).await);
        assert!(matches!(kept.0, Err(Failure::Unavailable)), "{:?}", kept.0);
        assert!(matches!(kept.1, Err(Failure::Unavailable)), "{:?}", kept.1);
        let in_hand = in_time(in_hand).await;
        assert!(matches!(in_hand, Err(Failure::Unavailable)), "{in_hand:?}");
        let behind = in_time(behind).await;
        assert!(matches!(behind, Err(Failure::Unavailable)), "in the mailbox: {behind:?}");
        // The dead actor's reading is answered now, and nobody takes the answer; its successor's is
        // answered, too.
        let asked = say(&world, id, "two");
        settle().await;
        world.faulty.release_reads();
        in_time(asked).await.unwrap();
        assert_eq!(said(&world, id).await, ["two"]);
        assert_eq!(world.engine.live_conversations(), 1);
    });
}

#[test]
fn one_whose_reader_dies_is_read_again_and_answers() {
    run(|| async {
        let world = World::new().await;
        let _feed = world.ada_works().await;
        let (_customer, id) = talking(&world).await;
        world.faulty.kill_next_reader();
        kill_and_read_late(&world, id).await;
        let (asked, seen) = (say(&world, id, "one"), look(&world, id));
        settle().await;
        world.faulty.release_reads();
        in_time(asked).await.unwrap();
        in_time(seen).await.unwrap();
        assert_eq!(said(&world, id).await, ["one"]);
    });
}

#[test]
fn a_page_that_is_read_after_its_conversation_has_died_is_told_to_nobody() {
    run(|| async {
        let world = World::new().await;
        let _feed = world.ada_works().await;
        let (_customer, id) = talking(&world).await;
        in_time(say(&world, id, "one")).await.unwrap();
        world.faulty.hold_reads();
        let other_tab = Customer::new(&world);
        other_tab.join(id, 1);
        settle().await;
        assert!(other_tab.frames().is_empty(), "what it has missed is not read yet");
        world.faulty.kill_next();
        assert!(in_time(say(&world, id, "two")).await.is_err());
        settle().await;
        world.faulty.release_reads();
        until("it is read again", || async { world.engine.view(id).await.is_ok() }).await;
        let is_closed = |told: &ToSession| matches!(told, ToSession::Close(Closing::Restarted));
        assert!(other_tab.find(|told| is_closed(told).then_some(())).is_some());
        assert!(other_tab.frames().is_empty(), "{:?}", other_tab.frames());
        let back = Customer::new(&world);
        back.join(id, 1);
        settle().await;
        let told = back.frames().iter().filter(|frame| frame.contains("\"one\"")).count();
        assert_eq!(told, 1);
    });
}
