//! A signer of tokens: a site's own server, or an issuer. Its keys are made here.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::Value;

/// A key that signs.
pub(crate) struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
    /// The public key.
    pub(crate) pem: String,
    /// The private key, for a test that gives it where a public key belongs.
    pub(crate) private_pem: String,
}

impl Signer {
    pub(crate) fn ed25519() -> Self {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let private = pair.to_pkcs8v1().expect("a key");
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a key");
        let key = EncodingKey::from_ed_der(private.as_ref());
        Self::new(Algorithm::EdDSA, key, public.as_ref(), private.as_ref())
    }

    pub(crate) fn p256() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let private = pair.to_pkcs8v1().expect("a key");
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a key");
        let key = EncodingKey::from_ec_der(private.as_ref());
        Self::new(Algorithm::ES256, key, public.as_ref(), private.as_ref())
    }

    pub(crate) fn rsa(algorithm: Algorithm) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let private: Pkcs8V1Der<'_> = pair.as_der().expect("a key");
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a key");
        let key = EncodingKey::from_rsa_pem(pem("PRIVATE KEY", private.as_ref()).as_bytes());
        Self::new(algorithm, key.expect("a key"), public.as_ref(), private.as_ref())
    }

    fn new(algorithm: Algorithm, key: EncodingKey, public: &[u8], private: &[u8]) -> Self {
        let (public, private) = (pem("PUBLIC KEY", public), pem("PRIVATE KEY", private));
        Self { algorithm, key, pem: public, private_pem: private }
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_under(&Header::new(self.algorithm), claims)
    }

    pub(crate) fn sign_under(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).expect("it is signed")
    }

    /// Does the same under the name that the signer has for its key.
    pub(crate) fn sign_as(&self, id: &str, claims: &Value) -> String {
        let mut header = self.header();
        header.kid = Some(id.to_owned());
        self.sign_under(&header, claims)
    }

    /// The public key as an issuer publishes it.
    pub(crate) fn jwk(&self, id: &str) -> Value {
        let jwk = Jwk::from_encoding_key(&self.key, self.algorithm).expect("a key");
        let mut jwk = serde_json::to_value(jwk).expect("a key");
        jwk["kid"] = id.into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// A header that names the algorithm.
    pub(crate) fn header(&self) -> Header {
        Header::new(self.algorithm)
    }
}

/// A token with this header that nobody has signed.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}.", part(header), part(claims))
}

/// A token that is signed with a public key as if the key were a secret.
pub(crate) fn signed_with_public(pem: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(pem.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).expect("it is signed")
}

/// The seconds since the start of 1970.
pub(crate) fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("it is later than 1970").as_secs()
}

fn pem(kind: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned());
    let lines = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n")
}
