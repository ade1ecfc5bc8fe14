//! Single bits flipped at random places of every file. Whatever can still be read is what was
//! written, and every other loss is told. Nothing is ever lost in silence.

use std::path::Path;

use holdline::journal::sqlite::check::check;

use crate::files::{self, Known};

/// How many bits are flipped in each file. Each flip costs one start of a journal.
const FLIPS: u64 = 60;

/// A simple generator of places. A failure names its place, and the same seed gives this place
/// again.
fn place(seed: u64, bound: usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let bound = bound as u64;
    usize::try_from((state ^ (state >> 31)) % bound).expect("it is below the bound")
}

#[test]
fn no_flipped_bit_loses_anything_in_silence() {
    let source = tempfile::tempdir().unwrap();
    let (journal, _) = files::open(source.path()).unwrap();
    let known = files::write(&journal, 30);
    let with_logs = files::contents(source.path());
    drop(journal);
    let at_rest = files::contents(source.path());

    let (mut refused, mut fine) = (0, 0);
    let trials = [
        (&at_rest, "journal.db"),
        (&at_rest, "chats.db"),
        (&with_logs, "journal.db-wal"),
        (&with_logs, "chats.db-wal"),
    ];
    for (files, name) in trials {
        for seed in 0..FLIPS {
            let mut files = files.clone();
            let bytes = files.get_mut(Path::new(name)).unwrap();
            let offset = place(seed, bytes.len());
            bytes[offset] ^= 1 << (seed % 8);
            let shown = format!("{name}, byte {offset}, bit {}", seed % 8);
            let dir = files::lay_out(&files);
            let is_noticed = check(dir.path()).unwrap().problems.count > 0;
            let Ok((journal, recovered)) = files::open(dir.path()) else {
                refused += 1;
                continue;
            };
            fine += 1;
            let is_right = known.is_recovered(&recovered) && known.is_whole_or_told(&journal);
            // A flipped key of chats.db hides a row from every search for it. A start does not read
            // everything, so only a check finds this.
            assert!(is_right || (name == "chats.db" && is_noticed), "{shown} is lost in silence");
        }
    }
    assert!(refused > 0 && fine > 0, "both happen: {refused} refused, {fine} fine");
}

#[test]
fn every_flipped_bit_of_a_journal_is_found_or_harms_nothing() {
    // Shared rows take less room, so it takes more chats to fill pages. In a page that is not full
    // few bytes mean anything.
    let furnished: [(fn(&Path, u128) -> Known, u128); 2] =
        [(files::furnish, 30), (files::furnish_together, 150)];
    for (furnish, count) in furnished {
        let source = tempfile::tempdir().unwrap();
        let known = furnish(source.path(), count);
        let mut whole = files::contents(source.path());
        whole.remove(Path::new("chats.db"));
        let mut found = 0;
        for seed in 0..2 * FLIPS {
            let mut files = whole.clone();
            let bytes = files.get_mut(Path::new("journal.db")).unwrap();
            let offset = place(seed + 1_000, bytes.len());
            bytes[offset] ^= 1 << (seed % 8);
            let dir = files::lay_out(&files);
            if check(dir.path()).unwrap().problems.count > 0 {
                found += 1;
                continue;
            }
            let shown = format!("byte {offset}, bit {}", seed % 8);
            let (journal, recovered) = files::open(dir.path()).expect("the check found nothing");
            assert_eq!(recovered.conversations.len(), known.live().len(), "{shown}");
            known.assert_all_there(&journal);
        }
        assert!(found > FLIPS, "most bytes mean something: {found}");
    }
}
