//! Settings that change while chats wait.

use holdline::domain::conversation::State;
use holdline::domain::conversation::command::{Authority, Command};
use holdline::domain::id::ConversationId;
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::settings::{AgentSettings, QueueSettings, Role, Workstream};
use holdline::domain::text::DisplayName;
use holdline::domain::time::Span;
use holdline::engine::Failure;

use crate::customer::Customer;
use crate::world::{World, ada, parsed, run, settle, until, workstream};

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
        let accept = Command::Accept { by: None, agent: ada(), name };
        let accepting = actix_rt::spawn(async move { engine.command(id, accept).await });
        settle().await;
        world.memory.release_receipts();
        deleting.await.unwrap().unwrap();
        accepting.await.unwrap().unwrap();
        settle().await;
        assert_eq!(world.state(id).await, State::Open, "nobody is with them");
    });
}

/// Deletes Ada, and puts her into her queue again with one unit.
async fn put_ada_again(world: &World) {
    world.engine.change(SettingChange::DeleteAgent(ada())).await.unwrap();
    give_ada(world, 1).await;
    let name = DisplayName::parse("Line").unwrap();
    let queue = QueueSettings { id: parsed("line"), name, agents: vec![ada()] };
    world.engine.change(SettingChange::PutQueue(queue)).await.unwrap();
}

/// Makes a write of a chat fail. For a second the chat is then being read again and states nothing.
async fn fail_a_write_of(world: &World, id: ConversationId) {
    world.memory.fail_next_append();
    let by = parsed("sue");
    let closed = world.ask(id, Command::ForceClose { by }).await;
    assert!(matches!(closed, Err(Failure::Trouble(_))), "{closed:?}");
}

#[test]
fn an_agent_who_is_put_again_twice_waits_for_what_the_second_of_them_must_hear() {
    run(|| async {
        let world = World::new().await;
        let (feed, _first, ended) = Customer::talking(&world, 1).await;
        world.ask(ended, Command::End { by: Authority::Agent(ada()) }).await.unwrap();
        give_ada(&world, 1).await;
        let (_second, other) = Customer::chatting(&world, 2).await;
        let (_third, waiting) = Customer::chatting(&world, 3).await;
        settle().await;
        assert_eq!((world.used().await, world.state(waiting).await), (1, State::Open));
        drop(feed);

        // The first new Ada waits for one chat until a second has passed, the second Ada for
        // another chat.
        fail_a_write_of(&world, other).await;
        put_ada_again(&world).await;
        world.pass(500).await;
        fail_a_write_of(&world, ended).await;
        put_ada_again(&world).await;
        let _feed = world.ada_works().await;
        world.pass(700).await;
        assert_eq!(world.state(waiting).await, State::Open, "her unit is held by the wrap-up");
        until("the wrap-up has stated it", || async { world.used().await == 1 }).await;
        assert_eq!(world.state(waiting).await, State::Open);
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
