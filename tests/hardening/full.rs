//! A disk without room: what was confirmed stays, and each refusal is told. When there is room
//! again, everything goes on by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use holdline::domain::conversation::event::Author;
use holdline::journal::Log as _;
use holdline::journal::sqlite::SqliteJournal;
use serde_json::json;

use crate::files::{self, Known};
use crate::mounts::{Disk, in_namespace, mount, provoked};
use crate::program::{self, Program};
use crate::support::{Chat, Ledger, block};

const PATIENCE: Duration = Duration::from_secs(60);

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Posts until a post is refused. Afterwards the chat is what the disk has of it.
fn post_until_refused(journal: &SqliteJournal, ledger: &Ledger, chat: &mut Chat) -> usize {
    let text = "x".repeat(5_000);
    for posts in 0..2_000 {
        let durable = chat.clone();
        let failures = ledger.failures(chat.id());
        journal.append(chat.post(Author::Customer, &text).append());
        // The flush may fail because the chat cannot be read; here only the writing counts.
        drop(block(journal.flush()));
        if ledger.failures(chat.id()) > failures {
            *chat = durable;
            return posts;
        }
    }
    panic!("the disk was never full");
}

#[test]
fn a_full_disk_refuses_and_goes_on_by_itself() {
    in_namespace("full::a_full_disk_refuses_and_goes_on_by_itself", || {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path(), "small", 2_048);
        let ledger = Arc::new(Ledger::default());
        let (journal, _) = SqliteJournal::open(&disk.path, ledger.clone()).unwrap();
        let mut chat = Chat::new(1, "q", 1_000);
        journal.append(chat.start().append());
        block(journal.flush()).unwrap();
        for round in 0..3 {
            disk.fill();
            let posts = post_until_refused(&journal, &ledger, &mut chat);
            provoked(&format!("the disk was full after {posts} posts"));
            assert!(!journal.is_writable(), "people are told at once");
            // Each further post is refused as a whole; no part of it is taken.
            for _ in 0..5 {
                post_until_refused(&journal, &ledger, &mut chat);
            }
            disk.empty();
            wait_until("it can write again", || journal.is_writable());
            let failures = ledger.failures(chat.id());
            let text = format!("there is room again, {round}");
            journal.append(chat.post(Author::Customer, &text).append());
            block(journal.flush()).expect("it is written and can be read");
            assert_eq!(ledger.failures(chat.id()), failures);
        }
        drop(journal);
        let known = Known { chats: vec![chat] };
        let (journal, recovered) = files::open(&disk.path).unwrap();
        known.assert_recovered(&recovered);
        known.assert_all_there(&journal);
    });
}

#[test]
fn a_disk_that_is_full_at_the_start_is_told() {
    in_namespace("full::a_disk_that_is_full_at_the_start_is_told", || {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path(), "small", 4_096);
        disk.fill();
        let fault = files::open(&disk.path).expect_err("there is no room for a journal");
        provoked(&fault.to_string());
        assert!(fault.to_string().contains("full"), "{fault}");
        assert!(fault.to_string().contains(".db"), "it names the file: {fault}");
        disk.empty();
        // The journal that could not be made before is made now.
        let known = files::furnish(&disk.path, 6);

        disk.fill();
        match files::open(&disk.path) {
            Ok((journal, recovered)) => {
                known.assert_recovered(&recovered);
                known.assert_all_there(&journal);
            }
            Err(fault) => assert!(fault.to_string().contains("full"), "{fault}"),
        }
        disk.empty();
        let (journal, recovered) = files::open(&disk.path).unwrap();
        known.assert_recovered(&recovered);
        known.assert_all_there(&journal);
    });
}

#[test]
fn a_projection_without_room_holds_up_readers_alone() {
    in_namespace("full::a_projection_without_room_holds_up_readers_alone", || {
        let dir = tempfile::tempdir().unwrap();
        let (roomy, disk) = (dir.path().join("roomy"), Disk::new(dir.path(), "small", 1_024));
        std::fs::create_dir(&roomy).unwrap();
        // The journal and its log are mounted from a file system that has room.
        for name in ["journal.db", "journal.db-wal"] {
            let (elsewhere, here) = (roomy.join(name), disk.path.join(name));
            std::fs::write(&elsewhere, "").unwrap();
            std::fs::write(&here, "").unwrap();
            mount(&["--bind", elsewhere.to_str().unwrap(), here.to_str().unwrap()]);
        }
        let ledger = Arc::new(Ledger::default());
        let (journal, _) = SqliteJournal::open(&disk.path, ledger.clone()).unwrap();
        let mut chat = Chat::new(1, "q", 1_000);
        journal.append(chat.start().append());
        block(journal.flush()).unwrap();
        disk.fill();
        let text = "x".repeat(5_000);
        let mut unread = None;
        for _ in 0..200 {
            journal.append(chat.post(Author::Customer, &text).append());
            ledger.wait_for(chat.id(), chat.whole.seq());
            unread = block(journal.flush()).err();
            if unread.is_some() {
                break;
            }
        }
        let unread = unread.expect("chats.db ran out of room");
        provoked(&unread.to_string());
        assert!(unread.to_string().contains("full"), "{unread}");
        assert!(journal.is_writable(), "the journal has room");
        assert!(journal.lag() > 0, "how far reading is behind can be seen");
        for _ in 0..20 {
            journal.append(chat.post(Author::Customer, "written all the same").append());
        }
        ledger.wait_for(chat.id(), chat.whole.seq());
        assert_eq!(ledger.failures(chat.id()), 0);
        disk.empty();
        wait_until("it can be read again", || block(journal.flush()).is_ok());
        assert_eq!(journal.lag(), 0);
        Known { chats: vec![chat] }.assert_all_there(&journal);
    });
}

#[test]
fn a_server_on_a_full_disk_says_so_and_recovers() {
    in_namespace("full::a_server_on_a_full_disk_says_so_and_recovers", || {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path(), "small", 4_096);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let program = Program::start(&disk.path, "--no-demo");
            let put = async |number: u32| {
                let names: Vec<_> =
                    (0..100).map(|agent| format!("agent-{number}-{agent}")).collect();
                for name in names.iter().take(2) {
                    let answer = program.admin.put(&format!("/v1/agents/{name}"), json!({})).await;
                    if answer.status != 200 && answer.status != 201 {
                        return answer.status;
                    }
                }
                200
            };
            assert_eq!(put(0).await, 200);
            disk.fill();
            let mut confirmed = 0;
            let status = loop {
                match put(confirmed + 1).await {
                    200 => confirmed += 1,
                    status => break status,
                }
                assert!(confirmed < 5_000, "the disk was never full");
            };
            provoked(&format!("refused with {status} after {confirmed}"));
            assert_eq!(status, 503);
            assert_eq!(program.admin.get("/readyz").await.status, 503);
            disk.empty();
            let start = Instant::now();
            while program.admin.get("/readyz").await.status != 200 {
                assert!(start.elapsed() < PATIENCE, "it does not go on by itself");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert_eq!(put(9_999).await, 200);
            program.kill();
            let program = Program::start(&disk.path, "--no-demo");
            for number in (0..=confirmed).chain([9_999]) {
                let path = format!("/v1/agents/agent-{number}-1");
                assert_eq!(program.admin.get(&path).await.status, 200, "{path} was confirmed");
            }
        });
    });
}

#[test]
fn a_server_that_finds_a_full_disk_ends_with_one_sentence() {
    in_namespace("full::a_server_that_finds_a_full_disk_ends_with_one_sentence", || {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path(), "small", 1_024);
        disk.fill();
        let mut command = program::command(&disk.path);
        command.args(["--listen", "127.0.0.1:0", "--log", "error"]);
        let output = program::run(command);
        let said = String::from_utf8(output.stderr).unwrap();
        provoked(&said);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("holdline: ") && said.contains("full"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    });
}
