//! The tokens that let a customer's browser back into their chat.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::access::secret::Secret;
use crate::domain::id::{ConversationId, History, WidgetId};

const TOKEN_VERSION: u8 = 2;
/// The version of tokens that named no history. They are still good.
const TOKEN_VERSION_WITHOUT_HISTORY: u8 = 1;
const TAG_BYTES: usize = 16;
/// The purpose of the secret's digests that stand in tokens.
const PURPOSE: &[u8] = b"conversation\0";

/// The right to take part in one conversation as its customer.
#[derive(Debug)]
pub struct ConversationToken;

impl ConversationToken {
    /// The token of a conversation that began in this widget, in this history of the journal: 50
    /// characters that stand in an address as they are.
    pub fn issue(
        secret: &Secret,
        history: History,
        id: ConversationId,
        widget: &WidgetId,
    ) -> String {
        let mut bytes = vec![TOKEN_VERSION];
        bytes.extend(history.number().to_be_bytes());
        bytes.extend(id.as_bits().to_be_bytes());
        let tag = Self::digest(secret, Some(history), id, widget).finalize().into_bytes();
        bytes.extend(&tag[..TAG_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The conversation that a token was issued for, if this server issued it for this widget. With
    /// it comes the history, unless the token is of a release whose tokens named none.
    pub fn verify(
        secret: &Secret,
        token: &str,
        widget: &WidgetId,
    ) -> Option<(ConversationId, Option<History>)> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (history, rest) = match *bytes.first()? {
            TOKEN_VERSION => {
                let (history, rest) = bytes[1..].split_first_chunk::<4>()?;
                (Some(History::new(u32::from_be_bytes(*history))), rest)
            }
            TOKEN_VERSION_WITHOUT_HISTORY => (None, &bytes[1..]),
            _ => return None,
        };
        let (id, tag) = rest.split_first_chunk::<16>()?;
        if tag.len() != TAG_BYTES {
            return None;
        }
        let id = ConversationId::from_bits(u128::from_be_bytes(*id));
        // Compares in constant time.
        let digest = Self::digest(secret, history, id, widget);
        digest.verify_truncated_left(tag).ok().map(|()| (id, history))
    }

    fn digest(
        secret: &Secret,
        history: Option<History>,
        id: ConversationId,
        widget: &WidgetId,
    ) -> Hmac<Sha256> {
        let id = id.as_bits().to_be_bytes();
        let widget = widget.as_str().as_bytes();
        let named = history.map(|history| history.number().to_be_bytes());
        match &named {
            Some(history) => secret.digest(PURPOSE, &[&[TOKEN_VERSION], history, &id, widget]),
            None => secret.digest(PURPOSE, &[&[TOKEN_VERSION_WITHOUT_HISTORY], &id, widget]),
        }
    }
}
