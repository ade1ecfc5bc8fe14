//! Why a server did not start, or did not stop well.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::access::AccessFault;
use crate::engine::Failure;
use crate::journal::Fault;
use crate::journal::store::OpenFault;
use crate::tls::TlsFault;

/// Why a server did not start, or did not stop well.
#[derive(Debug, thiserror::Error)]
pub enum ServerFault {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The data directory is not usable.
    #[error("the data directory {} cannot be used: {source}", path.display())]
    Data {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// There is no certificate that could be taken.
    #[error(transparent)]
    Tls(#[from] TlsFault),
    /// The secrets could not be read or made.
    #[error(transparent)]
    Access(#[from] AccessFault),
    /// The journal could not be opened.
    #[error(transparent)]
    Journal(#[from] OpenFault),
    /// The journal is further ahead of the wall clock than a clock may be wrong.
    #[error(
        "the last event in the journal is of {latest}, and the clock of this machine says {wall}: \
         set the clock right, or, if it is right and was wrong before, start once with \
         --set-clock-back"
    )]
    ClockBehind {
        /// When the last event was written down.
        latest: String,
        /// What the wall clock says.
        wall: String,
    },
    /// The demo could not be set up.
    #[error("the demo cannot be set up: {0}")]
    Demo(#[source] Failure),
    /// The demo could not be ended.
    #[error("the demo cannot be ended: {0}")]
    DemoEnd(#[source] Failure),
    /// What was decided last may not be on the disk.
    #[error("the journal could not be written to its end: {0}")]
    Flush(#[source] Fault),
}
