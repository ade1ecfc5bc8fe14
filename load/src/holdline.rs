//! Holdline as a target: the server, its widgets' protocol, and its agents.

mod api;
mod book;
mod bridge;
mod clerks;
pub mod dialect;
mod feeds;
mod stream;
pub mod target;
mod watch;
