//! Seeds that have failed once, each with what it found. They always run.

/// The seed, and what it found.
pub const FOUND: [(u64, &str); 6] = [
    (27, "a chat waited under units that had changed, though an agent was free for it"),
    (33, "a chat was offered under units that had changed, for more than there was"),
    (219, "an offer that a fault swallowed kept the agent's units until the next audit"),
    (247, "a tab that answered its ping while its start was written counted as silent"),
    (16_166, "the check looked while a page of missed messages was still to come"),
    (17_755, "a tab that said start again, and so was there, counted as silent"),
];
