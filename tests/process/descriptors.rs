//! A server that has no descriptor left: newcomers are turned away at once, customers who are there
//! notice nothing, and the server takes new customers again as soon as others have gone.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use crate::console::PATIENCE;
use crate::program::{Program, command};
use crate::widget::{Introduction, Widget, mint_visitor};

/// Enough descriptors for the server's files and some widgets.
const DESCRIPTORS: u64 = 120;

fn hello() -> Introduction {
    Introduction { visitor: Some(mint_visitor()), ..Introduction::default() }
}

/// A server that may have no more descriptors than [`DESCRIPTORS`].
fn start_with_few(data: &Path) -> Program {
    limited(Program::start(data, "--demo"), DESCRIPTORS)
}

fn limited(program: Program, most: u64) -> Program {
    let process = Pid::from_raw(i32::try_from(program.process()).unwrap()).expect("a process");
    let few = Rlimit { current: Some(most), maximum: Some(most) };
    prlimit(Some(process), Resource::Nofile, few).expect("a child can be limited");
    program
}

/// Tries to come in. The server lets the customer in, or turns the customer away at once: nobody
/// waits at a server that does not answer.
async fn knock(program: &Program) -> Option<Widget> {
    let knocking = Widget::try_connect(program.address, "demo", None);
    tokio::time::timeout(PATIENCE, knocking).await.expect("whoever knocks is answered").ok()
}

async fn come_in(program: &Program) -> Widget {
    let started = Instant::now();
    loop {
        match knock(program).await {
            Some(widget) => return widget,
            None => assert!(started.elapsed() < PATIENCE, "it takes nobody any more"),
        }
    }
}

#[tokio::test]
async fn without_descriptors_newcomers_are_turned_away_and_nobody_else_notices() {
    let data = tempfile::tempdir().unwrap();
    let program = start_with_few(data.path());

    let mut inside = Vec::new();
    while let Some(mut widget) = knock(&program).await {
        // A widget that does not introduce itself is closed after a while.
        widget.hello(hello()).await;
        inside.push(widget);
        assert!(inside.len() < usize::try_from(DESCRIPTORS).unwrap(), "there is a limit");
    }
    let mut turned_away = 1;
    while turned_away < 20 {
        match knock(&program).await {
            // One thread may run out of descriptors a little before the others.
            Some(mut widget) => {
                widget.hello(hello()).await;
                inside.push(widget);
            }
            None => turned_away += 1,
        }
        assert!(inside.len() < usize::try_from(DESCRIPTORS).unwrap(), "there is a limit");
    }
    inside[0].start("start", "Kim").await;
    inside[0].post("m1", "still served").await;

    for widget in inside.drain(10..) {
        widget.kill().await;
    }
    let mut late = come_in(&program).await;
    late.hello(hello()).await;
    late.say(json!({ "type": "start", "ref": 1, "id": "start" })).await;
    late.expect("started").await;
    // Once this many customers have come in, the administrator gets in as well.
    let mut others = Vec::new();
    for _ in 0..inside.len() {
        others.push(come_in(&program).await);
    }
    let metrics = program.admin.get("/metrics").await.text;
    // A reset turns customers away at the very last descriptor, an answer before that.
    let is_counted = |line: &&str| {
        line.starts_with("holdline_turned_away_total ")
            || line.starts_with("holdline_refusals_total{face=\"upgrade\",code=\"unavailable\"}")
    };
    let counts = metrics.lines().filter(is_counted).filter_map(|it| it.rsplit(' ').next());
    let count: u64 = counts.map(|count| count.parse::<u64>().unwrap()).sum();
    assert!(count >= turned_away, "they were counted: {count}");
}

#[tokio::test]
async fn the_last_descriptors_are_for_those_who_have_a_token_and_for_operators() {
    let data = tempfile::tempdir().unwrap();
    let program = start_with_few(data.path());
    let mut inside = Vec::new();
    let refused = loop {
        match Widget::try_connect(program.address, "demo", None).await {
            Ok(mut widget) => {
                widget.hello(hello()).await;
                inside.push(widget);
            }
            Err(Error::Http(answer)) => break answer,
            Err(other) => panic!("it is answered, and not reset: {other}"),
        }
    };
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "10");
    // Somebody takes all the rest as well, and says nothing: the server sends these connections
    // away.
    let silent: Vec<_> = (0..20).map(|_| std::net::TcpStream::connect(program.address)).collect();
    let started = Instant::now();
    let mut answered = 0;
    while answered < 20 {
        let asked = program.admin.request(reqwest::Method::GET, "/v1/agents");
        let probed = program.admin.stranger().request(reqwest::Method::GET, "/readyz");
        let both = futures_util::future::join(asked.send(), probed.send()).await;
        let is_good =
            |it: reqwest::Result<reqwest::Response>| it.is_ok_and(|it| it.status() == 200);
        answered = if is_good(both.0) && is_good(both.1) { answered + 1 } else { 0 };
        assert!(started.elapsed() < PATIENCE, "an agent and a probe are kept out");
    }
    drop(silent);
    inside[0].start("start", "Kim").await;
}

#[tokio::test]
async fn strangers_who_take_every_descriptor_do_not_keep_operators_from_their_own_address() {
    let data = tempfile::tempdir().unwrap();
    let mut asked = command(data.path());
    asked.args(["--listen", "127.0.0.1:0", "--threads", "2", "--log", "warn", "--demo"]);
    asked.env("HOLDLINE_OPERATOR_LISTEN", "127.0.0.1:0").stdout(Stdio::piped());
    let mut program = limited(Program::spawn(asked), 512);
    let operators = program.operators();
    let began = Instant::now();
    let mut silent = Vec::new();
    // A connection that is turned away makes room for nobody.
    for _ in 0..30 {
        silent.extend((0..40).map(|_| std::net::TcpStream::connect(program.address)));
        let asked = operators.request(reqwest::Method::GET, "/metrics");
        // The request needs a new connection, not one that was opened before.
        let asked = asked.header("connection", "close").timeout(PATIENCE).send().await;
        let answered = asked.is_ok_and(|answer| answer.status() == 200);
        assert!(answered, "strangers keep an operator out, {:?} after the first", began.elapsed());
    }
    let metrics = operators.get("/metrics").await.text;
    let line = metrics.lines().find(|line| line.starts_with("holdline_turned_away_total "));
    assert!(line.is_some_and(|line| !line.ends_with(" 0")), "there was no room: {metrics}");
}
