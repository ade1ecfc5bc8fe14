//! What is read as a workload, and what is refused by name.

use holdline_load::machine::Machine;
use holdline_load::workload::{Workload, named, names};

const LEAST: &str = r#"
    name = "least"
    sessions = 10
    duration_s = 1
    window_s = 10
    ramp = { per_s = 10 }
    heartbeat = { every_s = 5 }
    losses = [{ share = 0.5, how = "reset" }]
"#;

fn refusal(settings: &[&str]) -> String {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    let refused = Workload::parse(LEAST, &settings).expect_err("it is refused");
    format!("{refused:#}")
}

#[test]
fn every_workload_that_comes_along_is_right() {
    for name in names() {
        let text = named(name).expect("it comes along");
        let workload = Workload::parse(text, &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(workload.name, name);
        assert!(!workload.about.is_empty(), "{name} does not say what it shows");
    }
    assert_eq!(names().count(), 15);
}

#[test]
fn a_setting_goes_before_the_file() {
    let settings = ["sessions=20", "ramp.per_s=7.5", "losses.0.how=\"fin\"", "posts.per_s=3"];
    let settings = settings.map(str::to_owned);
    let workload = Workload::parse(LEAST, &settings).expect("it is right");
    assert_eq!((workload.sessions, workload.ramp.per_s), (20, 7.5));
    assert_eq!(workload.posts.per_s, 3.0);
    assert_eq!(workload.losses[0].how, holdline_load::workload::How::Fin);
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    assert!(refusal(&["sesions=20"]).contains("sesions"));
    assert!(refusal(&["ramp.per_hour=20"]).contains("per_hour"));
    assert!(refusal(&["losses.0.how=\"lightning\""]).contains("lightning"));
    assert!(refusal(&["losses.3.share=1"]).contains("losses.3"));
    assert!(refusal(&["sessions"]).contains("key=value"));
}

#[test]
fn what_is_out_of_its_range_is_refused_by_name() {
    for setting in [
        "sessions=0",
        "window_s=0.1",
        "lateness_p99_ms=0",
        "ramp.per_s=0",
        "heartbeat.every_s=0",
        "posts.per_s=-1",
        "losses.0.share=1.5",
        "losses.0.at_s=2",
        "agents.chats=0",
        "agents.grace_s=1",
    ] {
        let field = setting.split('=').next().expect("it has a name");
        let refused = refusal(&[setting]);
        assert!(refused.starts_with(field), "{setting}: {refused}");
    }
    let refused = refusal(&["storm.from_s=0.5", "storm.to_s=2"]);
    assert!(refused.starts_with("storm.to_s"), "{refused}");
    assert!(refusal(&["slow.share=0.6"]).contains("shares"));
    let refused = refusal(&["losses.0.how=\"end\"", "losses.0.back=1"]);
    assert!(refused.starts_with("losses.0.back"), "{refused}");
}

/// A machine on which each process may have 1,000 descriptors.
fn machine() -> Machine {
    Machine {
        descriptors: 1_000,
        descriptors_in_all: 100_000,
        available: 1 << 30,
        ..Machine::default()
    }
}

fn workload(settings: &[&str]) -> Workload {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    Workload::parse(LEAST, &settings).expect("it is right")
}

#[test]
fn a_plan_is_divided_by_the_descriptors_of_a_process() {
    let split = machine().split(&workload(&["sessions=1800"])).expect("it is possible");
    assert_eq!((split.servers, split.drivers), (5, 5));
    let split = machine().split(&workload(&["sessions=300"])).expect("it is possible");
    assert_eq!((split.servers, split.drivers), (1, 1));
}

#[test]
fn an_impossible_plan_is_refused_with_what_would_be_possible() {
    let refused = |settings: &[&str]| {
        let refused = machine().split(&workload(settings)).expect_err("it is impossible");
        format!("{refused:#}")
    };
    let one_server = refused(&["sessions=500", "servers=1"]);
    assert!(one_server.contains("descriptors") && one_server.contains("400 would be"));
    let one_driver = refused(&["sessions=1000", "threads=1", "servers=0"]);
    assert!(one_driver.contains("threads"), "{one_driver}");
    let all = refused(&["sessions=60000"]);
    assert!(all.contains("50000 would be"), "{all}");
    let machine = Machine { descriptors_in_all: 10_000_000, ..machine() };
    let memory = machine.split(&workload(&["sessions=1000000"])).expect_err("it is impossible");
    assert!(format!("{memory:#}").contains("MiB are available"), "{memory:#}");
}
