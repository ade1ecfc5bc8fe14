//! A line, told step by step: who waits where, which agent is asked, and what old news changes.

use holdline::domain::agent::Availability;
use holdline::domain::id::ConversationId;
use holdline::domain::queue::{Queue, QueueCommand, QueueEvent, Staffing, Standing, Waiting};
use holdline::domain::time::{Span, Timestamp};

use crate::script::{DAWN, agent_named};

fn chat(number: u128) -> ConversationId {
    ConversationId::from_bits(number)
}

fn at(seconds: u64) -> Timestamp {
    DAWN + Span::from_secs(seconds)
}

fn tell(queue: &mut Queue, command: QueueCommand, now: Timestamp) -> Option<QueueEvent> {
    let event = queue.decide(command)?;
    queue.apply(&event, now);
    Some(event)
}

fn join(queue: &mut Queue, number: u128, since: u64, units: u32, excluded: &[&str]) {
    let excluded = excluded.iter().map(|name| agent_named(name)).collect();
    tell(
        queue,
        QueueCommand::Join(chat(number), Waiting { excluded, ..waiting(since, units) }),
        at(since),
    )
    .unwrap();
}

fn waiting(since: u64, units: u32) -> Waiting {
    let (excluded, not_first) = (Vec::new(), Vec::new());
    let since = at(since);
    Waiting { since, entered_at: since, units, is_held: false, excluded, not_first }
}

fn free(queue: &mut Queue, name: &str, free: i64, assigned: u64) {
    let (agent, assigned_at) = (agent_named(name), at(assigned));
    let availability = Availability { agent, free, ready: true, assigned_at };
    tell(queue, QueueCommand::AgentChanged(availability), at(100));
}

fn asked(queue: &mut Queue) -> Option<(u128, String)> {
    match tell(queue, QueueCommand::Match, at(100))? {
        QueueEvent::Asked(chat, agent) => Some((chat.as_bits(), agent.to_string())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_in_line_gets_the_freest_who_suits_them() {
    let mut queue = Queue::default();
    join(&mut queue, 1, 0, 3, &[]);
    join(&mut queue, 2, 5, 1, &["ann"]);
    join(&mut queue, 3, 9, 1, &[]);
    assert_eq!(asked(&mut queue), None, "nobody is there");
    free(&mut queue, "idle", 0, 0);
    assert_eq!(asked(&mut queue), None, "nobody is free");
    free(&mut queue, "ann", 2, 7);
    free(&mut queue, "ben", 1, 0);
    // The first chat takes three units, and the second excludes Ann.
    assert_eq!(asked(&mut queue), Some((2, "ben".to_owned())));
    assert_eq!(asked(&mut queue), Some((3, "ann".to_owned())));
    assert_eq!(asked(&mut queue), None, "ann has one unit, and the first takes three");
    assert_eq!(queue.units_of(chat(1)), 3);
    assert_eq!(queue.units_of(chat(3)), 1, "who is asked for has left the line");
    let positions: Vec<_> =
        queue.positions(2).into_iter().map(|(chat, place)| (chat.as_bits(), place)).collect();
    assert_eq!(positions, [(1, 1), (2, 2)], "whoever is asked for keeps their place");
    assert_eq!(queue.waiting(), 3);
    let mut candidates: Vec<_> =
        queue.candidates().map(|one| (one.agent.to_string(), one.free)).collect();
    candidates.sort_unstable();
    assert_eq!(candidates, [("ann".into(), 1), ("ben".into(), 0), ("idle".into(), 0)]);
}

#[test]
fn the_average_wait_follows_those_who_are_served() {
    let mut queue = Queue::default();
    assert_eq!(queue.average_wait(), None);
    free(&mut queue, "ann", 9, 0);
    for (number, since) in [(1, 0), (2, 60)] {
        join(&mut queue, number, since, 1, &[]);
        asked(&mut queue).unwrap();
        let granted = QueueCommand::Granted(chat(number), agent_named("ann"));
        tell(&mut queue, granted, at(80)).unwrap();
        assert!(tell(&mut queue, QueueCommand::Leave(chat(number)), at(80)).is_some());
    }
    // The first wait was 80 s; the second, of 20 s, counts for an eighth.
    assert_eq!(queue.average_wait(), Some(Span::from_millis(72_500)));
    assert_eq!(queue.waiting(), 0);
}

#[test]
fn who_was_refused_waits_on_and_the_agent_must_be_heard_of_anew() {
    let mut queue = Queue::default();
    join(&mut queue, 1, 0, 1, &[]);
    free(&mut queue, "ann", 1, 0);
    asked(&mut queue).unwrap();
    let refused = |who: &str| QueueCommand::Refused(chat(1), agent_named(who));
    assert_eq!(tell(&mut queue, refused("ben"), at(1)), None, "he was not asked");
    let granted = QueueCommand::Granted(chat(2), agent_named("ann"));
    assert_eq!(tell(&mut queue, granted, at(1)), None, "she was not asked for that");
    assert!(tell(&mut queue, refused("ann"), at(1)).is_some());
    assert_eq!(tell(&mut queue, refused("ann"), at(1)), None, "that is known");
    assert_eq!(asked(&mut queue), None);
    free(&mut queue, "ann", 1, 0);
    assert_eq!(asked(&mut queue), Some((1, "ann".to_owned())));
    // An agent who leaves while being asked may never answer.
    let left = QueueCommand::AgentLeft(agent_named("ann"));
    assert!(tell(&mut queue, left.clone(), at(2)).is_some());
    assert_eq!(tell(&mut queue, left, at(2)), None, "she is gone already");
    free(&mut queue, "ben", 1, 0);
    assert_eq!(asked(&mut queue), Some((1, "ben".to_owned())));
    assert_eq!(tell(&mut queue, QueueCommand::Leave(chat(7)), at(3)), None, "it never waited");
    assert_eq!(queue.wake_at(), None);
    let stranger = QueueCommand::AgentLeft(agent_named("dan"));
    assert_eq!(tell(&mut queue, stranger, at(4)), None, "another is asked, not he");
    free(&mut queue, "cyd", 1, 0);
    let left = QueueCommand::AgentLeft(agent_named("cyd"));
    assert!(tell(&mut queue, left, at(4)).is_some(), "she was not asked, and is known");
    assert_eq!(queue.candidates().count(), 1);
}

#[test]
fn waiting_is_the_time_in_the_line_and_not_the_age_of_the_chat() {
    let mut queue = Queue::default();
    free(&mut queue, "ann", 1, 0);
    // The chat began at 0 s, was with an agent, and came back at 79 s. It stands before every chat
    // that began later.
    let back = Waiting { entered_at: at(79), ..waiting(0, 1) };
    join(&mut queue, 2, 40, 1, &[]);
    tell(&mut queue, QueueCommand::Join(chat(1), back), at(79)).unwrap();
    assert_eq!(queue.position_of(chat(1), 10), Some(1));
    assert_eq!(queue.position_of(chat(2), 10), Some(2));
    assert_eq!(asked(&mut queue), Some((1, "ann".to_owned())));
    let granted = QueueCommand::Granted(chat(1), agent_named("ann"));
    tell(&mut queue, granted, at(80)).unwrap();
    assert_eq!(queue.average_wait(), Some(Span::from_secs(1)));
}

#[test]
fn whoever_is_away_keeps_their_place_and_whoever_is_there_is_served() {
    let mut queue = Queue::default();
    let away = Waiting { is_held: true, ..waiting(0, 1) };
    tell(&mut queue, QueueCommand::Join(chat(1), away), at(0)).unwrap();
    join(&mut queue, 2, 10, 1, &[]);
    free(&mut queue, "ann", 2, 0);
    assert_eq!(asked(&mut queue), Some((2, "ann".to_owned())));
    assert_eq!(asked(&mut queue), None, "nobody is offered who is away");
    assert_eq!(queue.position_of(chat(1), 10), Some(1), "they keep their place");
    assert_eq!(queue.waiting(), 2);
    tell(&mut queue, QueueCommand::Join(chat(1), waiting(0, 1)), at(20)).unwrap();
    assert_eq!(asked(&mut queue), Some((1, "ann".to_owned())), "they are back");
}

#[test]
fn whoever_let_a_chat_go_is_asked_again_only_when_nobody_else_can_take_it() {
    let mut queue = Queue::default();
    let not_first = vec![agent_named("ann")];
    let given_back = Waiting { not_first: not_first.clone(), ..waiting(0, 1) };
    tell(&mut queue, QueueCommand::Join(chat(1), given_back.clone()), at(0)).unwrap();
    free(&mut queue, "ann", 5, 0);
    free(&mut queue, "ben", 1, 50);
    assert_eq!(asked(&mut queue), Some((1, "ben".to_owned())));
    tell(&mut queue, QueueCommand::Refused(chat(1), agent_named("ben")), at(1)).unwrap();
    assert_eq!(asked(&mut queue), Some((1, "ann".to_owned())), "there is nobody else");
    tell(&mut queue, QueueCommand::Leave(chat(1)), at(2)).unwrap();
    let excluded = Waiting { excluded: not_first, ..given_back };
    tell(&mut queue, QueueCommand::Join(chat(1), excluded), at(3)).unwrap();
    assert_eq!(asked(&mut queue), None, "she has let it go too often");
}

#[test]
fn a_queue_made_anew_asks_nobody_before_everybody_was_heard() {
    let mut queue = Queue::hearing();
    free(&mut queue, "ann", 1, 0);
    join(&mut queue, 2, 10, 1, &[]);
    assert_eq!(asked(&mut queue), None);
    join(&mut queue, 1, 0, 1, &[]);
    assert!(tell(&mut queue, QueueCommand::AllHeard, at(20)).is_some());
    assert_eq!(tell(&mut queue, QueueCommand::AllHeard, at(20)), None, "that is known");
    assert_eq!(asked(&mut queue), Some((1, "ann".to_owned())), "the longest waiting first");
}

#[test]
fn those_who_could_take_a_chat_are_counted_by_why_they_do_not() {
    let mut queue = Queue::default();
    join(&mut queue, 1, 0, 2, &["eve"]);
    free(&mut queue, "eve", 9, 0);
    free(&mut queue, "ann", 2, 0);
    free(&mut queue, "ben", 1, 0);
    free(&mut queue, "cyd", 0, 0);
    let offline =
        Availability { agent: agent_named("dan"), free: 0, ready: false, assigned_at: at(0) };
    tell(&mut queue, QueueCommand::AgentChanged(offline), at(0));
    let staffing = Staffing { free: 1, full: 2, not_ready: 1, excluded: 1 };
    let standing = Standing { position: Some(1), is_held: false, is_asked_for: false, staffing };
    assert_eq!(queue.standing(chat(1), 10), Some(standing));
    assert_eq!(queue.standing(chat(2), 10), None, "it does not wait");
    asked(&mut queue).unwrap();
    assert!(queue.standing(chat(1), 10).unwrap().is_asked_for);
}
