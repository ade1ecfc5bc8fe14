//! The sockets of widgets, from the accepted connection to the session actor and back.
//!
//! One [`listener`] on each thread accepts connections for HTTP and for widgets. A widget's
//! request is judged in [`upgrade`], its stream is taken out of the HTTP machinery, and one small
//! [`pump`] carries frames between it and the session actor, which holds a [`Line`].
//! An idle socket keeps no buffer, and no socket can make the server buffer more than
//! [`limits`](crate::limits) allow: [`guard`] refuses frames by their headers, reading stops while
//! the session is busy, and a reader that is too slow is closed.
//!
//! # A session
//!
//! A session is an actor in a [`WebsocketContext`] that handles `Result<Message, ProtocolError>` as
//! a stream; [`Admission::admit`] makes it. It receives whole texts, pings and pongs, and calls
//! [`Line::done`] once for each. When the time that it asked for with [`Line::wake_at`] has come,
//! it receives a `Nop`, and never anything else. It speaks through its [`Line`], not through its
//! context. To close, it calls [`Line::close`] and stops its context. Its `finished` is called
//! twice: at the beginning, because its context brings a stream of its own that has nothing to
//! give, and when the socket is over. If [`Line::has_given_all`] then holds, it stops: it may still
//! send messages, and reads why it is over in [`Line::end`], also in `stopped`.

pub mod admission;
mod encoding;
pub mod guard;
mod handshake;
pub mod line;
pub mod listener;
pub mod movement;
pub mod outbox;
pub mod pump;
pub mod session;
mod strict;
mod thread;
mod transport;
pub mod upgrade;

pub use actix_web_actors::ws::{Message, ProtocolError, WebsocketContext};
pub use admission::{Admission, Asked, Rejection, UpgradeRequest};
pub use guard::Breach;
pub use line::{Line, SocketEnd};
pub use listener::{Entrance, Figures, bind, serve};
pub use outbox::{Outbox, Slow};
pub use pump::SessionActor;
