//! The keys of the customers' side: one that knows visitors again and never changes, and one that
//! signs the tokens of conversations, which can be replaced while the server runs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::access::conversation::ConversationToken;
use crate::access::fault::AccessFault;
use crate::access::files::{keep, read_json};
use crate::access::secret::{Secret, visitor_id, vouched_id};
use crate::domain::id::{ConversationId, History, VisitorId, WidgetId};
use crate::domain::time::{Span, Timestamp};

/// The file of the key that signs, once it has been rotated. Before, the first secret signs.
pub(super) const SIGNING_FILE: &str = "signing.json";

/// The keys of a data directory, the same on every thread.
pub struct Keys {
    path: PathBuf,
    visitors: Secret,
    signing: ArcSwap<Signing>,
    /// Held while the file is written, so that two changes follow each other.
    writing: Mutex<()>,
}

/// What is known of the key that signs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SigningKey {
    /// When it was made; nothing for the first one of a data directory.
    pub made_at: Option<Timestamp>,
    /// Until when the previous key's tokens are good; nothing when they are not.
    pub previous_until: Option<Timestamp>,
}

#[derive(Clone)]
struct Signing {
    key: Secret,
    made_at: Option<Timestamp>,
    previous: Option<Previous>,
}

/// A key that signs nothing any more. What it has signed is good until `until`.
#[derive(Clone)]
struct Previous {
    key: Secret,
    until: Timestamp,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    key: StoredKey,
    made_at_ms: Option<i64>,
    previous: Option<StoredPrevious>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredPrevious {
    key: StoredKey,
    until_ms: i64,
}

/// A key as base64.
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
struct StoredKey(Secret);

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keys").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Keys {
    /// The keys of this data directory. The secret is made if there is none.
    pub fn open(data: &Path) -> Result<Self, AccessFault> {
        let keys = Self::of(Secret::open(data)?, data);
        if let Some(stored) = read_json::<Stored>(&keys.path)? {
            keys.signing.store(Arc::new(stored.into()));
        }
        Ok(keys)
    }

    /// The keys of a data directory with this secret, in which nothing was rotated yet.
    pub fn of(secret: Secret, data: &Path) -> Self {
        let signing = Signing { key: secret.clone(), made_at: None, previous: None };
        Self {
            path: data.join(SIGNING_FILE),
            visitors: secret,
            signing: ArcSwap::from_pointee(signing),
            writing: Mutex::new(()),
        }
    }

    /// Who a customer is to us, see [`visitor_id`]. No rotation changes that.
    pub fn visitor(&self, kept_by_browser: &str) -> VisitorId {
        visitor_id(&self.visitors, kept_by_browser)
    }

    /// Who a customer is to us when a site's server vouches for them, see [`vouched_id`].
    pub fn vouched(&self, widget: &WidgetId, subject: &str) -> VisitorId {
        vouched_id(&self.visitors, widget, subject)
    }

    /// The token of a conversation, see [`ConversationToken::issue`].
    pub fn issue(&self, history: History, id: ConversationId, widget: &WidgetId) -> String {
        ConversationToken::issue(&self.signing.load().key, history, id, widget)
    }

    /// The conversation that a token was issued for, see [`ConversationToken::verify`]. The key
    /// that signs now may have signed it, or the previous one if its tokens are still good at this
    /// time.
    pub fn verify(
        &self,
        token: &str,
        widget: &WidgetId,
        now: Timestamp,
    ) -> Option<(ConversationId, Option<History>)> {
        let signing = self.signing.load();
        let by = |key: &Secret| ConversationToken::verify(key, token, widget);
        by(&signing.key).or_else(|| by(&signing.good_previous(now)?.key))
    }

    /// What is known of the key that signs.
    pub fn signing(&self, now: Timestamp) -> SigningKey {
        self.signing.load().told(now)
    }

    /// Makes a new key that signs, which is kept and in force on every thread when this returns.
    /// What the previous key has signed stays good for `previous_for`; what older keys have signed
    /// is good no more. It waits for the disk.
    pub fn rotate(&self, now: Timestamp, previous_for: Span) -> Result<SigningKey, AccessFault> {
        let _writing = self.writing();
        let previous = Previous { key: self.signing.load().key.clone(), until: now + previous_for };
        let previous = Some(previous).filter(|previous| previous.is_good(now));
        let signing = Signing { key: Secret::mint()?, made_at: Some(now), previous };
        let told = signing.told(now);
        self.put(signing)?;
        Ok(told)
    }

    /// Ends at once what the previous key has signed. Returns whether that was still good. It waits
    /// for the disk.
    pub fn end_previous(&self, now: Timestamp) -> Result<bool, AccessFault> {
        let _writing = self.writing();
        let signing = self.signing.load_full();
        if signing.good_previous(now).is_none() {
            return Ok(false);
        }
        self.put(Signing { previous: None, ..(*signing).clone() })?;
        Ok(true)
    }

    fn put(&self, signing: Signing) -> Result<(), AccessFault> {
        keep(&self.path, &Stored::from(&signing))?;
        self.signing.store(Arc::new(signing));
        Ok(())
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signing {
    fn good_previous(&self, now: Timestamp) -> Option<&Previous> {
        self.previous.as_ref().filter(|previous| previous.is_good(now))
    }

    fn told(&self, now: Timestamp) -> SigningKey {
        let previous_until = self.good_previous(now).map(|previous| previous.until);
        SigningKey { made_at: self.made_at, previous_until }
    }
}

impl Previous {
    fn is_good(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

impl From<&Signing> for Stored {
    fn from(signing: &Signing) -> Self {
        Self {
            key: StoredKey(signing.key.clone()),
            made_at_ms: signing.made_at.map(Timestamp::as_millis),
            previous: signing.previous.as_ref().map(|previous| StoredPrevious {
                key: StoredKey(previous.key.clone()),
                until_ms: previous.until.as_millis(),
            }),
        }
    }
}

impl From<Stored> for Signing {
    fn from(stored: Stored) -> Self {
        Self {
            key: stored.key.0,
            made_at: stored.made_at_ms.map(Timestamp::from_millis),
            previous: stored.previous.map(|previous| Previous {
                key: previous.key.0,
                until: Timestamp::from_millis(previous.until_ms),
            }),
        }
    }
}

impl From<StoredKey> for String {
    fn from(key: StoredKey) -> Self {
        URL_SAFE_NO_PAD.encode(key.0.bytes())
    }
}

impl TryFrom<String> for StoredKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(|bytes| Self(Secret::from_bytes(bytes))).ok_or("a key is 43 letters of base64")
    }
}
