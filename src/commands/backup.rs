//! `holdline backup`: one file that holds all that a server needs to start again.

use std::path::PathBuf;

use crate::access;
use crate::clock::Stopwatch;
use crate::commands::fault::CommandFault;
use crate::commands::output::tell_copied;
use crate::config::DataFlags;
use crate::journal::sqlite::copy;

/// Copies everything that a server needs to start again into one file
///
/// It may run beside a server, which does not wait for it. The file is there only once it is
/// whole, checked and on the disk. It holds what customers wrote and the keys that let them
/// return, so keep it as safe as the data directory. What was archived is not in it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to make
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    data: DataFlags,
}

/// Makes the backup, and tells what is in it.
pub(super) fn run(args: &Args) -> Result<(), CommandFault> {
    let stopwatch = Stopwatch::start();
    let dir = args.data.directory()?;
    let made = copy::back_up(&dir, &args.file, &access::FILES, args.force)?;
    tell_copied(&args.file, &made, stopwatch.time())
}
