//! TLS for clients that do not speak it: for each connection an `openssl` of its own carries the
//! bytes to a proxy, and checks whose certificate the proxy shows.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::JoinHandle;

/// The address that clients come from, as the proxy sees it.
pub(crate) const CLIENT: &str = "127.0.0.9";

/// A place to connect to without TLS. When it is dropped, all of its connections end.
pub(crate) struct Bridge {
    pub(crate) address: SocketAddr,
    carrying: JoinHandle<()>,
}

impl Bridge {
    pub(crate) async fn open(proxy: SocketAddr, certificate: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let certificate = certificate.to_owned();
        let carrying = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(carry(stream, proxy, certificate.clone()));
            }
        });
        Self { address, carrying }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

/// Carries bytes until either end has closed. Then the other end is closed as well, no more
/// politely.
async fn carry(mut stream: TcpStream, proxy: SocketAddr, certificate: PathBuf) {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-connect", &proxy.to_string(), "-alpn", "http/1.1"]);
    command.args(["-bind", &format!("{CLIENT}:0")]);
    command.args(["-servername", "chat.example", "-verify_hostname", "chat.example"]);
    command.args(["-verify_return_error", "-CAfile"]).arg(certificate);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = command.kill_on_drop(true).spawn().expect("openssl is there");
    let mut there = process.stdin.take().expect("a pipe");
    let mut back = process.stdout.take().expect("a pipe");
    let (mut reading, mut writing) = stream.split();
    // The two ends must notice how the connection ends; its carrier need not.
    tokio::select! {
        _ = tokio::io::copy(&mut reading, &mut there) => {}
        _ = tokio::io::copy(&mut back, &mut writing) => {}
    }
}
