//! Runs a trial: sets everything up, kills the server again and again, and brings everything to a
//! quiet end, where everything must agree.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, LocalSet, spawn_local};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::agent::{Agent, speak};
use super::audit::{audit, note_drift};
use super::budgets::Runs;
use super::console::{insist, pages};
use super::customer::live;
use super::feed::listen;
use super::proxy::{self, Faults};
use super::random::Random;
use super::readiness::ask_on;
use super::record::Chat;
use super::server::{ADMINISTRATOR, Run, Server, now_ms};
use super::strangers::Strangers;
use super::verify::verify;
use super::world::{Plan, Tally, World, Wrong};
use super::{disk, report};

/// How long the last chats may take to end.
const END_PATIENCE: Duration = Duration::from_secs(120);

/// After how many kills the agents are audited.
const AUDIT_EVERY: usize = 3;

/// Runs a trial. The data directory is kept, and named, if anything was wrong.
pub(crate) fn run(plan: Plan) -> io::Result<(Tally, Arc<Faults>)> {
    let data = TempDir::with_prefix("holdline-chaos-")?;
    let (tally, faults) = run_in(plan, data.path())?;
    if !tally.wrongs.is_empty() {
        for (wrong, what) in &tally.wrongs {
            println!("{}: {what}", wrong.name());
        }
        println!("the data directory is kept: {}", data.keep().display());
    }
    Ok((tally, faults))
}

/// Runs a trial in this directory, which is kept whatever the outcome.
pub(crate) fn run_in(plan: Plan, data: &Path) -> io::Result<(Tally, Arc<Faults>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let faults = Arc::new(Faults::default());
    let start = Instant::now();
    let seed = plan.seed;
    let tally = LocalSet::new().block_on(&runtime, play(plan, data, Arc::clone(&faults)))?;
    report::table(&tally, &faults, seed, start.elapsed());
    Ok((tally, faults))
}

async fn play(plan: Plan, data: &Path, faults: Arc<Faults>) -> io::Result<Tally> {
    let mut server = Server::new(&plan, data)?;
    let proxy = proxy::start(server.address, plan.fault_every, plan.seed, Arc::clone(&faults))?;
    let (over, chats_over) = mpsc::unbounded_channel();
    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build();
    let world = Rc::new(World {
        server: server.address,
        proxy,
        faults,
        client: client.map_err(io::Error::other)?,
        agents: RefCell::default(),
        chats: RefCell::new(HashMap::new()),
        runs: RefCell::default(),
        running: Arc::<Runs>::default(),
        tally: RefCell::default(),
        over,
        up: watch::channel(false).0,
        still: watch::channel(false).0,
        closing: Cell::new(false),
        plan,
    });
    begin(&world, &mut server).await?;
    set_up(&world).await?;
    let running = Arc::clone(&world.running);
    let strangers = Strangers::begin(world.server, world.plan.strangers, running)?;
    let asking = spawn_local(ask_on(Rc::clone(&world)));
    let start = Instant::now();
    let progress = spawn_local(report::progress(Rc::clone(&world), start));
    let verifying = spawn_local(verify(Rc::clone(&world), chats_over));
    let agents: Vec<_> = world.agents.borrow().iter().map(Rc::clone).collect();
    for (agent, number) in agents.iter().zip(0..) {
        spawn_local(listen(Rc::clone(&world), Rc::clone(agent), number));
        spawn_local(speak(Rc::clone(&world), Rc::clone(agent), number));
    }
    let mut customers = JoinSet::new();
    for number in 0..world.plan.widgets as u64 {
        customers.spawn_local(live(Rc::clone(&world), number));
    }
    torment(&world, &mut server, start).await?;
    world.closing.set(true);
    let told = strangers.end().await?;
    told.excesses.iter().for_each(|excess| world.note(Wrong::Unbounded, excess));
    world.count(|tally| tally.strangers = told);
    finish(&world, &mut customers, verifying).await;
    progress.abort();
    asking.abort();
    server.stop().await?;
    disk::judge_all(&world, data).map_err(io::Error::other)?;
    let log = std::fs::read_to_string(server.log())?;
    // At each start the log warns that any page may open the widget. Here this is meant so.
    let complaints = log.lines().filter(|line| !line.contains("any origin"));
    world.count(|tally| tally.complaints = complaints.inspect(|line| println!("{line}")).count());
    if let Some(panic) = log.lines().find(|line| line.contains("panicked")) {
        world.note(Wrong::Other, format!("the server's log: {panic}"));
    }
    Ok(world.tally.take())
}

/// Starts the server and waits until it is ready.
async fn begin(world: &World, server: &mut Server) -> io::Result<()> {
    let run = Run { spawned_at: now_ms(), ready_at: None, killed_at: None };
    world.runs.borrow_mut().push(run);
    world.running.begin();
    server.spawn()?;
    server.ready().await?;
    let ready_at = now_ms();
    world.count(|tally| tally.starts.push(ready_at - run.spawned_at));
    if let Some(run) = world.runs.borrow_mut().last_mut() {
        run.ready_at = Some(ready_at);
    }
    world.up.send_replace(true);
    Ok(())
}

async fn kill(world: &World, server: &mut Server) -> io::Result<()> {
    world.up.send_replace(false);
    server.kill().await?;
    if let Some(run) = world.runs.borrow_mut().last_mut() {
        run.killed_at = Some(now_ms());
    }
    world.count(|tally| tally.kills += 1);
    Ok(())
}

async fn set_up(world: &World) -> io::Result<()> {
    let plan = &world.plan;
    let names: Vec<_> = (0..plan.agents).map(|number| format!("agent-{number}")).collect();
    // Together the agents have a few units fewer than there are widgets, so that some chats wait.
    let units = plan.widgets / plan.agents;
    for name in &names {
        put(world, &format!("agents/{name}"), json!({ "units": units })).await?;
        let path = format!("/v1/agents/{name}/tokens");
        let (_, text) = insist(world, ADMINISTRATOR, Method::POST, &path, None).await;
        let token: Value = serde_json::from_str(&text)?;
        let token = token["token"].as_str().ok_or_else(|| io::Error::other(text.clone()))?;
        world.agents.borrow_mut().push(Rc::new(Agent::new(name, token)));
    }
    put(world, "queues/sales", json!({ "agents": names })).await?;
    let workstream = json!({
        "queue": "sales",
        "window_s": plan.window.as_secs_f64(),
        "heartbeat_s": plan.heartbeat.as_secs_f64(),
        "offer_s": 5,
        "agent_grace_s": 60,
        "autoclose_s": { "wrapup": 30 },
    });
    put(world, "workstreams/sales", workstream).await?;
    put(world, "widgets/shop", json!({ "workstream": "sales", "origins": ["*"] })).await?;
    // No agent answers strangers; otherwise the agents would have no units left for judged
    // customers.
    put(world, "queues/strangers", json!({})).await?;
    let workstream = json!({
        "queue": "strangers",
        "window_s": plan.window.as_secs_f64(),
        "heartbeat_s": plan.heartbeat.as_secs_f64(),
        "autoclose_s": { "wrapup": 1 },
    });
    put(world, "workstreams/strangers", workstream).await?;
    put(world, "widgets/strangers", json!({ "workstream": "strangers", "origins": ["*"] })).await
}

async fn put(world: &World, what: &str, body: Value) -> io::Result<()> {
    let (path, body) = (format!("/v1/{what}"), body.to_string());
    let (status, text) = insist(world, ADMINISTRATOR, Method::PUT, &path, Some(body)).await;
    if status < 300 { Ok(()) } else { Err(io::Error::other(format!("PUT {path}: {text}"))) }
}

/// Kills the server at random moments, and starts it again.
async fn torment(world: &World, server: &mut Server, start: Instant) -> io::Result<()> {
    let mut random = Random::new(world.plan.seed, 1 << 22);
    let kills = world.plan.kills;
    let stretch = world.plan.length / u32::try_from(kills + 1).unwrap_or(u32::MAX);
    let mut audited = 0;
    while world.tally.borrow().kills < kills {
        let number = u32::try_from(world.tally.borrow().kills).unwrap_or(u32::MAX);
        let moment =
            stretch * number + stretch.mul_f64(0.5 + random.between(0, 100) as f64 / 100.0);
        sleep_until(start + moment).await;
        note_drift(world).await;
        kill(world, server).await?;
        if random.chance(50) {
            sleep(Duration::from_millis(random.between(0, 1_500))).await;
        }
        if random.chance(10) {
            let run = Run { spawned_at: now_ms(), ready_at: None, killed_at: None };
            world.runs.borrow_mut().push(run);
            world.running.begin();
            server.spawn()?;
            sleep(Duration::from_millis(random.between(10, 300))).await;
            kill(world, server).await?;
        }
        begin(world, server).await?;
        if world.tally.borrow().kills >= audited + AUDIT_EVERY {
            audited = world.tally.borrow().kills;
            audit(world).await;
        }
    }
    sleep_until(start + world.plan.length).await;
    Ok(())
}

/// Lets everybody finish, and audits before and after this.
async fn finish(
    world: &Rc<World>,
    customers: &mut JoinSet<()>,
    verifying: tokio::task::JoinHandle<()>,
) {
    audit(world).await;
    world.faults.calm.store(true, Ordering::Relaxed);
    world.closing.set(true);
    let everybody = async { while customers.join_next().await.is_some() {} };
    if timeout(END_PATIENCE, everybody).await.is_err() {
        world.note(Wrong::Other, format!("{} widgets do not come to an end", customers.len()));
    }
    // A chat without an id says that there are no more chats.
    world.over.send(Rc::new(Chat::default())).expect("the verifier runs");
    if timeout(END_PATIENCE, verifying).await.is_err() {
        world.note(Wrong::Other, "not every chat could be verified");
    }
    let deadline = Instant::now() + END_PATIENCE;
    let path = "/v1/conversations?state=open,active,waiting,wrapup";
    loop {
        match pages(world, ADMINISTRATOR, path, "conversations").await {
            Ok(open) if open.is_empty() => break,
            Ok(_) if Instant::now() < deadline => sleep(Duration::from_millis(200)).await,
            other => return world.note(Wrong::Other, format!("chats that do not end: {other:?}")),
        }
    }
    audit(world).await;
    note_drift(world).await;
}
