//! Two processes at one data directory.

use std::path::Path;

use crate::files;
use crate::program::{self, Program};
use crate::read_only::behind;

fn sentence(output: &std::process::Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("holdline: "), "{said}");
    said
}

fn run(data: &Path, arguments: &[&str]) -> std::process::Output {
    program::run(behind(data, arguments))
}

#[tokio::test]
async fn a_second_server_is_refused_and_the_first_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let first = Program::start(dir.path(), "--no-demo");
    let mut second = program::command(dir.path());
    second.args(["--listen", "127.0.0.1:0", "--log", "error"]);
    let said = sentence(&program::run(second));
    assert!(said.contains("another server is using the data directory"), "{said}");
    assert_eq!(first.admin.get("/readyz").await.status, 200);
    first.admin.put("/v1/agents/ann", serde_json::json!({})).await.ok();
}

#[tokio::test]
async fn beside_a_server_one_may_back_up_and_check_but_not_restore() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let server = Program::start(&data, "--demo");
    let copy = dir.path().join("copy");
    let copied = run(&data, &["backup", copy.to_str().unwrap()]);
    assert!(copied.status.success(), "{copied:?}");
    let checked = run(&data, &["check"]);
    assert!(checked.status.success(), "{checked:?}");
    let said = sentence(&run(&data, &["restore", copy.to_str().unwrap()]));
    assert!(said.contains("another server is using"), "{said}");
    drop(server);
    // No server uses the directory now, but it is still not empty.
    let said = sentence(&run(&data, &["restore", copy.to_str().unwrap()]));
    assert!(said.contains("is not empty"), "{said}");
}

#[test]
fn a_misunderstood_command_is_told_how_it_is_used() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [&["backup"][..], &["restore"], &["backup", "a", "b"], &["mend"]] {
        let output = run(dir.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty());
    }
    for command in ["backup", "restore", "check"] {
        let help = run(dir.path(), &[command, "--help"]);
        let said = String::from_utf8(help.stdout).unwrap();
        assert!(help.status.success() && said.contains("Usage: holdline"), "{said}");
    }
}

#[test]
fn a_command_finds_the_directory_like_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    files::furnish(&data, 3);
    let file = dir.path().join("holdline.toml");
    std::fs::write(&file, format!("data = {data:?}\nlisten = \"127.0.0.1:1\"\n")).unwrap();
    let program = || std::process::Command::new(env!("CARGO_BIN_EXE_holdline"));
    let mut by_file = program();
    by_file.args(["check", "--config", file.to_str().unwrap()]).env_remove("HOLDLINE_DATA");
    let mut by_environment = program();
    by_environment.arg("check").env("HOLDLINE_DATA", &data);
    for command in [by_file, by_environment] {
        let output = program::run(command);
        assert!(output.status.success(), "{output:?}");
    }
    let mut nowhere = program();
    nowhere.args(["check", "--data"]).arg(dir.path().join("none"));
    let said = sentence(&program::run(nowhere));
    assert!(said.contains("journal.db is not there"), "{said}");
}
