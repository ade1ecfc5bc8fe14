//! Signs of life that are counted elsewhere: the outcome is the same as if each sign were told.

use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::command::Command;
use holdline::domain::id::SessionId;
use holdline::domain::liveness::Signs;
use holdline::domain::settings::Workstream;
use holdline::domain::time::Span;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;
use crate::script::{DAWN, Life, script, session_numbered, start};

/// A chat that has begun at dawn, and its session.
fn attended() -> (Conversation, SessionId) {
    let queue = "line".parse().expect("an id");
    let mut life = Life::new(Workstream::new("chat".parse().expect("an id"), queue));
    life.ask(start()).expect("it begins");
    let session = session_numbered(1);
    let join = Command::Join { session, heartbeat: Span::from_secs(25), program: None };
    life.ask(join).expect("it is open");
    (life.conversation, session)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn signs_that_are_told_at_once_are_signs_that_were_told_one_by_one(
        gaps in vec(0_u64..60_000, 1..12),
        asked_after in proptest::option::of(29_000_u64..40_000),
    ) {
        let (mut told, session) = attended();
        let mut from = DAWN;
        if let Some(after) = asked_after {
            prop_assert_eq!(told.ask_quiet(DAWN + Span::from_millis(after)), [session]);
            // A conversation that asks late counts the silence from a later moment.
            from = told.attendance().find(session).expect("it is there").liveness.last_seen();
        }
        let mut counted = told.clone();
        let (mut now, mut widest_ms) = (from, 0);
        for gap in &gaps {
            now = now + Span::from_millis(*gap);
            widest_ms = widest_ms.max(u32::try_from(*gap).unwrap());
            told.hear(session, now);
        }
        let count = u32::try_from(gaps.len()).unwrap();
        counted.hear_all(session, Signs { last: now, count, widest_ms });
        prop_assert_eq!(&counted, &told);
        // Signs of a session that is not there, or that said nothing, change nothing.
        counted.hear_all(session, Signs { last: now, count: 0, widest_ms });
        let nobody = SessionId::from_bits(99);
        counted.hear_all(nobody, Signs { last: now + Span::from_secs(9), count, widest_ms });
        prop_assert_eq!(&counted, &told);
    }

    #[test]
    fn who_knows_of_a_sign_of_life_knows_when_it_wants_to_be_woken(
        script in script(),
        later in 0_u64..200_000,
    ) {
        script.play(|step| {
            let Some(watch) = step.after.watched() else { return Ok(()) };
            prop_assert_eq!(step.after.wake_at(), Some(watch.wake_at));
            let found = step.after.attendance().find(watch.session).expect("it is there");
            let heard_at = found.liveness.last_seen().max(step.now) + Span::from_millis(later);
            let mut told = step.after.clone();
            told.hear(watch.session, heard_at);
            let put_off = heard_at + watch.after;
            let expected = watch.otherwise.map_or(put_off, |until| until.min(put_off));
            prop_assert_eq!(told.wake_at(), Some(expected));
            Ok(())
        })?;
    }
}
