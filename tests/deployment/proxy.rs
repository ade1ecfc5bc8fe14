//! A proxy that runs with an example of the documentation. Only its ports, its paths and what a
//! test names differ from the example.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::console::PATIENCE;
use crate::example::{Change, Kind, Places};

/// How long a proxy that is asked to end may take for it.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// A proxy that listens, with files of its own.
pub(crate) struct Proxy {
    process: Child,
    folder: TempDir,
    /// The address at which the proxy speaks TLS.
    pub(crate) address: SocketAddr,
    /// The address at which the proxy speaks without TLS.
    pub(crate) plain: SocketAddr,
    /// The certificate that the proxy shows.
    pub(crate) certificate: PathBuf,
}

/// A port that nobody listens on, outside the range from which the kernel gives ports to
/// connections: a server that is started again finds it free.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 12_000).expect("it is small");
    loop {
        let port = 16_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 14_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

impl Proxy {
    /// Starts a proxy in front of a server.
    pub(crate) fn start(kind: Kind, server: SocketAddr, changes: &[Change<'_>]) -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let (address, plain) = (free_address(), free_address());
        let (certificate, key) = certify(folder.path());
        let places = Places {
            folder: folder.path().to_owned(),
            server,
            address,
            plain,
            certificate: certificate.clone(),
            key,
        };
        let (text, mut command) = kind.placed(kind.example(changes), &places);
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("configuration"), text).expect("it is written");
        let said = File::options().create(true).append(true).open(at("said")).expect("a file");
        let again = said.try_clone().expect("a file");
        command.arg(at("configuration")).stdin(Stdio::null()).stdout(said).stderr(again);
        // Debian puts servers in a directory that is not on every user's path.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin"));
        let name = kind.program();
        let process = command.spawn().unwrap_or_else(|error| {
            panic!(
                "these tests need {name} ({error}); install it with: \
                 apt-get update && apt-get install -y {name}"
            )
        });
        let mut proxy = Self { process, folder, address, plain, certificate };
        proxy.wait_until_it_listens();
        proxy
    }

    fn wait_until_it_listens(&mut self) {
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let ended = self.process.try_wait().expect("it can be asked");
            let said = std::fs::read_to_string(self.folder.path().join("said"));
            let said = said.unwrap_or_default();
            assert!(ended.is_none(), "it has ended: {said}");
            assert!(started.elapsed() < PATIENCE, "it does not listen: {said}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // A master process that is killed leaves its workers behind. One that is asked to end takes
        // them along.
        let _gone = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let asked = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) && asked.elapsed() < ENDS_WITHIN {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// Makes a certificate for `chat.example` that vouches for itself, and its key.
fn certify(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-days", "2", "-subj", "/CN=chat.example"]);
    openssl.args(["-addext", "subjectAltName=DNS:chat.example", "-keyout"]).arg(&key);
    let output = openssl.arg("-out").arg(&certificate).output();
    let output = output.unwrap_or_else(|error| {
        panic!(
            "these tests need openssl ({error}); install it with: \
             apt-get update && apt-get install -y openssl"
        )
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (certificate, key)
}
