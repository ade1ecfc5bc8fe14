//! Settings that change while chats wait.

use holdline::domain::conversation::State;
use holdline::domain::conversation::command::Command;
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::settings::{AgentSettings, Role, Workstream};
use holdline::domain::text::DisplayName;
use holdline::domain::time::Span;

use crate::customer::Customer;
use crate::world::{World, ada, run, settle, workstream};

fn of_units(units: u32) -> Workstream {
    let mut changed = workstream();
    changed.window = Span::from_secs(60);
    changed.units = units;
    changed
}

async fn give_ada(world: &World, units: u32) {
    let name = DisplayName::parse("Ada").unwrap();
    let settings = AgentSettings { id: ada(), name, role: Role::Agent, units };
    world.engine.change(SettingChange::PutAgent(settings)).await.unwrap();
}

#[test]
fn a_chat_that_waits_is_offered_once_it_takes_few_enough_units() {
    run(|| async {
        let world = World::new().await;
        give_ada(&world, 1).await;
        world.set(of_units(2)).await;
        let _feed = world.ada_works().await;
        let (_customer, id) = Customer::chatting(&world, 1).await;
        settle().await;
        assert_eq!(world.state(id).await, State::Open, "it takes more than she has");
        world.set(of_units(1)).await;
        settle().await;
        assert_eq!(world.state(id).await, State::Active);
        assert_eq!(world.used().await, 1);
    });
}

#[test]
fn a_chat_that_waits_is_not_offered_for_more_than_there_is() {
    run(|| async {
        let world = World::new().await;
        give_ada(&world, 1).await;
        let (_customer, id) = Customer::chatting(&world, 1).await;
        settle().await;
        world.set(of_units(2)).await;
        let _feed = world.ada_works().await;
        settle().await;
        assert_eq!(world.state(id).await, State::Open, "it takes more than she has");
        assert_eq!(world.used().await, 0);
    });
}

#[test]
fn a_chat_that_becomes_an_agents_while_they_are_deleted_waits_again() {
    run(|| async {
        let world = World::new().await;
        let (_customer, id) = Customer::chatting(&world, 1).await;
        settle().await;
        world.memory.hold_receipts();
        let engine = world.engine.clone();
        let delete = async move { engine.change(SettingChange::DeleteAgent(ada())).await };
        let deleting = actix_rt::spawn(delete);
        settle().await;
        let (engine, name) = (world.engine.clone(), DisplayName::parse("Ada").unwrap());
        let accept = Command::Accept { agent: ada(), name };
        let accepting = actix_rt::spawn(async move { engine.command(id, accept).await });
        settle().await;
        world.memory.release_receipts();
        deleting.await.unwrap().unwrap();
        accepting.await.unwrap().unwrap();
        settle().await;
        assert_eq!(world.state(id).await, State::Open, "nobody is with them");
    });
}

#[test]
fn a_change_comes_into_force_though_nobody_waits_for_it_any_more() {
    run(|| async {
        let world = World::new().await;
        world.memory.hold_receipts();
        {
            let change = world.engine.change(SettingChange::DeleteAgent(ada()));
            let mut change = std::pin::pin!(change);
            for _ in 0..20 {
                assert!(futures_util::poll!(&mut change).is_pending());
                tokio::task::yield_now().await;
            }
        }
        world.memory.release_receipts();
        settle().await;
        assert!(!world.engine.settings().agents.contains_key(&ada()), "it is on the disk");
    });
}
