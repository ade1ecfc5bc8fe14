//! What must add up whenever nothing is on its way.

use holdline::domain::id::AgentId;

use crate::plan::Block;
use crate::server::{Account, Millis};
use crate::watch::Watch;
use crate::watch::chat::{Chat, State};
use crate::watch::law::Check;

impl Watch {
    /// Used units are the sum of the leases, and the leases are the work.
    pub(super) fn audit_capacity(&mut self, account: &Account) {
        for agent in &account.agents {
            let sum: u32 = agent.leases.iter().map(|(_, units)| units).sum();
            let held = |chat: &Chat| {
                chat.holds().filter(|(who, _)| **who == agent.agent).map(|(_, units)| units)
            };
            let mut work: Vec<_> = self
                .chats
                .values()
                .filter_map(|it| held(it).map(|units| (it.id(), units)))
                .collect();
            let mut leases = agent.leases.clone();
            work.sort_unstable();
            leases.sort_unstable();
            if agent.used != sum || work != leases {
                let what = format!(
                    "{} uses {}, holds {leases:?}, and has the work {work:?}",
                    agent.agent, agent.used
                );
                return self.fail(Check::CapacityAddsUp, what);
            }
        }
    }

    /// No chat is with an agent who was deleted.
    pub(super) fn audit_company(&mut self, account: &Account) {
        let alone = self.chats.values().find_map(|chat| {
            let (State::Offered { agent, .. } | State::Talking { agent, .. }) = &chat.state else {
                return None;
            };
            let is_there = account.agents.iter().any(|it| it.agent == *agent);
            (!is_there).then(|| format!("{} is with {agent}, who was deleted", chat.id()))
        });
        if let Some(what) = alone {
            self.fail(Check::NobodyIsLeftAlone, what);
        }
    }

    /// A queue offers a chat only while its customer is there. It offers the chat to an agent who
    /// let it go only if no other agent could take it when the world last stood still.
    pub(super) fn offered_in_turn(&mut self, chat: &Chat, agent: &AgentId) {
        if let Some(away) = chat.away {
            let what = format!("{} was offered to {agent}, away since {away}", chat.id());
            self.fail(Check::AbsentAreHeld, what);
        }
        if !chat.reluctant.contains(agent) {
            return;
        }
        let serving = self.serving[chat.queue].at(self.now);
        let streams = self.streams[chat.stream].at(self.now);
        let ([serving], Some(units)) =
            (serving.as_slice(), streams.iter().map(|it| it.units).max())
        else {
            return;
        };
        let is_willing =
            |other: &&AgentId| !chat.reluctant.contains(*other) && !chat.excluded.contains(*other);
        let units_of = |it: &Chat| {
            let streams = self.streams[it.stream].at(self.now);
            streams.iter().map(|it| it.units).max().unwrap_or(0)
        };
        // The other waiting chats may have been given to them, though nothing of it is written yet.
        let may_be_given = |other: &AgentId| {
            let serves = |it: &&Chat| {
                let serving = self.serving[it.queue].at(self.now);
                serving.iter().any(|serving| serving.contains(other))
            };
            let waiting = |it: &&Chat| it.state == State::Open && it.away.is_none();
            self.chats.values().filter(waiting).filter(serves).map(units_of).sum::<u32>()
        };
        let is_free = |other: &&AgentId| {
            let room = self.rested.get(*other).copied().unwrap_or(0);
            room >= units + may_be_given(other)
        };
        let other = serving.iter().filter(is_willing).find(is_free).cloned();
        if let Some(other) = other {
            let what = format!("{agent} let {} go, and {other} was free", chat.id());
            self.fail(Check::WillingComeFirst, what);
        }
    }

    /// Notes the room of each agent whose console is open, for as long as nothing happens to the
    /// agent. An agent who is present only by a request may leave without a sign, so they are left
    /// out.
    pub(super) fn note_rested(&mut self, account: &Account) {
        self.rested = account
            .agents
            .iter()
            .filter(|it| it.is_ready && self.there_since(&it.agent).is_some())
            .map(|it| (it.agent.clone(), it.units.saturating_sub(it.used)))
            .collect();
    }

    /// No chat waits that could be offered to an agent who is free.
    pub(super) fn audit_waiting(&mut self, account: &Account) {
        let mut vain = None;
        for chat in self.chats.values().filter(|chat| chat.state == State::Open) {
            if chat.away.is_some() {
                continue;
            }
            let serving = self.serving[chat.queue].at(self.now);
            let [serving] = serving.as_slice() else { continue };
            let streams = self.streams[chat.stream].at(self.now);
            let Some(units) = streams.iter().map(|it| it.units).max() else { continue };
            let suits = |agent: &AgentId| {
                let found = account.agents.iter().find(|it| it.agent == *agent);
                found.is_some_and(|it| it.is_ready && it.used + units <= it.units)
                    && !chat.excluded.contains(agent)
            };
            if let Some(agent) = serving.iter().find(|agent| suits(agent)) {
                vain = Some(format!("{} waits, and {agent} is free", chat.id()));
            }
        }
        if let Some(what) = vain {
            self.fail(Check::NobodyWaitsInVain, what);
        }
    }

    /// The live state is what the journal says.
    pub(super) fn audit_replay(&mut self, account: &Account) {
        for live in &account.live {
            let mut replayed = self.chats.get(&live.id).and_then(|chat| chat.replayed.view());
            if let Some(replayed) = &mut replayed {
                // Whether a page sleeps is passing, and not in the journal.
                replayed.customer.asleep = live.customer.asleep;
            }
            if replayed.as_ref() != Some(live) {
                let what = format!("live: {live:?}; replayed: {replayed:?}");
                return self.fail(Check::ReplayIsLive, what);
            }
        }
        let lost = self.chats.values().find(|chat| {
            chat.state != State::Closed && !account.live.iter().any(|live| live.id == chat.id())
        });
        if let Some(id) = lost.map(Chat::id) {
            self.fail(Check::ReplayIsLive, format!("{id} is not closed, and not live"));
        }
    }

    /// By when the phase of a chat must have ended, or its units must have been given back.
    pub(super) fn phase_due_by(&self, chat: &Chat) -> Option<(Millis, &'static str)> {
        // A restart gives an offer its full countdown again, by the settings of that moment.
        let mut streams = self.streams[chat.stream].at(chat.since);
        if let Some(restarted) = chat.restarted.filter(|restarted| *restarted > chat.since) {
            streams.extend(self.streams[chat.stream].at(restarted));
        }
        let most = |of: fn(&crate::plan::StreamPlan) -> u64| {
            streams.iter().map(of).max().unwrap_or(0) * 1_000
        };
        let since = chat.since;
        match &chat.state {
            State::Offered { .. } => {
                let since = since.max(chat.restarted.unwrap_or(0));
                Some((since + most(|it| it.offer), "the offer had to lapse"))
            }
            State::Wrapup { units: Some(_), .. } => {
                let by = most(|it| match it.block {
                    Block::Never => 0,
                    Block::For(seconds) => seconds,
                    Block::Always => it.close_wrapup,
                });
                Some((since + by, "the units had to be given back"))
            }
            State::Wrapup { units: None, .. } => {
                let by = most(|it| match it.block {
                    Block::For(seconds) => it.close_wrapup.max(seconds),
                    Block::Never | Block::Always => it.close_wrapup,
                });
                Some((since + by, "the wrap-up had to end"))
            }
            State::New | State::Open | State::Talking { .. } | State::Closed => None,
        }
    }
}
