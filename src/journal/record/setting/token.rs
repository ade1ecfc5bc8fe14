//! The stored forms of what becomes of agents' tokens.

use serde::{Deserialize, Serialize};

use crate::domain::settings::registry::{SettingChange, Token, TokenDigest};
use crate::domain::text::DisplayName;
use crate::domain::time::Timestamp;
use crate::journal::record::body::Record;
use crate::journal::record::unreadable::Unreadable;

#[derive(Deserialize, Serialize)]
struct TokenAdded {
    agent: String,
    digest: String,
    at: i64,
    // Later than the rest: absent in records of earlier releases.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

#[derive(Deserialize, Serialize)]
struct TokenEnded {
    digest: String,
}

#[derive(Deserialize, Serialize)]
struct TokenUsed {
    digest: String,
    at: i64,
}

/// The record of a new token.
pub(super) fn added(digest: &TokenDigest, token: &Token) -> Record {
    let form = TokenAdded {
        agent: token.agent.to_string(),
        digest: digest_text(digest),
        at: token.made_at.as_millis(),
        name: token.name.as_ref().map(ToString::to_string),
        expires_at: token.expires_at.map(Timestamp::as_millis),
    };
    Record::new("token_added", &form)
}

/// The record of a token's end.
pub(super) fn ended(digest: &TokenDigest) -> Record {
    Record::new("token_ended", &TokenEnded { digest: digest_text(digest) })
}

/// The record of a token's use.
pub(super) fn used(digest: &TokenDigest, at: Timestamp) -> Record {
    Record::new("token_used", &TokenUsed { digest: digest_text(digest), at: at.as_millis() })
}

/// The change that a record of a token says; nothing when its kind is another.
pub(super) fn decode(kind: &str, body: &str) -> Result<Option<SettingChange>, Unreadable> {
    Ok(Some(match kind {
        "token_added" => {
            let form: TokenAdded = serde_json::from_str(body)?;
            let name = form.name.as_deref().map(DisplayName::stored).transpose()?;
            let token = Token {
                name,
                expires_at: form.expires_at.map(Timestamp::from_millis),
                ..Token::new(form.agent.parse()?, Timestamp::from_millis(form.at))
            };
            SettingChange::AddToken { digest: read_digest(&form.digest)?, token }
        }
        "token_ended" => {
            let TokenEnded { digest } = serde_json::from_str(body)?;
            SettingChange::EndToken(read_digest(&digest)?)
        }
        "token_used" => {
            let TokenUsed { digest, at } = serde_json::from_str(body)?;
            let (digest, at) = (read_digest(&digest)?, Timestamp::from_millis(at));
            SettingChange::NoteTokenUse { digest, at }
        }
        _ => return Ok(None),
    }))
}

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
