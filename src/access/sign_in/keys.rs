//! The public keys of an issuer, as they were fetched last.

use std::fmt;
use std::sync::Arc;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
    ThumbprintHash,
};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::sign_in::answers::{AnswerFault, key_documents};
use crate::access::signed::{self, Claims, PublicKey};
use crate::domain::time::{Span, Timestamp};
use crate::limits;

const GOOD_FOR: Span = Span::from_secs(limits::ISSUER_KEYS_GOOD_SECONDS);

/// What is known of an issuer's keys.
#[derive(Default)]
pub struct IssuerKeys {
    fetched_at: Option<Timestamp>,
    keys: Vec<IssuerKey>,
}

impl fmt::Debug for IssuerKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.thumbprints()).finish()
    }
}

/// One key of an issuer.
pub(super) struct IssuerKey {
    /// What the issuer calls it.
    id: Option<String>,
    /// Its thumbprint, which identifies it whatever the issuer calls it.
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

    /// Whether the keys are of this issuer: another's mean nothing.
    pub(super) fn is_of(&self, issuer: &str) -> bool {
        self.issuer == issuer
    }
}

impl From<Kept> for IssuerKeys {
    fn from(kept: Kept) -> Self {
        Self {
            fetched_at: Some(Timestamp::from_millis(kept.fetched_at_ms)),
            // Keys of a kind that is not used here are left out.
            keys: kept.keys.into_iter().filter_map(IssuerKey::read).collect(),
        }
    }
}

impl IssuerKeys {
    /// The keys of an answer that came at this time. A key that is of no use here is left out.
    pub fn answered(answer: &[u8], at: Timestamp) -> Result<Self, AnswerFault> {
        Ok(Self::from(Kept::new("", at, key_documents(answer)?)))
    }

    /// The thumbprint (RFC 7638) of the key that has signed a token, whatever the token says.
    pub fn signer(&self, token: &str) -> Option<Arc<str>> {
        let (key, _) = self.verify(token, &signed::header(token)?)?;
        Some(Arc::clone(&key.thumbprint))
    }

    /// The key that has signed a token with this header, and what the token claims.
    pub(super) fn verify(&self, token: &str, header: &Header) -> Option<(&IssuerKey, Claims)> {
        let called = self.called(header.kid.as_deref());
        { called }.find_map(|it| Some((it, it.key.verify(token, header)?)))
    }

    /// Whether the last fetch was too long ago.
    pub(super) fn are_outdated(&self, now: Timestamp) -> bool {
        self.fetched_at.is_none_or(|at| now.since(at) > GOOD_FOR)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that a token means: all with the name it gives or, if it gives none, the only key.
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

    /// The thumbprint of each key.
    pub fn thumbprints(&self) -> impl Iterator<Item = &str> {
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
