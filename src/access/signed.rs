//! Tokens that somebody else has signed (JWT, RFC 7519), and the public keys that tell whether they
//! have. A key says by which algorithms it is asked, never the token: one without a signature, or
//! with one that is made of a public key, is signed by nobody.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    VerificationAlgorithm,
};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::domain::time::Timestamp;

/// How many bits an RSA key may have: fewer can be broken, and more cost time for each signature.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;

/// What a public key looks like.
const PEM_BEGINS: &str = "-----BEGIN PUBLIC KEY-----";

/// A key that was read, and found to be one.
#[derive(Clone)]
pub(super) struct PublicKey(DecodingKey);

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
    /// The key of a PEM text, which is the public one: a private key must not stand in a setting.
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

    fn checked(key: DecodingKey) -> Option<Self> {
        let bytes = key.try_get_as_bytes().ok()?;
        let is_key = |algorithm: &'static dyn VerificationAlgorithm| {
            ParsedPublicKey::new(algorithm, bytes).is_ok()
        };
        let is_good = match key.family() {
            AlgorithmFamily::Rsa => {
                let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, bytes).ok()?;
                let der: PublicKeyX509Der<'_> = parsed.as_der().ok()?;
                let key = PublicEncryptingKey::from_der(der.as_ref()).ok()?;
                RSA_BITS.contains(&key.key_size_bits())
            }
            AlgorithmFamily::Ec => is_key(&ECDSA_P256_SHA256_FIXED),
            AlgorithmFamily::Ed => is_key(&ED25519),
            AlgorithmFamily::Hmac => false,
        };
        is_good.then_some(Self(key))
    }

    const fn algorithms(family: AlgorithmFamily) -> &'static [Algorithm] {
        match family {
            AlgorithmFamily::Rsa => &[Algorithm::RS256, Algorithm::PS256],
            AlgorithmFamily::Ec => &[Algorithm::ES256],
            AlgorithmFamily::Ed => &[Algorithm::EdDSA],
            AlgorithmFamily::Hmac => &[],
        }
    }

    /// What a token claims, if this key has signed it. Whether that is true of anything now is not
    /// judged.
    fn verify(&self, token: &str, algorithm: Algorithm) -> Option<Claims> {
        if !Self::algorithms(self.0.family()).contains(&algorithm) {
            return None;
        }
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        jsonwebtoken::decode(token, &self.0, &validation).ok().map(|token| Claims(token.claims))
    }
}

/// What a token claims, if one of these keys has signed it.
pub(super) fn verified<'a>(
    token: &str,
    keys: impl IntoIterator<Item = &'a PublicKey>,
) -> Option<Claims> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    // Nothing that a header says must be understood is understood here (RFC 7515, 4.1.11).
    if header.crit.is_some() {
        return None;
    }
    keys.into_iter().find_map(|key| key.verify(token, header.alg))
}

impl Claims {
    /// A claim that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a text or a list of them.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(list)) => {
                list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A claim that is a time, in seconds since the start of 1970, which may have a fraction.
    pub(super) fn time(&self, name: &str) -> Option<Timestamp> {
        let seconds = self.0.get(name)?.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "beyond all time is at its end")]
        let millis = (seconds * 1_000.0) as i64;
        Some(Timestamp::from_millis(millis))
    }
}
