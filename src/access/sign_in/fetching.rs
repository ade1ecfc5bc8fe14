//! How the keys of an issuer are fetched: from where the operator says, or from where the issuer
//! says (`OpenID` Connect Discovery 1.0). What comes back is judged before it is believed, and its
//! length and the time that it takes are bounded.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Certificate, Client, StatusCode, Url, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::access::sign_in::SignInRules;
use crate::access::{AccessFault, at};
use crate::limits;
use crate::private;

const CONNECTED_WITHIN: Duration = Duration::from_secs(limits::ISSUER_CONNECT_SECONDS_MAX);
const ANSWERED_WITHIN: Duration = Duration::from_secs(limits::ISSUER_ANSWER_SECONDS_MAX);
const ANSWER_BYTES_MAX: usize = limits::ISSUER_ANSWER_BYTES_MAX;
const KEYS_MAX: usize = limits::ISSUER_KEYS_MAX;

/// Whoever asks the issuer.
pub(super) struct Fetcher {
    client: Client,
    issuer: String,
    keys: Option<Url>,
}

/// Why the keys are not there.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchFault {
    /// Nobody has answered, or not to the end.
    #[error("{url} does not answer: {}", root(source))]
    NoAnswer {
        /// Where it was asked.
        url: Url,
        /// Why.
        source: reqwest::Error,
    },
    /// The answer is not the document.
    #[error("{url} answers with the status {status}")]
    Status {
        /// Where it was asked.
        url: Url,
        /// What was answered.
        status: StatusCode,
    },
    /// The answer is too long.
    #[error("{0} answers with more than {ANSWER_BYTES_MAX} bytes")]
    TooLong(Url),
    /// The answer is something else.
    #[error("{url} answers with something else: {source}")]
    Malformed {
        /// Where it was asked.
        url: Url,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An address is none that is asked.
    #[error("{0} is no address that is asked: it must begin with https://")]
    Address(String),
    /// Somebody else has answered.
    #[error("it calls itself {0:?}, and not as it is called here")]
    OtherIssuer(String),
    /// There are too many.
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

impl Fetcher {
    pub(super) fn new(rules: &SignInRules) -> Result<Self, AccessFault> {
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECTED_WITHIN)
            .timeout(ANSWERED_WITHIN)
            // A connection belongs to the thread that has made it, and is needed every few minutes.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("holdline/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &rules.authority {
            // A pipe would be waited for.
            let read = || private::look_behind(path).and_then(|_| std::fs::read(path));
            let pem = read().map_err(|source| at(path, source))?;
            let damaged = |problem: String| AccessFault::Damaged { path: path.clone(), problem };
            let authorities = Certificate::from_pem_bundle(&pem);
            let authorities = authorities.map_err(|error| damaged(root(&error)))?;
            if authorities.is_empty() {
                return Err(damaged("holds no certificate as PEM".to_owned()));
            }
            client = client.tls_certs_only(authorities);
        } else if rules.issuer.starts_with("http:") {
            // Whoever is asked on this machine alone shows no certificate.
            client = client.tls_certs_only([]);
        }
        let client = client.build().map_err(|error| AccessFault::Client(root(&error)))?;
        Ok(Self { client, issuer: rules.issuer.clone(), keys: rules.keys.clone() })
    }

    /// The keys of the issuer, as JWK, which nobody has judged yet.
    pub(super) async fn keys(&self) -> Result<Vec<Value>, FetchFault> {
        let url = match &self.keys {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        let KeyDocuments { keys } = self.get(url).await?;
        if keys.len() > KEYS_MAX { Err(FetchFault::TooMany(keys.len())) } else { Ok(keys) }
    }

    async fn discover(&self) -> Result<Url, FetchFault> {
        let base = self.issuer.trim_end_matches('/');
        let url = may_be_asked(&format!("{base}/.well-known/openid-configuration"));
        let url = url.ok_or_else(|| FetchFault::Address(self.issuer.clone()))?;
        let Discovered { issuer, jwks_uri } = self.get(url).await?;
        if issuer != self.issuer {
            return Err(FetchFault::OtherIssuer(issuer));
        }
        may_be_asked(&jwks_uri).ok_or(FetchFault::Address(jwks_uri))
    }

    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, FetchFault> {
        let unanswered = |source| FetchFault::NoAnswer { url: url.clone(), source };
        let mut response = self.client.get(url.clone()).send().await.map_err(unanswered)?;
        if response.status() != StatusCode::OK {
            return Err(FetchFault::Status { status: response.status(), url });
        }
        let mut answer = Vec::new();
        while let Some(part) = response.chunk().await.map_err(unanswered)? {
            if answer.len() + part.len() > ANSWER_BYTES_MAX {
                return Err(FetchFault::TooLong(url));
            }
            answer.extend_from_slice(&part);
        }
        serde_json::from_slice(&answer).map_err(|source| FetchFault::Malformed { url, source })
    }
}

/// An address that may be asked for what is believed: nobody between may answer in its place.
pub fn may_be_asked(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    let host = url.host_str()?;
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    let is_plain = url.username().is_empty() && url.password().is_none();
    (is_safe && is_plain && url.fragment().is_none()).then_some(url)
}

/// What is at the root of an error, which says more than that there was one.
fn root(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
