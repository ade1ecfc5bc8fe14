//! The actor that drives one session: it reads frames, asks the machine whether they may be said
//! now, passes them on, and says what comes back.
//!
//! While it waits for the answer to `hello` or `start` it takes no further frame; they wait in
//! order, and with them the widget.

mod actor;
mod admission_keys;
mod answer;
mod codes;
mod door;
mod entry;
mod greet;
mod guest;
mod life;
mod operator_door;
mod pace;
mod posting;
mod question;
mod receiver;
mod routes;
mod start;
mod vouching;

pub use crate::socket::session::actor::SocketSession;
pub use crate::socket::session::door::Door;
pub use crate::socket::session::operator_door::OperatorDoor;
pub use crate::socket::session::routes::Routes;
