//! What the program does besides serving: one file for each command, with its `Args` and its `run`.

mod backup;
mod check;
mod dry_run;
mod erase;
mod explain;
mod export;
mod person;
mod restore;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use tokio::time::Instant;

use crate::commands::dry_run::NotRehearsed;
use crate::commands::erase::NotErased;
use crate::commands::explain::Unexplained;
use crate::commands::export::NothingKept;
use crate::config::{ConfigFault, Flags};
use crate::domain::text::printable_lines;
use crate::journal::Fault;
use crate::journal::sqlite::OpenFault;
use crate::journal::sqlite::checking::CheckFault;
use crate::journal::sqlite::copying::{Copied, CopyFault};
use crate::wire::time::rfc3339;

/// A live-chat engine that knows when the customer is gone.
///
/// Without a command it serves, as with `serve`. A flag wins over the environment, the environment
/// over the file.
#[derive(Debug, Parser)]
#[command(name = "holdline", version, args_conflicts_with_subcommands = true)]
pub struct Program {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The flags of a server.
    #[command(flatten)]
    pub flags: Flags,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "what each does stands at its `Args`, where --help takes it from")]
pub enum Command {
    /// Serves chats until it is told to stop, as without any command
    // What people try who are used to other servers.
    #[command(aliases = ["server", "start", "run", "listen"])]
    Serve(Flags),
    #[command(flatten)]
    Task(Task),
}

/// What a data directory can be asked for.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "what each does stands at its `Args`, where --help takes it from")]
pub enum Task {
    Backup(backup::Args),
    Check(check::Args),
    DryRun(dry_run::Args),
    Erase(erase::Args),
    Explain(explain::Args),
    Export(export::Args),
    Restore(restore::Args),
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandFault {
    /// The configuration does not say where the data is.
    #[error(transparent)]
    Config(#[from] ConfigFault),
    /// A copy could not be made, or is not good.
    #[error(transparent)]
    Copy(#[from] CopyFault),
    /// Nothing can be checked.
    #[error(transparent)]
    Check(#[from] CheckFault),
    /// The data directory cannot be read.
    #[error(transparent)]
    Open(#[from] OpenFault),
    /// What is stored cannot be read.
    #[error(transparent)]
    Read(#[from] Fault),
    /// A conversation cannot be explained.
    #[error(transparent)]
    Unexplained(#[from] Unexplained),
    /// Nothing was erased.
    #[error(transparent)]
    NotErased(#[from] NotErased),
    /// Nothing is kept that could be given out.
    #[error(transparent)]
    NothingKept(#[from] NothingKept),
    /// Another window cannot be rehearsed.
    #[error(transparent)]
    NotRehearsed(#[from] NotRehearsed),
    /// Something is wrong; each problem has been told.
    #[error("not all is well in {}; problems: {count}", dir.display())]
    Problems {
        /// How many.
        count: u64,
        /// Where.
        dir: PathBuf,
    },
    /// What was found could not be told.
    #[error("the standard output cannot be written: {0}")]
    Output(#[source] io::Error),
}

impl Program {
    /// The flags to serve with, or what else is to be done.
    pub fn asked(self) -> Result<Flags, Task> {
        match self.command {
            None => Ok(self.flags),
            Some(Command::Serve(flags)) => Ok(flags),
            Some(Command::Task(task)) => Err(task),
        }
    }
}

impl Task {
    /// Does it, and returns when it is done.
    pub fn run(&self) -> Result<(), CommandFault> {
        match self {
            Self::Backup(args) => backup::run(args),
            Self::Check(args) => check::run(args),
            Self::DryRun(args) => dry_run::run(args),
            Self::Erase(args) => erase::run(args),
            Self::Explain(args) => explain::run(args),
            Self::Export(args) => export::run(args),
            Self::Restore(args) => restore::run(args),
        }
    }
}

/// Tells whoever gave the command something: lines on standard output, with nothing in them that
/// would steer a terminal.
fn tell(text: &str) -> Result<(), CommandFault> {
    let text = printable_lines(text);
    writeln!(io::stdout().lock(), "{text}").map_err(CommandFault::Output)
}

/// How many there are of something, in the right number.
fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// Tells what a copy holds.
fn tell_copied(made: &Path, copied: &Copied, started: Instant) -> Result<(), CommandFault> {
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
        started.elapsed().as_secs_f64(),
    ))
}
