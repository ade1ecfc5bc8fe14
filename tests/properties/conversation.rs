//! Laws of one conversation, whatever is asked of it and whenever.

use holdline::domain::conversation::claims::{Claims, Effect};
use holdline::domain::conversation::command::{Command, Refusal};
use holdline::domain::conversation::event::{Audience, Event};
use holdline::domain::conversation::{Conversation, Phase};
use holdline::domain::id::Seq;
use holdline::domain::time::Span;
use holdline::journal::snapshot;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::config;
use crate::script::{Step, lasting, script, start};

proptest! {
    #![proptest_config(config())]

    /// Replay runs nothing but `apply`, and ends where the living conversation is.
    #[test]
    fn replay_equals_live(script in script()) {
        let life = script.play(|_| Ok(()))?;
        let mut replayed = Conversation::new(life.conversation.id());
        for recorded in &life.journal {
            replayed.apply(&recorded.event, recorded.at);
        }
        prop_assert_eq!(lasting(&replayed), lasting(&life.conversation));
        prop_assert_eq!(replayed.claims(), life.conversation.claims());
    }

    /// A snapshot holds the whole conversation, including the passing facts.
    #[test]
    fn a_snapshot_is_the_conversation(script in script()) {
        let life = script.play(|_| Ok(()))?;
        let read = snapshot::decode(&snapshot::encode(&life.conversation)).expect("readable");
        prop_assert_eq!(lasting(&read), lasting(&life.conversation));
    }

    /// A snapshot and the rest of the journal are as good as the whole journal.
    #[test]
    fn a_snapshot_and_the_rest_equal_live(script in script(), cut in any::<Index>()) {
        let life = script.play(|_| Ok(()))?;
        let cut = cut.index(life.journal.len() + 1);
        let mut replayed = Conversation::new(life.conversation.id());
        let (first, rest) = life.journal.split_at(cut);
        first.iter().for_each(|recorded| replayed.apply(&recorded.event, recorded.at));
        let mut replayed = snapshot::decode(&snapshot::encode(&replayed)).expect("readable");
        rest.iter().for_each(|recorded| replayed.apply(&recorded.event, recorded.at));
        prop_assert_eq!(lasting(&replayed), lasting(&life.conversation));
    }

    /// A refusal changes nothing, and deciding twice gives the same outcome twice.
    #[test]
    fn a_refusal_changes_nothing(script in script()) {
        script.play(|step| {
            if step.outcome.is_err() {
                prop_assert_eq!(step.before, step.after);
            }
            let decide = || step.before.decide(step.command.clone(), step.now, step.workstream);
            prop_assert_eq!(decide(), decide());
            Ok(())
        })?;
    }

    /// No conversation leaves Closed. A closed one gives nothing but repeated answers, and never
    /// wakes.
    #[test]
    fn closed_is_for_ever(script in script()) {
        script.play(|step| {
            if step.before.is_closed() {
                prop_assert_eq!(step.before, step.after);
                let harmless = matches!(
                    step.command,
                    Command::Post { .. }
                        | Command::Lose { .. }
                        | Command::AgentGone { .. }
                        | Command::Wake
                        | Command::Recover
                );
                prop_assert!(harmless || step.outcome.is_err(), "{:?}", step.command);
            }
            if step.after.is_closed() {
                prop_assert_eq!(step.after.wake_at(), None);
                prop_assert_eq!(step.after.lease(), None);
                prop_assert!(!step.after.attendance().is_connected());
            }
            Ok(())
        })?;
    }

    /// Once the chat is over, its sessions are free for another chat. Nobody watches over them here
    /// any more; otherwise they would be found silent.
    #[test]
    fn nobody_attends_what_is_over(script in script()) {
        script.play(|step| {
            if !step.after.is_live() {
                prop_assert!(!step.after.attendance().is_connected());
                prop_assert_eq!(step.after.attendance().absence(), None);
            }
            Ok(())
        })?;
    }

    /// Every step follows an arrow of the diagram.
    #[test]
    fn states_change_along_the_arrows(script in script()) {
        script.play(follows_the_diagram)?;
    }

    /// Wrap-up always ends by itself, at the latest after the longest time that may be set.
    #[test]
    fn wrapup_always_ends(script in script()) {
        let mut life = script.play(|step| {
            if let Phase::Wrapup { close_at, hold_until, lease, .. } = step.after.phase() {
                prop_assert!(close_at.is_some() && step.after.wake_at().is_some());
                prop_assert!(hold_until <= close_at);
                prop_assert!(hold_until.is_none() || lease.is_some());
            }
            Ok(())
        })?;
        if matches!(life.conversation.phase(), Phase::Wrapup { .. }) {
            life.now = life.now + Span::from_secs(2_592_000);
            let _asked = life.conversation.ask_quiet(life.now);
            for _ in 0..32 {
                life.ask(Command::Wake).expect("a wake is never refused");
            }
            prop_assert!(life.conversation.is_closed());
        }
    }

    /// Waking before the time, or again at the same time, changes nothing.
    #[test]
    fn waking_early_or_twice_does_nothing(script in script()) {
        script.play(|step| {
            let conversation = step.after;
            let early = conversation.wake_at().is_none_or(|at| step.now < at);
            let decided = conversation.decide(Command::Wake, step.now, step.workstream);
            let events = decided.expect("a wake is never refused").events;
            prop_assert!(!early || events.is_empty(), "early, and yet {:?}", events);
            Ok(())
        })?;
    }

    /// A conversation that is woken when it asked to be has something to do. Afterwards it asks for
    /// a later time or has changed: there is no busy loop.
    #[test]
    fn waking_as_told_makes_progress(script in script()) {
        let mut life = script.play(|_| Ok(()))?;
        for _ in 0..200 {
            let Some(due) = life.conversation.wake_at() else { return Ok(()) };
            life.now = life.now.max(due);
            let asked = life.conversation.ask_quiet(life.now);
            let done = life.ask(Command::Wake).expect("a wake is never refused");
            let later = life.conversation.wake_at().is_none_or(|next| next > life.now);
            prop_assert!(
                !asked.is_empty() || !done.recorded.is_empty() || later,
                "woken at {} for nothing, and wants to be again",
                life.now
            );
        }
        prop_assert!(false, "left alone, a conversation comes to rest");
    }

    /// Places have no gaps from 1 on, and the last place that customers see is known.
    #[test]
    fn places_have_no_gaps(script in script()) {
        let life = script.play(|_| Ok(()))?;
        for (recorded, place) in life.journal.iter().zip(1..) {
            prop_assert_eq!(recorded.seq, Seq::new(place));
        }
        let last = life.journal.last().map_or(Seq::ZERO, |recorded| recorded.seq);
        prop_assert_eq!(life.conversation.seq(), last);
        let mut seen = life.journal.iter().rev();
        let seen = seen.find(|recorded| recorded.event.is_seen_by(Audience::Customer));
        let seen = seen.map_or(Seq::ZERO, |recorded| recorded.seq);
        prop_assert_eq!(life.conversation.seen_by_customer(), seen);
    }

    /// What customers see holds nothing that only agents may see.
    #[test]
    fn customers_never_see_what_agents_see(script in script()) {
        let life = script.play(|_| Ok(()))?;
        let seen = life.journal.iter().filter(|one| one.event.is_seen_by(Audience::Customer));
        for recorded in seen {
            prop_assert!(
                !matches!(
                    recorded.event,
                    Event::SessionJoined { .. }
                        | Event::SessionLost { .. }
                        | Event::CustomerAway { .. }
                        | Event::CustomerReturned { .. }
                        | Event::CustomerDisconnected { .. }
                        | Event::ChatOffered { .. }
                        | Event::OfferEnded { .. }
                        | Event::LeaseReleased { .. }
                        | Event::ServerRestarted { .. }
                ),
                "{:?}",
                recorded.event
            );
        }
        prop_assert!(life.journal.iter().all(|one| one.event.is_seen_by(Audience::Agent)));
    }

    /// Effects carried out on a model of the world give exactly the claims that follow.
    #[test]
    fn effects_are_the_difference_of_claims(script in script()) {
        script.play(|step| {
            let Ok(done) = &step.outcome else { return Ok(()) };
            let mut held = step.before.claims();
            for effect in &done.effects {
                carry_out(&mut held, effect, &step.after.claims())?;
            }
            prop_assert_eq!(held, step.after.claims());
            Ok(())
        })?;
    }

    /// An agent's lease says what the agent has it for, and no other agent holds one.
    #[test]
    fn a_lease_names_the_agent_and_the_purpose(script in script()) {
        use holdline::domain::lease::Purpose;
        script.play(|step| {
            let purpose = step.after.lease().map(|lease| lease.purpose);
            let fits = match step.after.phase() {
                Phase::New | Phase::Open { .. } | Phase::Closed { .. } => purpose.is_none(),
                Phase::Offered { .. } => purpose == Some(Purpose::Offer),
                Phase::Talking { .. } => purpose == Some(Purpose::Chat),
                Phase::Wrapup { .. } => purpose.is_none_or(|one| one == Purpose::Wrapup),
            };
            prop_assert!(fits);
            prop_assert!(step.after.lease().is_none_or(|it| Some(&it.agent) == step.after.agent()));
            Ok(())
        })?;
    }

    /// Before its start a chat can be asked nothing, and a second start is refused.
    #[test]
    fn a_chat_begins_once(script in script()) {
        script.play(|step| {
            if matches!(step.before.phase(), Phase::New) {
                prop_assert!(
                    matches!(step.command, Command::Start(_) | Command::Wake | Command::Recover)
                        || matches!(step.outcome, Err(Refusal::NotStarted))
                );
            } else {
                let again = step.after.decide(start(), step.now, step.workstream);
                prop_assert_eq!(again, Err(Refusal::AlreadyStarted));
            }
            Ok(())
        })?;
    }
}

fn follows_the_diagram(step: &Step<'_>) -> crate::script::Held {
    let name = |conversation: &Conversation| match conversation.phase() {
        Phase::New => "new",
        Phase::Open { .. } => "open",
        Phase::Offered { .. } => "offered",
        Phase::Talking { .. } => "talking",
        Phase::Wrapup { .. } => "wrapup",
        Phase::Closed { .. } => "closed",
    };
    let arrow = (name(step.before), name(step.after));
    let drawn = arrow.0 == arrow.1
        || matches!(
            arrow,
            ("new", "open")
                | ("open", "offered" | "talking" | "closed")
                | ("offered", "open" | "talking" | "closed")
                | ("talking", "open" | "wrapup" | "closed")
                | ("wrapup", "closed")
        );
    prop_assert!(drawn, "{:?} by {:?}", arrow, step.command);
    let forced = matches!(step.command, Command::ForceClose { .. });
    prop_assert!(arrow != ("talking", "closed") || forced, "only force skips wrap-up");
    Ok(())
}

fn carry_out(held: &mut Claims, effect: &Effect, after: &Claims) -> crate::script::Held {
    match effect {
        Effect::TakePlace(place) => held.place = Some((**place).clone()),
        Effect::LeavePlace(queue) => {
            let left = held.place.take().map(|place| place.queue);
            prop_assert_eq!(left.as_ref(), Some(queue));
        }
        Effect::HoldLease(lease) => {
            let held_by = held.lease.replace(lease.clone()).map(|before| before.agent);
            prop_assert!(held_by.is_none_or(|agent| agent == lease.agent), "given back first");
        }
        Effect::ReturnLease(agent) => {
            let returned = held.lease.take().map(|lease| lease.agent);
            prop_assert_eq!(returned.as_ref(), Some(agent));
        }
        Effect::FreeVisitor(widget, visitor) => {
            prop_assert_eq!(held.visitor.take(), Some((widget.clone(), *visitor)));
        }
        Effect::Retire => held.is_over = true,
    }
    // The caller that starts a chat claims the visitor before the conversation exists.
    held.visitor = held.visitor.take().or_else(|| after.visitor.clone());
    Ok(())
}
