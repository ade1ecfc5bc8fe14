//! Chance that can be repeated: everything that is drawn follows from one number.

use crate::plan::twist::FIRST_RESTORED;

/// A seed that nearly surely was never run before, like the seeds after it. Seeds that were run
/// while the rules were mended prove little.
pub fn fresh_base() -> u64 {
    let drawn = uuid::Uuid::new_v4().as_u128() % 1_000_000_000;
    FIRST_RESTORED + u64::try_from(drawn).unwrap_or(0) * 1_000_000
}

/// Dice that fall the same for the same seed, whatever the machine.
#[derive(Clone, Debug)]
pub struct Dice(fastrand::Rng);

impl Dice {
    /// The dice of this seed, for this use: two uses of one seed draw nothing from each other.
    pub fn new(seed: u64, usage: u64) -> Self {
        let mixed =
            holdline::domain::id::fnv1a(&[seed.to_le_bytes(), usage.to_le_bytes()].concat());
        Self(fastrand::Rng::with_seed(mixed))
    }

    /// A number below `bound`; zero when there is none.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.u64(0..bound) }
    }

    /// A number from `least` to `most`.
    pub fn from_to(&mut self, least: u64, most: u64) -> u64 {
        self.0.u64(least..=most.max(least))
    }

    /// True once in this many times, on average.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.0.usize(0..from.len())]
    }
}
