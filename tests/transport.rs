//! The transport on a real socket: which sockets are let in, which are refused, what they may cost,
//! and how a session learns how its socket ended.

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
