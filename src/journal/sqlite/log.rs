//! Looks for damage in a write-ahead log before SQLite opens it, because SQLite takes whatever
//! follows a broken frame for something that was never written, and drops it without a word.
//!
//! A crash may leave the last transaction of a log in pieces. But each transaction is synced before
//! the next is written, so a broken one that has another behind it was whole once.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// What both forms of the log begin with, apart from the last bit, which gives the byte order of
/// the checksums.
const MAGIC: u32 = 0x377f_0682;

/// What is wrong with a log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct BrokenLog {
    /// The log.
    pub(super) file: PathBuf,
    /// The place of the first byte of what is broken.
    pub(super) offset: u64,
}

/// A running checksum of SQLite's.
#[derive(Clone, Copy)]
struct Checksum {
    sums: (u32, u32),
    is_big_endian: bool,
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let word = |bytes: &[u8]| {
            let mut four = [0; 4];
            four.copy_from_slice(bytes);
            if self.is_big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
        };
        let (mut first, mut second) = self.sums;
        for pair in bytes.chunks_exact(8) {
            first = first.wrapping_add(word(&pair[..4])).wrapping_add(second);
            second = second.wrapping_add(word(&pair[4..])).wrapping_add(first);
        }
        self.sums = (first, second);
    }

    fn is(&self, stored: &[u8]) -> bool {
        self.sums == (number(stored, 0), number(stored, 4))
    }
}

/// Looks at the log of this database. Nothing is found where there is none.
pub(super) fn look_at(database: &Path) -> io::Result<Option<BrokenLog>> {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    let file = PathBuf::from(name);
    let opened = match File::open(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let broken = broken_at(&mut BufReader::with_capacity(1 << 20, opened))?;
    Ok(broken.map(|offset| BrokenLog { file, offset }))
}

fn broken_at(log: &mut impl Read) -> io::Result<Option<u64>> {
    let mut header = [0; HEADER_BYTES];
    // A log that was never begun, or that a power failure kept from the disk.
    if !fill(log, &mut header)? || header == [0; HEADER_BYTES] {
        return Ok(None);
    }
    let magic = number(&header, 0);
    let mut checksum = Checksum { sums: (0, 0), is_big_endian: magic & 1 == 1 };
    checksum.add(&header[..24]);
    let page = number(&header, 8) as usize;
    let known = magic & !1 == MAGIC && (512..=65_536).contains(&page) && page.is_power_of_two();
    if !known || !checksum.is(&header[24..]) {
        // Only a header that has a frame behind it was ever synced.
        let begun = fill(log, &mut [0; FRAME_HEADER_BYTES])?;
        return Ok(begun.then_some(0));
    }
    let mut frame = vec![0; FRAME_HEADER_BYTES + page];
    let mut place = HEADER_BYTES as u64;
    // Where the first broken frame begins, and whether a transaction ends at it or behind it.
    let (mut broken, mut is_ended) = (None, false);
    while fill(log, &mut frame)? {
        let is_current = frame[8..16] == header[16..24];
        if broken.is_none() {
            checksum.add(&frame[..8]);
            checksum.add(&frame[FRAME_HEADER_BYTES..]);
            if !is_current || !checksum.is(&frame[16..24]) {
                broken = Some(place);
            }
        }
        if broken.is_some() && is_current {
            if is_ended {
                return Ok(broken);
            }
            is_ended = number(&frame, 4) != 0;
        }
        place += frame.len() as u64;
    }
    Ok(None)
}

/// Fills all of `bytes`; returns false when there is not enough left.
fn fill(log: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match log.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The big-endian number at this place.
fn number(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(four)
}
