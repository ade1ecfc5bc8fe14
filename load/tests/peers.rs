//! Each peer under one customer. Its dialect opens, beats, posts, is lost and returns, and the
//! peer's second party is told what it must be told. A peer that is not installed says so; only
//! recorded bytes try it then, in the tests beside its dialect.

#[path = "peers/customer.rs"]
mod customer;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use customer::{Customer, News, Told, within};
use holdline_load::clock;
use holdline_load::dialects::speak;
use holdline_load::peer;
use holdline_load::target::{Agents, Demands, Running};
use holdline_load::watch::Watch;

/// The shortest window that every peer can keep. MQTT counts in whole seconds.
const WINDOW: Duration = Duration::from_secs(2);

const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long a silence may last before it is told. By the settings it is two heartbeats and the
/// window. But Mosquitto was seen to take five seconds more, and Centrifugo waits five seconds for
/// the other end to say goodbye.
const SILENCE: Duration = Duration::from_secs(20);

/// How late a notice may be on a machine that does other work, too.
const LATENESS: Duration = Duration::from_millis(1_500);

fn demands() -> Demands {
    Demands {
        customers: 5,
        heartbeat: HEARTBEAT,
        window: WINDOW,
        durable: false,
        agents: Agents { count: 1, chats: 10, ..Agents::default() },
        answered: true,
        are_named: false,
    }
}

struct Trial {
    running: Box<dyn Running>,
    _watch: Box<dyn Watch>,
    told: Receiver<Told>,
}

/// Starts a peer with its second party; nothing if the peer is not installed.
fn start(name: &str) -> Option<Trial> {
    start_for(name, &demands())
}

fn start_for(name: &str, demands: &Demands) -> Option<Trial> {
    let target = peer::named(name).expect("it is one of the peers");
    if let Err(absent) = target.version() {
        assert!(absent.reason.contains("load/peers/install"), "{absent}");
        // This goes past the capture of the output of tests that pass.
        let _unheard = writeln!(std::io::stderr(), "NOTHING OF {name} WAS TESTED: {absent}");
        return None;
    }
    let running = target.start(demands).expect("it starts");
    let (ear, told) = channel();
    let watch = running.watch(ear).expect("it can be watched").expect("it has a second party");
    Some(Trial { running, _watch: watch, told })
}

impl Trial {
    fn customer(&self, number: u32) -> Customer {
        let dialect = speak(&self.running.dialect()).expect("its dialect is known");
        Customer::connect(self.running.address(), dialect, number)
    }

    /// The first thing that is told about this customer within this time and counts.
    fn first(&self, customer: u32, patience: Duration, counts: &[News]) -> Option<Told> {
        within(&self.told, patience, |told| {
            told.customer == customer && counts.contains(&told.news)
        })
    }
}

/// Connects and becomes ready. A post is acknowledged, and the second party knows the customer.
fn opens_and_posts(trial: &Trial, number: u32) -> Customer {
    let mut customer = trial.customer(number);
    assert_eq!(customer.ready(), Ok(false), "nobody was here before");
    customer.post(u64::from(number) << 32 | 1);
    let known = trial.first(number, LATENESS, &[News::Accepted]);
    assert!(known.is_some(), "the second party knows of {number}");
    customer
}

/// A drop is told after the window. A return before its end is not told, and is a resumption.
fn holds_for_the_window(trial: &Trial) {
    let gone = [News::Gone];
    // A customer whose socket is not read is silent, so nothing here waits longer than one
    // heartbeat.
    let lost = opens_and_posts(trial, 1);
    let returning = opens_and_posts(trial, 2);
    let mut staying = opens_and_posts(trial, 3);
    staying.beat();
    let (_, at) = lost.lose();
    let (token, _) = returning.lose();
    let mut returned = trial.customer_with(2, token);
    assert_eq!(returned.ready(), Ok(true), "they return in time");
    returned.beat();
    let told = trial.first(1, WINDOW + LATENESS, &gone).expect("the drop is told");
    let after = told.at.since(at);
    // Node's timers count in whole milliseconds, and may fire one too early.
    let slack = Duration::from_millis(2);
    assert!(after + slack >= WINDOW, "told too early, after {after:?}");
    assert!(after <= WINDOW + LATENESS, "told too late, after {after:?}");
    let wrong = within(&trial.told, Duration::from_millis(500), |told| told.news == News::Gone);
    assert_eq!(wrong, None, "nobody else is gone");
    drop(staying);
    notices_silence(trial, News::Gone, WINDOW);
}

/// A customer who says nothing and answers nothing is noticed, but not before a heartbeat is
/// missed.
fn notices_silence(trial: &Trial, news: News, grace: Duration) {
    let silent = opens_and_posts(trial, 4);
    let from = clock::now();
    let told = trial.first(4, SILENCE, &[news]).expect("silence is noticed");
    let after = told.at.since(from);
    assert!(after >= HEARTBEAT / 2 + grace, "noticed too early, after {after:?}");
    drop(silent);
}

impl Trial {
    fn customer_with(&self, number: u32, token: Option<Box<str>>) -> Customer {
        let dialect = speak(&self.running.dialect()).expect("its dialect is known");
        Customer::return_with(self.running.address(), dialect, number, token)
    }
}

#[test]
fn mosquitto_holds_for_the_window() {
    if let Some(trial) = start("mosquitto") {
        holds_for_the_window(&trial);
    }
}

#[test]
fn ejabberd_holds_for_the_window() {
    if let Some(trial) = start("ejabberd") {
        holds_for_the_window(&trial);
    }
}

#[test]
fn socket_io_holds_for_the_window() {
    if let Some(trial) = start("socket.io") {
        holds_for_the_window(&trial);
    }
}

/// A peer without a grace tells a drop at once. Nothing more can be asked of such a peer.
fn tells_a_drop_at_once(trial: &Trial, is_recovered: bool) {
    let lost = opens_and_posts(trial, 1);
    let mut staying = opens_and_posts(trial, 2);
    staying.beat();
    let (token, at) = lost.lose();
    let told = trial.first(1, LATENESS, &[News::Away]).expect("the drop is told");
    assert!(told.at.since(at) <= LATENESS, "told after {:?}", told.at.since(at));
    let mut returned = trial.customer_with(1, token);
    assert_eq!(returned.ready(), Ok(is_recovered));
    returned.beat();
    let wrong = within(&trial.told, Duration::from_millis(500), |told| told.customer == 2);
    assert_eq!(wrong, None, "nobody else is lost");
    drop(staying);
    notices_silence(trial, News::Away, Duration::ZERO);
}

#[test]
fn nats_tells_a_drop_at_once() {
    if let Some(trial) = start("nats") {
        tells_a_drop_at_once(&trial, false);
    }
}

#[test]
fn centrifugo_tells_a_drop_at_once_and_recovers() {
    if let Some(trial) = start("centrifugo") {
        tells_a_drop_at_once(&trial, true);
    }
}

/// When very many customers are lost at once, each loss is told, and told once.
#[test]
fn centrifugo_tells_of_everybody_at_a_mass_drop() {
    const ALL: u32 = 500;
    // These customers read nothing, so the server must not ask them for signs of life.
    let demands = Demands { customers: ALL, heartbeat: Duration::from_secs(60), ..demands() };
    let Some(trial) = start_for("centrifugo", &demands) else { return };
    let mut everybody: Vec<_> = (0..ALL).map(|number| trial.customer(number)).collect();
    for customer in &mut everybody {
        assert_eq!(customer.ready(), Ok(false));
    }
    let tokens: Vec<_> = everybody.into_iter().map(|customer| customer.lose().0).collect();
    let mut away = BTreeSet::new();
    while away.len() < ALL as usize {
        let told = within(&trial.told, SILENCE, |told| told.news == News::Away);
        let told = told.expect("everybody's drop is told");
        assert!(away.insert(told.customer), "{} is told of twice", told.customer);
    }
    for (number, token) in (0..).zip(tokens) {
        assert_eq!(trial.customer_with(number, token).ready(), Ok(true), "{number} recovers");
    }
}

/// A folder of programs that say these versions, as a machine may happen to have them.
fn machine_with(programs: &[(&str, &str)]) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    for (name, says) in programs {
        let program = folder.path().join(name);
        std::fs::write(&program, format!("#!/bin/sh\necho '{says}'\n")).expect("it is written");
        let may_run = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, may_run).expect("it may run");
    }
    folder
}

#[test]
fn an_older_program_of_the_machine_is_not_taken_for_what_is_needed() {
    let machine = machine_with(&[
        ("nats-server", "nats-server: v2.9.10"),
        ("mosquitto", "mosquitto version 1.6.12"),
        ("centrifugo", "Centrifugo v5.4.9 (Go version: go1.23)"),
        ("node", "v12.22.12"),
    ]);
    let run = |name: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_holdline-load"))
            .args(["run", "idle", "--target", name])
            .env("PATH", machine.path())
            .env("HOLDLINE_PEERS", machine.path())
            .output()
            .expect("the load tester runs");
        assert_eq!(output.status.code(), Some(2), "{name}: it is refused before anything starts");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for (name, told) in [
        ("nats", "nats-server 2.9.10 is older than 2.10"),
        ("mosquitto", "mosquitto 1.6.12 is older than 2.0"),
        ("centrifugo", "centrifugo 5.4.9 is older than 6.0"),
        ("socket.io", "node 12.22.12 is older than 18.0"),
    ] {
        let complaint = run(name);
        assert!(complaint.contains(told), "{name}: {complaint}");
        assert!(complaint.contains(&format!("load/peers/install {name}")), "{complaint}");
    }
}

#[test]
fn every_peer_says_what_it_promises_and_has_a_name_of_its_own() {
    let peers = peer::all();
    for (place, target) in peers.iter().enumerate() {
        assert!(peers[place + 1..].iter().all(|other| other.name() != target.name()));
        assert!(target.promise(&demands()).is_none_or(|promise| promise.len() > 10));
        assert!(peer::named(target.name()).is_some());
    }
    assert!(peer::named("nobody").is_none());
}
