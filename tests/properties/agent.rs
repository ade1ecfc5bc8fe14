//! Laws of one person who answers.

use std::sync::Arc;

use holdline::domain::agent::command::{AgentCommand, AgentEvent};
use holdline::domain::agent::{Agent, Link, Presence};
use holdline::domain::id::{ConversationId, Seq};
use holdline::domain::lease::{Lease, Notice, Purpose};
use holdline::domain::settings::{AgentSettings, Role};
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::config;
use crate::floor::open_feed;
use crate::script::{DAWN, agent_named};

fn settings(units: u32) -> Arc<AgentSettings> {
    let name = DisplayName::parse("Ada").expect("a name");
    Arc::new(AgentSettings { id: agent_named("ada"), name, role: Role::Agent, units })
}

fn lease() -> impl Strategy<Value = Lease> {
    let purpose = prop_oneof![Just(Purpose::Offer), Just(Purpose::Chat), Just(Purpose::Wrapup)];
    (1_u32..4, purpose, 2_u64..300, option::of(1_u64..30), any::<bool>()).prop_map(
        |(units, purpose, grace, notice, missed)| Lease {
            notice: notice.map(|notice| Notice::after(Span::from_secs(notice))),
            missed: missed && purpose == Purpose::Chat,
            ..Lease::new(agent_named("ada"), units, purpose, Span::from_secs(grace))
        },
    )
}

fn command() -> impl Strategy<Value = AgentCommand> {
    let conversation = || (1_u128..6).prop_map(ConversationId::from_bits);
    prop_oneof![
        1 => proptest::sample::select(&Presence::ALL[..]).prop_map(AgentCommand::ChoosePresence),
        2 => Just(AgentCommand::ChoosePresence(Presence::Available)),
        3 => (1_u64..4).prop_map(open_feed),
        3 => (1_u64..4).prop_map(AgentCommand::CloseFeed),
        2 => (1_u64..4).prop_map(AgentCommand::Beat),
        2 => Just(AgentCommand::Touch),
        6 => (conversation(), lease())
            .prop_map(|(conversation, lease)| AgentCommand::Reserve { conversation, lease }),
        6 => (conversation(), 0_u32..20, option::of(lease())).prop_map(
            |(conversation, seq, lease)| AgentCommand::Adjust {
                conversation,
                seq: Seq::new(seq),
                lease,
            }
        ),
        1 => (0_u32..10).prop_map(|units| AgentCommand::Configure(settings(units))),
        3 => Just(AgentCommand::Wake),
    ]
}

fn script() -> impl Strategy<Value = Vec<(u64, AgentCommand)>> {
    vec((prop_oneof![0_u64..10, 0_u64..100_000], command()), 0..80)
}

type Law<'a> = &'a mut dyn FnMut(&Agent, &AgentCommand, &Agent) -> Result<(), TestCaseError>;

fn play(
    script: Vec<(u64, AgentCommand)>,
    law: Law<'_>,
) -> Result<(Agent, Timestamp), TestCaseError> {
    let mut now = DAWN;
    let mut agent = Agent::new(settings(5), None, now);
    for (gap, command) in script {
        now = now + Span::from_millis(gap);
        let before = agent.clone();
        if let Ok(events) = agent.decide(command.clone(), now) {
            agent.commit(events.clone(), now);
        }
        law(&before, &command, &agent)?;
    }
    Ok((agent, now))
}

proptest! {
    #![proptest_config(config())]

    /// What is used is the sum of the leases, whatever is adjusted and in whatever order.
    #[test]
    fn used_is_the_sum_of_the_leases(script in script()) {
        play(script, &mut |_, _, agent| {
            let sum: u32 = agent.leases().values().map(|held| held.lease.units).sum();
            prop_assert_eq!(agent.used(), sum);
            Ok(())
        })?;
    }

    /// A caller that remembers a revision can tell whether the leases have changed since.
    #[test]
    fn every_change_of_the_leases_is_a_revision(script in script()) {
        play(script, &mut |before, _, after| {
            let held = |agent: &Agent| -> Vec<_> {
                let leases = agent.leases().iter();
                leases.map(|(id, held)| (*id, held.lease.clone(), held.seq)).collect()
            };
            prop_assert!(before.revision() <= after.revision());
            let is_same = held(before) == held(after);
            prop_assert!(is_same || before.revision() < after.revision());
            Ok(())
        })?;
    }

    /// A reservation is made only for an agent who is available and has room, and then it fits.
    #[test]
    fn a_reservation_never_exceeds_the_units(script in script()) {
        play(script, &mut |before, command, after| {
            if matches!(command, AgentCommand::Reserve { .. }) && before != after {
                prop_assert_eq!(before.presence(), Presence::Available);
                prop_assert!(after.used() <= after.settings().units);
            }
            Ok(())
        })?;
    }

    /// News of an earlier place does not undo what the conversation said of a later one.
    #[test]
    fn old_news_changes_nothing(script in script()) {
        play(script, &mut |before, command, after| {
            if let AgentCommand::Adjust { conversation, seq, .. } = command {
                let known = before.leases().get(conversation).map(|held| held.seq);
                prop_assert!(known.is_none_or(|known| known <= *seq) || before == after);
            }
            Ok(())
        })?;
    }

    /// An agent without any link is offline. When the agent comes back, so does the chosen
    /// presence.
    #[test]
    fn presence_is_offline_at_once_and_restored(script in script()) {
        let (mut agent, now) = play(script, &mut |_, _, _| Ok(()))?;
        let chosen = agent.chosen();
        for feed in 1..4 {
            let events = agent.decide(AgentCommand::CloseFeed(feed), now).expect("never refused");
            agent.commit(events.clone(), now);
        }
        let late = now + Span::from_secs(10_000);
        let events = agent.decide(AgentCommand::Wake, late).expect("never refused");
        agent.commit(events.clone(), late);
        prop_assert_eq!(agent.presence(), Presence::Offline);
        let events = agent.decide(open_feed(9), late).expect("never refused");
        agent.commit(events.clone(), late);
        prop_assert_eq!((agent.presence(), agent.chosen()), (chosen, chosen));
    }

    /// Each beat gives a console two heartbeats of time, and no more. A console that has never
    /// beaten is judged by its connection alone.
    #[test]
    fn a_console_hangs_after_two_heartbeats(
        heartbeat in 1_u64..120,
        gaps in vec(0_u64..=240, 0..6),
    ) {
        let heartbeat = Span::from_secs(heartbeat);
        let mut agent = Agent::new(settings(5), None, DAWN);
        let opened = AgentCommand::OpenFeed { feed: 1, heartbeat };
        let tell = |agent: &mut Agent, command, now| {
            let events = agent.decide(command, now).expect("never refused");
            agent.commit(events.clone(), now);
            events
        };
        tell(&mut agent, opened, DAWN);
        prop_assert_eq!(agent.wake_at(), None);
        let mut now = DAWN;
        for gap in &gaps {
            now = now + Span::from_secs(*gap).min(heartbeat.times(2));
            prop_assert_eq!(tell(&mut agent, AgentCommand::Wake, now), vec![]);
            tell(&mut agent, AgentCommand::Beat(1), now);
        }
        if gaps.is_empty() {
            return Ok(());
        }
        let last = now + heartbeat.times(2);
        prop_assert_eq!(tell(&mut agent, AgentCommand::Wake, last), vec![]);
        prop_assert_eq!(agent.presence(), Presence::Available);
        let late = last + Span::from_millis(1);
        prop_assert_eq!(agent.wake_at(), Some(late));
        prop_assert_eq!(tell(&mut agent, AgentCommand::Wake, late), vec![AgentEvent::FeedHung(1)]);
        prop_assert_eq!((agent.presence(), agent.link()), (Presence::Offline, Link::Gone(late)));
    }

    /// A customer is told of an agent's absence only when nothing was heard of the agent for the
    /// notice. Only a customer who was told of the absence, or is about to be, is told of the
    /// return.
    #[test]
    fn an_absence_is_told_after_its_notice_and_its_return_to_whom_it_was_told(script in script()) {
        let mut now = DAWN;
        let mut agent = Agent::new(settings(5), None, now);
        for (gap, command) in script {
            now = now + Span::from_millis(gap);
            let Ok(events) = agent.decide(command, now) else { continue };
            for event in &events {
                match event {
                    AgentEvent::AbsenceNoticed { conversation, since } => {
                        let lease = &agent.leases()[conversation].lease;
                        let notice = lease.notice.expect("there is one").span();
                        prop_assert!(lease.purpose == Purpose::Chat && !lease.missed);
                        prop_assert!(now > *since + notice);
                        prop_assert_eq!(agent.presence(), Presence::Offline);
                    }
                    AgentEvent::ReturnNoticed { conversation } => {
                        let adjusted = events.iter().any(|event| matches!(
                            event,
                            AgentEvent::LeaseAdjusted { lease: Some(lease), .. } if lease.missed
                        ));
                        let held = agent.leases().get(conversation);
                        let was_told = held.is_some_and(|it| it.lease.missed || it.noticed);
                        prop_assert!(adjusted || was_told);
                    }
                    _ => {}
                }
            }
            agent.commit(events.clone(), now);
        }
    }

    /// Waking an agent at the time that it asked for makes progress. An agent that is left alone
    /// comes to rest, and has then forfeited every lease except those of wrap-up.
    #[test]
    fn waking_as_told_makes_progress(script in script()) {
        let (mut agent, mut now) = play(script, &mut |_, _, _| Ok(()))?;
        for _ in 0..20 {
            let Some(due) = agent.wake_at() else { break };
            if due > now {
                let early = Timestamp::from_millis(due.as_millis() - 1);
                prop_assert_eq!(agent.decide(AgentCommand::Wake, early), Ok(vec![]));
            }
            now = now.max(due);
            let events = agent.decide(AgentCommand::Wake, now).expect("never refused");
            prop_assert!(!events.is_empty(), "woken as told, for nothing");
            agent.commit(events.clone(), now);
        }
        prop_assert_eq!(agent.wake_at(), None);
        if agent.presence() == Presence::Offline {
            let gone = matches!(agent.link(), Link::Gone(_));
            let all = agent.leases().values();
            let mut kept = all.filter(|held| held.lease.purpose != Purpose::Wrapup);
            prop_assert!(!gone || kept.all(|held| held.forfeited));
        }
    }
}
