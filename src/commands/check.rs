//! `holdline check`: reads a whole data directory and tells everything that is wrong with it.

use crate::commands::fault::CommandFault;
use crate::commands::output::{counted, tell};
use crate::config::DataFlags;
use crate::domain::text::printable;
use crate::journal::sqlite::audit::AuditContents;
use crate::journal::sqlite::check::{self, Checked};
use crate::wire::time::rfc3339;

/// Reads a whole data directory and tells everything that is wrong with it
///
/// It reads every record, verifies the files' structure, the checksums and the places of the
/// events, and replays every chat. It changes nothing, and may run beside a server. It fails when
/// anything is wrong.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: DataFlags,
}

/// Checks it, and tells each problem with its place.
pub(super) fn run(args: &Args) -> Result<(), CommandFault> {
    let dir = args.data.directory()?;
    let Checked { journal, audit, archive, is_in_use, problems } = check::check(&dir)?;
    for problem in &problems.told {
        tell(&printable(&problem.to_string()))?;
    }
    tell(&format!(
        "journal.db: {} of {}, up to position {} at {}",
        counted(journal.events, "event"),
        counted(journal.conversations, "chat"),
        journal.head.0,
        rfc3339(journal.latest)
    ))?;
    let (mut events, mut chats) = (journal.events, journal.conversations);
    if let Some(archive) = archive {
        events += archive.events;
        chats += archive.conversations;
        let (events, chats) = (archive.events, archive.conversations);
        let told = format!("{} of {}", counted(events, "event"), counted(chats, "chat"));
        tell(&format!("archive.db: {told}"))?;
    }
    if audit.entries > 0 {
        let AuditContents { entries, last, hash } = audit;
        tell(&format!("audit stream: up to number {last} with the hash {hash}, {entries} kept"))?;
    }
    if journal.without_checksum > 0 {
        let (count, verb) = match journal.without_checksum {
            1 => (1, "is"),
            count => (count, "are"),
        };
        let told = counted(count, "event");
        tell(&format!("{told} {verb} from before there were checksums"))?;
    }
    if is_in_use {
        tell("a server is using the directory: its write-ahead logs were not checked")?;
    }
    match problems.count {
        0 => {
            let (events, chats) = (counted(events, "event"), counted(chats, "chat"));
            tell(&format!("nothing is wrong: {events}, {chats}"))
        }
        count => Err(CommandFault::Problems { count, dir }),
    }
}
