//! The transport on a real socket: what is let in, what is refused, what it may cost, and how a
//! session learns how its socket ended.

#[path = "transport/peer.rs"]
mod peer;
#[path = "transport/server.rs"]
mod server;

#[path = "transport/ends.rs"]
mod ends;
#[path = "transport/floods.rs"]
mod floods;
#[path = "transport/guard.rs"]
mod guard;
#[path = "transport/secured.rs"]
mod secured;
#[path = "transport/upgrade.rs"]
mod upgrade;
