//! What comes on a connection, as a whole server reads it: requests of people, upgrade requests of
//! widgets, and the frames behind these. The server runs on this machine's own address, with a shop
//! and an administrator's token, so that the bytes reach what is behind the doors as well.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::LazyLock;
use std::time::Duration;

use holdline::config::Config;
use holdline::server::Server;

/// The administrator's token, which stands in the corpus.
const TOKEN: &str = "the-administrator-of-the-trials";

/// How long an answer may take. The server waits for the rest of an incomplete request; that is no
/// fault.
const PATIENCE: Duration = Duration::from_millis(50);

/// How long the server may take to say that it is there, on a machine with much else to do.
const LONG_PATIENCE: Duration = Duration::from_secs(10);

static SERVER: LazyLock<SocketAddr> = LazyLock::new(|| {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            let place = tempfile::tempdir().unwrap_or_else(|fault| panic!("{fault}"));
            let data = place.path().display().to_string();
            let environment = move |name: &str| match name {
                "HOLDLINE_ADMIN_TOKEN" => Some(TOKEN.into()),
                "HOLDLINE_LISTEN" => Some("127.0.0.1:0".into()),
                "HOLDLINE_DATA" => Some(data.clone().into()),
                "HOLDLINE_THREADS" => Some("1".into()),
                _ => None,
            };
            let config = Config::load(["holdline".into()], environment, |_| Ok(String::new()));
            let config = config.unwrap_or_else(|fault| panic!("{fault}"));
            let server = Server::start(&config).await;
            let server = server.unwrap_or_else(|fault| panic!("it starts: {fault}"));
            let _told = tell.send(server.address());
            std::future::pending::<()>().await;
        });
    });
    told.recv().unwrap_or_else(|_| panic!("the server did not start"))
});

pub(crate) fn run(bytes: &[u8]) {
    let answered = ask(bytes, PATIENCE);
    assert!(!answered.starts_with(b"HTTP/1.1 500"), "{}", String::from_utf8_lossy(&answered));
    // A task that panics ends alone, and the server goes on. So the target must ask whether it is
    // alive.
    let asked = b"GET /readyz HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    let alive = ask(asked, LONG_PATIENCE);
    assert!(alive.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&alive));
}

fn ask(bytes: &[u8], patience: Duration) -> Vec<u8> {
    let mut answered = Vec::new();
    let asked = TcpStream::connect(*SERVER).and_then(|mut stream| {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.write_all(bytes)?;
        stream.shutdown(Shutdown::Write)?;
        let mut some = [0; 4_096];
        while answered.len() < 65_536 {
            match stream.read(&mut some) {
                Ok(0) => break,
                Ok(read) => answered.extend_from_slice(&some[..read]),
                // The fuzzer's own timer interrupted the read; the answer is still to come.
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    });
    match asked.map_err(|fault| fault.kind()) {
        // The server may close before everything is written, and may wait for the rest of a
        // request.
        Ok(())
        | Err(
            ErrorKind::ConnectionReset
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
            | ErrorKind::WouldBlock
            | ErrorKind::TimedOut,
        ) => answered,
        Err(kind) => panic!("the server cannot be reached: {kind:?}"),
    }
}
