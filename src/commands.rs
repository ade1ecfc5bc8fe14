//! What the program does besides serving: one file for each command, with its `Args` and its `run`.

mod backup;
mod check;
mod dry_run;
mod erase;
mod explain;
mod export;
mod fault;
mod output;
mod person;
mod restore;

use clap::{Parser, Subcommand};

use crate::config::Flags;

pub use crate::commands::fault::CommandFault;

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
    // What people who are used to other servers try.
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

impl Program {
    /// The flags to serve with, or the task to do instead.
    pub fn asked(self) -> Result<Flags, Task> {
        match self.command {
            None => Ok(self.flags),
            Some(Command::Serve(flags)) => Ok(flags),
            Some(Command::Task(task)) => Err(task),
        }
    }
}

impl Task {
    /// Does the task, and returns when it is done.
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
