//! How a plan is drawn.

use holdline::domain::agent::Presence;

use crate::plan::twist::{twist, visitors};
use crate::plan::{
    AgentPlan, Block, Finish, Handling, Happening, Plan, Reply, StreamPlan, TabPlan, What,
};
use crate::random::Dice;
use crate::server::{Millis, Weather};

/// How long things go on happening.
const HORIZON: Millis = 300_000;

pub fn plan(seed: u64) -> Plan {
    let mut dice = Dice::new(seed, 1);
    let streams: Vec<_> = (0..dice.from_to(1, 2)).map(|_| stream(&mut dice)).collect();
    let agents: Vec<_> = (0..dice.from_to(1, 3)).map(|_| agent(&mut dice, &streams)).collect();
    let count = dice.from_to(2, 4);
    let tabs = tabs(&mut dice, streams.len(), visitors(seed).unwrap_or(count));
    let mut plan = Plan { seed, stretched: 1, streams, agents, tabs, happenings: Vec::new() };
    let mut all = Vec::new();
    for agent in 0..plan.agents.len() {
        let at = dice.below(10_000);
        all.push(Happening { at, what: What::Console { agent, open: true } });
    }
    for tab in 0..plan.tabs.len() {
        all.extend(life_of(&mut dice, &plan, tab));
    }
    for _ in 0..dice.from_to(6, 22) {
        let at = dice.below(HORIZON);
        all.push(Happening { at, what: of_staff(&mut dice, &plan) });
    }
    all.extend(weather(&mut dice));
    all.sort_by_key(|happening| happening.at);
    plan.happenings = all;
    twist(&mut plan);
    plan
}

pub(super) fn stream(dice: &mut Dice) -> StreamPlan {
    let heartbeat = dice.from_to(2, 10);
    StreamPlan {
        units: u32::try_from(dice.from_to(1, 2)).unwrap(),
        window: (2 * heartbeat).max(dice.from_to(5, 60)),
        heartbeat,
        offer: dice.from_to(3, 20),
        decline_limit: u8::try_from(dice.from_to(1, 3)).unwrap(),
        grace: dice.from_to(3, 30),
        block: match dice.below(3) {
            0 => Block::Never,
            1 => Block::Always,
            _ => Block::For(dice.from_to(30, 60)),
        },
        close_open: dice.one_in(2).then(|| dice.from_to(20, 120)),
        close_active: dice.one_in(4).then(|| dice.from_to(60, 200)),
        close_wrapup: dice.from_to(5, 60),
        idle: dice.one_in(4).then(|| (dice.from_to(5, 20), dice.from_to(25, 60))),
    }
}

fn agent(dice: &mut Dice, streams: &[StreamPlan]) -> AgentPlan {
    let mut queues: Vec<_> = (0..streams.len()).filter(|_| !dice.one_in(4)).collect();
    if queues.is_empty() {
        queues.push(0);
    }
    AgentPlan {
        units: u32::try_from(dice.from_to(1, 4)).unwrap(),
        queues,
        delay: dice.from_to(0, 40),
        handlings: (0..dice.from_to(2, 6)).map(|_| handling(dice)).collect(),
    }
}

fn handling(dice: &mut Dice) -> Handling {
    Handling {
        reply: match dice.below(10) {
            0..=5 => Reply::Accept,
            6..=7 => Reply::Decline,
            8 => Reply::Ignore,
            _ => Reply::Vanish(dice.from_to(1_000, 60_000)),
        },
        after: dice.from_to(100, 4_000),
        messages: u32::try_from(dice.below(6)).unwrap(),
        every: dice.from_to(50, 8_000),
        finish: *dice.pick(&[Finish::End, Finish::End, Finish::Release, Finish::Stay]),
        close: dice.one_in(2).then(|| dice.from_to(500, 40_000)),
        meddled: None,
    }
}

fn tabs(dice: &mut Dice, widgets: usize, visitors: u64) -> Vec<TabPlan> {
    let mut tabs = Vec::new();
    for visitor in 0..visitors {
        let widget = usize::try_from(dice.below(widgets as u64)).unwrap();
        let count = if dice.one_in(2) { 2 } else { 1 };
        for _ in 0..count {
            tabs.push(TabPlan {
                visitor,
                widget,
                up: dice.from_to(1, 60),
                down: dice.from_to(1, 60),
                persists: dice.one_in(2),
                is_hasty: false,
            });
        }
    }
    tabs
}

fn life_of(dice: &mut Dice, plan: &Plan, tab: usize) -> Vec<Happening> {
    // Two tabs of one visitor often begin at once, with or without the same latency.
    let rival = tab > 0 && plan.tabs[tab - 1].visitor == plan.tabs[tab].visitor;
    let opens = if rival && dice.one_in(2) {
        5_000 * plan.tabs[tab].visitor
    } else {
        5_000 * plan.tabs[tab].visitor + if rival { dice.below(40_000) } else { 0 }
    };
    let mut all = vec![Happening { at: opens, what: What::Open(tab) }];
    let mut at = opens;
    for _ in 0..dice.from_to(5, 16) {
        at += dice.from_to(50, 30_000);
        if at > HORIZON {
            break;
        }
        let what = of_tab(dice, plan, tab);
        all.push(Happening { at, what });
        if let What::Leave(_) | What::End(_) = what
            && dice.one_in(2)
        {
            at += dice.from_to(500, 20_000);
            all.push(Happening { at, what: What::Open(tab) });
        }
    }
    all
}

pub(super) fn of_tab(dice: &mut Dice, plan: &Plan, tab: usize) -> What {
    let stream = plan.streams[plan.tabs[tab].widget];
    let (window, heartbeat) = (stream.window * 1_000, stream.heartbeat * 1_000);
    match dice.below(27) {
        0..=8 => {
            let copies = if dice.one_in(3) { 2 } else { 1 };
            What::Post { tab, copies, reorder: dice.one_in(5) }
        }
        9..=11 => What::Cut { tab, away: dice.below(window) },
        // Within milliseconds of the deadline.
        12..=13 => What::Cut { tab, away: window + dice.below(4) - 1 },
        14 => What::Cut { tab, away: window + dice.below(30_000) },
        15..=16 => {
            let up = dice.one_in(2);
            let down = !up || dice.one_in(3);
            What::Block { tab, up, down, lasts: dice.below(4 * heartbeat) }
        }
        17 => What::Lock { tab, lasts: dice.below(2 * window) },
        18..=19 => What::Throttle { tab, on: !dice.one_in(3) },
        20..=24 => What::Stall { tab, lasts: dice.below(40_000) },
        25 => What::End(tab),
        _ => What::Leave(tab),
    }
}

pub(super) fn of_staff(dice: &mut Dice, plan: &Plan) -> What {
    let agent = usize::try_from(dice.below(plan.agents.len() as u64)).unwrap();
    let chat = usize::try_from(dice.below(6)).unwrap();
    match dice.below(22) {
        0..=2 => What::Console { agent, open: false },
        3..=7 => What::Console { agent, open: true },
        8 => What::Choose { agent, presence: Presence::Busy },
        9..=10 => What::Choose { agent, presence: Presence::Available },
        11 => What::Pick { agent, chat },
        12..=13 => What::Assign { agent, chat },
        14..=15 => What::ForceClose(chat),
        16 => What::TakeBack(chat),
        17 => What::Units { agent, units: u32::try_from(dice.from_to(0, 4)).unwrap() },
        18 => {
            let queue = usize::try_from(dice.below(plan.streams.len() as u64)).unwrap();
            What::Serve { agent, queue, on: dice.one_in(2) }
        }
        _ => {
            let which = usize::try_from(dice.below(plan.streams.len() as u64)).unwrap();
            What::Stream(which, stream(dice))
        }
    }
}

fn weather(dice: &mut Dice) -> Vec<Happening> {
    let mut all = Vec::new();
    let takes = *dice.pick(&[0, 1, 1, 3, 20, 200]);
    all.push(Happening { at: 0, what: What::Disk(Weather::Fine(takes)) });
    for _ in 0..dice.below(4) {
        let at = dice.below(HORIZON);
        let what = match dice.below(6) {
            0 => Weather::Fine(dice.from_to(200, 3_000)),
            1..=2 => Weather::FailNext,
            3..=4 => Weather::TearNext,
            _ => Weather::Full,
        };
        all.push(Happening { at, what: What::Disk(what) });
        let fine = at + dice.from_to(500, 20_000);
        all.push(Happening { at: fine, what: What::Disk(Weather::Fine(takes)) });
    }
    for _ in 0..dice.below(3) {
        let at = dice.below(HORIZON);
        if dice.one_in(4) {
            all.push(Happening { at, what: What::Disk(Weather::SyncFails) });
        }
        let crash = What::Crash {
            steps: dice.below(12),
            down: *dice.pick(&[0, 1, 500, 5_000, 60_000, 600_000]),
            step: *dice.pick(&[0, 0, 3_600_000, -3_600_000, -200, 86_400_000]),
        };
        all.push(Happening { at: at + dice.below(2_000), what: crash });
    }
    if dice.one_in(2) {
        let within = *dice.pick(&[100, 5_000, 40_000, 90_000]);
        all.push(Happening { at: dice.below(HORIZON), what: What::Storm { within } });
    }
    all
}
