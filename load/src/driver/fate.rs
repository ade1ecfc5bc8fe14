//! What becomes of a customer, drawn from the seed: the same in every process and every run.

use crate::workload::{How, Workload};

/// What is planned for one customer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fate {
    /// The loss that strikes them, as a place in the workload's list.
    pub(crate) loss: Option<u8>,
    /// Whether they read slowly.
    pub(crate) is_slow: bool,
}

/// What the dice are thrown for. No throw for one purpose follows from a throw for another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// What becomes of a customer.
    Fate = 1,
    /// When a customer is lost for the first time.
    When = 2,
    /// Whether a customer comes back.
    Back = 3,
    /// How long a customer stays away.
    Away = 4,
    /// How long to wait before the next connect after one that failed.
    ConnectAgain = 7,
    /// How long to wait after the server has closed a session.
    ComeBack = 8,
    /// When in its heartbeat's time a customer beats.
    Phase = 20,
    /// Who posts.
    Customer = 10,
    /// When a post is due.
    PostTime = 11,
    /// How long a post is.
    PostSize = 12,
}

/// Draws numbers that depend on nothing but the seed, the purpose and the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The dice of a seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number for this purpose and this time.
    pub(crate) fn throw(self, purpose: Purpose, time: u64) -> u64 {
        let seed = self.0 ^ ((purpose as u64) << 40) ^ time.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        fastrand::Rng::with_seed(seed).u64(..)
    }

    /// The same, from 0 to less than 1.
    pub(crate) fn share(self, purpose: Purpose, time: u64) -> f64 {
        // 53 bits are all that the result can hold.
        (self.throw(purpose, time) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The same, between two times, in milliseconds.
    pub(crate) fn between(self, purpose: Purpose, time: u64, seconds: [f64; 2]) -> u32 {
        let [least, most] = seconds;
        millis(least + (most - least) * self.share(purpose, time))
    }
}

/// Seconds as whole milliseconds.
pub(crate) fn millis(seconds: f64) -> u32 {
    (seconds * 1_000.0).round() as u32
}

/// What is planned for a customer.
pub(crate) fn fate(workload: &Workload, customer: u32) -> Fate {
    let dice = Dice::new(workload.seed);
    let mut share = dice.share(Purpose::Fate, u64::from(customer));
    for (number, loss) in workload.losses.iter().enumerate() {
        if share < loss.share {
            return Fate { loss: u8::try_from(number).ok(), is_slow: false };
        }
        share -= loss.share;
    }
    Fate { loss: None, is_slow: share < workload.slow.share }
}

/// When a customer is lost for the first time, in milliseconds from the beginning of the work.
pub(crate) fn lost_at(workload: &Workload, loss: u8, customer: u32) -> u32 {
    let loss = &workload.losses[usize::from(loss)];
    let dice = Dice::new(workload.seed);
    dice.between(Purpose::When, u64::from(customer), [loss.at_s, loss.at_s + loss.spread_s])
}

/// After how many milliseconds a customer is back from their `time`-th loss, if they come back.
pub(crate) fn back_after(workload: &Workload, loss: u8, customer: u32, time: u32) -> Option<u32> {
    let loss = &workload.losses[usize::from(loss)];
    let dice = Dice::new(workload.seed);
    // Whether a customer comes back is decided once; how soon, at each loss.
    let comes = loss.how != How::End && dice.share(Purpose::Back, u64::from(customer)) < loss.back;
    let key = u64::from(customer) | (u64::from(time) << 32);
    comes.then(|| dice.between(Purpose::Away, key, loss.back_after_s))
}
