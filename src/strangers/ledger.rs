//! The accounts of all parties: what they hold, and what they have spent.

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
use hashbrown::HashTable;
use slab::Slab;

use crate::clock::Stopwatch;
use crate::domain::id::WidgetId;
use crate::limits;
use crate::strangers::budgets::{Budgets, Use};
use crate::strangers::party::{Parties, Party, Scope};

/// How long a client should wait before it asks again for a budget that its party holds.
const HELD_WAIT: Duration = Duration::from_secs(10);

/// Accounts are looked through for unneeded ones at most this often.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A budget is used up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OverBudget {
    /// By what it is counted.
    pub scope: Scope,
    /// What is counted.
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
    /// By scope and use; only for uses that are counted by the minute.
    rates: [[Option<Rate>; 7]; 3],
}

type Rate = RateLimiter<Party, Column, Watch, NoOpMiddleware<Duration>>;

impl Ledger {
    pub(super) fn new(budgets: Budgets) -> Self {
        let accounts = Arc::new(Accounts::default());
        let rate = |scope, of| {
            let most = NonZeroU32::new(budgets.most(scope, of)?)?;
            let column = Column { accounts: Arc::clone(&accounts), of: spent(of)? };
            let quota = Quota::per_minute(most).allow_burst(of.at_once(most));
            Some(RateLimiter::new(quota, column, accounts.watch))
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
        let mut held = Held { accounts: Arc::clone(&self.accounts), of, places: [None; 3] };
        for party in parties.iter() {
            let Some(most) = self.budgets.most(party.scope, of) else { continue };
            let taken = self.accounts.with(party, |place, account| {
                let held = &mut account.held[of as usize];
                let has_room = *held < most;
                *held += u32::from(has_room);
                has_room.then_some(place)
            });
            // If this fails, what was taken for the other parties is given back.
            let over = OverBudget { scope: party.scope, of, retry_after: HELD_WAIT };
            held.places[party.scope as usize] = Some(taken.ok_or(over)?);
        }
        Ok(held.places.iter().any(Option::is_some).then_some(held))
    }

    /// Spends this many. A caller that asks for more than may come at once spends all that may.
    pub(super) fn spend(
        &self,
        of: Use,
        parties: &Parties,
        count: NonZeroU32,
    ) -> Result<(), OverBudget> {
        for party in parties.iter() {
            let Some(rate) = &self.rates[party.scope as usize][of as usize] else { continue };
            let most = self.budgets.most(party.scope, of).and_then(NonZeroU32::new);
            let count = most.map_or(count, |most| count.min(of.at_once(most)));
            let Ok(checked) = rate.check_key_n(&party, count) else { continue };
            checked.map_err(|until| OverBudget {
                scope: party.scope,
                of,
                retry_after: until.wait_time_from(self.accounts.watch.now()),
            })?;
        }
        Ok(())
    }

    pub(super) fn accounts(&self) -> usize {
        self.accounts.lock().accounts.len()
    }
}

/// What is held of budgets until this is dropped.
#[derive(Debug)]
pub struct Held {
    accounts: Arc<Accounts>,
    of: Use,
    places: [Option<Place>; 3],
}

// Every socket has one, and often two.
const _: () = assert!(size_of::<Option<Held>>() <= 24);

impl Drop for Held {
    fn drop(&mut self) {
        let mut kept = self.accounts.lock();
        for place in self.places.iter().flatten() {
            // An account is there as long as something is held of it.
            if let Some((_, account)) = kept.accounts.get_mut(place.index()) {
                let held = &mut account.held[self.of as usize];
                *held = held.saturating_sub(1);
            }
        }
    }
}

/// Where an account is among all.
#[derive(Clone, Copy, Debug)]
struct Place(NonZeroU32);

impl Place {
    /// The place of the account with this index. There are no more than `limits::PARTIES_MAX`
    /// and one account of others for each scope, so that every index fits.
    fn of(index: usize) -> Self {
        Self(u32::try_from(index).map_or(NonZeroU32::MAX, |it| NonZeroU32::MIN.saturating_add(it)))
    }

    fn index(self) -> usize {
        usize::try_from(self.0.get() - 1).unwrap_or(usize::MAX)
    }
}

/// Time since the beginning, as the limiter counts it.
#[derive(Clone, Copy, Debug)]
struct Watch(Stopwatch);

impl Clock for Watch {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.time()
    }
}

#[derive(Debug)]
struct Accounts {
    watch: Watch,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The places of accounts, found by their parties: a table of nothing but places, because
    /// nearly every socket has an address of its own.
    places: HashTable<Place>,
    accounts: Slab<(Party, Account)>,
    swept_at: Duration,
}

/// What a party holds, and until when it has spent what it may in a minute.
#[derive(Debug, Default)]
struct Account {
    held: [u32; 3],
    spent_until: [u64; 4],
}

/// The column of a use that is spent; nothing for a use that is held.
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
        Self { watch: Watch(Stopwatch::start()), kept: Mutex::default() }
    }
}

impl Accounts {
    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        // No code that holds this lock can panic half-way.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to a party's account, which is made if it is missing.
    fn with<T>(&self, party: Party, act: impl FnOnce(Place, &mut Account) -> T) -> T {
        let mut kept = self.lock();
        let place = kept.place_of(party, self.watch.now());
        let (_, account) = &mut kept.accounts[place.index()];
        act(place, account)
    }
}

impl Kept {
    /// The account of a party, which is made if there is room; else the account of all others.
    fn place_of(&mut self, party: Party, now: Duration) -> Place {
        if let Some(place) = self.find(party) {
            return place;
        }
        if self.accounts.len() >= limits::PARTIES_MAX {
            self.sweep(now);
        }
        let has_room = self.accounts.len() < limits::PARTIES_MAX;
        let party = if has_room { party } else { Party::others(party.scope) };
        self.find(party).unwrap_or_else(|| self.open(party))
    }

    fn find(&self, party: Party) -> Option<Place> {
        let is_theirs = |place: &Place| self.accounts[place.index()].0 == party;
        self.places.find(party.digest(), is_theirs).copied()
    }

    fn open(&mut self, party: Party) -> Place {
        let Self { places, accounts, .. } = self;
        let place = Place::of(accounts.insert((party, Account::default())));
        let digest = |place: &Place| accounts[place.index()].0.digest();
        places.insert_unique(party.digest(), place, digest);
        place
    }

    /// Forgets the parties that use nothing.
    fn sweep(&mut self, now: Duration) {
        if now < self.swept_at + SWEEP_EVERY {
            return;
        }
        self.swept_at = now;
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let Self { places, accounts, .. } = self;
        places.retain(|place| {
            let is_idle = accounts[place.index()].1.is_idle(nanos);
            if is_idle {
                accounts.remove(place.index());
            }
            !is_idle
        });
    }
}

/// What all parties have spent of one use.
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
        self.accounts.with(*party, |_, account| {
            let until = &mut account.spent_until[self.of];
            let before = (*until > 0).then(|| Nanos::from(*until));
            let (outcome, after) = decide(before)?;
            *until = after.into();
            Ok(outcome)
        })
    }
}
