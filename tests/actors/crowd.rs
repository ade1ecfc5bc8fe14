//! Very many things at one moment: windows that end together, and an agent with more chats than a
//! feed is told of at once.

use holdline::domain::conversation::State;
use holdline::domain::conversation::command::{Authority, Command};
use holdline::domain::conversation::event::{Audience, Event};
use holdline::domain::id::{ConversationId, Seq};
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::settings::{AgentSettings, Role};
use holdline::domain::text::DisplayName;
use holdline::limits;

use crate::customer::Customer;
use crate::world::{World, ada, run, settle};

/// Several times as many chats as are woken at once.
const CROWD: u32 = 1_500;

async fn crowd(world: &World, count: u32) -> Vec<(Customer, ConversationId)> {
    let customers: Vec<_> = (0..count)
        .map(|visitor| {
            let customer = Customer::new(world);
            let id = customer.start(u128::from(visitor)).unwrap();
            (customer, id)
        })
        .collect();
    settle().await;
    customers
}

async fn expiries(world: &World, id: ConversationId) -> usize {
    let events =
        world.engine.history(id, Seq::ZERO, Audience::Agent, 100, usize::MAX).await.unwrap();
    let expired = |event: &&_| matches!(event, Event::CustomerDisconnected { .. });
    events.iter().map(|recorded| &recorded.event).filter(expired).count()
}

#[test]
fn all_windows_that_end_at_one_moment_end_once_and_none_early() {
    run(|| async {
        let world = World::new().await;
        let customers = crowd(&world, CROWD).await;
        // A start gives every customer the whole window, from one moment.
        let world = world.crash().await;
        let first = world.engine.view(customers[0].1).await.unwrap();
        let until = first.customer.absence.unwrap().until;
        for (_, id) in &customers {
            let absence = world.engine.view(*id).await.unwrap().customer.absence.unwrap();
            assert_eq!(absence.until, until, "nobody has less of it because they were read first");
        }
        world.pass(until.since(world.engine.now()).as_millis()).await;
        for (_, id) in &customers {
            assert_eq!(world.state(*id).await, State::Open, "the last moment is still in time");
        }
        world.pass(2).await;
        for (_, id) in &customers {
            assert_eq!(world.state(*id).await, State::Closed);
            assert_eq!(expiries(&world, *id).await, 1);
        }
        world.pass(10_000).await;
        assert_eq!(world.engine.live_conversations(), 0, "they have left");
    });
}

#[test]
fn others_are_served_while_very_many_windows_end() {
    run(|| async {
        let world = World::new().await;
        let customers = crowd(&world, CROWD).await;
        let world = world.crash().await;
        let view = world.engine.view(customers[0].1).await.unwrap();
        let until = view.customer.absence.unwrap().until;
        let left = until.since(world.engine.now()).as_millis();
        world.pass(left - 1_000).await;
        let (talker, id) = Customer::chatting(&world, 1_000_000).await;
        let left = until.since(world.engine.now()).as_millis();
        tokio::time::sleep(std::time::Duration::from_millis(left + 1)).await;
        talker.post(id, "m1", "is anybody there?");
        let mut polled = 0;
        while talker.was_posted().is_none() {
            tokio::task::yield_now().await;
            polled += 1;
            assert!(polled < 100_000, "it is answered in its turn");
        }
        let mut ended = 0;
        for (_, id) in &customers {
            ended += expiries(&world, *id).await;
        }
        assert!(ended < customers.len(), "and does not wait for all of them: {ended}");
    });
}

#[test]
fn an_agent_of_very_many_chats_is_told_of_their_leases_once_a_second() {
    run(|| async {
        let world = World::new().await;
        let units = 2_000;
        let name = DisplayName::parse("Ada").unwrap();
        let settings = AgentSettings { id: ada(), name, role: Role::Agent, units };
        world.engine.change(SettingChange::PutAgent(settings)).await.unwrap();
        let mut feed = world.ada_works().await;
        let customers = crowd(&world, 200).await;
        for (_, id) in &customers {
            world.ada_accepts(*id).await;
        }
        world.pass(2_000).await;
        while feed.next_now().is_some() {}
        for (_, id) in customers.iter().take(100) {
            let by = Authority::Agent(ada());
            world.ask(*id, Command::End { by }).await.unwrap();
        }
        world.pass(3_000).await;
        let mut told = Vec::new();
        while let Some(event) = feed.next_now() {
            if event.kind.name() == "capacity" {
                told.push(event.data);
            }
        }
        assert!((1..=3).contains(&told.len()), "told {} times", told.len());
        let last = told.last().unwrap();
        assert_eq!(last.matches("\"for\":\"wrapup\"").count(), 100, "and the last is true: {last}");
        assert_eq!(last.matches("\"for\":\"chat\"").count(), 100);
    });
}

#[test]
fn two_engines_on_one_thread_mix_nothing_up() {
    run(|| async {
        let worlds = [World::new().await, World::new().await];
        let visitor = 7;
        let mut chats = Vec::new();
        for world in &worlds {
            let mut feed = world.ada_works().await;
            // From now on conversations gather what they do, or put it off.
            world.faulty.pretend_waiting(limits::BUSY_APPENDS + 1);
            let (customer, id) = Customer::chatting(world, visitor).await;
            world.ada_accepts(id).await;
            customer.lose(id);
            chats.push((customer, id));
            settle().await;
            while feed.next_now().is_some() {}
        }
        worlds[0].pass(60_100).await;
        for (world, (customer, id)) in worlds.iter().zip(&chats) {
            assert_eq!(world.state(*id).await, State::Wrapup, "its receipts have come");
            assert_eq!(expiries(world, *id).await, 1);
            assert_eq!(customer.chat_of(visitor), Some(*id), "and whose it was is put off");
        }
        worlds[0].faulty.pretend_waiting(0);
        worlds[0].pass(50).await;
        assert_eq!(chats[0].0.chat_of(visitor), None);
        assert_eq!(chats[1].0.chat_of(visitor), Some(chats[1].1), "it is another's, who is busy");
        worlds[1].faulty.pretend_waiting(0);
        worlds[1].pass(50).await;
        assert_eq!(chats[1].0.chat_of(visitor), None);
        for world in &worlds {
            assert_eq!(world.used().await, 1, "the wrap-up of one chat");
        }
    });
}
