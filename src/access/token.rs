//! What a token must be: one made here has 256 random bits, and one that somebody else made must be
//! long enough for 128. A caller is known by the digest of their token.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::access::fault::AccessFault;
use crate::access::secret::Secret;
use crate::domain::settings::registry::TokenDigest;
use crate::limits;

/// What the administrator's token must be, for the message that refuses another.
pub const RULE: &str = "must have at least 128 bits, so 22 to 256 visible ASCII characters, but at \
                        least 32 where all are hexadecimal digits and 39 where all are decimal \
                        ones, and of these 6 different; `openssl rand -hex 32` makes one";

/// The administrator's token as the operator gives it. It is never printed by accident.
#[derive(Clone, Eq, PartialEq)]
pub struct GivenToken {
    token: String,
    source: String,
}

impl GivenToken {
    /// A token, and the name of what it was read from.
    pub fn new(token: String, source: String) -> Self {
        Self { token, source }
    }

    /// The token.
    pub fn as_str(&self) -> &str {
        &self.token
    }

    /// Where it was given, such as `HOLDLINE_ADMIN_TOKEN`.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl fmt::Debug for GivenToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GivenToken").field("source", &self.source).finish_non_exhaustive()
    }
}

/// A token of 256 random bits, after a prefix that tells what it is for.
pub fn mint_token(prefix: &str) -> Result<String, AccessFault> {
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(Secret::mint()?.bytes())))
}

/// What is kept of a token, and what it is looked up by.
pub fn digest(token: &str) -> TokenDigest {
    TokenDigest(Sha256::digest(token.as_bytes()).into())
}

/// Whether a token that somebody made could have 128 bits, as far as its characters tell.
pub fn is_long_enough(token: &str) -> bool {
    let is_visible = token.bytes().all(|byte| byte.is_ascii_graphic());
    // The hyphens of a UUID are no digits, and not random.
    let digits: Vec<u8> = token.bytes().filter(|byte| *byte != b'-').collect();
    let is_long_enough = if digits.iter().all(u8::is_ascii_digit) {
        digits.len() >= limits::GIVEN_TOKEN_DECIMAL_MIN
    } else if digits.iter().all(u8::is_ascii_hexdigit) {
        digits.len() >= limits::GIVEN_TOKEN_HEXADECIMAL_MIN
    } else {
        token.len() >= limits::GIVEN_TOKEN_OTHERS_MIN
    };
    let is_short_enough = token.len() <= limits::GIVEN_TOKEN_BYTES_MAX;
    let different: BTreeSet<_> = token.bytes().collect();
    let is_varied = different.len() >= limits::GIVEN_TOKEN_DIFFERENT_MIN;
    is_visible && is_long_enough && is_short_enough && is_varied
}
