//! An answer of every kind, with the values that the dice give.

use holdline::behavior::message::{AgentView, Answered, Denial, Trouble};
use holdline::domain::agent::{Link, Presence};
use holdline::domain::conversation::State;
use holdline::domain::conversation::attendance::Absence;
use holdline::domain::conversation::command::{Answer, Refusal};
use holdline::domain::conversation::event::Reason;
use holdline::domain::conversation::view::{Customer, Stage, View};
use holdline::domain::queue::{Staffing, Standing};
use holdline::domain::settings::Role;

use super::dice::Dice;

/// At least one answer of every variant.
pub fn answers(dice: &mut Dice) -> Vec<Answered> {
    let standing = |dice: &mut Dice| Standing {
        position: dice.maybe(|dice| usize::try_from(dice.u32()).unwrap()),
        is_held: dice.flag(),
        is_asked_for: dice.flag(),
        staffing: Staffing { free: 1, full: 2, not_ready: 3, excluded: usize::MAX },
    };
    let mut answers = vec![
        Answered::Command(Answer::Done),
        Answered::Command(Answer::Posted { seq: dice.seq(), at: dice.time() }),
        Answered::Expected(dice.maybe(Dice::time)),
        Answered::Figures(usize::try_from(dice.u32()).unwrap(), dice.maybe(Dice::span)),
        Answered::Standing(dice.maybe(standing)),
        Answered::Counted(dice.flag()),
        Answered::Done,
    ];
    for stage in [Stage::Offered, Stage::Talking] {
        answers.push(Answered::Conversation(Box::new(view(stage, dice))));
    }
    let links = [
        Link::Feeds(dice.u32()),
        Link::Requests(dice.time()),
        Link::Looking(dice.time()),
        Link::Started(dice.time()),
        Link::Gone(dice.time()),
    ];
    for link in links {
        answers.push(Answered::Agent(Box::new(AgentView {
            settings: dice.settings(Role::Agent),
            presence: dice.one_of(&Presence::ALL),
            chosen: dice.one_of(&Presence::ALL),
            link,
            used: dice.u32(),
            leases: dice.list(|dice| (dice.conversation(), dice.lease())),
        })));
    }
    answers
}

fn view(stage: Stage, dice: &mut Dice) -> View {
    View {
        id: dice.conversation(),
        state: dice.one_of(&State::ALL),
        stage: dice.maybe(|_| stage),
        reason: dice.maybe(|dice| dice.one_of(&Reason::ALL)),
        agent: dice.maybe(Dice::chosen),
        agent_away: dice.flag(),
        offer_until: dice.maybe(Dice::time),
        widget: dice.chosen(),
        workstream: dice.chosen(),
        queue: dice.chosen(),
        seq: dice.seq(),
        started_at: dice.time(),
        due_at: dice.maybe(Dice::time),
        customer: Customer {
            name: dice.maybe(Dice::name),
            connected: dice.flag(),
            asleep: dice.flag(),
            absence: dice.maybe(|dice| Absence {
                since: dice.time(),
                until: dice.time(),
                cause: dice.cause(),
            }),
            form: dice.maybe(|dice| dice.text().as_str().into()),
            context: dice.maybe(|dice| dice.text().as_str().into()),
            page: dice.maybe(Dice::arc),
            locale: dice.maybe(Dice::arc),
        },
    }
}

/// Every denial.
pub fn denials(dice: &mut Dice) -> Vec<Denial> {
    let mut denials = vec![
        Denial::AgentGone,
        Denial::FeedEnded,
        Denial::Overloaded,
        Denial::Unavailable,
        Denial::Trouble(Trouble { is_of_writing: dice.flag(), text: dice.arc() }),
    ];
    denials.extend(Refusal::ALL.map(Denial::Refused));
    denials
}
