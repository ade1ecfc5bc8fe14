//! A connection as it was accepted, before its client has said who it is.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::limits;
use crate::strangers::budgets::Use;
use crate::strangers::ledger::{Held, OverBudget};
use crate::strangers::proxy_header::{HeaderFault, read_header};
use crate::strangers::shared::Strangers;

/// A connection.
#[derive(Debug)]
pub struct Connection {
    peer: Option<SocketAddr>,
    /// What it holds of its address's budget, as long as it lives.
    held: Option<Held>,
    is_of_reserve: bool,
    is_known: AtomicBool,
}

/// Why a connection is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It must begin with a header, and does not.
    #[error(transparent)]
    Header(#[from] HeaderFault),
    /// Its address has as many connections as it may.
    #[error("{0}")]
    OverBudget(OverBudget),
}

impl Connection {
    /// A connection that was accepted from this peer. `is_of_reserve` says that it took one of the
    /// last descriptors, which are kept for clients with a token and for operators.
    pub async fn begin(
        stream: &mut (impl tokio::io::AsyncRead + Unpin),
        peer: Option<SocketAddr>,
        is_of_reserve: bool,
        strangers: &Strangers,
    ) -> Result<Self, NotTaken> {
        let peer = match peer {
            Some(proxy) if strangers.expects_header(proxy) => {
                Some(read_header(stream).await?.unwrap_or(proxy))
            }
            peer => peer,
        };
        // A client behind a trusted proxy is counted by the address that its requests name.
        let direct = peer.map(|it| it.ip()).filter(|address| !strangers.trust(*address));
        let parties = strangers.parties(direct, None, None);
        let held = strangers.hold(Use::Connection, &parties).map_err(NotTaken::OverBudget)?;
        Ok(Self { peer, held, is_of_reserve, is_known: AtomicBool::new(false) })
    }

    /// A connection of an operator, to which the bounds on strangers do not apply.
    pub const fn of_operator(peer: Option<SocketAddr>) -> Self {
        Self { peer, held: None, is_of_reserve: false, is_known: AtomicBool::new(true) }
    }

    /// Where it comes from: the other end, or the client that this end names by the PROXY protocol.
    pub const fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Whether it is counted for its address already.
    pub const fn is_counted(&self) -> bool {
        self.held.is_some()
    }

    /// Whether it took one of the last descriptors.
    pub const fn is_of_reserve(&self) -> bool {
        self.is_of_reserve
    }

    /// Notes that the client on it has shown a token that lets it in.
    pub fn note_known(&self) {
        self.is_known.store(true, Ordering::Relaxed);
    }

    /// Returns when the connection must go, because it took one of the last descriptors and its
    /// client has not shown a token in time.
    pub async fn must_go(&self) {
        if self.is_of_reserve {
            tokio::time::sleep(Duration::from_secs(limits::RESERVE_SECONDS_MAX)).await;
            if !self.is_known.load(Ordering::Relaxed) {
                return;
            }
        }
        std::future::pending::<()>().await;
    }
}
