//! What is known about a lost connection and about a lost session, as parts of sentences.

use crate::domain::cause::{Cause, Evidence, Leaving, Misuse};
use crate::wire::time::spoken;

/// What is known about a lost connection, as the end of a sentence.
pub fn evidence(cause: Cause) -> String {
    match cause {
        Cause::Left(Leaving::Hidden) => {
            "the page said that it was being hidden, and then the connection ended".to_owned()
        }
        Cause::Left(Leaving::Unloaded) => {
            "the page said that it was being closed or left, and then the connection ended"
                .to_owned()
        }
        Cause::Closed(1005) => "the socket was closed without a code".to_owned(),
        Cause::Closed(1006) => "the connection ended without a close frame".to_owned(),
        Cause::Closed(code) => format!("the socket was closed with code {code}"),
        Cause::Reset => "the connection was reset".to_owned(),
        Cause::Silent => "neither a beat, a frame nor a pong came for two heartbeats".to_owned(),
        Cause::Replaced => "another session took its place".to_owned(),
        Cause::Draining => {
            "this server was stopping and had asked the widget to come back".to_owned()
        }
        Cause::Restarted => "this server had stopped".to_owned(),
        Cause::Refused(misuse) => format!("the server refused to go on: {}", refused(misuse)),
    }
}

/// What is known about a lost session, as the end of a sentence.
pub(super) fn lost(cause: Cause, known: Evidence) -> String {
    let code = known.code.map_or_else(String::new, |code| format!(" with close code {code}"));
    format!("{}{code}", evidence(cause))
}

/// The close code of a lost connection, where it had one.
pub(super) const fn code(cause: Cause, known: Evidence) -> Option<u16> {
    match cause {
        Cause::Closed(code) => Some(code),
        _ => known.code,
    }
}

/// How often a session was heard of, as a part of a sentence; nothing where nobody counted.
pub(super) fn heard(known: Evidence) -> String {
    let asleep = if known.asleep {
        ", and at the end its browser answered while the page said nothing"
    } else {
        ""
    };
    match known.heard {
        0 => String::new(),
        1 => format!(", once in all, after {}{asleep}", spoken(known.widest)),
        times => format!(", {times} times in all, at most {} apart{asleep}", spoken(known.widest)),
    }
}

const fn refused(misuse: Misuse) -> &'static str {
    match misuse {
        Misuse::Protocol => "the protocol was broken",
        Misuse::Size => "a frame was too large",
        Misuse::Rate => "too much was sent, or refused too often",
        Misuse::Token => "the token was not good",
        Misuse::Slow => "the widget read too slowly",
    }
}
