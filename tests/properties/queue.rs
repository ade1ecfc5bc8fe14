//! A line against a simple model of it: a list, walked from its front.

use std::collections::{BTreeMap, BTreeSet};

use holdline::domain::agent::Availability;
use holdline::domain::id::{AgentId, ConversationId};
use holdline::domain::queue::{Queue, QueueCommand, QueueEvent, Waiting};
use holdline::domain::time::{Span, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;
use crate::script::{DAWN, Held, agent_named};

/// The line as anybody would write it down.
#[derive(Debug, Default)]
struct Model {
    line: BTreeMap<ConversationId, Waiting>,
    asked: BTreeMap<ConversationId, AgentId>,
    staff: BTreeMap<AgentId, Availability>,
}

fn agent() -> impl Strategy<Value = AgentId> {
    prop_oneof![Just("ada"), Just("bob"), Just("cyd")].prop_map(agent_named)
}

fn chat() -> impl Strategy<Value = ConversationId> {
    (1_u128..8).prop_map(ConversationId::from_bits)
}

fn waiting() -> impl Strategy<Value = Waiting> {
    let reluctant = || vec(agent(), 0..2);
    (0_u64..50, 1_u32..4, prop::bool::weighted(0.2), reluctant(), reluctant()).prop_map(
        |(since, units, is_held, excluded, not_first)| Waiting {
            since: DAWN + Span::from_secs(since),
            entered_at: DAWN + Span::from_secs(since),
            units,
            is_held,
            excluded,
            not_first,
        },
    )
}

fn availability() -> impl Strategy<Value = Availability> {
    (agent(), -2_i64..5, prop::bool::weighted(0.8), 0_u64..20).prop_map(
        |(agent, free, ready, assigned)| Availability {
            agent,
            free,
            ready,
            assigned_at: DAWN + Span::from_secs(assigned),
        },
    )
}

fn command() -> impl Strategy<Value = QueueCommand> {
    prop_oneof![
        5 => (chat(), waiting()).prop_map(|(chat, waiting)| QueueCommand::Join(chat, waiting)),
        2 => chat().prop_map(QueueCommand::Leave),
        4 => availability().prop_map(QueueCommand::AgentChanged),
        1 => agent().prop_map(QueueCommand::AgentLeft),
        2 => (chat(), agent()).prop_map(|(chat, agent)| QueueCommand::Granted(chat, agent)),
        3 => (chat(), agent()).prop_map(|(chat, agent)| QueueCommand::Refused(chat, agent)),
        6 => Just(QueueCommand::Match),
    ]
}

impl Model {
    fn told(&mut self, command: QueueCommand) {
        match command {
            QueueCommand::Join(chat, waiting) => {
                self.asked.remove(&chat);
                self.line.insert(chat, waiting);
            }
            QueueCommand::Leave(chat) => {
                self.asked.remove(&chat);
                self.line.remove(&chat);
            }
            QueueCommand::AgentChanged(availability) => {
                self.staff.insert(availability.agent.clone(), availability);
            }
            QueueCommand::AgentLeft(agent) => {
                self.staff.remove(&agent);
                self.asked.retain(|_, asked| *asked != agent);
            }
            QueueCommand::Refused(chat, agent) => {
                if self.asked.get(&chat) == Some(&agent) {
                    self.asked.remove(&chat);
                    self.staff.remove(&agent);
                }
            }
            QueueCommand::Granted(..)
            | QueueCommand::AllHeard
            | QueueCommand::Locate(_)
            | QueueCommand::Match => {}
        }
    }

    fn asks(&mut self, chat: ConversationId, agent: &AgentId, now: Timestamp) {
        let units = i64::from(self.line[&chat].units);
        self.asked.insert(chat, agent.clone());
        if let Some(availability) = self.staff.get_mut(agent) {
            availability.free -= units;
            availability.assigned_at = now;
        }
    }

    fn in_order(&self) -> Vec<ConversationId> {
        let mut line: Vec<_> = self.line.iter().map(|(chat, it)| (it.since, *chat)).collect();
        line.sort_unstable();
        line.into_iter().map(|(_, chat)| chat).collect()
    }

    /// Which chat would be given to which agent next.
    fn next(&self) -> Option<(ConversationId, AgentId)> {
        let servable =
            |chat: &ConversationId| !self.asked.contains_key(chat) && !self.line[chat].is_held;
        self.in_order().into_iter().filter(servable).find_map(|chat| {
            let waiting = &self.line[&chat];
            let suits = |it: &&Availability| {
                it.ready
                    && it.free >= i64::from(waiting.units)
                    && !waiting.excluded.contains(&it.agent)
            };
            let best = self.staff.values().filter(suits).min_by_key(|it| {
                let is_reluctant = waiting.not_first.contains(&it.agent);
                (is_reluctant, std::cmp::Reverse(it.free), it.assigned_at, it.agent.clone())
            });
            best.map(|it| (chat, it.agent.clone()))
        })
    }
}

fn agrees(queue: &Queue, model: &Model) -> Held {
    let order = model.in_order();
    let positions = queue.positions(usize::MAX);
    let line: Vec<_> = positions.iter().map(|(chat, _)| *chat).collect();
    prop_assert_eq!(&line, &order, "who waits, and in which order");
    prop_assert!(positions.iter().zip(1..).all(|((_, position), expected)| *position == expected));
    prop_assert_eq!(queue.waiting(), order.len());
    for (chat, position) in &positions {
        prop_assert_eq!(queue.position_of(*chat, usize::MAX), Some(*position));
        // A chat that an agent is asked to take counts among those that wait, at either end.
        let is_told = queue.position_of(*chat, 2);
        prop_assert!(is_told.is_none_or(|told| told == *position), "told {is_told:?}");
    }
    let ends = positions.iter().take(2).chain(positions.last());
    for (chat, position) in ends {
        prop_assert_eq!(queue.position_of(*chat, 2), Some(*position));
    }
    let first = queue.positions(2).into_iter().map(|(chat, _)| chat);
    prop_assert!(first.eq(order.iter().copied().take(2)));
    let known: BTreeSet<_> = queue.candidates().map(|it| it.agent.clone()).collect();
    prop_assert_eq!(known, model.staff.keys().cloned().collect::<BTreeSet<_>>());
    for chat in order.iter().filter(|chat| !model.asked.contains_key(chat)) {
        prop_assert_eq!(queue.units_of(*chat), model.line[chat].units);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    /// The chat that has waited longest goes first, to the agent whom the model would choose. A
    /// chat that an agent is asked to take keeps its position, and old news changes nothing.
    #[test]
    fn a_line_is_what_its_model_is(commands in vec(command(), 0..120)) {
        let (mut queue, mut model) = (Queue::default(), Model::default());
        for (command, second) in commands.into_iter().zip(50..) {
            let now = DAWN + Span::from_secs(second);
            let is_match = command == QueueCommand::Match;
            let event = queue.decide(command.clone());
            prop_assert_eq!(&queue.decide(command.clone()), &event, "deciding twice");
            if is_match {
                let asked = event.clone().map(|event| match event {
                    QueueEvent::Asked(chat, agent) => Ok((chat, agent)),
                    other => Err(TestCaseError::fail(format!("a match is no {other:?}"))),
                });
                let asked = asked.transpose()?;
                prop_assert_eq!(&asked, &model.next());
                asked.iter().for_each(|(chat, agent)| model.asks(*chat, agent, now));
            }
            event.iter().for_each(|event| queue.apply(event, now));
            model.told(command);
            agrees(&queue, &model)?;
        }
    }
}
