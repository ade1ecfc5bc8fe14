//! The sessions of one thread. Each is an actor: it gives the session's behavior what comes from
//! its socket and from the engine, and performs what the behavior puts out.
//!
//! The dialogue is in [`behavior::session`](crate::behavior::session). Here are the channels, the
//! secrets, the ids that are minted, the budgets of strangers, the clock and the log.

mod actor;
mod admission_keys;
mod door;
mod entry;
mod guest;
mod operator_door;
mod receiver;
mod routes;

pub use crate::socket::session::actor::SocketSession;
pub use crate::socket::session::door::Door;
pub use crate::socket::session::operator_door::OperatorDoor;
pub use crate::socket::session::routes::Routes;
