//! A line, told step by step: who waits where, who is asked, and what out-of-date news changes.

use holdline::domain::agent::Availability;
use holdline::domain::id::ConversationId;
use holdline::domain::queue::{Queue, QueueCommand, QueueEvent, Waiting};
use holdline::domain::time::{Span, Timestamp};

use crate::script::{DAWN, agent_named};

fn chat(number: u128) -> ConversationId {
    ConversationId::from_bits(number)
}

fn at(seconds: u64) -> Timestamp {
    DAWN + Span::from_secs(seconds)
}

fn tell(queue: &mut Queue, command: QueueCommand, now: Timestamp) -> Option<QueueEvent> {
    let event = queue.decide(command, now)?;
    queue.apply(&event, now);
    Some(event)
}

fn join(queue: &mut Queue, number: u128, since: u64, units: u32, excluded: &[&str]) {
    let excluded = excluded.iter().map(|name| agent_named(name)).collect();
    let waiting = Waiting { since: at(since), units, excluded };
    tell(queue, QueueCommand::Join(chat(number), waiting), at(since)).unwrap();
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
    // The first takes three units, the second is not for ann.
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
    // 80 s, and then an eighth of 20 s.
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
    // Who leaves in the middle of being asked may never answer.
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
