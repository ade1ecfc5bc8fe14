//! The peers: servers that others have made, started here beside Holdline under the same work.

pub mod centrifugo;
pub mod client;
pub mod ejabberd;
pub mod listener;
pub mod mosquitto;
pub mod nats;
pub mod process;
#[cfg(test)]
mod recorded;
pub mod socket_io;

use crate::dialect::{Dialect, Spoken};
use crate::target::Target;

/// All peers, in the order in which they stand in tables.
pub fn all() -> Vec<Box<dyn Target>> {
    vec![
        Box::new(mosquitto::Mosquitto),
        Box::new(ejabberd::Ejabberd),
        Box::new(socket_io::SocketIo),
        Box::new(nats::Nats),
        Box::new(centrifugo::Centrifugo),
    ]
}

/// A peer by its name.
pub fn named(name: &str) -> Option<Box<dyn Target>> {
    all().into_iter().find(|target| target.name() == name)
}

/// A peer's dialect by its name; none if no peer speaks it.
///
/// # Errors
/// When the dialect does not understand its settings.
pub fn speak(spoken: &Spoken) -> anyhow::Result<Option<Box<dyn Dialect>>> {
    let settings = spoken.settings.clone();
    Ok(match spoken.name.as_str() {
        mosquitto::DIALECT => Some(Box::new(mosquitto::dialect::Mqtt::new(&settings)?)),
        ejabberd::DIALECT => Some(Box::new(ejabberd::dialect::Xmpp::new(&settings)?)),
        socket_io::DIALECT => Some(Box::new(socket_io::dialect::SocketIoDialect)),
        nats::DIALECT => Some(Box::new(nats::dialect::NatsDialect)),
        centrifugo::DIALECT => Some(Box::new(centrifugo::dialect::CentrifugoDialect)),
        _ => None,
    })
}
