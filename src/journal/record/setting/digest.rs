//! The digest of a token, as text.

use crate::domain::settings::registry::TokenDigest;
use crate::journal::record::Unreadable;

/// The digest as 64 hexadecimal digits.
pub fn digest_text(digest: &TokenDigest) -> String {
    digest.0.iter().fold(String::with_capacity(64), |mut text, byte| {
        for nibble in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(nibble.into(), 16));
        }
        text
    })
}

/// The digest that is written like this.
pub fn read_digest(text: &str) -> Result<TokenDigest, Unreadable> {
    let malformed = || Unreadable("a token's digest is not 64 hexadecimal digits".to_owned());
    let mut digest = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return Err(malformed());
    }
    for (index, byte) in digest.iter_mut().enumerate() {
        let pair = &text[2 * index..2 * index + 2];
        *byte = u8::from_str_radix(pair, 16).map_err(|_| malformed())?;
    }
    Ok(TokenDigest(digest))
}
