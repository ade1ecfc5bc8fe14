//! Sign-in by the tokens of an issuer (`OpenID` Connect). This server takes no part in the sign-in
//! of a browser: a caller shows a token that the issuer has signed for them, and the issuer's
//! public keys tell whether it has.

mod answers;
mod fetch;
mod keys;
mod rules;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use lru::LruCache;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex as AsyncMutex;

use crate::access::fault::AccessFault;
use crate::access::files::{keep, read_json};
use crate::access::signed::{self, Claims};
use crate::clock::Stopwatch;
use crate::domain::settings::registry::TokenDigest;
use crate::domain::sign_in::{Expected, NotSignedIn, Person, Statement};
use crate::domain::time::Timestamp;
use crate::limits;

use fetch::Fetcher;
use keys::Kept;

pub use answers::{AnswerFault, address_of_keys, may_be_asked};
pub use keys::IssuerKeys;
pub use rules::SignInRules;

/// The file of the issuer's public keys, as they were fetched last.
const KEYS_FILE: &str = "sign_in_keys.json";

const FETCHED_FOR_UNKNOWN_EVERY: Duration = Duration::from_secs(limits::ISSUER_UNKNOWN_KEY_SECONDS);

const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::new(limits::SIGN_IN_REMEMBERED_MAX).unwrap();

/// Somebody whom the issuer has signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who they are.
    pub person: Person,
    /// Who they are to this server, whichever of their tokens they show.
    pub identity: [u8; 32],
    /// The thumbprint of the key that has signed their token.
    key: Arc<str>,
}

/// Sign-in by one issuer, the same on every thread.
pub struct SignIn {
    rules: SignInRules,
    expected: Expected,
    path: PathBuf,
    fetcher: Fetcher,
    keys: ArcSwap<IssuerKeys>,
    remembered: Mutex<LruCache<TokenDigest, Arc<SignedIn>>>,
    /// Held during a fetch, with the time since the last fetch began.
    fetched: AsyncMutex<Option<Stopwatch>>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignIn").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl SignIn {
    /// Sign-in by these rules, with the keys that are kept in a data directory from before.
    pub fn open(rules: &SignInRules, data: &Path) -> Result<Self, AccessFault> {
        let path = data.join(KEYS_FILE);
        let kept = match read_json::<Kept>(&path) {
            // The keys in the file are fetched again.
            Err(AccessFault::Damaged { problem, .. }) => {
                let file = path.display();
                tracing::warn!("the keys of the issuer in {file} are lost: {problem}");
                None
            }
            read => read?,
        };
        let kept = kept.filter(|kept| kept.is_of(&rules.issuer));
        Ok(Self {
            fetcher: Fetcher::new(rules)?,
            keys: ArcSwap::from_pointee(kept.map_or_else(IssuerKeys::default, IssuerKeys::from)),
            expected: Expected { issuer: rules.issuer.clone(), audience: rules.audience.clone() },
            rules: rules.clone(),
            path,
            remembered: Mutex::new(LruCache::new(REMEMBERED_MAX)),
            fetched: AsyncMutex::default(),
        })
    }

    /// Whether this has the form of an issuer's token, which no token made here has.
    pub fn has_form(token: &str) -> bool {
        token.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// The person whom a token lets in now. Its signature is verified once; after that the token is
    /// remembered by its digest.
    pub fn admit(
        &self,
        token: &str,
        digest: TokenDigest,
        now: Timestamp,
    ) -> Result<Arc<SignedIn>, NotSignedIn> {
        let known = self.remembered().get(&digest).cloned();
        if let Some(known) = known.filter(|known| self.is_good(known, now)) {
            return Ok(known);
        }
        let header = Some(token).filter(|token| token.len() <= limits::SIGN_IN_TOKEN_BYTES_MAX);
        let header = header.and_then(signed::header).ok_or(NotSignedIn::Signature)?;
        let keys = self.keys.load();
        if keys.are_outdated(now) {
            return Err(NotSignedIn::NoKeys);
        }
        let (key, claims) = keys.verify(token, &header).ok_or(NotSignedIn::Signature)?;
        let person = self.statement(&claims).judge(&self.expected, now)?;
        let identity = identity(&self.expected.issuer, &person.subject);
        let admitted = Arc::new(SignedIn { person, identity, key: key.thumbprint.clone() });
        self.remembered().put(digest, admitted.clone());
        Ok(admitted)
    }

    /// Whether somebody is still signed in: their time is not over, and the issuer has not taken
    /// back the key that has signed their token.
    pub fn is_good(&self, signed_in: &SignedIn, now: Timestamp) -> bool {
        let keys = self.keys.load();
        now < signed_in.person.good_until && !keys.are_outdated(now) && keys.have(&signed_in.key)
    }

    /// Fetches the keys, which are in force on every thread and kept when this returns. Returns
    /// whether a key is gone: what it has signed is good no more. If the fetch fails, the known
    /// keys stay.
    pub async fn fetch(&self, now: Timestamp) -> bool {
        let mut fetched = self.fetched.lock().await;
        self.fetch_now(&mut fetched, now).await
    }

    /// Fetches the keys if a token names an unknown one, and nobody has just fetched them. Returns
    /// whether a key is gone.
    pub async fn look_for_key_of(&self, token: &str, now: Timestamp) -> bool {
        if token.len() > limits::SIGN_IN_TOKEN_BYTES_MAX || !Self::has_form(token) {
            return false;
        }
        let Some(header) = signed::header(token) else { return false };
        let is_known = || self.keys.load().called(header.kid.as_deref()).next().is_some();
        if is_known() {
            return false;
        }
        // A request that waits here waits for the answer to another request's fetch.
        let mut fetched = self.fetched.lock().await;
        let is_too_soon = fetched.is_some_and(|begun| begun.time() < FETCHED_FOR_UNKNOWN_EVERY);
        if is_too_soon || is_known() {
            return false;
        }
        self.fetch_now(&mut fetched, now).await
    }

    async fn fetch_now(&self, fetched: &mut Option<Stopwatch>, now: Timestamp) -> bool {
        // Set before the fetch: a fetch that is given up in the middle counts as well.
        *fetched = Some(Stopwatch::start());
        let issuer = &self.expected.issuer;
        let documents = match self.fetcher.keys().await {
            Ok(documents) => documents,
            Err(fault) => {
                tracing::warn!(%fault, "the keys of the issuer {issuer} cannot be fetched");
                return false;
            }
        };
        let kept = Kept::new(issuer, now, documents);
        let keys = IssuerKeys::from(kept.clone());
        if keys.is_empty() {
            tracing::warn!("the issuer {issuer} has no key that can be used here");
        }
        let path = self.path.clone();
        let keeping = tokio::task::spawn_blocking(move || keep(&path, &kept)).await;
        if let Ok(Err(fault)) = keeping {
            tracing::error!(%fault, "the keys of the issuer {issuer} cannot be kept");
        }
        let before = self.keys.swap(Arc::new(keys));
        let now_known = self.keys.load();
        before.thumbprints().any(|thumbprint| !now_known.have(thumbprint))
    }

    fn statement(&self, claims: &Claims) -> Statement {
        Statement {
            issuer: claims.text("iss").map(str::to_owned),
            audiences: claims.texts("aud"),
            subject: claims.text("sub").map(str::to_owned),
            validity: claims.validity(),
            id: claims.text(&self.rules.id_claim).map(str::to_owned),
            roles: claims.texts(&self.rules.role_claim),
        }
    }

    fn remembered(&self) -> MutexGuard<'_, LruCache<TokenDigest, Arc<SignedIn>>> {
        // Nothing that is done here can panic half-way.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who somebody is, by the issuer and its name for them. It is no token's digest: no token has a
/// zero byte.
fn identity(issuer: &str, subject: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(b"signed in\0");
    digest.update(issuer.as_bytes());
    digest.update(b"\0");
    digest.update(subject.as_bytes());
    digest.finalize().into()
}
