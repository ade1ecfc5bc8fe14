//! TLS through the public face: chats and requests over TLS, which clients are refused in the
//! handshake and at what cost, and certificates that change while the server runs.

#![allow(dead_code, reason = "the customer's and the agent's ends are shared with other trials")]

#[path = "../server/console.rs"]
mod console;
#[path = "../server/feed.rs"]
mod feed;
#[path = "../process/program.rs"]
mod program;
#[path = "../server/widget.rs"]
mod widget;

mod authority;
mod chats;
mod client;
mod doors;
mod operators;
mod renewal;
mod site;
mod suites;
