//! TLS: a certificate and its key, which are read again when their files change, and the handshake
//! that a connection begins with.
//!
//! Versions 1.3 and 1.2, and HTTP/1.1 alone: a WebSocket is opened with that. A returning client is
//! known by a ticket, of which the server keeps nothing.

mod files;
mod handshake;

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};

use crate::limits;
use crate::tls::files::Stamps;

pub use crate::tls::files::{Files, TlsFault};
pub use crate::tls::handshake::{HandshakeFault, accept};

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));

/// The certificate that is in force, and where the next one comes from.
#[derive(Debug)]
pub struct Certificates {
    files: Files,
    in_force: ArcSwap<InForce>,
    /// What the files were when they were last read.
    read: Mutex<Stamps>,
}

#[derive(Debug)]
struct InForce {
    public: Arc<ServerConfig>,
    operators: Arc<ServerConfig>,
}

impl Certificates {
    /// Reads the files for the first time.
    pub fn open(files: Files) -> Result<Self, TlsFault> {
        let stamps = files.stamps();
        let in_force = ArcSwap::from_pointee(InForce::read(&files)?);
        files.warn_of_open_key();
        Ok(Self { files, in_force, read: Mutex::new(stamps) })
    }

    /// What a connection of this kind is served with from now on.
    pub fn config(&self, is_operators: bool) -> Arc<ServerConfig> {
        let in_force = self.in_force.load();
        Arc::clone(if is_operators { &in_force.operators } else { &in_force.public })
    }

    /// Reads the files again. A good pair is in force for the next connections; a bad one is
    /// logged, and changes nothing.
    pub fn renew(&self) {
        // Taken before the reading, so that a change in the meantime is seen as a change.
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = self.files.stamps();
        let certificate = self.files.certificate.display();
        match InForce::read(&self.files) {
            Ok(read) => {
                self.in_force.store(Arc::new(read));
                self.files.warn_of_open_key();
                tracing::info!("the certificate {certificate} is in force for new connections");
            }
            Err(fault) => {
                tracing::error!("the certificate that was in force stays so: {fault}");
            }
        }
    }

    /// Reads the files again whenever they have changed. Ends with the thread that it runs on.
    pub async fn keep_renewed(self: Arc<Self>) {
        let mut last = None;
        loop {
            tokio::time::sleep(Duration::from_secs(limits::TLS_LOOK_SECONDS)).await;
            let this = Arc::clone(&self);
            // The files may be on a disk that takes its time.
            let looked = tokio::task::spawn_blocking(move || this.look(last)).await;
            let Ok(seen) = looked else { return };
            last = Some(seen);
        }
    }

    /// Looks at the files once. It reads them if they have changed, but are the same as at the last
    /// look: by then both files have been replaced.
    fn look(&self, last: Option<Stamps>) -> Stamps {
        let now = self.files.stamps();
        let is_new = *self.read.lock().unwrap_or_else(PoisonError::into_inner) != now;
        if is_new && last == Some(now) {
            self.renew();
        }
        now
    }
}

impl InForce {
    fn read(files: &Files) -> Result<Self, TlsFault> {
        let (chain, key) = (files.read_chain()?, files.read_key()?);
        let public = config(files, chain.clone(), key.clone_key(), None)?;
        let authority = files.read_authority()?;
        let operators = config(files, chain, key, authority)?;
        Ok(Self { public: Arc::new(public), operators: Arc::new(operators) })
    }
}

fn config(
    files: &Files,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    authority: Option<RootCertStore>,
) -> Result<ServerConfig, TlsFault> {
    let wrong = |error| files.wrong_pair(error);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(wrong)?;
    let builder = match authority {
        Some(roots) => {
            let provider = Arc::clone(&PROVIDER);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(
                verifier.build().map_err(|error| files.wrong_authority(&error.to_string()))?,
            )
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(wrong)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(wrong)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}
