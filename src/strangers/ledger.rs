//! The accounts of all parties: what they hold, and what they have spent.

use std::collections::HashMap;
use std::fmt;
use std::hash::RandomState;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::domain::id::WidgetId;
use crate::limits;
use crate::strangers::budgets::{Budgets, Use};
use crate::strangers::party::{Parties, Party, Scope};

/// How long somebody should wait before they try again what is held by themselves.
const HELD_WAIT: Duration = Duration::from_secs(10);

/// At most so often accounts are looked through for some that nobody needs.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A budget is used up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OverBudget {
    /// By what it is counted.
    pub scope: Scope,
    /// Of what.
    pub of: Use,
    /// When to try again.
    pub retry_after: Duration,
}

impl fmt::Display for OverBudget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (of, scope) = (self.of.name(), self.scope.name());
        let seconds = self.retry_after_s();
        write!(formatter, "too many {of} of one {scope}; try again in {seconds} s")
    }
}

impl OverBudget {
    /// When to try again, in whole seconds and at least one.
    pub fn retry_after_s(&self) -> u64 {
        self.retry_after.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX).max(1)
    }
}

/// The accounts.
#[derive(Debug)]
pub(super) struct Ledger {
    budgets: Budgets,
    keys: RandomState,
    accounts: Arc<Accounts>,
    /// By scope and use, where that is counted by the minute.
    rates: [[Option<Rate>; 7]; 3],
}

type Rate = RateLimiter<Party, Column, Watch, NoOpMiddleware<Duration>>;

impl Ledger {
    pub(super) fn new(budgets: Budgets) -> Self {
        let accounts = Arc::new(Accounts::default());
        let rate = |scope, of| {
            let most = NonZeroU32::new(budgets.most(scope, of)?)?;
            let column = Column { accounts: Arc::clone(&accounts), of: spent(of)? };
            Some(RateLimiter::new(Quota::per_minute(most), column, accounts.watch))
        };
        let rates = Scope::ALL.map(|scope| Use::ALL.map(|of| rate(scope, of)));
        Self { budgets, keys: RandomState::new(), accounts, rates }
    }

    pub(super) fn parties(
        &self,
        address: Option<IpAddr>,
        site: Option<&str>,
        widget: Option<&WidgetId>,
    ) -> Parties {
        Parties::of(&self.keys, address, site, widget)
    }

    pub(super) fn hold(&self, of: Use, parties: &Parties) -> Result<Option<Held>, OverBudget> {
        let mut held = Held { accounts: Arc::clone(&self.accounts), of, by: [None; 3] };
        for (place, party) in parties.0.iter().enumerate() {
            let Some(party) = *party else { continue };
            let Some(most) = self.budgets.most(party.scope, of) else { continue };
            let taken = self.accounts.with(party, |account| {
                let held = &mut account.held[of as usize];
                let has_room = *held < most;
                *held += u32::from(has_room);
                has_room
            });
            match taken {
                (true, charged) => held.by[place] = Some(charged),
                // What was taken for the other parties is given back here.
                (false, _) => {
                    return Err(OverBudget { scope: party.scope, of, retry_after: HELD_WAIT });
                }
            }
        }
        Ok(held.by.iter().any(Option::is_some).then_some(held))
    }

    /// Spends so many. Whoever asks for more than there is in a minute spends all of it.
    pub(super) fn spend(
        &self,
        of: Use,
        parties: &Parties,
        count: NonZeroU32,
    ) -> Result<(), OverBudget> {
        for party in parties.0.iter().flatten() {
            let Some(rate) = &self.rates[party.scope as usize][of as usize] else { continue };
            let most = self.budgets.most(party.scope, of).and_then(NonZeroU32::new);
            let count = most.map_or(count, |most| count.min(most));
            let Ok(checked) = rate.check_key_n(party, count) else { continue };
            checked.map_err(|until| OverBudget {
                scope: party.scope,
                of,
                retry_after: until.wait_time_from(self.accounts.watch.now()),
            })?;
        }
        Ok(())
    }

    pub(super) fn accounts(&self) -> usize {
        self.accounts.lock().by_party.len()
    }
}

/// Something that is held of budgets until this is dropped.
#[derive(Debug)]
pub struct Held {
    accounts: Arc<Accounts>,
    of: Use,
    by: [Option<Party>; 3],
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut kept = self.accounts.lock();
        for party in self.by.iter().flatten() {
            // An account is there as long as something is held of it.
            if let Some(account) = kept.by_party.get_mut(party) {
                let held = &mut account.held[self.of as usize];
                *held = held.saturating_sub(1);
            }
        }
    }
}

/// Time since the beginning, as the limiter counts it.
#[derive(Clone, Copy, Debug)]
struct Watch(Instant);

impl Clock for Watch {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[derive(Debug)]
struct Accounts {
    watch: Watch,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_party: HashMap<Party, Account>,
    swept_at: Duration,
}

/// What a party holds, and until when it has spent what it may in a minute.
#[derive(Debug, Default)]
struct Account {
    held: [u32; 3],
    spent_until: [u64; 4],
}

/// The place of what is spent; nothing for what is held.
const fn spent(of: Use) -> Option<usize> {
    match of {
        Use::Connection | Use::SocketWithoutChat | Use::WaitingChat => None,
        Use::Upgrade => Some(0),
        Use::Start => Some(1),
        Use::RefusedToken => Some(2),
        Use::Post => Some(3),
    }
}

impl Account {
    /// Whether a new account would say the same.
    fn is_idle(&self, now: u64) -> bool {
        self.held == [0; 3] && self.spent_until.iter().all(|until| *until <= now)
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self { watch: Watch(Instant::now()), kept: Mutex::default() }
    }
}

impl Accounts {
    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        // Nothing that is done here can panic half-way.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to a party's account, and says whose that was.
    fn with<T>(&self, party: Party, act: impl FnOnce(&mut Account) -> T) -> (T, Party) {
        let mut kept = self.lock();
        let is_full = kept.by_party.len() >= limits::PARTIES_MAX;
        if is_full && !kept.by_party.contains_key(&party) {
            kept.sweep(self.watch.now());
        }
        let has_place =
            kept.by_party.len() < limits::PARTIES_MAX || kept.by_party.contains_key(&party);
        let party = if has_place { party } else { Party::others(party.scope) };
        (act(kept.by_party.entry(party).or_default()), party)
    }
}

impl Kept {
    /// Forgets whoever uses nothing.
    fn sweep(&mut self, now: Duration) {
        if now < self.swept_at + SWEEP_EVERY {
            return;
        }
        self.swept_at = now;
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        self.by_party.retain(|_, account| !account.is_idle(nanos));
    }
}

/// What all parties have spent of one thing.
#[derive(Debug)]
struct Column {
    accounts: Arc<Accounts>,
    of: usize,
}

impl StateStore for Column {
    type Key = Party;

    fn measure_and_replace<T, F, E>(&self, party: &Party, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (decided, _) = self.accounts.with(*party, |account| {
            let until = &mut account.spent_until[self.of];
            let before = (*until > 0).then(|| Nanos::from(*until));
            let (outcome, after) = decide(before)?;
            *until = after.into();
            Ok(outcome)
        });
        decided
    }
}
