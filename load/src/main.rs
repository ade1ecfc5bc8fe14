//! Drives chat servers with very many sockets, and says what each costs and what each loses.

mod dialect;
mod report;
mod target;
mod watch;

fn main() {}
