//! What is done when there is no descriptor left.

use std::fs::File;
use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpListener;

use crate::limits;

/// Descriptors that a thread keeps for when no others are left: a client that comes then learns it
/// at once from a reset, instead of waiting in the backlog of a server that does not answer.
/// Widgets come back later by themselves.
///
/// A descriptor that is let go for a moment may be taken by a file that is opened, or by a
/// connection that another thread accepts. So a thread keeps a connection only while its reserve is
/// whole, and the first descriptors that become free make it whole again. Otherwise connections
/// could take every reserve, and no client would be turned away any more.
pub(super) struct Reserve(Vec<File>);

impl Reserve {
    pub(super) fn take() -> Self {
        let mut reserve = Self(Vec::with_capacity(limits::DESCRIPTORS_RESERVED));
        reserve.refill();
        reserve
    }

    /// Takes what is missing, as far as there are descriptors. True if the reserve is whole.
    pub(super) fn refill(&mut self) -> bool {
        while self.0.len() < limits::DESCRIPTORS_RESERVED {
            let Ok(file) = File::open("/dev/null") else { return false };
            self.0.push(file);
        }
        true
    }

    /// Accepts one connection with a descriptor of the reserve, and closes it. False when the
    /// reserve is used up, or no connection waits.
    pub(super) fn turn_away(&mut self, listener: &TcpListener) -> bool {
        let has_come = self.0.pop().is_some() && {
            let accepted = SockRef::from(listener).accept();
            accepted.is_ok_and(|(socket, _)| {
                reset(&SockRef::from(&socket));
                true
            })
        };
        self.refill();
        has_come
    }
}

/// Makes the close of a socket a reset, which leaves nothing of the connection behind.
pub(super) fn reset(socket: &SockRef<'_>) {
    // If this fails, the close is an ordinary one.
    let _: io::Result<()> = socket.set_linger(Some(Duration::ZERO));
}
