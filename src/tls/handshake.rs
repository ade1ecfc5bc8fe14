//! The handshake that a connection begins with, and why it fails.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::{Error, ServerConfig, ServerConnection};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use crate::limits;

/// Why a connection is not secured.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeFault {
    /// It took too long.
    #[error("the handshake of TLS was not done within {} s", limits::TLS_HANDSHAKE_SECONDS_MAX)]
    TooSlow,
    /// The connection ended in the middle, or before it began.
    #[error("the connection ended before the handshake of TLS was done")]
    CutShort,
    /// It speaks something else than TLS, such as HTTP in the clear.
    #[error("what came is no handshake of TLS")]
    NotTls,
    /// The two have no version, cipher or protocol in common.
    #[error("there is no common ground: {0}")]
    Incompatible(Error),
    /// The other end shows no certificate, and must.
    #[error("it shows no certificate, and must")]
    CertificateMissing,
    /// The other end's certificate lets nobody in.
    #[error("its certificate is not taken: {0}")]
    CertificateRefused(Error),
    /// The other end has given up, perhaps because it does not take our certificate.
    #[error("it has given the handshake up: {0}")]
    GivenUp(Error),
    /// It breaks the protocol in another way.
    #[error("the handshake breaks the protocol: {0}")]
    Malformed(Error),
}

impl HandshakeFault {
    /// The code that it is counted by, which never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooSlow => "handshake_too_slow",
            Self::CutShort => "handshake_cut_short",
            Self::NotTls => "not_tls",
            Self::Incompatible(_) => "tls_incompatible",
            Self::CertificateMissing => "client_certificate_missing",
            Self::CertificateRefused(_) => "client_certificate_refused",
            Self::GivenUp(_) => "handshake_given_up",
            Self::Malformed(_) => "handshake_malformed",
        }
    }

    fn of(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        let Some(error) = inner.cloned() else { return Self::CutShort };
        match error {
            Error::InvalidMessage(_) => Self::NotTls,
            Error::PeerIncompatible(_) | Error::NoApplicationProtocol => Self::Incompatible(error),
            Error::NoCertificatesPresented => Self::CertificateMissing,
            Error::InvalidCertificate(_) => Self::CertificateRefused(error),
            Error::AlertReceived(_) => Self::GivenUp(error),
            _ => Self::Malformed(error),
        }
    }
}

/// Takes a connection through its handshake, within [`limits::TLS_HANDSHAKE_SECONDS_MAX`]. One
/// message of it has at most 64 KiB, and what comes between is bounded by number.
pub async fn accept<S>(
    stream: S,
    config: Arc<ServerConfig>,
) -> Result<(S, ServerConnection), HandshakeFault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let limit = Duration::from_secs(limits::TLS_HANDSHAKE_SECONDS_MAX);
    let accepting = TlsAcceptor::from(config).accept(stream);
    let accepted = tokio::time::timeout(limit, accepting).await;
    let accepted = accepted.map_err(|_| HandshakeFault::TooSlow)?;
    accepted.map(tokio_rustls::server::TlsStream::into_inner).map_err(|it| HandshakeFault::of(&it))
}
