//! An agent's, supervisor's or administrator's console: HTTP with a bearer token.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use crate::feed::Feed;

#[path = "described.rs"]
pub(crate) mod described;

/// How long anything is waited for before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody with a token.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    origin: String,
    token: Option<String>,
    client: reqwest::Client,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    asked: String,
}

impl Console {
    pub(crate) fn new(origin: &str, token: &str) -> Self {
        let client = reqwest::Client::new();
        Self { origin: origin.to_owned(), token: Some(token.to_owned()), client }
    }

    /// The same server, asked without a token.
    pub(crate) fn stranger(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same server, asked with this token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same token at another server.
    pub(crate) fn at(&self, other: &Self) -> Self {
        Self { token: self.token.clone(), ..other.clone() }
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.origin));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Self::answer(request).await
    }

    /// Sends a request that the test has put together itself.
    pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
        let request = request.timeout(PATIENCE);
        let built = request.try_clone().and_then(|request| request.build().ok());
        let asked = format!("{built:?}");
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        if let Some(built) = built {
            let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok());
            let (method, path) = (built.method().as_str(), built.url().path());
            described::check(method, path, status, kind.unwrap_or_default(), &text);
        }
        Answer { status, headers, text, asked }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Does something with a conversation for which no body is needed, such as `accept`.
    pub(crate) async fn act(&self, conversation: &str, what: &str) -> Answer {
        self.send(Method::POST, &format!("/v1/conversations/{conversation}/{what}"), None).await
    }

    /// Says something in a conversation.
    pub(crate) async fn say(&self, conversation: &str, id: &str, text: &str) -> Answer {
        let path = format!("/v1/conversations/{conversation}/messages");
        self.post(&path, serde_json::json!({ "id": id, "text": text })).await
    }

    pub(crate) async fn choose(&self, presence: &str) -> Value {
        let body = serde_json::json!({ "presence": presence });
        self.put("/v1/agents/me/presence", body).await.ok()
    }

    pub(crate) async fn me(&self) -> Value {
        self.get("/v1/agents/me").await.ok()
    }

    pub(crate) async fn conversation(&self, id: &str) -> Value {
        self.get(&format!("/v1/conversations/{id}")).await.ok()
    }

    /// The texts of a transcript, in order, as this audience may see them.
    pub(crate) async fn transcript(&self, id: &str, audience: &str) -> Vec<String> {
        let entries = self.entries(id, audience).await;
        entries.iter().map(|entry| entry["text"].as_str().unwrap().to_owned()).collect()
    }

    /// The whole transcript.
    pub(crate) async fn entries(&self, id: &str, audience: &str) -> Vec<Value> {
        let path = format!("/v1/conversations/{id}/transcript?audience={audience}");
        self.pages(&path, "entries").await
    }

    /// The whole timeline.
    pub(crate) async fn timeline(&self, id: &str) -> Vec<Value> {
        self.pages(&format!("/v1/conversations/{id}/timeline?limit=200"), "entries").await
    }

    /// Every page of a list.
    pub(crate) async fn pages(&self, path: &str, field: &str) -> Vec<Value> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let cursor = next.map_or_else(String::new, |next| format!("{joint}cursor={next}"));
            let page = self.get(&format!("{path}{cursor}")).await.ok();
            all.extend(page[field].as_array().expect("a list").iter().cloned());
            match page["next"].as_str() {
                Some(cursor) => next = Some(cursor.to_owned()),
                None => return all,
            }
        }
    }

    /// Opens the caller's feed, after an event or from the present state.
    pub(crate) async fn feed(&self, after: Option<&str>) -> Feed {
        let mut request = self.request(Method::GET, "/v1/agents/me/feed");
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        Feed::open(request).await
    }

    /// Repeats the request until its answer is as it should be.
    pub(crate) async fn until(
        &self,
        path: &str,
        what: &str,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        let start = Instant::now();
        loop {
            let answer = self.get(path).await.ok();
            if holds(&answer) {
                return answer;
            }
            assert!(start.elapsed() < PATIENCE, "waited in vain until {what}: {answer:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a conversation is in a state.
    pub(crate) async fn until_state(&self, conversation: &str, state: &str) -> Value {
        let path = format!("/v1/conversations/{conversation}");
        self.until(&path, state, |answer| answer["state"] == state).await
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The answer to a request that had to succeed.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {} {}", self.asked, self.status, self.text);
        self.json()
    }

    /// The problem in the answer to a request that had to be refused.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!(
            (self.status, problem["code"].as_str()),
            (status, Some(code)),
            "{}: {}",
            self.asked,
            self.text
        );
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.asked);
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:holdline:problem:{code}"));
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        problem
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
