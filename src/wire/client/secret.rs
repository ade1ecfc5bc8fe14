//! The two secrets that prove who a widget is. Neither is ever shown, not even by `Debug`.

use std::fmt;
use std::str::FromStr;

/// The secret by which a browser is known again: 128 bits. It is never shown.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct VisitorSecret(u128);

impl VisitorSecret {
    /// The bytes of the secret, to be digested and then forgotten.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Debug for VisitorSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("VisitorSecret(…)")
    }
}

impl FromStr for VisitorSecret {
    type Err = NotASecret;

    /// Takes 32 hexadecimal digits, or the same as a UUID.
    fn from_str(text: &str) -> Result<Self, NotASecret> {
        let bytes = text.as_bytes();
        let is_dash = |index| bytes.len() == 36 && matches!(index, 8 | 13 | 18 | 23);
        if bytes.len() != 32 && bytes.len() != 36 {
            return Err(NotASecret);
        }
        let mut bits = 0_u128;
        for (index, byte) in bytes.iter().enumerate() {
            if is_dash(index) {
                if *byte != b'-' {
                    return Err(NotASecret);
                }
            } else {
                let digit = char::from(*byte).to_digit(16).ok_or(NotASecret)?;
                bits = bits << 4 | u128::from(digit);
            }
        }
        // A zero was never drawn: it is unfilled memory, and all such clients would be one person.
        if bits == 0 { Err(NotASecret) } else { Ok(Self(bits)) }
    }
}

/// A text is not a visitor's secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be 128 random bits, not all zero: 32 hexadecimal digits, or a UUID")]
pub struct NotASecret;

/// The token of a conversation, or of a site's server, as a widget sent it. It is never shown.
#[derive(Clone, Eq, PartialEq)]
pub struct Token(Box<str>);

impl Token {
    pub(super) fn new(token: &str) -> Self {
        Self(token.into())
    }

    /// The token, to be verified.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}
