//! Holdline's HTTP, as far as a load tester needs it.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

/// A client over HTTP, with one connection that is kept.
#[derive(Clone, Debug)]
pub(super) struct Api {
    agent: ureq::Agent,
    base: String,
    token: String,
}

impl Api {
    /// A client with this token.
    pub(super) fn new(base: &str, token: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self { agent: config.into(), base: base.to_owned(), token: token.to_owned() }
    }

    /// Another client on the same connections.
    pub(super) fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }

    pub(super) fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let answer = request.header("authorization", self.authorization()).call()?;
        taken("GET", path, answer)
    }

    /// A text that is not JSON.
    pub(super) fn text(&self, path: &str) -> anyhow::Result<String> {
        let mut answer = self.agent.get(format!("{}{path}", self.base)).call()?;
        if !answer.status().is_success() {
            bail!("GET {path}: {}", answer.status());
        }
        Ok(answer.body_mut().with_config().limit(64 << 20).read_to_string()?)
    }

    pub(super) fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.agent.put(format!("{}{path}", self.base));
        let answer = request.header("authorization", self.authorization()).send_json(body)?;
        taken("PUT", path, answer)
    }

    pub(super) fn post(&self, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = request.header("authorization", self.authorization());
        let answer = match body {
            Some(body) => request.send_json(body)?,
            None => request.send_empty()?,
        };
        taken("POST", path, answer)
    }

    /// Everything of a list, page by page.
    pub(super) fn all(&self, path: &str, list: &str) -> anyhow::Result<Vec<Value>> {
        let sign = if path.contains('?') { '&' } else { '?' };
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut page = self.get(&format!("{path}{sign}limit=200{cursor}"))?;
            let Some(Value::Array(items)) = page.get_mut(list).map(Value::take) else {
                bail!("GET {path}: there is no {list}");
            };
            found.extend(items);
            match page.get("next").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(found),
            }
        }
    }
}

/// A request that a rule refused, by its code.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {status} {code}")]
pub(super) struct Refused {
    what: String,
    /// The HTTP status.
    pub(super) status: u16,
    /// The stable code.
    pub(super) code: String,
}

fn taken(
    method: &str,
    path: &str,
    mut answer: ureq::http::Response<ureq::Body>,
) -> anyhow::Result<Value> {
    let status = answer.status();
    let body = answer.body_mut().with_config().limit(64 << 20).read_to_string()?;
    if status.is_success() {
        if body.is_empty() {
            return Ok(Value::Null);
        }
        return serde_json::from_str(&body).with_context(|| format!("{method} {path}"));
    }
    let problem: Value = serde_json::from_str(&body).unwrap_or_default();
    let code = problem["code"].as_str().unwrap_or_default();
    let detail = problem["detail"].as_str().unwrap_or_default();
    Err(Refused {
        what: format!("{method} {path}: {detail}"),
        status: status.as_u16(),
        code: code.to_owned(),
    }
    .into())
}
