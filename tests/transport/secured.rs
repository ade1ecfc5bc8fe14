//! TLS on a real socket whose kernel buffer is small: what becomes of bytes that TLS has taken and
//! the socket has not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use holdline::socket::bind;
use holdline::tls::{Certificates, Files};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use socket2::SockRef;

use crate::peer::{request, text};
use crate::server::{Server, until};

/// A server over TLS, and an open connection to it.
fn connected() -> (Server, StreamOwned<ClientConnection, TcpStream>) {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let files = Files {
        certificate: folder.path().join("chain.pem"),
        key: folder.path().join("key.pem"),
        client_authority: None,
    };
    std::fs::write(&files.certificate, certificate.pem()).unwrap();
    holdline::private::write(&files.key, key.serialize_pem().as_bytes()).unwrap();
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    // An accepted socket inherits this size.
    SockRef::from(&listener).set_send_buffer_size(4_096).unwrap();
    let certificates = Certificates::open(files).unwrap();
    let server = Server::start_at(listener, Some(Arc::new(certificates)));
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::from(server.address.ip());
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(server.address).unwrap();
    SockRef::from(&stream).set_recv_buffer_size(4_096).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    (server, StreamOwned::new(session, stream))
}

#[test]
fn what_is_the_last_to_be_said_is_sent_when_there_is_room_though_nothing_follows_it() {
    let (server, mut stream) = connected();
    let asked = request("/v1/widget?widget=shop", "holdline.v1");
    // One text is less than TLS takes at once. In some round the texts are more than the kernel
    // takes, and the last of them is the last that TLS takes.
    let said = "~".repeat(16_000);
    for count in 1..=6 {
        let opening = if count == 1 { asked.as_bytes() } else { &[] };
        stream.write_all(&[opening, &text(&said).repeat(count)].concat()).unwrap();
        until("all of it is said", || server.seen.frames() == count * (count + 1) / 2);
        let (mut heard, mut chunk) = (0, [0; 1_024]);
        while heard < said.len() * count {
            let read = stream.read(&mut chunk).expect("the rest of it comes");
            assert!(read > 0, "it was closed");
            heard += chunk[..read].iter().filter(|byte| **byte == b'~').count();
        }
    }
}
