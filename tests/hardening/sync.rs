//! A disk that takes what is written and then fails to sync it.

use std::fs::File;
use std::process::Command;
use std::sync::Arc;

use holdline::domain::conversation::event::Author;
use holdline::journal::Log as _;
use holdline::journal::sqlite::SqliteJournal;

use crate::files;
use crate::mounts::{Disk, in_namespace, mount, provoked};
use crate::support::{Chat, Ledger, block};

/// The data is on a file system in a sparse file, on a disk that has no room for the whole file.
/// Writing works, because it goes into memory; syncing fails with an error of the device.
#[test]
fn a_failed_sync_is_told_and_ends_writing_until_the_next_start() {
    in_namespace("sync::a_failed_sync_is_told_and_ends_writing_until_the_next_start", || {
        let dir = tempfile::tempdir().unwrap();
        let below = Disk::new(dir.path(), "below", 8_192);
        let image = below.path.join("image");
        File::create(&image).unwrap().set_len(64 << 20).unwrap();
        let made = Command::new("mkfs.ext2").arg("-q").arg(&image).status().unwrap();
        assert!(made.success(), "mkfs.ext2 (of e2fsprogs) works");
        let above = dir.path().join("above");
        std::fs::create_dir(&above).unwrap();
        mount(&["-o", "loop,errors=continue", image.to_str().unwrap(), above.to_str().unwrap()]);
        let data = above.join("data");

        let ledger = Arc::new(Ledger::default());
        let (journal, _) = SqliteJournal::open(&data, ledger.clone()).unwrap();
        let mut chat = Chat::new(1, "q", 1_000);
        journal.append(chat.start().append());
        block(journal.flush()).unwrap();
        below.fill();
        let text = "x".repeat(5_000);
        let mut confirmed = chat.clone();
        for _ in 0..4_000 {
            journal.append(chat.post(Author::Customer, &text).append());
            drop(block(journal.flush()));
            if ledger.failures(chat.id()) > 0 {
                break;
            }
            confirmed = chat.clone();
        }
        assert_eq!(ledger.failures(chat.id()), 1, "a sync fails at last");
        provoked(&format!("a sync failed after {} events", confirmed.history.len()));
        assert!(!journal.is_writable());
        // New room does not help, because nobody knows what the disk holds.
        below.empty();
        let mut again = confirmed.clone();
        journal.append(again.post(Author::Customer, "still refused").append());
        drop(block(journal.flush()));
        assert_eq!(ledger.failures(chat.id()), 2);
        assert!(!journal.is_writable());
        drop(journal);
        // The next start finds everything that was confirmed; it may also find what was refused.
        let (journal, _) = files::open(&data).unwrap();
        let found = files::history(&journal, chat.id()).unwrap();
        assert!(found.starts_with(&confirmed.history), "what was confirmed is there");
    });
}
