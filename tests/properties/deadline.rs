//! A return and the deadline: one outcome, and the journal says which.

use holdline::domain::cause::Cause;
use holdline::domain::conversation::command::Command;
use holdline::domain::conversation::event::{Event, Reason, Recorded};
use holdline::domain::id::SessionId;
use holdline::domain::settings::Workstream;
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;
use crate::script::{DAWN, Life, agent_named, script, session_numbered, start};
use crate::settings::workstream;

/// One thing that happens near the deadline, before or after it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Near {
    Return,
    Wake,
}

fn join(session: SessionId, workstream: &Workstream) -> Command {
    Command::Join { session, heartbeat: workstream.heartbeat, program: None }
}

/// How far the chat has come when the customer goes.
#[derive(Clone, Copy, Debug)]
enum Stand {
    Open,
    Offered,
    Talking,
}

fn stand() -> impl Strategy<Value = Stand> {
    prop_oneof![Just(Stand::Open), Just(Stand::Offered), Just(Stand::Talking)]
}

fn near() -> impl Strategy<Value = Vec<(i64, Near)>> {
    let at = prop_oneof![8 => -2_i64..=2, 1 => -5_000_i64..=5_000];
    let happening = prop_oneof![Just(Near::Return), Just(Near::Wake), Just(Near::Wake)];
    vec((at, happening), 1..8).prop_map(|mut all| {
        all.sort_by_key(|(at, _)| *at);
        all
    })
}

/// A chat whose customer has gone, and the deadline for the customer's return.
fn gone(workstream: Workstream, stand: Stand) -> (Life, Timestamp) {
    let mut life = Life::new(Workstream {
        // Only the window matters here.
        offer: Span::from_secs(600_000),
        idle: None,
        autoclose: holdline::domain::settings::Autoclose {
            open: None,
            active: None,
            wrapup: Some(Span::from_secs(900)),
        },
        ..workstream
    });
    life.ask(start()).expect("it is new");
    life.ask(join(session_numbered(1), &life.workstream.clone())).expect("it is open");
    let agent = agent_named("ada");
    match stand {
        Stand::Open => {}
        Stand::Offered => drop(life.ask(Command::Offer { agent })),
        Stand::Talking => {
            let name = DisplayName::parse("Ada").expect("a name");
            drop(life.ask(Command::Accept { by: None, agent, name }));
        }
    }
    let lost = Command::Lose { session: session_numbered(1), cause: Cause::Reset };
    life.ask(lost).expect("a loss is never refused");
    let until = life.now + life.workstream.window;
    (life, until)
}

fn disconnections(journal: &[Recorded]) -> Vec<&Recorded> {
    let is_one =
        |recorded: &&Recorded| matches!(recorded.event, Event::CustomerDisconnected { .. });
    journal.iter().filter(is_one).collect()
}

fn returns(journal: &[Recorded]) -> usize {
    let is_one = |recorded: &&Recorded| matches!(recorded.event, Event::CustomerReturned { .. });
    journal.iter().filter(is_one).count()
}

proptest! {
    #![proptest_config(config())]

    /// Whatever comes first decides, and the other then changes nothing.
    #[test]
    fn a_return_races_the_deadline(workstream in workstream(), stand in stand(), near in near()) {
        let (mut life, until) = gone(workstream, stand);
        let expired_first = near.iter().find(|(at, it)| *it == Near::Return || *at > 0);
        let expired_first = expired_first.map(|(_, it)| *it == Near::Wake);
        for (number, (at, happening)) in near.iter().enumerate() {
            life.now = Timestamp::from_millis(until.as_millis() + at);
            match happening {
                Near::Wake => drop(life.ask(Command::Wake).expect("a wake is never refused")),
                Near::Return => {
                    let session = session_numbered(10 + number as u64);
                    let came_in = life.ask(join(session, &life.workstream.clone()));
                    prop_assert_eq!(came_in.is_err(), expired_first == Some(true));
                    prop_assert!(came_in.is_ok() || *at > 0, "a return in time was refused");
                }
            }
            // Keeps the sessions that are there alive; their silence is another matter.
            for number in 0..near.len() as u64 {
                life.conversation.hear(session_numbered(10 + number), life.now);
            }
        }
        let disconnected = disconnections(&life.journal);
        prop_assert_eq!(disconnected.len(), usize::from(expired_first == Some(true)));
        prop_assert_eq!(returns(&life.journal), usize::from(expired_first == Some(false)));
        prop_assert!(disconnected.iter().all(|recorded| recorded.at > until));
        let reason = match stand {
            Stand::Open | Stand::Offered => Reason::CustomerDisconnectedWhileOpen,
            Stand::Talking => Reason::CustomerDisconnectedWhileActive,
        };
        let expected = (expired_first == Some(true)).then_some(reason);
        prop_assert_eq!(life.conversation.reason(), expected);
    }

    /// In any history, a customer is disconnected at most once for each absence, never before its
    /// deadline, never while a session is there, and never after the customer came back.
    #[test]
    fn a_customer_is_disconnected_once_for_each_absence(script in script()) {
        let life = script.play(|_| Ok(()))?;
        let mut absence = None;
        let mut present = std::collections::BTreeSet::new();
        for Recorded { at, event, .. } in &life.journal {
            absence = follow(absence, &mut present, *at, event)?;
        }
    }

    /// The absence of a silent session counts from its last sign of life. The absence of any other
    /// session counts from the moment of its loss.
    #[test]
    fn an_absence_counts_from_the_last_sign_of_life(script in script()) {
        let life = script.play(|_| Ok(()))?;
        let mut there_until = DAWN;
        for Recorded { at, event, .. } in &life.journal {
            match event {
                Event::SessionLost { there_until: until, heard_at, .. } => {
                    prop_assert!(heard_at <= until && until <= at);
                    there_until = there_until.max(*until);
                }
                Event::ServerRestarted { .. } => there_until = *at,
                Event::CustomerAway { since, until, .. } => {
                    prop_assert_eq!(*since, there_until);
                    prop_assert!(since <= until);
                }
                _ => {}
            }
        }
    }

    /// No session is lost to silence without having had time to answer, however late it was asked.
    #[test]
    fn whoever_is_asked_has_time_to_answer(
        script in script(),
        workstream in workstream(),
        stall in 0_u64..1_000_000,
    ) {
        // Plays any history; then a session comes in before everything stands still.
        let mut life = script.play(|_| Ok(()))?;
        let came = session_numbered(99);
        if life.ask(join(came, &workstream)).is_err() {
            return Ok(());
        }
        life.now = life.now + Span::from_millis(stall);
        if !life.conversation.ask_quiet(life.now).contains(&came) {
            return Ok(());
        }
        life.now = life.now + workstream.heartbeat.divided_by(4);
        let woken = life.ask(Command::Wake).expect("a wake is never refused");
        let lost = woken.recorded.iter().any(|recorded| {
            matches!(recorded.event, Event::SessionLost { session, .. } if session == came)
        });
        prop_assert!(!lost, "lost before it could answer");
    }

    /// A restart gives a held customer the full window, however little of it was left.
    #[test]
    fn a_restart_gives_the_full_window(script in script(), down in 0_u64..10_000_000) {
        let mut life = script.play(|_| Ok(()))?;
        life.now = life.now + Span::from_millis(down);
        let was_live = life.conversation.is_live();
        life.ask(Command::Recover).expect("recovery is never refused");
        prop_assert_eq!(life.conversation.is_live(), was_live, "a restart ends nothing");
        prop_assert!(!life.conversation.attendance().is_connected());
        let until = life.conversation.absence().map(|absence| absence.until);
        prop_assert_eq!(until, was_live.then_some(life.now + life.workstream.window));
        let woken = life.ask(Command::Wake).expect("a wake is never refused");
        prop_assert!(disconnections(&woken.recorded).is_empty());
    }
}

/// The absence that runs after an event. Fails if this event was not allowed to happen.
fn follow(
    absence: Option<(Timestamp, Timestamp)>,
    present: &mut std::collections::BTreeSet<SessionId>,
    at: Timestamp,
    event: &Event,
) -> Result<Option<(Timestamp, Timestamp)>, TestCaseError> {
    match event {
        Event::SessionJoined { session, .. } => {
            present.insert(*session);
        }
        Event::SessionLost { session, .. } => {
            prop_assert!(present.remove(session), "a session that was there");
        }
        Event::CustomerAway { since, until, .. } => {
            prop_assert!(absence.is_none() && present.is_empty());
            return Ok(Some((*since, *until)));
        }
        Event::CustomerReturned { after, .. } => {
            prop_assert!(!present.is_empty());
            prop_assert_eq!(absence.map(|(since, _)| at.since(since)), Some(*after));
            return Ok(None);
        }
        Event::CustomerDisconnected { since, .. } => {
            prop_assert!(present.is_empty(), "nobody was there");
            prop_assert_eq!(absence.map(|(began, _)| began), Some(*since));
            prop_assert!(absence.is_some_and(|(_, until)| at > until), "not before the deadline");
            return Ok(None);
        }
        Event::ServerRestarted { until, .. } => {
            present.clear();
            return Ok(Some((at, *until)));
        }
        Event::WrapupStarted { reason, .. } | Event::ConversationClosed { reason, .. } => {
            let by_a_clock = matches!(
                reason,
                Reason::CustomerIdle | Reason::OpenTooLong | Reason::ActiveTooLong
            );
            prop_assert!(!(by_a_clock && absence.is_some()), "only the window ends who is away");
            return Ok(None);
        }
        Event::CustomerReminded { .. } => {
            prop_assert!(absence.is_none(), "nobody is reminded who is away");
        }
        _ => {}
    }
    Ok(absence)
}
