//! How many pages of `journal.db` are kept in memory.

use rusqlite::Connection;

use crate::limits;

/// The page cache of the writer's connection: small, except while large groups are written.
///
/// SQLite keeps the pages that a transaction has changed, however many there are. But when they
/// alone fill the cache it drops every other page as soon as it is released, and the root of the
/// table is then read anew from the log for each row: three times in four, in a group of 4,000.
#[derive(Debug, Default)]
pub(super) struct Cache {
    is_large: bool,
}

impl Cache {
    /// Makes sure that a group of so many appends fits, and gives the room back after small ones.
    pub(super) fn make_room_for(&mut self, appends: usize, connection: &Connection) {
        let is_large = match appends {
            0..limits::SMALL_GROUP_APPENDS => false,
            limits::SMALL_GROUP_APPENDS..limits::LARGE_GROUP_APPENDS => self.is_large,
            limits::LARGE_GROUP_APPENDS.. => true,
        };
        if is_large == self.is_large {
            return;
        }
        let kib = if is_large { limits::SPILLED_BEYOND_KIB } else { limits::JOURNAL_CACHE_KIB };
        // A cache of another size is only slower, or larger.
        if connection.pragma_update(None, "cache_size", -kib).is_ok() {
            self.is_large = is_large;
        }
    }
}
