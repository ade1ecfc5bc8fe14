//! The traces of what people did outlive kill -9, a backup and a restore, and the command tells
//! when somebody has tampered with them.

use std::path::Path;
use std::process::{Command, Output};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::console::Console;
use crate::program::{Program, run};

async fn noted(admin: &Console) -> Vec<Value> {
    admin.pages("/v1/audit?limit=200", "entries").await
}

/// Runs a command on a data directory.
fn ask(data: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdline"));
    command.args(words).arg("--data").arg(data);
    run(command)
}

/// What `holdline check` says, and whether all is well.
fn check(data: &Path) -> (bool, String) {
    let output = ask(data, &["check"]);
    (output.status.success(), String::from_utf8(output.stdout).expect("UTF-8"))
}

#[tokio::test]
async fn traces_outlive_a_kill_a_backup_and_a_restore_and_tampering_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let (data, restored) = (dir.path().join("data"), dir.path().join("restored"));
    [&data, &restored].into_iter().for_each(|it| std::fs::create_dir(it).expect("it is made"));
    let program = Program::start(&data, "--no-demo");
    let settings = json!({ "units": 3, "role": "supervisor" });
    program.admin.put("/v1/agents/ada", settings).await.ok();
    program.admin.put("/v1/queues/sales", json!({ "agents": ["ada"] })).await.ok();
    let before = noted(&program.admin).await;
    assert_eq!(before.len(), 2, "{before:?}");
    program.kill();

    let program = Program::start(&data, "--no-demo");
    assert_eq!(noted(&program.admin).await, before, "what was answered is there after a kill");
    program.admin.put("/v1/queues/sales", json!({ "agents": [] })).await.ok();
    let copy = dir.path().join("copy");
    let copy = copy.to_str().expect("plain letters");
    assert!(ask(&data, &["backup", copy]).status.success());
    program.kill();
    let (is_well, told) = check(&data);
    let newest = "audit stream: up to number 3 with the hash ";
    assert!(is_well && told.contains(newest), "{told}");

    assert!(ask(&restored, &["restore", copy]).status.success());
    let program = Program::start(&restored, "--no-demo");
    let after = noted(&program.admin).await;
    assert_eq!(after[0]["kind"], "restored", "{after:?}");
    assert_eq!((&after[0]["number"], &after[2..]), (&json!(4), &before[..]));
    program.kill();
    assert!(check(&restored).0);

    let journal = Connection::open(restored.join("journal.db")).expect("it opens");
    let sql = "UPDATE audit SET actor = 'bob' WHERE number = 2";
    assert_eq!(journal.execute(sql, ()), Ok(1));
    drop(journal);
    let (is_well, told) = check(&restored);
    assert!(!is_well && told.contains("audit entry 2: it is not what was written"), "{told}");

    // A backup from which somebody has removed all entries is no new beginning.
    let emptied = Connection::open(copy).expect("it opens");
    assert_eq!(emptied.execute("DELETE FROM audit", ()), Ok(3));
    drop(emptied);
    let again = dir.path().join("again");
    assert!(ask(&again, &["restore", copy]).status.success(), "the chats are as they were");
    let (is_well, told) = check(&again);
    assert!(!is_well && told.contains("audit entry 4: the entries between 0 and"), "{told}");
}
