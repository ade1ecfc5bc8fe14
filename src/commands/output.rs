//! What a command tells on standard output.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use crate::commands::fault::CommandFault;
use crate::domain::text::printable_lines;
use crate::journal::sqlite::copy::Copied;
use crate::wire::time::rfc3339;

/// Writes lines to standard output for the person who gave the command, with nothing in them that
/// would steer a terminal.
pub(super) fn tell(text: &str) -> Result<(), CommandFault> {
    let text = printable_lines(text);
    writeln!(io::stdout().lock(), "{text}").map_err(CommandFault::Output)
}

/// A count of things, in the singular or the plural.
pub(super) fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// Tells what a copy holds.
pub(super) fn tell_copied(
    made: &Path,
    copied: &Copied,
    took: Duration,
) -> Result<(), CommandFault> {
    let Copied { contents, bytes, mended } = copied;
    for mended in mended {
        tell(&mended.to_string())?;
    }
    tell(&format!(
        "{}: {} of {}, up to position {} at {}; {bytes} bytes, {:.1} s",
        made.display(),
        counted(contents.events, "event"),
        counted(contents.conversations, "chat"),
        contents.head.0,
        rfc3339(contents.latest),
        took.as_secs_f64(),
    ))
}
