//! Clients that connect over TLS: a program that asks over HTTP, and a widget.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, SupportedProtocolVersion};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Error;

use crate::authority::{Authority, Pair};
use crate::console::PATIENCE;
use crate::program::ADMINISTRATOR;
use crate::widget::{Introduction, Widget, introduce, mint_visitor};

/// A client, with what it trusts and what it speaks.
#[derive(Clone)]
pub(crate) struct Client {
    config: Arc<ClientConfig>,
    address: SocketAddr,
    token: String,
}

/// An answer over HTTP.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// The token of one of the demo's people.
pub(crate) fn secret_of(person: &str, data: &Path) -> String {
    let kept = std::fs::read(data.join("access.json")).expect("it is kept");
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    kept["demo"][person].as_str().expect("a token").to_owned()
}

fn builder(
    versions: &[&'static SupportedProtocolVersion],
) -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions")
}

impl Client {
    /// A client that trusts this authority, and knows every version.
    pub(crate) fn new(address: SocketAddr, authority: &Authority) -> Self {
        Self::of_versions(address, authority, rustls::ALL_VERSIONS)
    }

    pub(crate) fn of_versions(
        address: SocketAddr,
        authority: &Authority,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let config = builder(versions).with_root_certificates(authority.roots());
        Self::of(config.with_no_client_auth(), address)
    }

    /// A client that has a certificate of its own.
    pub(crate) fn with_certificate(
        address: SocketAddr,
        authority: &Authority,
        own: &Pair,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let config = builder(versions).with_root_certificates(authority.roots());
        let config = config.with_client_auth_cert(own.chain(), own.private_key());
        Self::of(config.expect("a pair"), address)
    }

    fn of(config: ClientConfig, address: SocketAddr) -> Self {
        Self { config: Arc::new(config), address, token: ADMINISTRATOR.to_owned() }
    }

    /// The same client at another address of the server.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    /// The same client with the token of one of the demo's people, which this data directory keeps.
    pub(crate) fn acting_as(&self, person: &str, data: &Path) -> Self {
        Self { token: secret_of(person, data), ..self.clone() }
    }

    /// The same client, which offers these protocols.
    pub(crate) fn offering(&self, protocols: &[&str]) -> Self {
        let mut config = (*self.config).clone();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self { config: Arc::new(config), ..self.clone() }
    }

    pub(crate) async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        self.secure(TcpStream::connect(self.address).await?).await
    }

    /// Makes the handshake on a connection.
    pub(crate) async fn secure(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let name = ServerName::from(self.address.ip());
        let connecting = connector.connect(name, stream);
        tokio::time::timeout(PATIENCE, connecting).await.expect("it is answered or closed")
    }

    /// The certificate that the server shows to a new connection.
    pub(crate) async fn shown(&self) -> CertificateDer<'static> {
        let stream = self.connect().await.expect("it is trusted");
        stream.get_ref().1.peer_certificates().expect("a certificate")[0].clone().into_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> io::Result<Reply> {
        self.ask(&format!("GET {path}"), "").await
    }

    /// Sends a request with the token, on a connection of its own.
    pub(crate) async fn ask(&self, what: &str, body: &str) -> io::Result<Reply> {
        let mut stream = self.connect().await?;
        let (length, token) = (body.len(), &self.token);
        let request = format!(
            "{what} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\
             Authorization: Bearer {token}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        let reading = stream.read_to_string(&mut answer);
        tokio::time::timeout(PATIENCE, reading).await.expect("it is answered to its end")?;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok(Reply {
            status: status.expect("a status"),
            head: head.to_owned(),
            body: body.to_owned(),
        })
    }

    /// Sends a request that must succeed.
    pub(crate) async fn done(&self, what: &str, body: &str) -> Value {
        let reply = self.ask(what, body).await.expect("an answer");
        assert!((200..300).contains(&reply.status), "{what}: {} {}", reply.status, reply.body);
        if reply.body.is_empty() { Value::Null } else { reply.json() }
    }

    /// The figure in the line of the metrics that begins like this; 0 if there is none.
    pub(crate) async fn metric(&self, line: &str) -> u64 {
        let metrics = self.get("/metrics").await.expect("an answer").body;
        let found = metrics.lines().find_map(|found| found.strip_prefix(line));
        found.map_or(0, |figure| figure.trim().parse().expect("a number"))
    }

    /// How many handshakes failed for this reason.
    pub(crate) async fn refusals(&self, code: &str) -> u64 {
        self.metric(&format!("holdline_refusals_total{{face=\"tls\",code=\"{code}\"}}")).await
    }

    /// A widget's socket that was let in and has said nothing.
    pub(crate) async fn widget(&self, widget: &str) -> Widget {
        self.try_widget(widget).await.expect("the widget is let in")
    }

    pub(crate) async fn try_widget(&self, widget: &str) -> Result<Widget, Error> {
        let stream = self.connect().await.expect("it is trusted");
        let line = stream.get_ref().0.as_fd().try_clone_to_owned().expect("a descriptor").into();
        let connecting =
            Widget::try_connect_over(Box::new(stream), line, self.address, widget, &[]);
        connecting.await
    }

    /// A tab that reads only when the test reads from it. There is little room for what it has not
    /// read.
    pub(crate) async fn pausing_tab(&self, hello: &Introduction) -> TlsStream<TcpStream> {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("it can be small");
        let stream = socket.connect(self.address).await.expect("it is listened to");
        let mut stream = self.secure(stream).await.expect("it is trusted");
        let request = "GET /v1/widget?widget=demo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Sec-WebSocket-Protocol: holdline.v1\r\n\r\n";
        let text = introduce(hello).to_string();
        // A masked text frame; a mask of zeros changes nothing.
        let length = u16::try_from(text.len()).expect("a short text").to_be_bytes();
        let head = [0x81, 0x80 | 126, length[0], length[1], 0, 0, 0, 0];
        let all = [request.as_bytes(), &head, text.as_bytes()].concat();
        stream.write_all(&all).await.expect("it is open");
        stream
    }

    /// A browser that has never been here.
    pub(crate) async fn browser(&self, widget: &str) -> Widget {
        let mut opened = self.widget(widget).await;
        let visitor = Some(mint_visitor());
        opened.hello(Introduction { visitor, ..Introduction::default() }).await;
        opened
    }
}
