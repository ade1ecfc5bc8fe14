//! The accounts of customers, made before a run. A resumption needs the same address again, and an
//! anonymous customer would get a new one.

use std::net::SocketAddr;

use anyhow::Context as _;
use serde_json::json;

/// How many are made at once.
const AT_ONCE: u32 = 2;

/// Makes an account for each customer and one for the agent.
pub fn make(address: SocketAddr, customers: u32) -> anyhow::Result<()> {
    let url = format!("http://{address}/api/register");
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..AT_ONCE)
            .map(|first| {
                let url = &url;
                let step = usize::try_from(AT_ONCE).unwrap_or(1);
                scope.spawn(move || {
                    let http = ureq::Agent::new_with_defaults();
                    (first..=customers)
                        .step_by(step)
                        .try_for_each(|number| register(&http, url, &name(number)))
                })
            })
            .collect();
        let results = parts.into_iter().map(std::thread::ScopedJoinHandle::join);
        results.into_iter().try_for_each(|result| result.unwrap_or(Ok(())))
    })?;
    register(&ureq::Agent::new_with_defaults(), &url, AGENT)
}

/// The agent's account.
pub const AGENT: &str = "agent";

/// A customer's account. Its name is its password.
pub fn name(customer: u32) -> String {
    format!("c{customer}")
}

fn register(http: &ureq::Agent, url: &str, name: &str) -> anyhow::Result<()> {
    http.post(url)
        .send_json(json!({ "user": name, "host": "localhost", "password": name }))
        .with_context(|| format!("no account for {name}"))?;
    Ok(())
}
