//! How much of what others have signed is looked at, and for how long it is good.

/// Public keys of one widget's `admission`: the one that signs and the next, twice over. More are
/// refused.
pub const ADMISSION_KEYS_MAX: usize = 4;

/// Bytes of such a key: room for RSA of 4,096 bits as PEM. A longer one is refused.
pub const ADMISSION_KEY_BYTES_MAX: usize = 1_024;

/// Bytes of the `admission` of a `hello`: room for the longest signature and for claims that are
/// not read here. A longer one is refused.
pub const ADMISSION_BYTES_MAX: usize = 4_096;

/// Bytes of the name by which a site knows a visitor. An admission with a longer one is refused.
pub const ADMISSION_SUBJECT_BYTES_MAX: usize = 256;

/// For how many seconds an admission may be good, because anybody who has read one from a page is
/// that visitor until then: as long as a page may be left open. A longer one is refused.
pub const ADMISSION_SECONDS_MAX: u64 = 86_400;

/// By how many seconds the clock of a token's signer may differ from ours.
pub const SIGNED_LEEWAY_SECONDS: u64 = 60;

/// Bytes of a token that an issuer has signed: headers have little more room. A longer one is
/// refused.
pub const SIGN_IN_TOKEN_BYTES_MAX: usize = 8_192;

/// Tokens of an issuer that are remembered, so that the signature of each is verified once: room
/// for as many people at a time, which takes 5 MiB. The least recently used one goes first.
pub const SIGN_IN_REMEMBERED_MAX: usize = 10_000;

/// Public keys that an issuer may have. The answer is refused when it has more.
pub const ISSUER_KEYS_MAX: usize = 64;

/// Bytes of an issuer's answer: several times what large ones give. A longer one is refused.
pub const ISSUER_ANSWER_BYTES_MAX: usize = 262_144;

/// Seconds within which a connection to an issuer must be made.
pub const ISSUER_CONNECT_SECONDS_MAX: u64 = 3;

/// Seconds within which an issuer must have answered, because requests wait for that.
pub const ISSUER_ANSWER_SECONDS_MAX: u64 = 5;

/// Seconds after which the keys of the issuer are fetched again.
pub const ISSUER_KEYS_SECONDS: u64 = 300;

/// Seconds between two fetches because a token names a key that is not known: otherwise a client
/// that makes tokens up decides how often that happens.
pub const ISSUER_UNKNOWN_KEY_SECONDS: u64 = 10;

/// Seconds for which an issuer's keys are good when they cannot be fetched again: over a weekend,
/// and then some days until an operator reads the log. Later nobody is let in by them.
pub const ISSUER_KEYS_GOOD_SECONDS: u64 = 604_800;
