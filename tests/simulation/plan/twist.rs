//! What makes some plans unlike the others: many visitors, hours instead of minutes, two things at
//! one moment, pages that are in a hurry, settings that change in the middle of an offer.
//!
//! Only seeds from [`FIRST_TWISTED`] on have any of it, and only seeds from [`FIRST_RESTORED`] on
//! have restores. So earlier seeds that were kept still mean what they meant.

use holdline::domain::agent::Presence;

use crate::plan::draw::{of_staff, of_tab, stream};
use crate::plan::{Block, Happening, Plan, StreamPlan, What};
use crate::random::Dice;
use crate::server::{Millis, Weather};

/// The first seed whose plan may be twisted.
pub const FIRST_TWISTED: u64 = 1 << 32;

/// The first seed in whose plan a backup may be restored. Fresh seeds begin here.
pub const FIRST_RESTORED: u64 = 1 << 50;

/// How many times longer than the others the longest plans are.
const STRETCHED_MOST: u64 = 12;

/// How many visitors there are, if the plan has many.
pub fn visitors(seed: u64) -> Option<u64> {
    let mut dice = Dice::new(seed, 5);
    (seed >= FIRST_TWISTED && dice.one_in(24)).then(|| dice.from_to(8, 16))
}

/// Twists a plan, or leaves it as it is.
pub fn twist(plan: &mut Plan) {
    if plan.seed < FIRST_TWISTED {
        return;
    }
    let mut dice = Dice::new(plan.seed, 4);
    for tab in &mut plan.tabs {
        tab.is_hasty = dice.one_in(3);
    }
    meddle(plan, &mut dice);
    second_thoughts(plan, &mut dice);
    if dice.one_in(3) {
        coincide(plan, &mut dice);
    }
    blink(plan);
    reorganize(plan);
    press(plan);
    restore(plan);
    kill_actors(plan);
    cut_off(plan);
    if dice.one_in(2) {
        copy_a_page(plan, &mut dice);
    }
    plan.happenings.sort_by_key(|happening| happening.at);
    if dice.one_in(10) {
        stretch(plan, dice.from_to(2, STRETCHED_MOST));
    }
}

/// An administrator changes the settings during an offer, and an agent is slow to see it.
fn meddle(plan: &mut Plan, dice: &mut Dice) {
    let streams = plan.streams.len() as u64;
    for agent in 0..plan.agents.len() {
        for number in 0..plan.agents[agent].handlings.len() {
            let which = usize::try_from(dice.below(streams)).unwrap();
            let after = plan.agents[agent].handlings[number].after;
            if dice.one_in(10) {
                let what = match dice.below(4) {
                    0 => What::Units { agent, units: u32::try_from(dice.below(5)).unwrap() },
                    1 => What::Serve { agent, queue: which, on: dice.one_in(2) },
                    _ => What::Stream(which, stream(dice)),
                };
                plan.agents[agent].handlings[number].meddled = Some((dice.below(after), what));
            }
            if dice.one_in(12) {
                plan.agents[agent].handlings[number].after = dice.from_to(4_000, 60_000);
            }
        }
    }
}

/// Two of the staff do something at one moment.
fn second_thoughts(plan: &mut Plan, dice: &mut Dice) {
    let is_of_staff = |what: &What| {
        matches!(
            what,
            What::Assign { .. }
                | What::Pick { .. }
                | What::ForceClose(_)
                | What::TakeBack(_)
                | What::Units { .. }
        )
    };
    let moments: Vec<_> =
        plan.happenings.iter().filter(|it| is_of_staff(&it.what)).map(|it| it.at).collect();
    for at in moments {
        if dice.one_in(3) {
            let what = of_staff(dice, plan);
            plan.happenings.push(Happening { at, what });
        }
    }
}

/// An agent's feed ends, as if it read too slowly, and the console comes back at once.
fn blink(plan: &mut Plan) {
    let mut dice = Dice::new(plan.seed, 7);
    let last = plan.happenings.iter().map(|it| it.at).max().unwrap_or(0);
    if !dice.one_in(3) {
        return;
    }
    for _ in 0..dice.from_to(1, 4) {
        let agent = usize::try_from(dice.below(plan.agents.len() as u64)).unwrap();
        let at = dice.below(last);
        plan.happenings.push(Happening { at, what: What::Console { agent, open: false } });
        let at = at + dice.below(2_000);
        plan.happenings.push(Happening { at, what: What::Console { agent, open: true } });
    }
}

/// Agents and queues are deleted and put again: at any time, or some time after an offer, during
/// it, or in the talk or the wrap-up that follows.
fn reorganize(plan: &mut Plan) {
    let mut dice = Dice::new(plan.seed, 8);
    let last = plan.happenings.iter().map(|it| it.at).max().unwrap_or(0);
    if !dice.one_in(3) {
        return;
    }
    for _ in 0..dice.from_to(1, 4) {
        let at = dice.below(last);
        let what = reorganization(&mut dice, plan);
        plan.happenings.push(Happening { at, what });
    }
    for agent in 0..plan.agents.len() {
        for number in 0..plan.agents[agent].handlings.len() {
            if dice.one_in(4) {
                let what = dismissal(&mut dice, agent, plan.agents[agent].units);
                plan.agents[agent].handlings[number].meddled = Some((dice.below(40_000), what));
            }
        }
    }
}

fn reorganization(dice: &mut Dice, plan: &Plan) -> What {
    if dice.one_in(2) {
        let which = usize::try_from(dice.below(plan.streams.len() as u64)).unwrap();
        return What::Requeue { which, away: dice.from_to(1_000, 90_000) };
    }
    let agent = usize::try_from(dice.below(plan.agents.len() as u64)).unwrap();
    dismissal(dice, agent, plan.agents[agent].units)
}

fn dismissal(dice: &mut Dice, agent: usize, units: u32) -> What {
    let units = if dice.one_in(2) { units } else { u32::try_from(dice.from_to(0, 4)).unwrap() };
    let away = if dice.one_in(3) { dice.below(20) } else { dice.from_to(20, 30_000) };
    What::Dismiss { agent, units, away }
}

/// A message to an actor meets an event that takes its subject away, within one second. An agent
/// gets room while the chat that they are asked for is read again after a fault, and loses the room
/// before the chat is back; an agent is deleted and put again while a chat of theirs is read again;
/// or an agent is deleted while a chat becomes theirs.
fn press(plan: &mut Plan) {
    let mut dice = Dice::new(plan.seed, 9);
    let last = plan.happenings.iter().map(|it| it.at).max().unwrap_or(0);
    if !dice.one_in(4) {
        return;
    }
    for _ in 0..dice.from_to(2, 6) {
        let at = dice.below(last);
        let agent = usize::try_from(dice.below(plan.agents.len() as u64)).unwrap();
        let chat = usize::try_from(dice.below(4)).unwrap();
        let units = u32::try_from(dice.from_to(1, 2)).unwrap();
        let close = What::ForceClose(chat);
        let scene = match dice.below(3) {
            0 => room_for_a_moment(&mut dice, plan, agent),
            1 => vec![
                (0, What::Disk(Weather::Fine(1))),
                (10, What::Disk(Weather::FailNext)),
                (10, close),
                (20, What::Dismiss { agent, units, away: dice.from_to(1, 200) }),
            ],
            _ => vec![
                (0, What::Disk(Weather::Fine(dice.from_to(50, 200)))),
                (10, What::Choose { agent, presence: Presence::Available }),
                (20, What::Pick { agent, chat }),
                (20, What::Dismiss { agent, units, away: dice.from_to(1, 5_000) }),
                (600, What::Disk(Weather::Fine(1))),
            ],
        };
        let scene = scene.into_iter().map(|(after, what)| Happening { at: at + after, what });
        plan.happenings.extend(scene);
    }
}

/// No agent has room, so chats wait. Then the write of one of them fails, and an agent has room for
/// a moment before that chat is read again, and before or after its customer is back.
fn room_for_a_moment(dice: &mut Dice, plan: &mut Plan, agent: usize) -> Vec<(Millis, What)> {
    let mut scene = vec![(0, What::Disk(Weather::Fine(1)))];
    for (number, it) in plan.agents.iter().enumerate() {
        scene.push((0, What::Units { agent: number, units: 0 }));
        scene.push((15_000, What::Units { agent: number, units: it.units }));
    }
    scene.push((8_900, What::Choose { agent, presence: Presence::Available }));
    scene.push((9_000, What::Disk(Weather::FailNext)));
    for _ in 0..3 {
        let tab = usize::try_from(dice.below(plan.tabs.len() as u64)).unwrap();
        scene.push((9_001, What::Post { tab, copies: 1, reorder: false }));
        let mut copy = plan.tabs[tab];
        (copy.up, copy.down) = (dice.from_to(1, 60), dice.from_to(1, 60));
        scene.push((9_100, What::Copy { from: tab, to: plan.tabs.len() }));
        plan.tabs.push(copy);
    }
    let room = 9_000 + dice.from_to(300, 950);
    scene.push((room, What::Units { agent, units: 16 }));
    scene.push((room + dice.from_to(3, 60), What::Units { agent, units: 0 }));
    scene
}

/// The journal is copied now and then. A copy replaces it later, when chats have gone on, ended and
/// begun, and settings have changed.
fn restore(plan: &mut Plan) {
    let mut dice = Dice::new(plan.seed, 10);
    let last = plan.happenings.iter().map(|it| it.at).max().unwrap_or(0);
    if plan.seed < FIRST_RESTORED || !dice.one_in(5) {
        return;
    }
    for _ in 0..dice.from_to(1, 3) {
        let copied = dice.below(last);
        let lasts = if dice.one_in(2) { dice.below(20_000) } else { dice.below(last) };
        let down = dice.from_to(1, 20_000);
        plan.happenings.push(Happening { at: copied, what: What::BackUp });
        plan.happenings.push(Happening { at: copied + lasts, what: What::Restore { down } });
    }
}

/// Actors of conversations die now and then.
fn kill_actors(plan: &mut Plan) {
    let mut dice = Dice::new(plan.seed, 12);
    let last = plan.happenings.iter().map(|it| it.at).max().unwrap_or(0);
    if plan.seed < FIRST_RESTORED || !dice.one_in(3) {
        return;
    }
    for _ in 0..dice.from_to(1, 4) {
        let what = What::Die { turns: dice.below(30), is_late: dice.one_in(2) };
        plan.happenings.push(Happening { at: dice.below(last), what });
    }
}

/// The node is killed while a slow disk has much to write.
fn cut_off(plan: &mut Plan) {
    let mut dice = Dice::new(plan.seed, 13);
    let last = plan.happenings.iter().map(|it| it.at).max().unwrap_or(0);
    if plan.seed < FIRST_RESTORED || !dice.one_in(3) {
        return;
    }
    let (at, takes) = (dice.below(last), dice.from_to(50, 2_000));
    let crash = What::Crash { steps: dice.below(12), down: dice.from_to(1, 2_000), step: 0 };
    let scene = [
        (0, What::Disk(Weather::Fine(takes))),
        (dice.from_to(takes, 3 * takes), crash),
        (8_000, What::Disk(Weather::Fine(1))),
    ];
    plan.happenings.extend(scene.map(|(after, what)| Happening { at: at + after, what }));
}

/// Two faults come within one step.
fn coincide(plan: &mut Plan, dice: &mut Dice) {
    let is_fault =
        |what: &What| matches!(what, What::Disk(_) | What::Crash { .. } | What::Storm { .. });
    let faults: Vec<_> = (0..plan.happenings.len())
        .filter(|it| plan.happenings[*it].at > 0 && is_fault(&plan.happenings[*it].what))
        .collect();
    if faults.len() < 2 {
        return;
    }
    let (one, other) = (*dice.pick(&faults), *dice.pick(&faults));
    plan.happenings[one].at = plan.happenings[other].at + dice.below(2);
}

/// A page is opened from another whose connection is just coming back.
fn copy_a_page(plan: &mut Plan, dice: &mut Dice) {
    let cuts: Vec<_> = plan.happenings.iter().filter_map(|it| cut_of(it)).collect();
    if cuts.is_empty() {
        return;
    }
    let (from, back) = *dice.pick(&cuts);
    let to = plan.tabs.len();
    let mut tab = plan.tabs[from];
    tab.up = dice.from_to(1, 60);
    tab.down = dice.from_to(1, 60);
    plan.tabs.push(tab);
    let mut at = (back + dice.below(5)).saturating_sub(2);
    plan.happenings.push(Happening { at, what: What::Copy { from, to } });
    for _ in 0..dice.below(6) {
        at += dice.from_to(1, 20_000);
        let what = of_tab(dice, plan, to);
        plan.happenings.push(Happening { at, what });
    }
}

fn cut_of(happening: &Happening) -> Option<(usize, Millis)> {
    match happening.what {
        What::Cut { tab, away } => Some((tab, happening.at + away)),
        _ => None,
    }
}

/// Everything takes this many times longer, except the network and the disk.
fn stretch(plan: &mut Plan, by: u64) {
    plan.stretched = by;
    plan.streams.iter_mut().for_each(|stream| *stream = stretched(*stream, by));
    for agent in &mut plan.agents {
        for handling in &mut agent.handlings {
            handling.after *= by;
            handling.every *= by;
            handling.close = handling.close.map(|close| close * by);
            handling.meddled =
                handling.meddled.map(|(after, what)| (after * by, stretched_what(what, by)));
        }
    }
    for happening in &mut plan.happenings {
        happening.at *= by;
        happening.what = stretched_what(happening.what, by);
    }
}

fn stretched_what(what: What, by: u64) -> What {
    match what {
        What::Cut { tab, away } => What::Cut { tab, away: away * by },
        What::Block { tab, up, down, lasts } => What::Block { tab, up, down, lasts: lasts * by },
        What::Lock { tab, lasts } => What::Lock { tab, lasts: lasts * by },
        What::Storm { within } => What::Storm { within: within * by },
        What::Dismiss { agent, units, away } => What::Dismiss { agent, units, away: away * by },
        What::Requeue { which, away } => What::Requeue { which, away: away * by },
        What::Stream(which, stream) => What::Stream(which, stretched(stream, by)),
        other => other,
    }
}

fn stretched(stream: StreamPlan, by: u64) -> StreamPlan {
    StreamPlan {
        window: stream.window * by,
        heartbeat: stream.heartbeat * by,
        offer: stream.offer * by,
        grace: stream.grace * by,
        block: match stream.block {
            Block::For(seconds) => Block::For(seconds * by),
            block => block,
        },
        close_open: stream.close_open.map(|seconds| seconds * by),
        close_active: stream.close_active.map(|seconds| seconds * by),
        close_wrapup: stream.close_wrapup * by,
        idle: stream.idle.map(|(warn, close)| (warn * by, close * by)),
        ..stream
    }
}
