//! The commands that read a data directory, by what the real binary says.

mod dry_run;
mod explain;
mod past;
mod plan;
mod privacy;
