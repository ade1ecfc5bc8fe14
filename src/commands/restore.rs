//! `holdline restore`: a data directory from a backup.

use std::path::PathBuf;

use crate::access;
use crate::clock::{self, Stopwatch};
use crate::commands::fault::CommandFault;
use crate::commands::output::tell_copied;
use crate::config::DataFlags;
use crate::journal::sqlite::copy;

/// Makes a data directory from a backup
///
/// The backup is checked first. The data directory must be empty, or not be there yet; nothing is
/// ever overwritten.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file that `holdline backup` has made
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    data: DataFlags,
}

/// Makes the data directory, and tells what is in it.
pub(super) fn run(args: &Args) -> Result<(), CommandFault> {
    let stopwatch = Stopwatch::start();
    let dir = args.data.directory()?;
    let restored = copy::restore(&args.file, &dir, &access::FILES, clock::wall())?;
    tell_copied(&dir, &restored, stopwatch.time())
}
