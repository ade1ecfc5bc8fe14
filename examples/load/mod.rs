//! What the measuring programs share: the server as a process of its own, chats as bare
//! descriptors, and what the kernel knows about a process. Everything is on loopback, bounded in
//! number and time, and stops by itself.
#![allow(dead_code, reason = "each program uses a part of it")]

pub(crate) mod chats;
pub(crate) mod floor;
pub(crate) mod process;
pub(crate) mod scrape;
pub(crate) mod server;

use std::io;
use std::str::FromStr;

/// Makes an error of a sentence.
pub(crate) fn broken(problem: impl Into<String>) -> io::Error {
    io::Error::other(problem.into())
}

/// What was given as `name=value` on the command line, or what it is otherwise.
pub(crate) fn given<T: FromStr>(name: &str, otherwise: T) -> io::Result<T> {
    let value = std::env::args()
        .skip(1)
        .find_map(|argument| argument.strip_prefix(name)?.strip_prefix('=').map(ToOwned::to_owned));
    match value {
        None => Ok(otherwise),
        Some(value) => {
            value.parse().map_err(|_| broken(format!("{name}={value} is not understood")))
        }
    }
}
