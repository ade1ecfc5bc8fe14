//! An issuer of tokens on this machine. It tells its keys over HTTP, or fails to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What the issuer does when it is asked.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// It answers with these keys.
    Tells(Vec<Value>),
    /// It never answers.
    Hangs,
    /// Its answer never ends.
    Floods,
    /// It answers that it is unavailable.
    Fails,
    /// It redirects every request to the address of its keys.
    Redirects,
    /// It redirects a request for its keys to this address.
    SendsOn(String),
    /// It says that it is another issuer.
    Lies,
}

/// What an issuer shows over TLS, and the authority that signed its certificate.
pub(crate) struct Identity {
    pub(crate) authority: String,
    acceptor: TlsAcceptor,
}

impl Identity {
    /// An identity for this machine, signed by a new authority that no system knows.
    pub(crate) fn new() -> Self {
        let own = KeyPair::generate().expect("a key");
        let mut parameters = CertificateParams::new(Vec::new()).expect("parameters");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = parameters.self_signed(&own).expect("a certificate");
        let pem = authority.pem();
        let key = KeyPair::generate().expect("a key");
        let shown = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        let shown = shown.signed_by(&key, &rcgen::Issuer::from_params(&parameters, &own));
        let shown = vec![shown.expect("a certificate").der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(shown, key));
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a certificate and its key")));
        Self { authority: pem, acceptor }
    }
}

/// The issuer. Dropping it stops it.
pub(crate) struct Issuer {
    name: String,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<AtomicUsize>,
    listening: JoinHandle<()>,
}

impl Issuer {
    pub(crate) async fn open(manner: Manner) -> Self {
        Self::open_as(manner, None).await
    }

    /// An issuer that speaks only TLS if it has an identity, and plain HTTP otherwise.
    pub(crate) async fn open_as(manner: Manner, identity: Option<&Identity>) -> Self {
        let acceptor = identity.map(|identity| identity.acceptor.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (manner, asked) = (Arc::new(Mutex::new(manner)), Arc::new(AtomicUsize::new(0)));
        let name = match &acceptor {
            Some(_) => format!("https://localhost:{}/people", address.port()),
            None => format!("http://{address}/people"),
        };
        let (telling, counting, own) = (manner.clone(), asked.clone(), name.clone());
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (telling, counting, own) = (telling.clone(), counting.clone(), own.clone());
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A caller that hangs up has heard enough.
                    let _gone = match acceptor {
                        None => answer(stream, &own, &telling, &counting).await,
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => answer(stream, &own, &telling, &counting).await,
                            Err(refused) => Err(refused),
                        },
                    };
                });
            }
        });
        Self { name, manner, asked, listening }
    }

    /// What the issuer calls itself.
    pub(crate) fn name(&self) -> String {
        self.name.clone()
    }

    pub(crate) fn become_one_that(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// How often the issuer was asked for its keys. An issuer that neither tells its keys nor sends
    /// on counts every request.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    own: &str,
    manner: &Mutex<Manner>,
    asked: &AtomicUsize,
) -> std::io::Result<()> {
    let mut question = Vec::new();
    while !question.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut question).await? == 0 {
            return Ok(());
        }
    }
    let question = String::from_utf8_lossy(&question).into_owned();
    let is_for_keys = question.starts_with("GET /people/keys ");
    let manner = manner.lock().unwrap().clone();
    if is_for_keys || !matches!(manner, Manner::Tells(_) | Manner::SendsOn(_)) {
        asked.fetch_add(1, Ordering::Relaxed);
    }
    let discovered = |issuer: &str| json!({ "issuer": issuer, "jwks_uri": format!("{own}/keys") });
    let sent_on;
    let (status, body) = match manner {
        Manner::Hangs => return std::future::pending().await,
        Manner::Floods => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"issuer\":\"").await?;
            loop {
                stream.write_all(&[b'a'; 65_536]).await?;
            }
        }
        Manner::Fails => ("503 Service Unavailable", json!({})),
        Manner::Redirects => ("302 Found\r\nlocation: /people/keys", json!({})),
        Manner::Lies => ("200 OK", discovered("http://127.0.0.1:1/people")),
        Manner::SendsOn(address) if is_for_keys => {
            sent_on = format!("302 Found\r\nlocation: {address}");
            (sent_on.as_str(), json!({}))
        }
        Manner::Tells(keys) if is_for_keys => ("200 OK", json!({ "keys": keys })),
        _ if question.starts_with("GET /people/.well-known/openid-config") => {
            ("200 OK", discovered(own))
        }
        Manner::Tells(_) | Manner::SendsOn(_) => ("404 Not Found", json!({})),
    };
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).await?;
    stream.shutdown().await
}
