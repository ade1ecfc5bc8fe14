//! Chats that are erased while the retention takes them elsewhere.

use holdline::domain::conversation::State;
use holdline::domain::conversation::command::{Authority, Command};
use holdline::domain::id::VisitorId;

use crate::customer::Customer;
use crate::world::{World, ada, run, settle};

#[test]
fn a_chat_that_is_archived_while_its_visitor_is_erased_is_erased_as_well() {
    run(|| async {
        let world = World::new().await;
        let _feed = world.ada_works().await;
        let (_customer, id) = Customer::chatting(&world, 7).await;
        world.ada_accepts(id).await;
        let by = Authority::Agent(ada());
        world.ask(id, Command::End { by: by.clone() }).await.unwrap();
        world.ask(id, Command::Close { by }).await.unwrap();
        settle().await;
        assert_eq!(world.state(id).await, State::Closed);
        world.faulty.archive_after_look();
        let erased = world.engine.erase_visitor(VisitorId::from_bits(7), ada()).await.unwrap();
        assert_eq!(erased, 1, "it was in one place or the other");
        assert!(world.engine.view(id).await.is_err(), "nothing of it is left");
    });
}
