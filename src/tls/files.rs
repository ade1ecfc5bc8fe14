//! The files of a certificate, and what is wrong with them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::limits;
use crate::private;

const CERTIFICATE: &str = "tls_certificate";
const KEY: &str = "tls_key";
const AUTHORITY: &str = "tls_client_authority";

/// Where a certificate and its key are kept, in PEM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Files {
    /// The certificate, followed by those that it is signed by.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The certificates that sign those of operators; nothing where operators need none.
    pub client_authority: Option<PathBuf>,
}

/// Why a certificate cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// A file cannot be read.
    #[error("{key} ({}) cannot be read: {source}", path.display())]
    Unreadable {
        /// The key of the configuration that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file does not hold what it must.
    #[error("{key} ({}) {message}", path.display())]
    Wrong {
        /// The key of the configuration that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// The times and lengths by which a change of the files is noticed. A missing file has none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Stamps([Option<(SystemTime, u64)>; 3]);

impl Files {
    pub(super) fn stamps(&self) -> Stamps {
        let stamp = |path: Option<&PathBuf>| {
            let metadata = std::fs::metadata(path?).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        let files = [Some(&self.certificate), Some(&self.key), self.client_authority.as_ref()];
        Stamps(files.map(stamp))
    }

    /// A key that everybody on the machine may read is everybody's.
    pub(super) fn warn_of_open_key(&self) {
        if private::is_open_to_all(&self.key) {
            let key = self.key.display();
            tracing::warn!("{key} is the key of the certificate, and everybody here can read it");
        }
    }

    pub(super) fn read_chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
        certificates(CERTIFICATE, &self.certificate)
    }

    pub(super) fn read_key(&self) -> Result<PrivateKeyDer<'static>, TlsFault> {
        let pem = read(KEY, &self.key)?;
        PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| wrong(KEY, &self.key, "holds no private key in PEM that is not encrypted"))
    }

    pub(super) fn read_authority(&self) -> Result<Option<RootCertStore>, TlsFault> {
        let Some(path) = &self.client_authority else { return Ok(None) };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(AUTHORITY, path)? {
            roots.add(certificate).map_err(|error| self.wrong_authority(&error.to_string()))?;
        }
        Ok(Some(roots))
    }

    pub(super) fn wrong_authority(&self, why: &str) -> TlsFault {
        let path = self.client_authority.as_deref().unwrap_or(Path::new(""));
        wrong(AUTHORITY, path, format!("is no authority that can be used: {why}"))
    }

    /// What is wrong when a certificate and a key cannot be used together.
    pub(super) fn wrong_pair(&self, error: rustls::Error) -> TlsFault {
        let certificate = self.certificate.display();
        match error {
            rustls::Error::InconsistentKeys(_) => {
                wrong(KEY, &self.key, format!("is not the key of the certificate {certificate}"))
            }
            rustls::Error::InvalidCertificate(why) => {
                wrong(CERTIFICATE, &self.certificate, format!("cannot be used: {why}"))
            }
            other => wrong(KEY, &self.key, format!("cannot be used: {other}")),
        }
    }
}

fn wrong(key: &'static str, path: &Path, message: impl Into<String>) -> TlsFault {
    TlsFault::Wrong { key, path: path.to_owned(), message: message.into() }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsFault> {
    private::read_behind(path, limits::TLS_FILE_BYTES_MAX).map_err(|source| TlsFault::Unreadable {
        key,
        path: path.to_owned(),
        source,
    })
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let pem = read(key, path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(wrong(key, path, "holds no certificate in PEM")),
        Err(error) => Err(wrong(key, path, format!("is not in PEM: {error}"))),
    }
}
