//! `holdline check`: reads a whole data directory and tells everything that is wrong with it.

use crate::commands::{CommandFault, tell};
use crate::config::DataFlags;
use crate::journal::sqlite::checking::{self, Checked};
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
    let Checked { journal, archive, is_in_use, problems } = checking::check(&dir)?;
    for problem in &problems.told {
        tell(&problem.to_string())?;
    }
    tell(&format!(
        "journal.db: {} events of {} conversations, up to position {} at {}",
        journal.events,
        journal.conversations,
        journal.head.0,
        rfc3339(journal.latest)
    ))?;
    if let Some(archive) = archive {
        let (events, conversations) = (archive.events, archive.conversations);
        tell(&format!("archive.db: {events} events of {conversations} conversations"))?;
    }
    if journal.without_checksum > 0 {
        let count = journal.without_checksum;
        tell(&format!("{count} events are from before there were checksums"))?;
    }
    if is_in_use {
        tell("a server is using the directory: its write-ahead logs were not checked")?;
    }
    match problems.count {
        0 => Ok(()),
        count => Err(CommandFault::Problems { count, dir }),
    }
}
