//! How long a session waits for each thing, to the millisecond.

use holdline::domain::id::ConversationId;
use holdline::domain::liveness::Liveness;
use holdline::domain::session::{Finish, Session, SessionCommand, SessionEvent, Stage};
use holdline::domain::time::{Span, Timestamp};
use holdline::limits;

use crate::script::DAWN;

const HEARTBEAT: Span = Span::from_secs(25);
const TICK: Span = Span::from_millis(1);

fn tell(session: &mut Session, command: SessionCommand, now: Timestamp) -> Option<SessionEvent> {
    let event = session.decide(command, now).unwrap()?;
    session.apply(event, now);
    Some(event)
}

/// Asserts that the session wants to be woken `after` from now, does nothing before, and then does
/// this.
#[track_caller]
fn waits(session: &mut Session, now: Timestamp, after: Span, then: SessionEvent) {
    let due = now + after + TICK;
    assert_eq!(session.wake_at(), Some(due));
    assert_eq!(tell(session, SessionCommand::Wake, due - TICK), None);
    assert_eq!(tell(session, SessionCommand::Wake, due), Some(then));
}

#[test]
fn it_waits_so_long_for_hello() {
    let mut session = Session::new(DAWN, HEARTBEAT);
    let hello = Span::from_secs(limits::HELLO_SECONDS_MAX);
    waits(&mut session, DAWN, hello, SessionEvent::Finished(Finish::NoHello));
    assert_eq!((session.stage(), session.wake_at()), (Stage::Over, None));
}

#[test]
fn it_waits_so_long_for_an_answer() {
    let mut session = Session::new(DAWN, HEARTBEAT);
    let now = DAWN + Span::from_secs(3);
    assert_eq!(tell(&mut session, SessionCommand::Hello, now), Some(SessionEvent::Greeted));
    let unanswered = SessionEvent::Finished(Finish::Unanswered);
    // A sign of life does not put this off at all: the actor that should answer may have died.
    let beat = now + Span::from_secs(20);
    assert_eq!(tell(&mut session, SessionCommand::Beat, beat), None);
    waits(&mut session, now, Span::from_secs(30), unanswered);
}

#[test]
fn it_asks_a_little_after_one_heartbeat_and_gives_up_after_two() {
    let mut session = Session::new(DAWN, HEARTBEAT);
    tell(&mut session, SessionCommand::Hello, DAWN).unwrap();
    let now = DAWN + Span::from_secs(1);
    assert_eq!(tell(&mut session, SessionCommand::Leave, now), Some(SessionEvent::Left));
    waits(&mut session, now, Liveness::probe_after(HEARTBEAT), SessionEvent::Probed);
    let silent = SessionEvent::Finished(Finish::Silent);
    waits(&mut session.clone(), now, Liveness::silent_after(HEARTBEAT), silent);
    // After a sign of life everything begins anew.
    let beat = now + Span::from_secs(40);
    assert_eq!(tell(&mut session, SessionCommand::Beat, beat), Some(SessionEvent::Heard(None)));
    waits(&mut session, beat, Liveness::probe_after(HEARTBEAT), SessionEvent::Probed);
    assert!(Liveness::probe_after(HEARTBEAT) > HEARTBEAT);
    assert_eq!(Liveness::silent_after(HEARTBEAT), HEARTBEAT.times(2));
}

#[test]
fn a_conversation_watches_over_whoever_is_in_it() {
    let mut session = Session::new(DAWN, HEARTBEAT);
    tell(&mut session, SessionCommand::Hello, DAWN).unwrap();
    let id = ConversationId::from_bits(1);
    tell(&mut session, SessionCommand::Join(id), DAWN).unwrap();
    assert_eq!((session.conversation(), session.wake_at()), (Some(id), None));
    assert_eq!(tell(&mut session, SessionCommand::Wake, DAWN + HEARTBEAT.times(9)), None);
}

#[test]
fn whoever_asks_late_counts_the_silence_from_later() {
    let mut session = Session::new(DAWN, HEARTBEAT);
    tell(&mut session, SessionCommand::Hello, DAWN).unwrap();
    tell(&mut session, SessionCommand::Leave, DAWN).unwrap();
    // The server stood still for an hour. It was as deaf as the page seemed silent.
    let late = DAWN + Span::from_secs(3_600);
    assert_eq!(tell(&mut session, SessionCommand::Wake, late), Some(SessionEvent::Probed));
    assert_eq!(tell(&mut session, SessionCommand::Wake, late + TICK), None, "it can still answer");
    let rest = Liveness::silent_after(HEARTBEAT).as_millis()
        - Liveness::probe_after(HEARTBEAT).as_millis();
    waits(&mut session, late, Span::from_millis(rest), SessionEvent::Finished(Finish::Silent));
}
