//! Leases always add up, and no chat waits in vain, in whatever order messages travel.

use holdline::domain::agent::Presence;
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::conversation::command::{Authority, Command};
use holdline::domain::conversation::{Conversation, Phase};
use holdline::domain::id::{AgentId, ConversationId, QueueId};
use holdline::domain::settings::{Autoclose, Workstream, WrapupBlock};
use holdline::domain::text::DisplayName;
use holdline::domain::time::Span;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::config;
use crate::floor::{Floor, open_feed};
use crate::script::{Held, agent_named};

/// Something that happens on the floor.
#[derive(Clone, Debug)]
enum Happening {
    Begin(Index),
    Deliver(Vec<u8>),
    /// The agent who has a chat does something with it, or any other agent does.
    Act(Index, Index, Act),
    Choose(Index, Presence),
    OpenFeed(Index),
    CloseFeed(Index),
    Serve(Index, [bool; 2]),
    Pass(u64),
    Restart,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Accept,
    Decline,
    Release,
    End,
    Close,
    CustomerEnds,
    /// An agent takes a chat that waits.
    Pick,
    Assign,
    ForceClose,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => Just(Act::Accept),
        4 => Just(Act::Decline),
        2 => Just(Act::Release),
        2 => Just(Act::End),
        2 => Just(Act::Close),
        1 => Just(Act::CustomerEnds),
        1 => Just(Act::Pick),
        2 => Just(Act::Assign),
        1 => Just(Act::ForceClose),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let presence = prop_oneof![2 => Just(Presence::Available), 1 => Just(Presence::Away)];
    prop_oneof![
        5 => any::<Index>().prop_map(Happening::Begin),
        16 => vec(any::<u8>(), 1..12).prop_map(Happening::Deliver),
        12 => (any::<Index>(), any::<Index>(), act())
            .prop_map(|(chat, agent, act)| Happening::Act(chat, agent, act)),
        1 => (any::<Index>(), presence).prop_map(|(agent, it)| Happening::Choose(agent, it)),
        1 => any::<Index>().prop_map(Happening::OpenFeed),
        1 => any::<Index>().prop_map(Happening::CloseFeed),
        1 => (any::<Index>(), any::<[bool; 2]>())
            .prop_map(|(agent, serves)| Happening::Serve(agent, serves)),
        3 => prop_oneof![4 => 0_u64..2_000, 1 => 0_u64..200_000].prop_map(Happening::Pass),
        1 => Just(Happening::Restart),
    ]
}

fn queue_named(name: &str) -> QueueId {
    name.parse().expect("an id")
}

fn workstream(queue: &str, units: u32, wrapup_block: WrapupBlock) -> Workstream {
    Workstream {
        units,
        wrapup_block,
        decline_limit: 2,
        offer: Span::from_secs(30),
        agent_grace: Span::from_secs(60),
        autoclose: Autoclose { open: None, active: None, wrapup: Some(Span::from_secs(90)) },
        ..Workstream::new("support".parse().expect("an id"), queue_named(queue))
    }
}

/// Two lines, of small chats and of large ones, and three agents.
fn floor() -> Floor {
    let lines = [queue_named("line"), queue_named("sale")];
    let block = WrapupBlock::For(Span::from_secs(30));
    let streams = vec![workstream("line", 1, WrapupBlock::Always), workstream("sale", 2, block)];
    let staff =
        [("ada", 2, lines.to_vec()), ("bob", 3, lines.to_vec()), ("cyd", 1, lines[..1].to_vec())];
    Floor::new(streams, &staff)
}

fn nth<T: Clone>(all: impl Iterator<Item = T>, index: Index) -> Option<T> {
    let all: Vec<T> = all.collect();
    (!all.is_empty()).then(|| index.get(&all).clone())
}

fn happen(floor: &mut Floor, happening: Happening) {
    let agent = |floor: &Floor, index| nth(floor.agents.keys().cloned(), index).expect("three");
    match happening {
        Happening::Begin(index) => {
            let queue = nth(floor.queues.keys().cloned(), index).expect("two");
            floor.begin(&queue);
        }
        Happening::Deliver(which) => {
            for which in which {
                floor.deliver(which.into());
            }
        }
        Happening::Act(chat, other, act) => {
            let other = agent(floor, other);
            let live = floor.conversations.iter().filter(|(_, (_, it))| !it.is_closed());
            if let Some(id) = nth(live.map(|(id, _)| *id), chat) {
                floor.ask(id, command(&floor.conversations[&id].1, other, act));
            }
        }
        Happening::Choose(index, presence) => {
            let id = agent(floor, index);
            floor.ask_agent(&id, AgentCommand::ChoosePresence(presence));
        }
        Happening::OpenFeed(index) => {
            floor.ask_agent(&agent(floor, index), open_feed(1));
        }
        Happening::CloseFeed(index) => {
            floor.ask_agent(&agent(floor, index), AgentCommand::CloseFeed(1));
        }
        Happening::Serve(index, serves) => {
            let all = floor.queues.keys().cloned().zip(serves);
            let queues = all.filter_map(|(queue, serves)| serves.then_some(queue)).collect();
            floor.serve(&agent(floor, index), queues);
        }
        Happening::Pass(millis) => floor.pass(Span::from_millis(millis)),
        Happening::Restart => floor.restart(),
    }
}

fn command(conversation: &Conversation, other: AgentId, act: Act) -> Command {
    let holder = conversation.agent().cloned().unwrap_or_else(|| other.clone());
    let name = DisplayName::parse("Somebody").expect("a name");
    let sue = agent_named("sue");
    match act {
        Act::Accept if matches!(conversation.phase(), Phase::Offered { .. }) => {
            Command::Accept { by: None, agent: holder, name }
        }
        Act::Accept | Act::Decline => Command::Decline { by: None, agent: holder },
        Act::Release => Command::Release { by: Authority::Agent(holder) },
        Act::End => Command::End { by: Authority::Agent(holder) },
        Act::Close => Command::Close { by: Authority::Agent(holder) },
        Act::CustomerEnds => Command::EndByCustomer,
        Act::Pick => Command::Accept { by: None, agent: other, name },
        Act::Assign => Command::Assign { agent: other, by: sue },
        Act::ForceClose => Command::ForceClose { by: sue },
    }
}

/// When nothing is on its way, each agent holds exactly what the conversations hold of the agent.
fn leases_sum(floor: &Floor) -> Held {
    for (id, agent) in &floor.agents {
        let named = |conversation: &Conversation| {
            conversation.lease().filter(|lease| lease.agent == *id).cloned()
        };
        let truth: Vec<_> = floor
            .conversations
            .iter()
            .filter_map(|(chat, (_, it))| named(it).map(|lease| (*chat, lease)))
            .collect();
        let held: Vec<_> =
            agent.leases().iter().map(|(chat, held)| (*chat, held.lease.clone())).collect();
        prop_assert_eq!(&held, &truth, "the leases of {}", id);
        let sum: u32 = truth.iter().map(|(_, lease)| lease.units).sum();
        prop_assert_eq!(agent.used(), sum);
    }
    Ok(())
}

/// When nothing is on its way, each line holds exactly the chats that wait, and no waiting chat
/// could be given to an agent. This leaves out chats that are not offered because their customer is
/// away.
fn nobody_waits_in_vain(floor: &Floor) -> Held {
    for (id, queue) in &floor.queues {
        let waiting = |(chat, (of, it)): (&ConversationId, &(QueueId, Conversation))| {
            (of == id && matches!(it.phase(), Phase::Open { .. })).then(|| (it.started_at(), *chat))
        };
        let mut open: Vec<_> = floor.conversations.iter().filter_map(waiting).collect();
        open.sort_unstable();
        let open: Vec<_> = open.into_iter().map(|(_, chat)| chat).collect();
        let positions = queue.positions(usize::MAX);
        let line: Vec<_> = positions.iter().map(|(chat, _)| *chat).collect();
        prop_assert_eq!(&line, &open, "the line {}", id);
        for chat in open {
            let (_, conversation) = &floor.conversations[&chat];
            if conversation.absence().is_some() && !floor.workstreams[id].offers_absent {
                continue;
            }
            let excluded = conversation.claims().place.map(|place| place.excluded);
            let units = i64::from(floor.workstreams[id].units);
            let suits = |(agent, it): &(&AgentId, &holdline::domain::agent::Agent)| {
                let availability = it.availability();
                floor.serving[*agent].contains(id)
                    && availability.ready
                    && availability.free >= units
                    && !excluded.iter().flatten().any(|one| one == *agent)
            };
            let free = floor.agents.iter().find(suits).map(|(agent, _)| agent);
            prop_assert!(free.is_none(), "{} waits while {:?} is free", chat, free);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn leases_always_sum(happenings in vec(happening(), 1..120)) {
        let mut floor = floor();
        for happening in happenings {
            happen(&mut floor, happening);
            prop_assert_eq!(floor.broken.clone(), None);
        }
        floor.settle();
        prop_assert_eq!(floor.broken.clone(), None);
        leases_sum(&floor)?;
    }

    /// When no agent picks and no supervisor assigns, the line alone gives out work. Then no agent
    /// ever holds more than the agent may be given, whatever is on its way. This is so even after a
    /// restart: an agent who comes in finds the claims stated.
    #[test]
    fn the_line_never_gives_more_than_there_is(happenings in vec(happening(), 1..120)) {
        let mut floor = floor();
        for happening in happenings {
            if matches!(happening, Happening::Act(_, _, Act::Pick | Act::Assign)) {
                continue;
            }
            let restarts = matches!(happening, Happening::Restart);
            happen(&mut floor, happening);
            if restarts {
                floor.settle();
            }
            for (id, agent) in &floor.agents {
                let units = agent.settings().units;
                prop_assert!(agent.used() <= units, "{} holds {} of {}", id, agent.used(), units);
            }
        }
    }

    #[test]
    fn nobody_waits_while_somebody_suitable_is_free(happenings in vec(happening(), 1..120)) {
        let mut floor = floor();
        for happening in happenings {
            happen(&mut floor, happening);
        }
        floor.settle();
        prop_assert_eq!(floor.broken.clone(), None);
        nobody_waits_in_vain(&floor)?;
    }
}
