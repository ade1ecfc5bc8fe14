//! A server that has no descriptor left: whoever comes is turned away at once, whoever is there
//! notices nothing, and it takes customers again as soon as others have gone.

use std::time::Instant;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;

use crate::console::PATIENCE;
use crate::program::Program;
use crate::widget::{Introduction, Widget, mint_visitor};

/// Enough for its files and some widgets.
const DESCRIPTORS: u64 = 120;

fn hello() -> Introduction {
    Introduction { visitor: Some(mint_visitor()), ..Introduction::default() }
}

/// Let in, or turned away at once: nobody waits in front of a server that does not answer.
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
    let program = Program::start(data.path(), "--demo");
    let process = Pid::from_raw(i32::try_from(program.process()).unwrap()).expect("a process");
    let few = Rlimit { current: Some(DESCRIPTORS), maximum: Some(DESCRIPTORS) };
    prlimit(Some(process), Resource::Nofile, few).expect("a child can be limited");

    let mut inside = Vec::new();
    while let Some(mut widget) = knock(&program).await {
        // One that does not introduce itself is closed after a while.
        widget.hello(hello()).await;
        inside.push(widget);
        assert!(inside.len() < usize::try_from(DESCRIPTORS).unwrap(), "there is a limit");
    }
    let mut turned_away = 1;
    while turned_away < 20 {
        match knock(&program).await {
            // One thread may have come to its end a little before the others.
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
    // Once this many have come in, the administrator does as well.
    let mut others = Vec::new();
    for _ in 0..inside.len() {
        others.push(come_in(&program).await);
    }
    let metrics = program.admin.get("/metrics").await.text;
    let line = metrics.lines().find(|line| line.starts_with("holdline_turned_away_total "));
    let count = line.and_then(|line| line.split(' ').next_back()?.parse().ok());
    assert!(count.is_some_and(|count: u64| count >= turned_away), "they were counted: {line:?}");
}
