//! Seeds that have failed once, each with what it found. They always run.

/// The seed, and what it found.
pub const FOUND: [(u64, &str); 3] = [
    (219, "an offer that a fault swallowed kept the agent's units until the next audit"),
    (247, "a tab that answered its ping while its start was written counted as silent"),
    (17_755, "a tab that said start again, and so was there, counted as silent"),
];
