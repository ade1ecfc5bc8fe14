//! Laws of one connection's protocol.

use holdline::domain::id::ConversationId;
use holdline::domain::liveness::Liveness;
use holdline::domain::session::{
    Finish, Session, SessionCommand, SessionEvent, SessionRefusal, Stage,
};
use holdline::domain::time::{Span, Timestamp};
use holdline::limits;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;
use crate::script::DAWN;

const HEARTBEAT: Span = Span::from_secs(25);

fn command() -> impl Strategy<Value = SessionCommand> {
    let conversation = || (1_u128..4).prop_map(ConversationId::from_bits);
    prop_oneof![
        3 => Just(SessionCommand::Hello),
        3 => Just(SessionCommand::Start),
        3 => Just(SessionCommand::Speak),
        3 => Just(SessionCommand::Beat),
        2 => Just(SessionCommand::Err),
        2 => conversation().prop_map(SessionCommand::Join),
        2 => Just(SessionCommand::Leave),
        1 => Just(SessionCommand::Finish),
        4 => Just(SessionCommand::Wake),
    ]
}

/// Any script; some begin with hello.
fn script() -> impl Strategy<Value = Vec<(u64, SessionCommand)>> {
    let line = (prop_oneof![0_u64..3_000, 0_u64..60_000], command());
    (any::<bool>(), vec(line, 0..60)).prop_map(|(greets, mut lines)| {
        if greets {
            lines.insert(0, (5, SessionCommand::Hello));
        }
        lines
    })
}

/// What a command did to a session.
struct Step {
    before: Session,
    after: Session,
    command: SessionCommand,
    outcome: Result<Option<SessionEvent>, SessionRefusal>,
    now: Timestamp,
}

fn play(script: Vec<(u64, SessionCommand)>) -> Vec<Step> {
    let mut session = Session::new(DAWN, HEARTBEAT);
    let mut now = DAWN;
    let mut steps = Vec::new();
    for (gap, command) in script {
        now = now + Span::from_millis(gap);
        let before = session.clone();
        let outcome = session.decide(command, now);
        if let Ok(Some(event)) = outcome {
            session.apply(event, now);
        }
        steps.push(Step { before, after: session.clone(), command, outcome, now });
    }
    steps
}

proptest! {
    #![proptest_config(config())]

    /// Before hello a widget may say nothing else, and hello is said once.
    #[test]
    fn hello_comes_first_and_once(script in script()) {
        let mut greeted = false;
        let mut placed = false;
        for step in play(script) {
            let said = matches!(
                step.command,
                SessionCommand::Start | SessionCommand::Speak | SessionCommand::Beat
            );
            let over = step.before.stage() == Stage::Over;
            if said && !greeted && !placed && !over {
                prop_assert_eq!(step.outcome, Err(SessionRefusal::HelloFirst));
            }
            if step.command == SessionCommand::Hello && !over {
                let first = !greeted && !placed;
                let expected = if first {
                    Ok(Some(SessionEvent::Greeted))
                } else {
                    Err(SessionRefusal::AlreadyGreeted)
                };
                prop_assert_eq!(step.outcome, expected);
                greeted = true;
            }
            placed |= matches!(step.command, SessionCommand::Join(_) | SessionCommand::Leave);
        }
    }

    /// A widget that does not say hello in time is closed then, and not before.
    #[test]
    fn hello_has_its_time(waits in vec(0_u64..2_000, 1..30)) {
        let by = DAWN + Span::from_secs(limits::HELLO_SECONDS_MAX);
        let wakes = waits.into_iter().map(|gap| (gap, SessionCommand::Wake)).collect();
        for step in play(wakes) {
            let finished = step.outcome == Ok(Some(SessionEvent::Finished(Finish::NoHello)));
            let open = step.before.stage() != Stage::Over;
            prop_assert_eq!(finished, open && step.now > by);
        }
    }

    /// No widget is refused more often than the limit; the last refusal is the end.
    #[test]
    fn refusals_have_a_limit(script in script(), more in 0_u32..2 * limits::REFUSALS_MAX) {
        let errors = (0..more).map(|_| (1, SessionCommand::Err));
        let mut refused = 0;
        for step in play(script.into_iter().chain(errors).collect()) {
            if step.command != SessionCommand::Err || step.before.stage() == Stage::Over {
                continue;
            }
            refused += 1;
            prop_assert!(refused <= limits::REFUSALS_MAX);
            let last = refused == limits::REFUSALS_MAX;
            let expected = if last {
                SessionEvent::Finished(Finish::RefusedTooOften)
            } else {
                SessionEvent::Refused
            };
            prop_assert_eq!(step.outcome, Ok(Some(expected)));
        }
    }

    /// A refusal changes nothing, and neither does anything that is said after the end.
    #[test]
    fn a_refusal_and_the_end_change_nothing(script in script()) {
        for step in play(script) {
            if step.outcome.is_err() || step.outcome == Ok(None) {
                prop_assert_eq!(&step.before, &step.after);
            }
            if step.before.stage() == Stage::Over {
                prop_assert_eq!(step.outcome, Ok(None));
                prop_assert_eq!(step.after.wake_at(), None);
            }
        }
    }

    /// What is said in a conversation goes to that conversation, and nowhere else.
    #[test]
    fn speaking_needs_a_conversation(script in script()) {
        for step in play(script) {
            if step.command == SessionCommand::Speak {
                let spoke = matches!(step.outcome, Ok(Some(SessionEvent::Spoke(_))));
                prop_assert_eq!(spoke, step.before.conversation().is_some());
                if let Ok(Some(SessionEvent::Spoke(conversation))) = step.outcome {
                    prop_assert_eq!(step.before.conversation(), Some(conversation));
                }
            }
        }
    }

    /// Waking early does nothing. Waking at the time that the session asked for does something, and
    /// the session then asks for no earlier time.
    #[test]
    fn waking_as_told_makes_progress(script in script()) {
        let steps = play(script);
        let Some(last) = steps.last() else { return Ok(()) };
        let (mut session, mut now) = (last.after.clone(), last.now);
        for _ in 0..10 {
            let Some(due) = session.wake_at() else { return Ok(()) };
            if due > now {
                let early = Timestamp::from_millis(due.as_millis() - 1);
                prop_assert_eq!(session.decide(SessionCommand::Wake, early), Ok(None));
            }
            now = now.max(due);
            let event = session.decide(SessionCommand::Wake, now).expect("never refused");
            prop_assert!(event.is_some(), "woken as told, for nothing");
            event.into_iter().for_each(|event| session.apply(event, now));
        }
        prop_assert!(false, "left alone, a session comes to an end");
    }

    /// A session in no conversation is asked after its heartbeat. It is silent only when neither a
    /// beat nor an answer has come within two.
    #[test]
    fn silence_is_asked_about_first(beats in vec(0_u64..60_000, 1..20)) {
        let mut script = vec![(0, SessionCommand::Hello), (0, SessionCommand::Leave)];
        for gap in beats {
            script.extend([(gap, SessionCommand::Wake), (0, SessionCommand::Beat)]);
        }
        script.push((0, SessionCommand::Leave));
        let mut heard = DAWN;
        for step in play(script) {
            match step.outcome {
                Ok(Some(SessionEvent::Heard(_) | SessionEvent::Left)) => heard = step.now,
                Ok(Some(SessionEvent::Probed)) => {
                    prop_assert!(step.now > heard + Liveness::probe_after(HEARTBEAT));
                }
                Ok(Some(SessionEvent::Finished(_))) => prop_assert!(false, "it had answered"),
                _ => {}
            }
        }
    }
}
