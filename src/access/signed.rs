//! Tokens that somebody else has signed (JWT, RFC 7519), and the public keys that verify them. The
//! key decides which algorithms are tried, never the token. So a token without a signature, or with
//! one made from a public key, is refused.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, VerificationAlgorithm,
};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, Header, Validation};
use serde_json::{Map, Value};

use crate::domain::time::Timestamp;
use crate::domain::validity::Validity;

/// How many bits an RSA key may have: fewer can be broken, and more cost time for each signature.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;

/// What a public key looks like.
const PEM_BEGINS: &str = "-----BEGIN PUBLIC KEY-----";

/// The types of token that let somebody in: one for no use in particular (RFC 7519), or one for
/// access (RFC 9068).
const TYPES: [&str; 2] = ["JWT", "at+jwt"];

/// A public key that was read and checked.
#[derive(Clone)]
pub(super) struct PublicKey {
    key: DecodingKey,
    /// The one algorithm that it is for, where it says so.
    only: Option<Algorithm>,
}

/// A text is not a public key that is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "must be a public key as PEM (-----BEGIN PUBLIC KEY-----) for RSA from 2,048 to 4,096 bits, \
     P-256 or Ed25519"
)]
pub struct NotAPublicKey;

/// What a token claims, once its signature was found to be good.
#[derive(Clone, Debug)]
pub(super) struct Claims(Map<String, Value>);

impl PublicKey {
    /// The public key of a PEM text. A private key is refused: it must not stand in a setting.
    pub(super) fn from_pem(pem: &str) -> Result<Self, NotAPublicKey> {
        let bytes = pem.trim_start().as_bytes();
        if !bytes.starts_with(PEM_BEGINS.as_bytes()) {
            return Err(NotAPublicKey);
        }
        let key = DecodingKey::from_rsa_pem(bytes)
            .or_else(|_| DecodingKey::from_ec_pem(bytes))
            .or_else(|_| DecodingKey::from_ed_pem(bytes));
        Self::checked(key.map_err(|_| NotAPublicKey)?).ok_or(NotAPublicKey)
    }

    /// The key, if it is of a kind that is taken.
    pub(super) fn checked(key: DecodingKey) -> Option<Self> {
        let is_key = |algorithm: &'static dyn VerificationAlgorithm| {
            key.try_get_as_bytes().is_ok_and(|it| ParsedPublicKey::new(algorithm, it).is_ok())
        };
        let is_good = match key.family() {
            AlgorithmFamily::Rsa => {
                let key = PublicEncryptingKey::from_der(rsa_der(&key)?.as_ref()).ok()?;
                RSA_BITS.contains(&key.key_size_bits())
            }
            AlgorithmFamily::Ec => is_key(&ECDSA_P256_SHA256_FIXED),
            AlgorithmFamily::Ed => is_key(&ED25519),
            AlgorithmFamily::Hmac => false,
        };
        is_good.then_some(Self { key, only: None })
    }

    /// The same key, for this algorithm alone where there is one.
    pub(super) fn only(self, only: Option<Algorithm>) -> Self {
        Self { only, ..self }
    }

    const fn algorithms(family: AlgorithmFamily) -> &'static [Algorithm] {
        match family {
            AlgorithmFamily::Rsa => &[Algorithm::RS256, Algorithm::PS256],
            AlgorithmFamily::Ec => &[Algorithm::ES256],
            AlgorithmFamily::Ed => &[Algorithm::EdDSA],
            AlgorithmFamily::Hmac => &[],
        }
    }

    /// What a token claims, if this key has signed it. Whether the claims hold now is not judged.
    pub(super) fn verify(&self, token: &str, header: &Header) -> Option<Claims> {
        let algorithm = header.alg;
        let is_other = self.only.is_some_and(|only| only != algorithm);
        if is_other || !Self::algorithms(self.key.family()).contains(&algorithm) {
            return None;
        }
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        jsonwebtoken::decode(token, &self.key, &validation).ok().map(|token| Claims(token.claims))
    }
}

fn rsa_der(key: &DecodingKey) -> Option<PublicKeyX509Der<'_>> {
    match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => {
            ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, bytes).ok()?.as_der().ok()
        }
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            RsaPublicKeyComponents { n, e }.as_der().ok()
        }
    }
}

/// The header of a token, which says how it is signed. It is not verified yet.
pub(super) fn header(token: &str) -> Option<Header> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    // A token that the same key has signed for another use has a type of its own (RFC 8725, 3.11),
    // such as `logout+jwt`.
    let is_for_access = header.typ.as_deref().is_none_or(|named| {
        let named = named.strip_prefix("application/").unwrap_or(named);
        TYPES.iter().any(|known| known.eq_ignore_ascii_case(named))
    });
    // No header parameter that must be understood (`crit`) is known here (RFC 7515, 4.1.11).
    (is_for_access && header.crit.is_none()).then_some(header)
}

impl Claims {
    /// The claim of this name or, if there is none, the one at this path, whose parts are divided
    /// by dots.
    fn get(&self, name: &str) -> Option<&Value> {
        let at_path = || {
            let mut parts = name.split('.');
            let first = self.0.get(parts.next()?)?;
            parts.try_fold(first, |within, part| within.get(part))
        };
        self.0.get(name).or_else(at_path)
    }

    /// A claim that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A claim that is a text or a list of them.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        match self.get(name) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(list)) => {
                list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }

    /// When it says that it is good (RFC 7519, 4.1).
    pub(super) fn validity(&self) -> Validity {
        Validity {
            expires_at: self.time("exp"),
            not_before: self.time("nbf"),
            issued_at: self.time("iat"),
        }
    }

    /// A claim that is a time, in seconds since the start of 1970, which may have a fraction.
    fn time(&self, name: &str) -> Option<Timestamp> {
        let seconds = self.get(name)?.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "beyond all time is at its end")]
        let millis = (seconds * 1_000.0) as i64;
        Some(Timestamp::from_millis(millis))
    }
}
