//! Windows, silence and graces, to the millisecond.

use std::time::Duration;

use holdline::domain::conversation::State;
use holdline::domain::conversation::command::{Authority, Command};
use holdline::domain::conversation::event::Reason;
use holdline::domain::time::Span;
use holdline::engine::{Closing, ToSession};

use crate::customer::Customer;
use crate::world::{World, ada, run, settle, workstream};

#[test]
fn a_window_ends_after_its_last_millisecond_and_not_before() {
    run(|| async {
        let world = World::new().await;
        let (customer, id) = Customer::chatting(&world, 1).await;
        customer.lose(id);
        settle().await;
        let absence = world.engine.view(id).await.unwrap().customer.absence.unwrap();
        let left = absence.until.since(world.engine.now()).as_millis();
        world.pass(left).await;
        assert_eq!(world.state(id).await, State::Open, "the last moment is still in time");
        world.pass(2).await;
        let view = world.engine.view(id).await.unwrap();
        assert_eq!(view.state, State::Closed);
        assert_eq!(view.reason, Some(Reason::CustomerDisconnectedWhileOpen));
    });
}

/// A caller that reads the time first and counts from a later moment may be held up between the
/// two, and would then be woken early. An actor that is woken early has no alarm any more.
#[test]
fn the_instant_of_a_time_is_the_same_whenever_it_is_asked_for() {
    run(|| async {
        let world = World::new().await;
        let at = world.engine.now() + Span::from_millis(40);
        let instant = world.engine.instant(at);
        for _ in 0..400 {
            assert_eq!(world.engine.instant(at), instant);
            let has_come = tokio::time::Instant::now() >= instant;
            assert_eq!(world.engine.now() >= at, has_come);
            tokio::time::advance(Duration::from_micros(170)).await;
        }
        assert!(world.engine.now() > at);
    });
}

/// What an agent holds is compared from time to time, even for a chat whose customer has gone.
#[test]
fn the_lease_of_a_wrap_up_is_audited() {
    run(|| async {
        let world = World::new().await;
        let (_feed, _customer, id) = Customer::talking(&world, 1).await;
        let by = Authority::Agent(ada());
        world.ask(id, Command::End { by }).await.unwrap();
        assert_eq!(world.state(id).await, State::Wrapup);
        let audited = || {
            let metrics = world.engine.metrics();
            let line =
                metrics.lines().find(|line| line.starts_with("holdline_leases_audited_total"));
            line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap()
        };
        let before = audited();
        world.pass(125_000).await;
        assert_eq!(audited(), before + 2, "once a minute");
        assert_eq!(world.used().await, 1);
    });
}

#[test]
fn a_return_in_time_leaves_everything_as_it_was() {
    run(|| async {
        let world = World::new().await;
        let (_feed, customer, id) = Customer::talking(&world, 1).await;
        customer.lose(id);
        world.pass(59_000).await;
        let back = Customer::new(&world);
        back.join(id, 99);
        assert_eq!(back.joined().await, id);
        // For a day the session gives nothing but heartbeats.
        for _ in 0..3_456 {
            world.pass(25_000).await;
            back.visit.hear(id, world.engine.now());
        }
        assert_eq!(world.state(id).await, State::Active);
        assert_eq!(world.used().await, 1);
        let probed = back.find(|told| matches!(told, ToSession::Probe).then_some(()));
        assert!(probed.is_none(), "a beating session costs no question");
    });
}

#[test]
fn a_silent_session_is_asked_once_and_then_lost_from_its_last_beat() {
    run(|| async {
        let world = World::new().await;
        let (customer, id) = Customer::chatting(&world, 1).await;
        let beaten_at = world.engine.now();
        customer.visit.hear(id, world.engine.now());
        world.pass(28_000).await;
        assert_eq!(probes(&customer), 0);
        world.pass(1_000).await;
        assert_eq!(probes(&customer), 1, "asked a little after one heartbeat");
        world.pass(20_900).await;
        assert_eq!(probes(&customer), 1, "asked once");
        assert!(world.engine.view(id).await.unwrap().customer.connected);
        world.pass(200).await;
        let seen = world.engine.view(id).await.unwrap().customer;
        assert!(!seen.connected);
        let absence = seen.absence.unwrap();
        assert_eq!(absence.since, beaten_at, "counted from the last sign of life");
        assert_eq!(absence.until, beaten_at + Span::from_secs(60));
        let closed =
            customer.find(|told| matches!(told, ToSession::Close(Closing::Silent)).then_some(()));
        assert!(closed.is_some(), "it is told, should it still be there");
    });
}

#[test]
fn an_answer_to_the_question_is_a_sign_of_life() {
    run(|| async {
        let world = World::new().await;
        let (customer, id) = Customer::chatting(&world, 1).await;
        // This is a background tab: its timers sleep, and its browser answers every ping.
        for _ in 0..500 {
            world.pass(1_000).await;
            if probes(&customer) > 0 {
                customer.told();
                customer.visit.hear(id, world.engine.now());
            }
        }
        assert!(world.engine.view(id).await.unwrap().customer.connected);
    });
}

#[test]
fn an_agent_who_stays_away_loses_the_chat_and_gets_their_presence_back() {
    run(|| async {
        let world = World::new().await;
        let (feed, customer, id) = Customer::talking(&world, 1).await;
        drop(feed);
        settle().await;
        let gone = world.engine.agent(&ada()).await.unwrap();
        assert_eq!(gone.presence.name(), "offline", "at once");
        for _ in 0..5 {
            world.pass(25_000).await;
            customer.visit.hear(id, world.engine.now());
        }
        assert_eq!(world.state(id).await, State::Active, "the grace runs");
        world.pass(25_100).await;
        assert_eq!(world.state(id).await, State::Open, "the grace is over");
        assert_eq!(world.used().await, 0);
        let _feed = world.engine.open_feed(&ada(), None, false, Span::from_secs(15)).await.unwrap();
        settle().await;
        let back = world.engine.agent(&ada()).await.unwrap();
        assert_eq!(back.presence.name(), "available", "as it was chosen");
        assert_eq!(back.used, 1, "and the chat that waits is offered to them again");
    });
}

#[test]
fn a_window_that_was_changed_counts_from_the_next_absence() {
    run(|| async {
        let world = World::new().await;
        let (first, held) = Customer::chatting(&world, 1).await;
        let (second, later) = Customer::chatting(&world, 2).await;
        first.lose(held);
        settle().await;
        let mut shorter = workstream();
        (shorter.window, shorter.heartbeat) = (Span::from_secs(5), Span::from_secs(2));
        world.set(shorter).await;
        second.lose(later);
        world.pass(5_100).await;
        assert_eq!(world.state(later).await, State::Closed);
        assert_eq!(world.state(held).await, State::Open, "its timer runs on as it was started");
    });
}

fn probes(customer: &Customer) -> usize {
    let told = customer.told();
    let count = told.iter().filter(|told| matches!(told, ToSession::Probe)).count();
    // They are counted once here, and put back for the next count.
    for _ in 0..count {
        customer.keep(ToSession::Probe);
    }
    count
}

#[test]
fn whoever_says_start_again_is_there() {
    run(|| async {
        let world = World::new().await;
        let (customer, id) = Customer::chatting(&world, 1).await;
        // Two heartbeats are 50 seconds, and the session says nothing else in this time.
        world.pass(40_000).await;
        customer.start(1).unwrap();
        world.pass(15_000).await;
        assert!(world.engine.view(id).await.unwrap().customer.connected, "heard 15 s ago");
    });
}

#[test]
fn a_console_that_beats_while_the_server_is_held_up_does_not_hang() {
    run(|| async {
        let world = World::new().await;
        let heartbeat = Span::from_secs(2);
        let feed = world.engine.open_feed(&ada(), None, false, heartbeat).await.unwrap();
        let beat = async || world.engine.beat(&ada(), feed.id.to_string()).await;
        beat().await.unwrap();
        world.pass(3_900).await;
        beat().await.unwrap();
        // For longer than two heartbeats the server serves nothing. What was said in this time
        // comes afterwards.
        tokio::time::advance(Duration::from_secs(9)).await;
        settle().await;
        beat().await.unwrap();
        world.pass(3_900).await;
        let there = world.engine.agent(&ada()).await.unwrap();
        assert_eq!(there.presence.name(), "available");
        world.pass(200).await;
        let hangs = world.engine.agent(&ada()).await.unwrap();
        assert_eq!(hangs.presence.name(), "offline", "at once");
        assert!(beat().await.is_err(), "its feed has ended");
    });
}
