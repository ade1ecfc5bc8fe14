//! The commands that read a data directory, judged by what the real binary says.

mod dry_run;
mod explain;
mod past;
mod plan;
mod privacy;
