//! What is done when there is no descriptor left.

use std::fs::File;
use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpListener;

use crate::limits;

/// Descriptors that a thread keeps for when there are no others: whoever comes then is told so by
/// a reset, at once, instead of waiting in the backlog in front of a server that does not answer.
/// Widgets come back later by themselves.
///
/// One that is let go for a moment may be taken: by a file that is opened, or by a connection that
/// another thread accepts. So a connection is kept only by a thread whose reserve is whole, and the
/// first descriptors that become free make it whole again. Otherwise connections could take every
/// reserve, and nobody would be turned away any more.
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
    /// reserve is used up, or nobody waits.
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

/// Has the other end told of a close by a reset, which leaves nothing of the connection behind.
pub(super) fn reset(socket: &SockRef<'_>) {
    // Without it, the close is an ordinary one.
    let _: io::Result<()> = socket.set_linger(Some(Duration::ZERO));
}
