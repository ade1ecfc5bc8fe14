//! The public keys of an issuer, as they were fetched last.

use std::sync::Arc;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
    ThumbprintHash,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::signed::PublicKey;
use crate::domain::time::{Span, Timestamp};
use crate::limits;

const GOOD_FOR: Span = Span::from_secs(limits::ISSUER_KEYS_GOOD_SECONDS);

/// What is known of an issuer's keys.
#[derive(Default)]
pub(super) struct IssuerKeys {
    fetched_at: Option<Timestamp>,
    keys: Vec<IssuerKey>,
}

/// One of them.
pub(super) struct IssuerKey {
    /// What the issuer calls it.
    id: Option<String>,
    /// What it is known by whatever it is called.
    pub(super) thumbprint: Arc<str>,
    pub(super) key: PublicKey,
}

/// What is kept of them for the next start.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    issuer: String,
    fetched_at_ms: i64,
    keys: Vec<Value>,
}

impl Kept {
    pub(super) fn new(issuer: &str, fetched_at: Timestamp, keys: Vec<Value>) -> Self {
        Self { issuer: issuer.to_owned(), fetched_at_ms: fetched_at.as_millis(), keys }
    }

    /// Another issuer's mean nothing.
    pub(super) fn is_of(&self, issuer: &str) -> bool {
        self.issuer == issuer
    }
}

impl From<Kept> for IssuerKeys {
    fn from(kept: Kept) -> Self {
        Self {
            fetched_at: Some(Timestamp::from_millis(kept.fetched_at_ms)),
            // What is of a kind that is not used here is of no concern to whoever does not use it.
            keys: kept.keys.into_iter().filter_map(IssuerKey::read).collect(),
        }
    }
}

impl IssuerKeys {
    /// Whether they were not fetched for too long.
    pub(super) fn are_outdated(&self, now: Timestamp) -> bool {
        self.fetched_at.is_none_or(|at| now.since(at) > GOOD_FOR)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Those that a token means: all that are called so or, where it names none, the only one.
    pub(super) fn called<'a>(&'a self, id: Option<&str>) -> impl Iterator<Item = &'a IssuerKey> {
        let is_only = self.keys.len() == 1;
        self.keys.iter().filter(move |key| match id {
            Some(id) => key.id.as_deref() == Some(id),
            None => is_only,
        })
    }

    pub(super) fn have(&self, thumbprint: &str) -> bool {
        self.thumbprints().any(|known| known == thumbprint)
    }

    pub(super) fn thumbprints(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| &*key.thumbprint)
    }
}

impl IssuerKey {
    fn read(document: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(document).ok()?;
        if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return None;
        }
        let verifies = |uses: &Vec<KeyOperations>| uses.contains(&KeyOperations::Verify);
        if !jwk.common.key_operations.as_ref().is_none_or(verifies) {
            return None;
        }
        // A key of another curve, or for agreement, may have the same form.
        let curve = match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(key) => Some((&key.curve, EllipticCurve::P256)),
            AlgorithmParameters::OctetKeyPair(key) => Some((&key.curve, EllipticCurve::Ed25519)),
            _ => None,
        };
        if curve.is_some_and(|(curve, expected)| *curve != expected) {
            return None;
        }
        let only = match jwk.common.key_algorithm {
            None => None,
            Some(KeyAlgorithm::RS256) => Some(Algorithm::RS256),
            Some(KeyAlgorithm::PS256) => Some(Algorithm::PS256),
            Some(KeyAlgorithm::ES256) => Some(Algorithm::ES256),
            Some(KeyAlgorithm::EdDSA) => Some(Algorithm::EdDSA),
            Some(_) => return None,
        };
        let key = PublicKey::checked(DecodingKey::from_jwk(&jwk).ok()?)?.only(only);
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).ok()?.into();
        Some(Self { id: jwk.common.key_id, thumbprint, key })
    }
}
