//! An address where connections are taken: whom it serves, and how many it takes.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;

use rustix::process::Resource;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;

use crate::limits;
use crate::tls::Certificates;

/// An address where connections are taken.
#[derive(Debug)]
pub struct Entrance {
    listener: std::net::TcpListener,
    rule: Rule,
    certificates: Option<Arc<Certificates>>,
}

/// Which connections of an address are taken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rule {
    /// Whether the address is for operators alone.
    pub(super) is_operators: bool,
    /// Whether operators have another address, to which the very last descriptors are left.
    leaves_last: bool,
}

/// Opens a listening socket.
pub fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(limits::BACKLOG_MAX)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

impl From<std::net::TcpListener> for Entrance {
    /// An address for everybody, operators included.
    fn from(listener: std::net::TcpListener) -> Self {
        Self { listener, rule: Rule::default(), certificates: None }
    }
}

impl Entrance {
    /// The same for operators alone. A client that connects here is no stranger: the bounds on
    /// strangers do not apply to it, and no proxy is expected. At most
    /// [`limits::OPERATOR_CONNECTIONS_MAX`] are taken on each thread.
    #[must_use]
    pub fn of_operators(mut self) -> Self {
        self.rule.is_operators = true;
        self
    }

    /// The same beside an address of operators, to which it leaves the last descriptors.
    #[must_use]
    pub fn beside_operators(mut self) -> Self {
        self.rule.leaves_last = true;
        self
    }

    /// The same with TLS, where there are certificates for it.
    #[must_use]
    pub fn secured_by(mut self, certificates: Option<Arc<Certificates>>) -> Self {
        self.certificates = certificates;
        self
    }

    /// The same for another thread, which takes some of its connections.
    pub fn try_clone(&self) -> io::Result<Self> {
        let listener = self.listener.try_clone()?;
        Ok(Self { listener, rule: self.rule, certificates: self.certificates.clone() })
    }

    /// Begins to take connections on this thread.
    pub(super) fn open(
        self,
    ) -> io::Result<(tokio::net::TcpListener, Rule, Option<Arc<Certificates>>)> {
        let Self { listener, rule, certificates } = self;
        listener.set_nonblocking(true)?;
        Ok((tokio::net::TcpListener::from_std(listener)?, rule, certificates))
    }
}

impl Rule {
    /// Whether one more connection is taken beside those that are `there`.
    pub(super) fn admits(self, stream: &TcpStream, there: usize) -> bool {
        if self.is_operators {
            return there < limits::OPERATOR_CONNECTIONS_MAX;
        }
        let kept = |all: u64| (all / 64).min(limits::OPERATOR_DESCRIPTORS_KEPT_MAX);
        !self.leaves_last || !is_among_last(stream, kept)
    }
}

/// Whether a connection took one of the last descriptors, which are kept for clients with a token
/// and for operators.
pub(super) fn is_of_reserve(stream: &TcpStream) -> bool {
    is_among_last(stream, |all| (all / 16).min(limits::DESCRIPTORS_KEPT_MAX))
}

/// Whether a connection took one of the last descriptors, of which `kept` says how many. The system
/// gives the lowest one that is free.
fn is_among_last(stream: &TcpStream, kept: impl FnOnce(u64) -> u64) -> bool {
    let Some(all) = rustix::process::getrlimit(Resource::Nofile).current else { return false };
    u64::try_from(stream.as_raw_fd()).unwrap_or_default() >= all - kept(all)
}
