//! Nothing leaves before it is written, and what was not written never was.

use futures_util::FutureExt as _;
use holdline::domain::conversation::State;
use holdline::domain::conversation::command::Command;
use holdline::domain::conversation::event::Author;
use holdline::domain::text::MessageText;
use holdline::engine::{Closing, Failure, NotJoined, ToSession};
use holdline::limits;
use holdline::wire::refusal::RefusalCode;

use crate::customer::Customer;
use crate::world::{World, ada, parsed, run, settle, until};

#[test]
fn nobody_hears_of_a_message_that_is_not_durable() {
    run(|| async {
        let world = World::new().await;
        let mut feed = world.ada_works().await;
        let (customer, id) = Customer::chatting(&world, 1).await;
        let other_tab = Customer::new(&world);
        settle().await;
        world.ada_accepts(id).await;
        other_tab.join(id, 99);
        settle().await;
        while feed.next_now().is_some() {}
        other_tab.told();
        customer.told();

        world.memory.hold_receipts();
        customer.post(id, "m1", "is anybody there?");
        settle().await;
        assert_eq!(customer.was_posted(), None, "its author");
        assert!(other_tab.frames().is_empty(), "the other tab");
        assert!(feed.next_now().is_none(), "the agent");
        world.memory.release_receipts();
        settle().await;
        assert!(customer.was_posted().is_some());
        assert!(customer.frames().is_empty(), "the author is told once");
        assert_eq!(other_tab.frames().len(), 1);
        let told = feed.next_now().unwrap();
        assert_eq!(told.kind.name(), "message");
    });
}

#[test]
fn a_view_waits_for_what_was_decided_before_it() {
    run(|| async {
        let world = World::new().await;
        let (_customer, id) = Customer::chatting(&world, 1).await;
        world.memory.hold_receipts();
        let engine = world.engine.clone();
        let ended = actix_rt::spawn(async move {
            engine.command(id, Command::EndByCustomer).await.unwrap();
        });
        settle().await;
        let engine = world.engine.clone();
        let seen = actix_rt::spawn(async move { engine.view(id).await.unwrap().state });
        settle().await;
        assert!(!seen.is_finished(), "it would tell of an end that a crash could undo");
        world.memory.release_receipts();
        assert_eq!(seen.await.unwrap(), State::Closed);
        ended.await.unwrap();
    });
}

#[test]
fn an_append_that_fails_is_answered_and_leaves_no_trace() {
    run(|| async {
        let world = World::new().await;
        let (_feed, customer, id) = Customer::talking(&world, 1).await;
        let before = world.engine.view(id).await.unwrap();
        world.memory.fail_next_append();
        let lost = world.ask(id, post("a1", "never written")).await;
        assert!(matches!(lost, Err(Failure::Trouble(_))), "{lost:?}");
        let asked_back = customer
            .find(|told| matches!(told, ToSession::Close(Closing::Restarted)).then_some(()));
        assert!(asked_back.is_some(), "its sessions come back to what is true");
        until("it is open again", || async { world.engine.view(id).await.is_ok() }).await;
        let after = world.engine.view(id).await.unwrap();
        assert_eq!((after.state, &after.agent), (before.state, &before.agent));
        assert_eq!(world.used().await, 1);
        let said = world.ask(id, post("a1", "written now")).await;
        assert!(said.is_ok(), "the id was never used: {said:?}");
    });
}

#[test]
fn a_question_behind_the_word_of_a_fault_is_answered_by_who_takes_its_place() {
    run(|| async {
        let world = World::new().await;
        let _feed = world.ada_works().await;
        for turns in 0..12 {
            let (_customer, id) = Customer::chatting(&world, turns).await;
            settle().await;
            world.memory.fail_next_append();
            let engine = world.engine.clone();
            let asking = actix_rt::spawn(async move {
                let mut ended = Box::pin(engine.command(id, Command::EndByCustomer));
                let first = (&mut ended).now_or_never();
                for _ in 0..turns {
                    turn().await;
                }
                let mut shown = Box::pin(engine.view(id));
                let shown_first = (&mut shown).now_or_never();
                let ended = match first {
                    Some(ended) => ended,
                    None => ended.await,
                };
                let shown = match shown_first {
                    Some(shown) => shown,
                    None => shown.await,
                };
                (ended, shown)
            });
            let (ended, shown) = asking.await.unwrap();
            assert!(matches!(ended, Err(Failure::Trouble(_))), "{ended:?}");
            assert!(matches!(shown, Ok(_) | Err(Failure::Trouble(_))), "{turns}: {shown:?}");
            world.ask(id, Command::EndByCustomer).await.unwrap();
        }
    });
}

/// Lets each task that is about to do something do one thing. After a yield all of them would have
/// come to rest.
async fn turn() {
    let mut has_waited = false;
    std::future::poll_fn(|task| {
        if std::mem::replace(&mut has_waited, true) {
            return std::task::Poll::Ready(());
        }
        task.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[test]
fn who_comes_in_again_is_told_nothing_twice_and_nothing_less() {
    run(|| async {
        let world = World::new().await;
        let (_feed, customer, id) = Customer::talking(&world, 1).await;
        settle().await;
        let said = |customer: &Customer, text: &str| {
            customer.frames().iter().filter(|frame| frame.contains(text)).count()
        };
        // The session is told the message while its second entrance waits for the disk.
        world.memory.hold_receipts();
        let engine = world.engine.clone();
        let posting = actix_rt::spawn(async move { engine.command(id, post("a1", "one")).await });
        settle().await;
        customer.join(id, 1);
        settle().await;
        world.memory.release_receipts();
        posting.await.unwrap().unwrap();
        settle().await;
        assert_eq!(said(&customer, "\"one\""), 1);
        // The tab says that it has seen what it has not been sent yet.
        let other_tab = Customer::new(&world);
        other_tab.join(id, 1);
        other_tab.join(id, 99);
        settle().await;
        assert_eq!(said(&other_tab, "\"one\""), 1);
        world.ask(id, post("a2", "two")).await.unwrap();
        settle().await;
        assert_eq!((said(&customer, "\"two\""), said(&other_tab, "\"two\"")), (1, 1));
    });
}

#[test]
fn people_wait_when_the_disk_cannot_keep_up_and_losses_do_not() {
    run(|| async {
        let world = World::new().await;
        let (customer, id) = Customer::chatting(&world, 1).await;
        let refused = || {
            customer.find(|told| match told {
                ToSession::Refused { code, .. } => Some(*code),
                _ => None,
            })
        };
        world.faulty.pretend_waiting(limits::APPENDS_WAITING_MAX);
        customer.post(id, "m0", "busy is not full");
        settle().await;
        assert_eq!(refused(), None);
        world.faulty.pretend_waiting(limits::APPENDS_WAITING_MAX + 1);
        customer.told();
        customer.post(id, "m1", "hello");
        settle().await;
        assert_eq!(refused(), Some(RefusalCode::Overloaded));
        assert!(matches!(world.ask(id, Command::EndByCustomer).await, Err(Failure::Overloaded)));
        assert_eq!(Customer::new(&world).start(2), Err(RefusalCode::Overloaded));
        customer.lose(id);
        settle().await;
        assert!(!world.engine.view(id).await.unwrap().customer.connected);
    });
}

#[test]
fn one_visitor_has_one_chat_however_many_start_at_once() {
    run(|| async {
        let world = World::new().await;
        let tabs: Vec<_> = (0..8).map(|_| Customer::new(&world)).collect();
        for tab in &tabs {
            tab.start(7).unwrap();
        }
        let mut chats = Vec::new();
        for tab in &tabs {
            chats.push(tab.joined().await);
        }
        chats.dedup();
        assert_eq!(chats.len(), 1);
        assert_eq!(world.engine.live_conversations(), 1);
        let other = Customer::new(&world);
        other.start(8).unwrap();
        assert_ne!(other.joined().await, chats[0]);
    });
}

#[test]
fn who_returns_too_late_is_told_so_and_may_start_anew() {
    run(|| async {
        let world = World::new().await;
        let (customer, id) = Customer::chatting(&world, 1).await;
        customer.lose(id);
        world.pass(60_100).await;
        let late = Customer::new(&world);
        late.join(id, 1);
        assert!(matches!(late.not_joined().await, NotJoined::Ended { .. }));
        late.told();
        late.start(1).unwrap();
        assert_ne!(late.joined().await, id);
    });
}

fn post(id: &str, text: &str) -> Command {
    let text = MessageText::parse(text).unwrap();
    Command::Post { by: None, from: Author::Agent(ada()), id: parsed(id), text }
}
