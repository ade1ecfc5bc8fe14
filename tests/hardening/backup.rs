//! Copies of a server that runs under load, and what is made of the copies.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use holdline::limits::FRAMES_PER_SECOND_MAX;

use crate::files;
use crate::program::{self, Program};
use crate::read_only::behind;
use crate::widget::{Introduction, Widget, mint_visitor};

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

/// How long a customer waits between two messages, so that no message is refused for coming too
/// soon.
const RATE: Duration = Duration::from_millis(1_000 / FRAMES_PER_SECOND_MAX as u64);

/// A customer who writes as fast as a customer may.
struct Customer {
    visitor: String,
    token: String,
    conversation: String,
    /// How many of the messages were acknowledged.
    acknowledged: Arc<AtomicUsize>,
    posting: tokio::task::JoinHandle<()>,
}

impl Customer {
    async fn start(address: SocketAddr, stop: Arc<AtomicBool>) -> Self {
        let visitor = mint_visitor();
        let hello = Introduction { visitor: Some(visitor.clone()), ..Introduction::default() };
        let mut widget = Widget::open(address, "demo", hello).await;
        widget.start("start", "Zoe").await;
        let (token, conversation) = (widget.token.clone(), widget.conversation.clone());
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let posting = tokio::spawn({
            let acknowledged = acknowledged.clone();
            async move {
                while !stop.load(Ordering::Relaxed) {
                    let number = acknowledged.load(Ordering::Relaxed);
                    widget.post(&format!("m-{number}"), &format!("text {number}")).await;
                    acknowledged.store(number + 1, Ordering::Relaxed);
                    // On a quick disk the answers would come faster than the customer may post.
                    tokio::time::sleep(RATE).await;
                }
            }
        });
        Self { visitor, token, conversation, acknowledged, posting }
    }

    fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Comes back to a server that was made of a backup, and finds the chat there.
    async fn assert_all_there(&self, server: &Program, acknowledged: usize) {
        let texts = server.admin.transcript(&self.conversation, "agent").await;
        let said: Vec<_> = texts.into_iter().filter(|text| text.starts_with("text ")).collect();
        assert!(said.len() >= acknowledged, "{} of {acknowledged} are there", said.len());
        for (number, text) in said.iter().enumerate() {
            assert_eq!(*text, format!("text {number}"), "in order, each once");
        }
        let hello = Introduction {
            visitor: Some(self.visitor.clone()),
            token: Some(self.token.clone()),
            ..Introduction::default()
        };
        let widget = Widget::open(server.address, "demo", hello).await;
        assert_eq!(widget.conversation, self.conversation, "their token is still good");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_holds_whatever_was_acknowledged_before() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let server = Program::start(&data, "--demo");
    let stop = Arc::new(AtomicBool::new(false));
    let mut customers = Vec::new();
    for _ in 0..8 {
        customers.push(Customer::start(server.address, stop.clone()).await);
    }
    let mut copies = Vec::new();
    for round in 0..3 {
        while customers.iter().any(|customer| customer.acknowledged() < 30 * (round + 1)) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let copy = dir.path().join(format!("copy-{round}"));
        let before: Vec<_> = customers.iter().map(Customer::acknowledged).collect();
        let said = done(&backed_up(&data, &["backup", copy.to_str().unwrap()]).await);
        assert!(said.contains(" of ") && said.contains("up to position "), "{said}");
        assert!(said.contains(" bytes, ") && said.trim_end().ends_with(" s"), "{said}");
        copies.push((copy, before));
    }
    stop.store(true, Ordering::Relaxed);
    for customer in &mut customers {
        (&mut customer.posting).await.unwrap();
    }
    let secrets = |data: &Path| std::fs::read_to_string(data.join("access.json")).unwrap();
    let kept = secrets(&data);
    server.kill();
    for (copy, before) in copies {
        let restored = dir.path().join("restored");
        let said = done(&backed_up(&restored, &["restore", copy.to_str().unwrap()]).await);
        assert!(said.contains("up to position "), "{said}");
        done(&backed_up(&restored, &["check"]).await);
        let server = Program::start(&restored, "--demo");
        for (customer, before) in customers.iter().zip(before) {
            assert!(before >= 30);
            customer.assert_all_there(&server, before).await;
        }
        // An agent who had a token of the demo still has it.
        assert!(kept.contains("hlt_"), "{kept}");
        assert_eq!(secrets(&restored), kept);
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
