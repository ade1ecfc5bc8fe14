//! How long tokens are, and for how long those of agents are good.

/// Bytes of a token that somebody has made: far more than is safe. A longer one is refused.
pub const GIVEN_TOKEN_BYTES_MAX: usize = 256;

/// Decimal digits that hold the 128 bits that such a token must have. A shorter one of nothing but
/// digits is refused.
pub const GIVEN_TOKEN_DECIMAL_MIN: usize = 39;

/// The same for hexadecimal digits, of which each has four bits.
pub const GIVEN_TOKEN_HEXADECIMAL_MIN: usize = 32;

/// The same for all other characters, of which there are 64 or more.
pub const GIVEN_TOKEN_OTHERS_MIN: usize = 22;

/// Different characters that such a token must have: random ones always do.
pub const GIVEN_TOKEN_DIFFERENT_MIN: usize = 6;

/// Days for which an agent's token that expires may be good. One that outlives its maker is as good
/// as one that never expires, and should say so. A longer time is refused.
pub const AGENT_TOKEN_DAYS_MAX: u64 = 3_650;
