//! What becomes of the data when the world is hostile: a full or read-only disk, a disk that fails
//! to sync, flipped bytes, files that a newer release wrote, files that belong to others or are
//! open to them, and a second server. Copies and retention are tried here, too.
//!
//! Every condition is real. The tests that need a mount run in a mount namespace of their own.

#![allow(dead_code, reason = "the chats and the console are shared with other trials")]

#[path = "../server/console.rs"]
mod console;
#[path = "../server/feed.rs"]
mod feed;
#[path = "../process/program.rs"]
mod program;
#[path = "../journal/support.rs"]
mod support;
#[path = "../server/widget.rs"]
mod widget;

mod backup;
mod closed;
mod damage;
mod erasing;
mod erasure;
mod files;
mod flips;
mod foreign;
mod full;
mod future;
mod mounts;
mod neighbours;
mod read_only;
mod reads;
mod retention;
mod retention_crashes;
mod served;
mod strangers;
mod sync;
mod traces;
