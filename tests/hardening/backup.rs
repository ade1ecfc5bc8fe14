//! Copies of a server that runs, under load, and what is made of them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use crate::files;
use crate::program::{self, Program};
use crate::read_only::behind;

fn done(output: &std::process::Output) -> String {
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complained}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refused(output: &std::process::Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

async fn backed_up(data: &Path, arguments: &[&str]) -> std::process::Output {
    let command = behind(data, arguments);
    tokio::task::spawn_blocking(move || program::run(command)).await.unwrap()
}

/// What is acknowledged here is a setting: it goes the way of every message, through the writer
/// and its sync, and can be asked for by its name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_holds_whatever_was_acknowledged_before() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let server = Program::start(&data, "--demo");
    let (acknowledged, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let load = tokio::spawn({
        let (admin, acknowledged, stop) =
            (server.admin.clone(), acknowledged.clone(), stop.clone());
        async move {
            while !stop.load(Ordering::Relaxed) {
                let number = acknowledged.load(Ordering::Relaxed);
                admin.put(&format!("/v1/agents/a-{number}"), json!({ "units": 3 })).await.ok();
                acknowledged.store(number + 1, Ordering::Relaxed);
            }
        }
    });
    let mut copies = Vec::new();
    for number in 0..3 {
        while acknowledged.load(Ordering::Relaxed) < 50 * (number + 1) {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        let copy = dir.path().join(format!("copy-{number}"));
        let before = acknowledged.load(Ordering::Relaxed);
        let said = done(&backed_up(&data, &["backup", copy.to_str().unwrap()]).await);
        assert!(said.contains(" events of ") && said.contains("up to position "), "{said}");
        assert!(said.contains(" bytes, ") && said.trim_end().ends_with(" s"), "{said}");
        copies.push((copy, before));
    }
    stop.store(true, Ordering::Relaxed);
    load.await.unwrap();
    let greeting = server.greeting.clone();
    server.kill();
    for (copy, before) in copies {
        assert!(before >= 50);
        let restored = dir.path().join("restored");
        let said = done(&backed_up(&restored, &["restore", copy.to_str().unwrap()]).await);
        assert!(said.contains("up to position "), "{said}");
        done(&backed_up(&restored, &["check"]).await);
        let server = Program::start(&restored, "--demo");
        for number in 0..before {
            let path = format!("/v1/agents/a-{number}");
            assert_eq!(server.admin.get(&path).await.ok()["units"], 3);
        }
        // The demo's tokens are in the greeting: whoever had one still has it.
        let tokens = |text: &str| {
            let words = text.split(|c: char| !(c.is_alphanumeric() || "_-".contains(c)));
            words.filter(|word| word.starts_with("hlt_")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(!tokens(&greeting).is_empty());
        assert_eq!(tokens(&server.greeting), tokens(&greeting));
        server.kill();
        std::fs::remove_dir_all(&restored).unwrap();
    }
}

#[test]
fn a_backup_replaces_nothing_unless_it_is_forced() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let known = files::furnish(&data, 6);
    let copy = dir.path().join("copy");
    let copy_name = copy.to_str().unwrap();
    std::fs::write(&copy, "something dear").unwrap();
    let said = refused(&program::run(behind(&data, &["backup", copy_name])));
    assert!(said.contains("is there already") && said.contains("--force"), "{said}");
    assert_eq!(std::fs::read(&copy).unwrap(), b"something dear");
    done(&program::run(behind(&data, &["backup", copy_name, "--force"])));
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else may read it");
    let beside: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(beside.len(), 2, "nothing else is left: {beside:?}");

    let restored = dir.path().join("restored");
    done(&program::run(behind(&restored, &["restore", copy_name])));
    let (journal, recovered) = files::open(&restored).unwrap();
    known.assert_recovered(&recovered);
    known.assert_all_there(&journal);
}

#[test]
fn nothing_is_restored_over_anything_nor_from_what_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    files::furnish(&data, 6);
    let copy = dir.path().join("copy");
    let copy_name = copy.to_str().unwrap();
    done(&program::run(behind(&data, &["backup", copy_name])));

    let before = files::contents(&data);
    let said = refused(&program::run(behind(&data, &["restore", copy_name])));
    assert!(said.contains("is not empty"), "{said}");
    assert!(files::contents(&data) == before);

    let mut bytes = std::fs::read(&copy).unwrap();
    let place = files::find(&bytes, b"Is anybody there");
    bytes[place] ^= 0x04;
    std::fs::write(&copy, &bytes).unwrap();
    let empty = dir.path().join("empty");
    let said = refused(&program::run(behind(&empty, &["restore", copy_name])));
    assert!(said.contains("copy is damaged") && said.contains("checksum"), "{said}");
    assert!(!empty.exists(), "nothing was made");
    let said = refused(&program::run(behind(&empty, &["restore", "/nowhere/copy"])));
    assert!(said.contains("/nowhere/copy is not there"), "{said}");
    std::fs::write(&copy, "dear diary").unwrap();
    refused(&program::run(behind(&empty, &["restore", copy_name])));
    let said = refused(&program::run(behind(&empty, &["backup", "/tmp/never-made"])));
    assert!(said.contains("journal.db is not there"), "{said}");
    assert!(!empty.exists(), "nothing was made");
}

#[test]
fn what_a_killed_restoring_left_is_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let known = files::furnish(&data, 6);
    let copy = dir.path().join("copy");
    done(&program::run(behind(&data, &["backup", copy.to_str().unwrap()])));
    let restored = dir.path().join("restored");
    std::fs::create_dir(&restored).unwrap();
    std::fs::write(restored.join("lock"), "").unwrap();
    std::fs::write(restored.join("journal.db.partial"), "half of it").unwrap();
    done(&program::run(behind(&restored, &["restore", copy.to_str().unwrap()])));
    let (_journal, recovered) = files::open(&restored).unwrap();
    known.assert_recovered(&recovered);
    assert!(!restored.join("journal.db.partial").exists());
}
