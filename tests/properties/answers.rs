//! What each state answers to each caller: the rules that depend on who asks, not on time.

use holdline::domain::cause::{Cause, Evidence, Leaving};
use holdline::domain::conversation::claims::{Claims, Effect};
use holdline::domain::conversation::command::{Answer, Authority, Command, Refusal};
use holdline::domain::conversation::event::{Author, Event, OfferEnd};
use holdline::domain::conversation::{Conversation, State};
use holdline::domain::decision::Receipt;
use holdline::domain::id::{ConversationId, Seq, SessionId};
use holdline::domain::settings::{IdleRule, Workstream};
use holdline::domain::text::{DisplayName, MessageText};
use holdline::domain::time::{Span, Timestamp};
use holdline::limits;

use crate::script::{DAWN, agent_named, start};

/// One chat that is asked one thing after another, at the same moment.
struct Chat {
    it: Conversation,
    rules: Workstream,
    now: Timestamp,
}

impl Chat {
    fn new() -> Self {
        let it = Conversation::new(ConversationId::from_bits(1));
        let rules = Workstream::new("sales".parse().unwrap(), "line".parse().unwrap());
        Self { it, rules, now: DAWN }
    }

    fn waiting() -> Self {
        let mut chat = Self::new();
        chat.ask(start()).unwrap();
        chat
    }

    fn offered() -> Self {
        let mut chat = Self::waiting();
        chat.ask(Command::Offer { agent: agent_named("ann") }).unwrap();
        chat
    }

    fn talking() -> Self {
        let mut chat = Self::offered();
        chat.ask(accept("ann")).unwrap();
        chat
    }

    fn over() -> Self {
        let mut chat = Self::talking();
        chat.ask(Command::EndByCustomer).unwrap();
        chat
    }

    fn closed() -> Self {
        let mut chat = Self::over();
        chat.ask(Command::Close { by: agent("ann") }).unwrap();
        chat
    }

    fn ask(&mut self, command: Command) -> Result<(Answer, Vec<Event>), Refusal> {
        let decision = self.it.decide(command, self.now, &self.rules)?;
        for event in &decision.events {
            self.it.apply(event, self.now);
        }
        Ok((decision.answer, decision.events))
    }

    fn refuses(&mut self, command: Command) -> Refusal {
        self.ask(command).unwrap_err()
    }

    fn does_nothing(&mut self, command: Command) -> bool {
        self.ask(command).unwrap().1.is_empty()
    }
}

fn accept(who: &str) -> Command {
    Command::Accept { by: None, agent: agent_named(who), name: DisplayName::parse(who).unwrap() }
}

fn agent(who: &str) -> Authority {
    Authority::Agent(agent_named(who))
}

fn supervisor() -> Authority {
    Authority::Supervisor(agent_named("sue"))
}

fn post(from: Author, id: usize) -> Command {
    let text = MessageText::parse("a word").unwrap();
    Command::Post { by: None, from, id: format!("m-{id}").parse().unwrap(), text }
}

fn says(who: &str) -> Command {
    post(Author::Agent(agent_named(who)), 1)
}

fn join(session: u64) -> Command {
    let heartbeat = Span::from_secs(25);
    Command::Join { session: SessionId::from_bits(session), heartbeat, program: None }
}

#[test]
fn what_has_not_begun_can_only_begin() {
    let mut chat = Chat::new();
    assert!(chat.does_nothing(Command::Wake) && chat.does_nothing(Command::Recover));
    assert_eq!(chat.refuses(Command::EndByCustomer), Refusal::NotStarted);
    assert_eq!(chat.refuses(says("ann")), Refusal::NotStarted);
    assert_eq!((chat.it.state(), chat.it.view()), (None, None));
}

#[test]
fn each_state_is_told_as_it_is() {
    let told = |chat: Chat| {
        let view = chat.it.view().expect("it has begun");
        assert_eq!(Some(view.state), chat.it.state());
        (view.state, chat.it.state_for_customer().unwrap(), chat.it.closed_at())
    };
    assert_eq!(told(Chat::waiting()), (State::Open, State::Open, None));
    assert_eq!(told(Chat::offered()), (State::Active, State::Open, None));
    assert_eq!(told(Chat::talking()), (State::Active, State::Active, None));
    assert_eq!(told(Chat::over()), (State::Wrapup, State::Wrapup, None));
    assert_eq!(told(Chat::closed()), (State::Closed, State::Closed, Some(DAWN)));
}

#[test]
fn an_offer_is_for_whom_it_was_made() {
    assert_eq!(Chat::offered().refuses(accept("ben")), Refusal::NotOffered);
    assert_eq!(Chat::talking().refuses(accept("ben")), Refusal::NotYours);
    assert_eq!(Chat::talking().refuses(accept("ann")), Refusal::AlreadyAccepted);
    let decline = |who: &str| Command::Decline { by: None, agent: agent_named(who) };
    assert_eq!(Chat::offered().refuses(decline("ben")), Refusal::NotOffered);
    assert_eq!(Chat::talking().refuses(decline("ann")), Refusal::AlreadyAccepted);
    assert_eq!(Chat::talking().refuses(decline("ben")), Refusal::NotOffered);
    let gone = |who: &str| Command::AgentGone { agent: agent_named(who) };
    assert!(Chat::offered().does_nothing(gone("ben")));
    assert!(Chat::talking().does_nothing(gone("ben")));
    assert!(!Chat::talking().does_nothing(gone("ann")));
    let assign = |who: &str| Command::Assign { agent: agent_named(who), by: agent_named("sue") };
    assert!(Chat::offered().does_nothing(assign("ann")), "it is theirs already");
    assert_eq!(Chat::offered().ask(assign("ben")).unwrap().1.len(), 2);
    assert_eq!(Chat::talking().refuses(assign("ben")), Refusal::AlreadyAccepted);
}

#[test]
fn what_is_given_back_counts_as_a_no_only_from_the_agent() {
    let end = |by: Authority| match &Chat::offered().ask(Command::Release { by }).unwrap().1[0] {
        Event::OfferEnded { end, .. } => *end,
        other => panic!("{other:?}"),
    };
    assert_eq!(end(agent("ann")), OfferEnd::Declined);
    assert_eq!(end(supervisor()), OfferEnd::Reassigned);
    let release = Command::Release { by: agent("ben") };
    assert_eq!(Chat::offered().refuses(release.clone()), Refusal::NotYours);
    assert_eq!(Chat::waiting().refuses(release), Refusal::NotAccepted);
    let released = Chat::talking().ask(Command::Release { by: supervisor() }).unwrap().1;
    assert!(matches!(released[..], [Event::AgentLeft { .. }]), "{released:?}");
}

#[test]
fn only_the_agent_in_the_chat_speaks_ends_and_closes() {
    assert_eq!(Chat::waiting().refuses(says("ann")), Refusal::NotAccepted);
    assert_eq!(Chat::offered().refuses(says("ann")), Refusal::NotAccepted);
    assert_eq!(Chat::offered().refuses(says("ben")), Refusal::NotYours);
    assert_eq!(Chat::talking().refuses(says("ben")), Refusal::NotYours);
    let end = |by| Command::End { by };
    assert_eq!(Chat::offered().refuses(end(agent("ann"))), Refusal::NotAccepted);
    assert_eq!(Chat::talking().refuses(end(agent("ben"))), Refusal::NotYours);
    let close = |by| Command::Close { by };
    assert_eq!(Chat::over().refuses(close(agent("ben"))), Refusal::NotYours);
    assert_eq!(Chat::talking().refuses(close(agent("ann"))), Refusal::NotInWrapup);
    assert_eq!(Chat::closed().refuses(close(agent("ann"))), Refusal::AlreadyClosed);
    assert_eq!(Chat::over().refuses(says("ann")), Refusal::ConversationEnded);
    assert_eq!(Chat::closed().refuses(says("ann")), Refusal::AlreadyClosed);
}

#[test]
fn after_a_restart_every_timer_has_its_full_length_again() {
    let later = DAWN + Span::from_secs(60);
    let timers = |mut chat: Chat| {
        chat.now = later;
        match chat.ask(Command::Recover).unwrap().1.remove(0) {
            Event::ServerRestarted { until, timers } => {
                assert_eq!(until, later + chat.rules.window);
                timers
            }
            other => panic!("{other:?}"),
        }
    };
    let length = Span::from_secs(1_000);
    let mut waiting = Chat::waiting();
    waiting.rules.autoclose.open = Some(length);
    assert_eq!(timers(waiting).close_at, Some(later + length));
    let offered = Chat::offered();
    let offer = offered.rules.offer;
    assert_eq!(timers(offered).offer_until, Some(later + offer));
    let mut talking = Chat::talking();
    talking.rules.autoclose.active = Some(length);
    talking.rules.idle = Some(IdleRule { warn: Span::from_secs(30), close: Span::from_secs(90) });
    let unasked = Chat { it: talking.it.clone(), rules: talking.rules.clone(), now: later };
    assert_eq!(timers(unasked).reminder, None, "no answer is owed");
    talking.ask(says("ann")).unwrap();
    let restarted = timers(talking);
    assert_eq!(restarted.close_at, Some(later + length));
    let reminder = restarted.reminder.expect("an answer is owed");
    assert_eq!(reminder.at, later + Span::from_secs(30));
    assert_eq!(reminder.until, later + Span::from_secs(90));
}

#[test]
fn what_is_decided_is_told_once_all_of_it_is_durable() {
    let mut chat = Chat::waiting();
    let decision = chat.it.decide(join(1), DAWN, &chat.rules).unwrap();
    let (before, events) = (chat.it.seq(), decision.events.clone());
    let pending = chat.it.commit(decision, DAWN);
    assert_eq!(pending.events(), events);
    assert_eq!((pending.first(), pending.at()), (before.next(), DAWN));
    assert!(!pending.is_covered_by(&Receipt::issue(before)));
    let pending = pending.release(&Receipt::issue(before)).unwrap_err();
    let released = pending.release(&Receipt::issue(chat.it.seq())).unwrap();
    assert_eq!(&*released.events, events);
}

#[test]
fn effects_are_what_is_different_and_nothing_else() {
    let none = Claims::default();
    let [waiting, offered, over] =
        [Chat::waiting(), Chat::offered(), Chat::closed()].map(|chat| chat.it.claims());
    assert!(Claims::effects(&waiting, &waiting).is_empty());
    assert!(Claims::effects(&over, &over).is_empty());
    let begun = Claims::effects(&none, &waiting);
    assert!(matches!(begun[..], [Effect::TakePlace(_)]), "{begun:?}");
    let taken = Claims::effects(&waiting, &offered);
    assert!(matches!(taken[..], [Effect::HoldLease(_), Effect::LeavePlace(_)]), "{taken:?}");
    let given_up = Claims::effects(&offered, &waiting);
    assert!(matches!(given_up[..], [Effect::ReturnLease(_), Effect::TakePlace(_)]), "{given_up:?}");
    let ended = Claims::effects(&offered, &over);
    assert!(
        matches!(ended[..], [Effect::ReturnLease(_), Effect::FreeVisitor(..), Effect::Retire]),
        "{ended:?}"
    );
}

#[test]
fn the_quietest_tab_makes_room_for_one_too_many() {
    let mut chat = Chat::waiting();
    let most = limits::SESSIONS_MAX as u64;
    for session in 1..=most {
        chat.ask(join(session)).unwrap();
    }
    let now = DAWN + Span::from_secs(1);
    for session in (1..=most).filter(|session| *session != 2) {
        chat.it.hear(SessionId::from_bits(session), now);
    }
    assert!(chat.it.attendance().is_connected());
    let events = chat.ask(join(most + 1)).unwrap().1;
    let quietest = SessionId::from_bits(2);
    let replaced = |event: &Event| {
        matches!(event, Event::SessionLost { session, cause: Cause::Replaced, .. }
            if *session == quietest)
    };
    assert!(replaced(&events[0]), "{events:?}");
}

#[test]
fn a_loss_is_journaled_with_what_is_known_of_it() {
    let mut chat = Chat::waiting();
    let session = SessionId::from_bits(1);
    chat.ask(join(1)).unwrap();
    for seconds in [1, 5, 7] {
        chat.it.hear(session, DAWN + Span::from_secs(seconds));
    }
    chat.it.hear_leaving(session, Some(Leaving::Hidden));
    chat.now = DAWN + Span::from_secs(8);
    let events = chat.ask(Command::Lose { session, cause: Cause::Closed(1001) }).unwrap().1;
    let Event::SessionLost { cause, heard_at, evidence, .. } = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!((*cause, *heard_at), (Cause::Left(Leaving::Hidden), DAWN + Span::from_secs(7)));
    let widest = Span::from_secs(4);
    assert_eq!(*evidence, Evidence { code: Some(1001), heard: 3, widest, asleep: false });
    assert!(!chat.it.attendance().is_connected());
}

#[test]
fn silence_is_two_heartbeats_and_not_a_moment_less() {
    let mut chat = Chat::waiting();
    let session = SessionId::from_bits(1);
    chat.ask(join(1)).unwrap();
    let limit = DAWN + Span::from_secs(50);
    chat.now = limit + Span::from_secs(100);
    assert!(chat.does_nothing(Command::Wake), "who was not asked is not lost");
    assert_eq!(chat.it.ask_quiet(DAWN + Span::from_secs(29)), [session]);
    chat.now = limit;
    assert!(chat.does_nothing(Command::Wake), "at the limit it is still in time");
    chat.now = limit + Span::from_millis(1);
    assert!(!chat.does_nothing(Command::Wake));
}

#[test]
fn a_chat_takes_so_many_messages_of_its_customer_and_still_knows_them() {
    let mut chat = Chat::talking();
    let most = usize::try_from(chat.rules.customer_limits.messages).unwrap();
    for id in 0..most {
        chat.ask(post(Author::Customer, id)).unwrap();
    }
    assert_eq!(chat.refuses(post(Author::Customer, most)), Refusal::ConversationFull);
    let (first, events) = chat.ask(post(Author::Customer, 0)).unwrap();
    assert_eq!((first, events), (Answer::Posted { seq: Seq::new(4), at: DAWN }, vec![]));
    // No customer can say so much that the agent must fall silent.
    let agents = usize::try_from(limits::ENTRIES_MAX).unwrap() - most;
    for id in 0..agents {
        chat.ask(post(Author::Agent(agent_named("ann")), id)).unwrap();
    }
    let full = chat.refuses(post(Author::Agent(agent_named("ann")), agents));
    assert_eq!(full, Refusal::ConversationFull);
}

#[test]
fn a_chat_takes_so_many_bytes_of_its_customer() {
    let mut chat = Chat::talking();
    chat.rules.customer_limits.bytes = 24_000;
    let text = |length| MessageText::parse(&"é".repeat(length)).unwrap();
    let say = |id: &str, from, length| Command::Post {
        from,
        by: None,
        id: id.parse().unwrap(),
        text: text(length),
    };
    chat.ask(say("a", Author::Customer, 6_000)).unwrap();
    chat.ask(say("b", Author::Agent(agent_named("ann")), 6_000)).unwrap();
    chat.ask(say("c", Author::Customer, 5_999)).unwrap();
    assert_eq!(chat.refuses(say("d", Author::Customer, 2)), Refusal::ConversationFull);
    chat.ask(say("e", Author::Customer, 1)).unwrap();
    assert_eq!(chat.refuses(say("f", Author::Customer, 1)), Refusal::ConversationFull);
    chat.ask(say("g", Author::Agent(agent_named("ann")), 6_000)).unwrap();
    assert_eq!((chat.it.usage().bytes, chat.it.usage().messages), (24_000, 3));
}

#[test]
fn a_customer_connects_so_often_and_who_is_there_stays() {
    let mut chat = Chat::waiting();
    chat.rules.customer_limits.connections = 10;
    for session in 1..=10 {
        chat.ask(join(session)).unwrap();
    }
    assert_eq!(chat.refuses(join(11)), Refusal::ConversationFull);
    assert!(chat.does_nothing(join(10)), "who is there may say so again");
    for session in 1..=10 {
        let lost = Command::Lose { session: SessionId::from_bits(session), cause: Cause::Reset };
        chat.ask(lost).unwrap();
    }
    assert_eq!(chat.refuses(join(12)), Refusal::ConversationFull);
    chat.now = chat.now + chat.rules.window + Span::from_millis(1);
    chat.ask(Command::Wake).unwrap();
    assert_eq!(chat.it.state(), Some(State::Closed), "the window ends as any other");
}

#[test]
fn a_chat_closes_after_its_moment_and_not_at_it() {
    let mut chat = Chat::new();
    let length = Span::from_secs(1_000);
    chat.rules.autoclose.open = Some(length);
    chat.ask(start()).unwrap();
    chat.now = DAWN + length;
    assert!(chat.does_nothing(Command::Wake), "the last moment counts");
    chat.now = chat.now + Span::from_millis(1);
    assert!(!chat.does_nothing(Command::Wake));
    assert_eq!(chat.it.state(), Some(State::Closed));
}

#[test]
fn offers_and_reminders_are_due_after_their_moment_and_not_at_it() {
    let tick = Span::from_millis(1);
    let due = |chat: &mut Chat, at: Timestamp| {
        chat.now = at;
        assert!(chat.does_nothing(Command::Wake), "the last moment counts");
        chat.now = at + tick;
        chat.ask(Command::Wake).unwrap().1.remove(0)
    };
    let mut offered = Chat::offered();
    let until = DAWN + offered.rules.offer;
    assert!(matches!(due(&mut offered, until), Event::OfferEnded { .. }));
    let mut talking = Chat::talking();
    let (warn, close) = (Span::from_secs(30), Span::from_secs(90));
    talking.rules.idle = Some(IdleRule { warn, close });
    talking.ask(says("ann")).unwrap();
    assert!(matches!(due(&mut talking, DAWN + warn), Event::CustomerReminded { .. }));
    assert!(matches!(due(&mut talking, DAWN + close), Event::WrapupStarted { .. }));
}
