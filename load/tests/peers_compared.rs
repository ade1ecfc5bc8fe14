//! The comparison as a command, on the targets that need nothing installed.

use std::process::Command;

use holdline_load::report::figures::Comparison;

fn compare(arguments: &[&str]) -> (Comparison, String) {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("figures.json");
    let output = Command::new(env!("CARGO_BIN_EXE_holdline-load"))
        .args(["compare", "--quiet", "--pin", "none", "--rounds", "2", "--json"])
        .arg(&json)
        .args(["--server", "/nowhere/holdline", "--sessions", "120"])
        .args(arguments)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{wrong}");
    (serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap(), printed)
}

fn values(comparison: &Comparison, target: usize, measure: &str) -> Vec<f64> {
    let measures = &comparison.targets[target].measures;
    let measure = measures.iter().find(|one| one.name == measure).expect("it is measured");
    measure.values.clone()
}

#[test]
fn each_round_has_its_figures_and_who_is_absent_says_so() {
    let arguments = ["--targets", "holdline,floor", "--seconds", "1", "--lateness", "60000"];
    let (comparison, printed) = compare(&arguments);
    assert!(comparison.targets[0].absent.as_deref().is_some_and(|why| why.contains("/nowhere")));
    assert!(comparison.targets[0].runs.is_empty());
    let floor = &comparison.targets[1];
    assert_eq!(floor.runs.len(), 4, "two rounds of two works: {:?}", floor.complaints);
    for measure in ["processor time of a heartbeat", "resident memory of a chat", "connects"] {
        let values = values(&comparison, 1, measure);
        assert_eq!(values.len(), 2, "{measure}: {:?}", floor.complaints);
    }
    let beats = values(&comparison, 1, "processor time of a heartbeat");
    assert!(beats.iter().all(|us| (0.5..5_000.0).contains(us)), "{beats:?}");
    assert!(values(&comparison, 1, "return, p99").is_empty());
    assert!(printed.contains("N/A: the floor remembers nobody"), "{printed}");
    assert!(printed.contains("not here: /nowhere/holdline"), "{printed}");
}

#[test]
fn posts_are_counted_up_to_the_pace() {
    let arguments = ["--posts", "--targets", "floor", "--seconds", "2", "--pace", "10"];
    let (comparison, _) = compare(&arguments);
    let rates = values(&comparison, 0, "posts acknowledged");
    // 120 customers post 10 times a second each; a post that is due at the very end may not come
    // any more.
    assert!(rates.iter().all(|rate| (900.0..=1_230.0).contains(rate)), "{rates:?}");
    assert!(comparison.targets[0].complaints.is_empty());
}
