//! What an issuer answers, judged before it is believed.

use std::net::IpAddr;

use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::limits;

const KEYS_MAX: usize = limits::ISSUER_KEYS_MAX;

/// Why an answer of an issuer's is not taken.
#[derive(Debug, thiserror::Error)]
pub enum AnswerFault {
    /// It is not UTF-8, even if only in a part that is not read.
    #[error("the answer is no text in UTF-8")]
    NotText,
    /// It is not the expected document.
    #[error("the answer is something else: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It names an address that may not be asked.
    #[error("{0} is no address that is asked: it must begin with https://")]
    Address(String),
    /// It is the answer of another issuer.
    #[error("it calls itself {0:?}, and not as it is called here")]
    OtherIssuer(String),
    /// It has too many keys.
    #[error("it has {0} keys, and at most {KEYS_MAX} are taken")]
    TooMany(usize),
}

#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeyDocuments {
    keys: Vec<Value>,
}

/// Where the keys of an issuer are, by the document that it publishes about itself (`OpenID`
/// Connect Discovery 1.0).
pub fn address_of_keys(answer: &[u8], issuer: &str) -> Result<Url, AnswerFault> {
    let Discovered { issuer: called, jwks_uri } = read(answer)?;
    if called != issuer {
        return Err(AnswerFault::OtherIssuer(called));
    }
    may_be_asked(&jwks_uri).ok_or(AnswerFault::Address(jwks_uri))
}

/// The keys of an issuer, as JWK, not validated yet.
pub(super) fn key_documents(answer: &[u8]) -> Result<Vec<Value>, AnswerFault> {
    let KeyDocuments { keys } = read(answer)?;
    if keys.len() > KEYS_MAX { Err(AnswerFault::TooMany(keys.len())) } else { Ok(keys) }
}

/// Reads a document. It must be an object, not an array of its fields' values, and UTF-8 (RFC 8259,
/// 8.1) even in the parts that are ignored.
fn read<T: DeserializeOwned>(answer: &[u8]) -> Result<T, AnswerFault> {
    let text = std::str::from_utf8(answer).map_err(|_| AnswerFault::NotText)?;
    let fields: Map<String, Value> = serde_json::from_str(text)?;
    Ok(T::deserialize(Value::Object(fields))?)
}

/// An address whose answer can be believed: nobody on the way can answer in its place.
pub fn may_be_asked(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    let host = url.host_str()?;
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    let is_plain = url.username().is_empty() && url.password().is_none();
    (is_safe && is_plain && url.fragment().is_none()).then_some(url)
}
