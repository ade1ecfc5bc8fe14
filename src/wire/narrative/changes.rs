//! What an event changed, in a few words.

use crate::domain::lease::{Lease, Purpose};
use crate::domain::timeline::{Change, Turn};
use crate::wire::time::rfc3339;

/// The change, in a few words.
pub fn in_words(change: &Change) -> String {
    match change {
        Change::State { from: Some(from), to } => format!("state: {from} -> {to}"),
        Change::State { from: None, to } => format!("state: {to}"),
        Change::Lease { from, to } => match (from, to) {
            (_, Some(lease)) => format!("lease: {}", held(lease)),
            (Some(lease), None) => format!("lease: given back ({})", held(lease)),
            (None, None) => "lease: none".to_owned(),
        },
        Change::Timer(timer, turn) => {
            let name = timer.name();
            match turn {
                Turn::Set(until) => format!("timer {name}: set for {}", rfc3339(*until)),
                Turn::Moved { from, to } => {
                    format!("timer {name}: moved from {} to {}", rfc3339(*from), rfc3339(*to))
                }
                Turn::Stopped => format!("timer {name}: stopped"),
                Turn::Fired => format!("timer {name}: fired"),
            }
        }
    }
}

fn held(lease: &Lease) -> String {
    let purpose = match lease.purpose {
        Purpose::Offer => "offer",
        Purpose::Chat => "chat",
        Purpose::Wrapup => "wrap-up",
    };
    let units = if lease.units == 1 { "unit" } else { "units" };
    format!("{} {units} of {} for {purpose}", lease.units, lease.agent)
}
