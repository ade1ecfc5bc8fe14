//! The unused part of a page, as SQLite's file format has it.

use std::ops::Range;

/// From this many pages on the first byte of a page does not tell a page of a tree from one that
/// continues a long row: the latter begins with the number of the next page.
pub(super) const TOLD_APART_BELOW: u32 = 2 << 24;

/// Bytes of the header of a file, with which its first page begins.
const FILE_HEADER: usize = 100;

/// The room of a page of a tree between its pointers and its content. Nobody reads it, and rows
/// that were moved elsewhere leave copies there. Nothing for a page that is not of a tree.
pub(super) fn spare(number: u32, page: &[u8]) -> Option<Range<usize>> {
    let header = if number == 1 { FILE_HEADER } else { 0 };
    let pointers = match page.get(header)? {
        // Inner pages of an index and of a table, which have the number of a child as well.
        2 | 5 => header + 12,
        10 | 13 => header + 8,
        _ => return None,
    };
    let number_at = |at: usize| {
        let bytes = page.get(at..)?.first_chunk::<2>()?;
        Some(usize::from(u16::from_be_bytes(*bytes)))
    };
    let begin = pointers + 2 * number_at(header + 3)?;
    let end = match number_at(header + 5)? {
        0 => 65_536,
        content => content,
    };
    (begin <= end && end <= page.len()).then_some(begin..end)
}
