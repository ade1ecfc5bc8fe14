//! Settings that change while chats wait.

use holdline::domain::conversation::State;
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
