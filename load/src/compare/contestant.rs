//! Who takes part in a comparison, and which measures they do not have.

use std::path::Path;

use anyhow::Context as _;

use crate::floor::target::FloorTarget;
use crate::floor::{FloorOptions, Tampering};
use crate::holdline::target::HoldlineTarget;
use crate::peer;
use crate::target::Target;

/// All contestants, in the order of their turns.
pub(super) const NAMES: [&str; 7] =
    ["holdline", "floor", "mosquitto", "ejabberd", "socket.io", "nats", "centrifugo"];

/// Targets that write posts down, or may be asked to; and the floor, for what the generator can do.
pub(super) const NAMES_OF_WRITERS: [&str; 5] =
    ["holdline", "nats-synced", "nats", "mosquitto", "floor"];

/// One target that takes part.
pub(super) struct Contestant {
    pub name: &'static str,
    pub target: Box<dyn Target>,
    /// Whether posts are to be durable when they are acknowledged, if the target can do that.
    pub is_durable: bool,
    /// Why the target does not hold a lost customer, if it does not.
    pub no_grace: Option<&'static str>,
    /// Why a customer does not return to what they had, if they do not.
    pub no_return: Option<&'static str>,
    /// Why the round trip of a heartbeat is not measured, if it is not.
    pub no_round_trip: Option<&'static str>,
}

const SERVER_ASKS: &str = "the server asks, and the client answers";

/// The contestant of this name.
pub(super) fn named(name: &str, server: Option<&Path>) -> anyhow::Result<Contestant> {
    let all = NAMES.iter().chain(&NAMES_OF_WRITERS);
    let known = all.copied().find(|known| *known == name);
    let name = known.with_context(|| format!("nobody is named {name}; {}", NAMES.join(", ")))?;
    let program = std::env::current_exe()?;
    let target: Box<dyn Target> = match name {
        "holdline" => Box::new(HoldlineTarget {
            program: server.map_or_else(HoldlineTarget::beside, Path::to_path_buf),
            data: None,
            arguments: Vec::new(),
            tls: false,
        }),
        "floor" => {
            let options = FloorOptions { tampering: Tampering::None, ..FloorOptions::default() };
            Box::new(FloorTarget { program, options })
        }
        peer => {
            let name = peer.trim_end_matches("-synced");
            peer::named(name).with_context(|| format!("there is no peer {name}"))?
        }
    };
    let (no_grace, no_return) = match name {
        "floor" => (Some("the floor holds nobody"), Some("the floor remembers nobody")),
        "nats" | "nats-synced" => (
            Some("it has no grace: a lost connection is told of at once"),
            Some("it keeps nothing of a connection that is lost"),
        ),
        "centrifugo" => (Some("it has no grace: a lost connection is told of at once"), None),
        _ => (None, None),
    };
    Ok(Contestant {
        name,
        target,
        is_durable: name != "nats",
        no_grace,
        no_return,
        no_round_trip: matches!(name, "socket.io" | "centrifugo").then_some(SERVER_ASKS),
    })
}
