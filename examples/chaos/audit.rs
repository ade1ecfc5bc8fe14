//! Audits the agents' capacity: the units that an agent uses are the sum of the agent's leases, and
//! the leases are the conversations that name the agent.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::console::{ask, pages, read};
use super::server::ADMINISTRATOR;
use super::world::{World, Wrong};

/// How long it may take until everything agrees, once nobody does anything new. In this time, what
/// is under way is told, and the windows that run come to their end.
const PATIENCE: Duration = Duration::from_secs(8);

/// Makes everybody keep still, and audits each agent.
pub(crate) async fn audit(world: &World) {
    world.still.send_replace(true);
    world.faults.calm.store(true, Ordering::Relaxed);
    let agents: Vec<_> = world.agents.borrow().iter().map(|agent| agent.id.clone()).collect();
    let start = Instant::now();
    for agent in agents {
        while let Err(what) = agree(world, &agent).await {
            if start.elapsed() > PATIENCE {
                world.note(Wrong::Drift, what);
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    world.count(|tally| tally.audits += 1);
    world.faults.calm.store(false, Ordering::Relaxed);
    world.still.send_replace(false);
}

async fn agree(world: &World, agent: &str) -> Result<(), String> {
    let me = read(world, ADMINISTRATOR, &format!("/v1/agents/{agent}")).await?;
    let path = format!("/v1/conversations?agent={agent}&state=active,wrapup");
    let chats = pages(world, ADMINISTRATOR, &path, "conversations").await?;
    let leases = me["leases"].as_array().map(Vec::as_slice).unwrap_or_default();
    let used: u64 = leases.iter().filter_map(|lease| lease["units"].as_u64()).sum();
    let held: BTreeSet<_> = leases.iter().map(|lease| text(&lease["conversation"])).collect();
    let named: BTreeSet<_> = chats.iter().map(|chat| text(&chat["id"])).collect();
    if me["used"] == used && held == named {
        world.count(|tally| tally.leases += leases.len() as u64);
        return Ok(());
    }
    Err(format!("{agent} uses {}, holds {held:?}, is named by {named:?}", me["used"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Notes the drift that this run of the server has counted.
pub(crate) async fn note_drift(world: &World) {
    let Some((200, metrics)) = ask(world, ADMINISTRATOR, Method::GET, "/metrics", None).await
    else {
        return;
    };
    let drift = metrics.lines().find_map(|line| line.strip_prefix("holdline_drift_total "));
    match drift.map(str::trim) {
        Some("0") => {}
        Some(count) => world.note(Wrong::Drift, format!("the server counted {count}")),
        None => world.note(Wrong::Other, "the server does not tell its drift"),
    }
}
