//! Actors that die, and servers that do: what is durable is live again.

use std::time::Duration;

use holdline::domain::agent::Presence;
use holdline::domain::conversation::State;
use holdline::domain::conversation::command::{Command, Refusal};
use holdline::domain::conversation::event::{Audience, Event, Recorded};
use holdline::domain::id::{ConversationId, Seq};
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::settings::{AgentSettings, Role};
use holdline::domain::text::DisplayName;
use holdline::domain::time::Span;
use holdline::engine::{Closing, Failure, Filter, ToSession};

use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::customer::Customer;
use crate::world::{World, ada, parsed, refusal, run, settle, until};

#[test]
fn a_conversation_whose_actor_died_is_read_again() {
    run(|| async {
        let world = World::new().await;
        let (_feed, customer, id) = Customer::talking(&world, 1).await;
        world.faulty.kill_next();
        let unanswered = world.ask(id, Command::EndByCustomer).await;
        assert!(matches!(unanswered, Err(Failure::Unavailable)), "{unanswered:?}");
        let view = world.engine.view(id).await.unwrap();
        assert_eq!(view.state, State::Active, "what was not written never was");
        assert_eq!(world.used().await, 1);
        let asked_back = customer
            .find(|told| matches!(told, ToSession::Close(Closing::Restarted)).then_some(()));
        assert!(asked_back.is_some());
        let back = Customer::new(&world);
        back.join(id, 99);
        assert_eq!(back.joined().await, id);
        assert!(world.engine.view(id).await.unwrap().customer.connected);
    });
}

/// What a task gives; it must not wait for a dead actor.
async fn in_time<T>(task: JoinHandle<T>) -> T {
    timeout(Duration::from_secs(60), task).await.expect("it is answered").unwrap()
}

#[test]
fn whoever_waits_for_an_actor_that_dies_is_answered() {
    run(|| async {
        let world = World::new().await;
        let (_feed, _customer, id) = Customer::talking(&world, 1).await;
        world.memory.hold_receipts();
        let ask = |command: Command| {
            let engine = world.engine.clone();
            actix_rt::spawn(async move { engine.command(id, command).await })
        };
        let by_customer = Command::EndByCustomer;
        let (decided, engine) = (ask(by_customer), world.engine.clone());
        let shown = actix_rt::spawn(async move { engine.view(id).await });
        settle().await;
        assert!(!decided.is_finished() && !shown.is_finished(), "both wait for the disk");
        world.faulty.kill_next();
        let killing = ask(Command::ForceClose { by: parsed("sue") });
        let killing = in_time(killing).await;
        assert!(matches!(killing, Err(Failure::Unavailable)), "in hand: {killing:?}");
        let decided = in_time(decided).await;
        assert!(matches!(decided, Err(Failure::Unavailable)), "at the gate: {decided:?}");
        let shown = in_time(shown).await;
        assert!(matches!(shown, Err(Failure::Unavailable)), "behind it: {shown:?}");
        world.memory.release_receipts();
        until("it is read again", || async { world.engine.view(id).await.is_ok() }).await;
    });
}

#[test]
fn an_agent_whose_actor_died_has_their_leases_again() {
    run(|| async {
        let world = World::new().await;
        let (_feed, _customer, _id) = Customer::talking(&world, 1).await;
        world.faulty.kill_next();
        assert!(world.engine.choose_presence(&ada(), Presence::Busy).await.is_err());
        until("she is there again with her lease", || async {
            world.engine.agent(&ada()).await.is_ok_and(|agent| agent.used == 1)
        })
        .await;
        let seen = world.engine.agent(&ada()).await.unwrap();
        assert_eq!(seen.chosen, Presence::Available, "what was not written never was");
    });
}

#[test]
fn an_offer_that_a_fault_swallowed_is_made_again() {
    run(|| async {
        let world = World::new().await;
        // With one unit Ada cannot be asked again while the unit is set aside for the first offer.
        let name = DisplayName::parse("Ada").unwrap();
        let one_unit = AgentSettings { id: ada(), name, role: Role::Agent, units: 1 };
        world.engine.change(SettingChange::PutAgent(one_unit)).await.unwrap();
        let (_customer, id) = Customer::chatting(&world, 1).await;
        world.memory.fail_next_append();
        let _feed = world.engine.open_feed(&ada(), None, false, Span::from_secs(15)).await.unwrap();
        settle().await;
        world.pass(2_000).await;
        // The chat's tabs were asked to come back, and no customer who is away is offered to an
        // agent.
        assert_eq!(world.used().await, 0, "the units that were set aside are free");
        let back = Customer::new(&world);
        back.join(id, 99);
        assert_eq!(back.joined().await, id);
        settle().await;
        assert_eq!(world.state(id).await, State::Active, "it waits, and she is free for it");
        assert_eq!(world.used().await, 1);
    });
}

#[test]
fn after_a_crash_everybody_has_what_they_had_and_the_full_window() {
    run(|| async {
        let world = World::new().await;
        let (feed, _talking, talking) = Customer::talking(&world, 1).await;
        let (away, waiting) = Customer::chatting(&world, 2).await;
        away.lose(waiting);
        world.pass(50_000).await;
        drop(feed);

        let world = world.crash().await;
        settle().await;
        let now = world.engine.now();
        for id in [talking, waiting] {
            let absence = world.engine.view(id).await.unwrap().customer.absence.unwrap();
            let left = absence.until.since(now).as_millis();
            assert!((59_900..=60_000).contains(&left), "{left} ms of a minute");
            assert_eq!(absence.cause.name(), "restarted");
        }
        let ada_now = world.engine.agent(&ada()).await.unwrap();
        assert_eq!((ada_now.used, ada_now.presence.name()), (2, "offline"));
        world.pass(60_100).await;
        assert_eq!(world.state(talking).await, State::Wrapup);
        assert_eq!(world.state(waiting).await, State::Closed);
        assert_eq!(world.used().await, 1, "the wrap-up holds its unit");
    });
}

#[test]
fn a_restart_is_written_before_anybody_is_told_and_once_for_each_start() {
    run(|| async {
        let world = World::new().await;
        let (_customer, id) = Customer::chatting(&world, 1).await;
        // After a crash before anything of the restart was written, the next start is like any
        // other.
        let world = world.crash().await;
        assert_eq!(restarts(&world, id).await, 0, "nobody has asked, and its turn is not yet");
        let world = world.crash().await;
        let view = world.engine.view(id).await.unwrap();
        assert_eq!(restarts(&world, id).await, 1, "what a view tells is written");
        let history =
            world.engine.history(id, Seq::ZERO, Audience::Agent, 100, usize::MAX).await.unwrap();
        assert_eq!(history.last().unwrap().seq, view.seq);
        world.engine.view(id).await.unwrap();
        assert_eq!(restarts(&world, id).await, 1);
        let back = Customer::new(&world);
        back.join(id, 99);
        assert_eq!(back.joined().await, id);
        let history =
            world.engine.history(id, Seq::ZERO, Audience::Agent, 100, usize::MAX).await.unwrap();
        let seqs: Vec<_> = history.iter().map(|recorded| recorded.seq.number()).collect();
        let expected: Vec<_> = (1..).take(seqs.len()).collect();
        assert_eq!(seqs, expected, "and without a gap");
    });
}

#[test]
fn a_restart_that_nobody_asks_for_is_written_in_its_turn() {
    run(|| async {
        let world = World::new().await;
        let (_first, one) = Customer::chatting(&world, 1).await;
        let (_second, two) = Customer::chatting(&world, 2).await;
        let world = world.crash().await;
        world.pass(1_000).await;
        for id in [one, two] {
            assert_eq!(restarts(&world, id).await, 1);
        }
        let list = world.engine.list(Filter::default(), None, 10).await.unwrap();
        assert!(list.views.iter().all(|view| view.customer.absence.is_some()), "{list:?}");
    });
}

/// How many restarts of a conversation the journal holds.
async fn restarts(world: &World, id: ConversationId) -> usize {
    let history =
        world.engine.history(id, Seq::ZERO, Audience::Agent, 100, usize::MAX).await.unwrap();
    let restart = |recorded: &&Recorded| matches!(recorded.event, Event::ServerRestarted { .. });
    history.iter().filter(restart).count()
}

#[test]
fn a_visitor_finds_their_chat_again_after_a_crash() {
    run(|| async {
        let world = World::new().await;
        let (_customer, id) = Customer::chatting(&world, 5).await;
        let world = world.crash().await;
        settle().await;
        let back = Customer::new(&world);
        back.start(5).unwrap();
        assert_eq!(back.joined().await, id);
    });
}

#[test]
fn nobody_knows_a_conversation_that_never_was() {
    run(|| async {
        let world = World::new().await;
        let nobody = ConversationId::from_bits(42);
        let answer = world.ask(nobody, Command::EndByCustomer).await;
        assert_eq!(refusal(&answer), Some(Refusal::UnknownConversation));
        world.pass(10_000).await;
        assert_eq!(world.engine.live_conversations(), 0, "asking leaves nothing behind");
    });
}

#[test]
fn a_closed_conversation_leaves_and_can_still_be_read() {
    run(|| async {
        let world = World::new().await;
        let (_customer, id) = Customer::chatting(&world, 1).await;
        world.ask(id, Command::EndByCustomer).await.unwrap();
        world.pass(10_000).await;
        assert_eq!(world.engine.live_conversations(), 0);
        assert_eq!(world.state(id).await, State::Closed);
        let again = world.ask(id, Command::EndByCustomer).await;
        assert_eq!(refusal(&again), Some(Refusal::AlreadyClosed));
    });
}

/// How many waiting chats have closed because their customer was gone. To ask for one of these
/// chats would open it again.
fn windows_ended(world: &World) -> u64 {
    let told = world.engine.metrics();
    let of = |line: &str| {
        let (name, count) = line.rsplit_once(' ')?;
        let is_it = name.starts_with("holdline_closes")
            && name.contains("customer_disconnected_while_open");
        is_it.then(|| count.parse::<u64>().unwrap())
    };
    told.lines().find_map(of).expect("it is counted")
}

#[test]
fn a_held_customer_s_window_ends_even_if_the_actor_died() {
    run(|| async {
        let world = World::new().await;
        let (customer, id) = Customer::chatting(&world, 1).await;
        customer.lose(id);
        settle().await;
        world.faulty.kill_next();
        let unanswered = world.ask(id, Command::EndByCustomer).await;
        assert!(matches!(unanswered, Err(Failure::Unavailable)), "{unanswered:?}");
        // Nobody asks for the chat again, so only its own timer can end it.
        world.pass(61_000).await;
        assert_eq!(windows_ended(&world), 1);
    });
}

/// After a failed write a chat is opened again in a moment. A chat whose actor dies before that is
/// opened again as well.
#[test]
fn a_window_ends_even_if_the_actor_died_after_a_failed_write() {
    run(|| async {
        let world = World::new().await;
        let (customer, id) = Customer::chatting(&world, 1).await;
        customer.lose(id);
        settle().await;
        world.memory.fail_next_append();
        let lost = world.ask(id, Command::EndByCustomer).await;
        assert!(matches!(lost, Err(Failure::Trouble(_))), "{lost:?}");
        world.faulty.kill_next_asker();
        let unanswered = world.engine.view(id).await;
        assert!(matches!(unanswered, Err(Failure::Unavailable)), "{unanswered:?}");
        world.pass(61_000).await;
        assert_eq!(windows_ended(&world), 1);
    });
}

#[test]
fn an_offer_that_died_on_its_way_is_made_again() {
    run(|| async {
        let world = World::new().await;
        let (_customer, id) = Customer::chatting(&world, 1).await;
        // The next append is the offer, which follows from Ada's being there.
        let mut feed =
            world.engine.open_feed(&ada(), None, false, Span::from_secs(15)).await.unwrap();
        world.faulty.kill_next();
        until("it is offered again", || async {
            world.engine.view(id).await.is_ok_and(|view| view.agent == Some(ada()))
        })
        .await;
        assert_eq!(world.used().await, 1, "held once");
        let mut offered = false;
        while let Some(told) = feed.next_now() {
            offered |= told.kind.name() == "offer";
        }
        assert!(offered);
    });
}
