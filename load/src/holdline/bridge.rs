//! TLS for drivers that speak none. The bridge carries each connection to the server over its own
//! TLS, byte for byte. The server keeps the same for it as for any client's.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsConnector;

/// How much is read at once in either direction: most of what a chat says is far shorter.
const BUFFER_BYTES: usize = 4_096;

/// A certificate that a server on loopback shows during one run, and its files.
pub(super) struct Certificate {
    der: CertificateDer<'static>,
    pub(super) file: PathBuf,
    pub(super) key_file: PathBuf,
}

impl Certificate {
    /// Makes a certificate, and puts it in this folder.
    pub(super) fn make(folder: &Path) -> anyhow::Result<Self> {
        let key = KeyPair::generate()?;
        let names = vec![Ipv4Addr::LOCALHOST.to_string()];
        let certificate = CertificateParams::new(names)?.self_signed(&key)?;
        let (file, key_file) = (folder.join("certificate.pem"), folder.join("key.pem"));
        std::fs::write(&file, certificate.pem())?;
        holdline::private::write(&key_file, key.serialize_pem().as_bytes())?;
        Ok(Self { der: certificate.der().clone(), file, key_file })
    }
}

/// The way into a server for drivers that speak no TLS. It ends when it is dropped.
pub(super) struct Bridge {
    pub(super) address: SocketAddr,
    /// Its one thread.
    _runtime: Runtime,
}

impl Bridge {
    /// Opens a bridge to a server at this address, which shows this certificate.
    pub(super) fn open(server: SocketAddr, certificate: &Certificate) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der.clone())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listening = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = runtime.block_on(listening).context("the bridge cannot be opened")?;
        let address = listener.local_addr()?;
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, connector.clone()));
            }
        });
        Ok(Self { address, _runtime: runtime })
    }
}

/// Carries a connection to its end. A fault on either side ends both sides, as it would without a
/// bridge.
async fn carry(mut client: TcpStream, server: SocketAddr, connector: TlsConnector) {
    let carrying = async {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        client.set_nodelay(true)?;
        let name = ServerName::from(server.ip());
        let mut stream = connector.connect(name, stream).await?;
        let (up, down) = (BUFFER_BYTES, BUFFER_BYTES);
        copy_bidirectional_with_sizes(&mut client, &mut stream, up, down).await
    };
    let _ended: std::io::Result<_> = carrying.await;
}
