//! How the keys of an issuer are fetched: from where the operator says, or from where the issuer
//! says (`OpenID` Connect Discovery 1.0). Each answer is bounded, in length and in time.

use std::error::Error;
use std::time::Duration;

use reqwest::{Certificate, Client, StatusCode, Url, redirect};
use serde_json::Value;

use crate::access::fault::{AccessFault, at};
use crate::access::sign_in::answers::{AnswerFault, address_of_keys, key_documents, may_be_asked};
use crate::access::sign_in::rules::SignInRules;
use crate::limits;
use crate::private;

const CONNECTED_WITHIN: Duration = Duration::from_secs(limits::ISSUER_CONNECT_SECONDS_MAX);
const ANSWERED_WITHIN: Duration = Duration::from_secs(limits::ISSUER_ANSWER_SECONDS_MAX);
const ANSWER_BYTES_MAX: usize = limits::ISSUER_ANSWER_BYTES_MAX;

/// The client that asks the issuer.
pub(super) struct Fetcher {
    client: Client,
    issuer: String,
    keys: Option<Url>,
}

/// Why the keys could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchFault {
    /// There is no answer, or not a whole one.
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
    /// The answer is refused.
    #[error("{url}: {source}")]
    Answer {
        /// Where it was asked.
        url: Url,
        /// What is wrong with it.
        source: AnswerFault,
    },
    /// The issuer's address may not be asked.
    #[error(transparent)]
    Address(AnswerFault),
}

impl Fetcher {
    pub(super) fn new(rules: &SignInRules) -> Result<Self, AccessFault> {
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECTED_WITHIN)
            .timeout(ANSWERED_WITHIN)
            // A kept connection would belong to the thread that made it, and is rarely needed.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("holdline/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &rules.authority {
            // Refuses a pipe, which the read would wait for.
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
            // An issuer that is asked over plain HTTP, on this machine, shows no certificate.
            client = client.tls_certs_only([]);
        }
        let client = client.build().map_err(|error| AccessFault::Client(root(&error)))?;
        Ok(Self { client, issuer: rules.issuer.clone(), keys: rules.keys.clone() })
    }

    /// The keys of the issuer, as JWK, not validated yet.
    pub(super) async fn keys(&self) -> Result<Vec<Value>, FetchFault> {
        let url = match &self.keys {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        let answer = self.get(&url).await?;
        key_documents(&answer).map_err(|source| FetchFault::Answer { url, source })
    }

    async fn discover(&self) -> Result<Url, FetchFault> {
        let base = self.issuer.trim_end_matches('/');
        let url = may_be_asked(&format!("{base}/.well-known/openid-configuration"));
        let no_address = || FetchFault::Address(AnswerFault::Address(self.issuer.clone()));
        let url = url.ok_or_else(no_address)?;
        let answer = self.get(&url).await?;
        address_of_keys(&answer, &self.issuer).map_err(|source| FetchFault::Answer { url, source })
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, FetchFault> {
        let unanswered = |source| FetchFault::NoAnswer { url: url.clone(), source };
        let mut response = self.client.get(url.clone()).send().await.map_err(unanswered)?;
        if response.status() != StatusCode::OK {
            return Err(FetchFault::Status { status: response.status(), url: url.clone() });
        }
        let mut answer = Vec::new();
        while let Some(part) = response.chunk().await.map_err(unanswered)? {
            if answer.len() + part.len() > ANSWER_BYTES_MAX {
                return Err(FetchFault::TooLong(url.clone()));
            }
            answer.extend_from_slice(&part);
        }
        Ok(answer)
    }
}

/// The root cause of an error: the errors around it say only that there was one.
fn root(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
