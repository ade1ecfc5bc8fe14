//! HTTP with a bearer token, for a caller who does not give up when the server is killed.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::world::World;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks once; nothing if no whole answer came.
pub(crate) async fn ask(
    world: &World,
    token: &str,
    method: Method,
    path: &str,
    body: Option<String>,
) -> Option<(u16, String)> {
    let url = format!("http://{}{path}", world.server);
    let mut request = world.client.request(method, url).bearer_auth(token).timeout(PATIENCE);
    if let Some(body) = body {
        request = request.body(body);
    }
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, response.text().await.ok()?))
}

/// Asks until there is an answer that will not change: a success, or the refusal of a rule.
pub(crate) async fn insist(
    world: &World,
    token: &str,
    method: Method,
    path: &str,
    body: Option<String>,
) -> (u16, String) {
    loop {
        world.up().await;
        match ask(world, token, method.clone(), path, body.clone()).await {
            Some((status, text)) if status < 500 && status != 408 => return (status, text),
            _ => tokio::time::sleep(Duration::from_millis(30)).await,
        }
    }
}

/// Asks for an object until there is one.
pub(crate) async fn read(world: &World, token: &str, path: &str) -> Result<Value, String> {
    let (status, text) = insist(world, token, Method::GET, path, None).await;
    if status != 200 {
        return Err(format!("GET {path}: {status} {text}"));
    }
    serde_json::from_str(&text).map_err(|error| format!("GET {path}: {error}"))
}

/// Reads every page of a list.
pub(crate) async fn pages(
    world: &World,
    token: &str,
    path: &str,
    field: &str,
) -> Result<Vec<Value>, String> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("{path}{joint}limit=200{cursor}");
        let mut page = read(world, token, &path).await?;
        match page[field].take() {
            Value::Array(entries) => all.extend(entries),
            other => return Err(format!("GET {path}: {field} is {other}")),
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}
