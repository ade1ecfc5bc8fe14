//! The examples of docs/deployment, with other ports and paths. They also ask for fewer descriptors
//! and connections, because not every machine has so many, and Caddy's administration and its
//! search for certificates are off. Nothing else changes but what a test asks for.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The proxy that an example is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Nginx,
    Haproxy,
    Caddy,
}

/// A text of an example, and what takes its place.
pub(crate) type Change<'a> = (&'a str, &'a str);

/// Where a proxy finds what the example names.
pub(crate) struct Places {
    pub(crate) folder: PathBuf,
    pub(crate) server: SocketAddr,
    pub(crate) address: SocketAddr,
    pub(crate) plain: SocketAddr,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Kind {
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Caddy => "caddy",
        }
    }

    /// The example, with these changes.
    pub(crate) fn example(self, changes: &[Change<'_>]) -> String {
        let path = match self {
            Self::Nginx => "docs/deployment/nginx.conf",
            Self::Haproxy => "docs/deployment/haproxy.cfg",
            Self::Caddy => "docs/deployment/Caddyfile",
        };
        let text = std::fs::read_to_string(path).expect("the example can be read");
        changes.iter().fold(text, put)
    }

    /// The example with these places, and the command that starts the proxy, which still lacks the
    /// file.
    pub(crate) fn placed(self, example: String, places: &Places) -> (String, Command) {
        let mut command = Command::new(self.program());
        let text = match self {
            Self::Nginx => {
                command.arg("-e").arg(places.folder.join("said"));
                command.args(["-g", "daemon off;", "-c"]);
                places.of_nginx(example)
            }
            Self::Haproxy => {
                command.args(["-db", "-f"]);
                places.of_haproxy(example)
            }
            Self::Caddy => {
                command.args(["run", "--adapter", "caddyfile", "--config"]);
                command.env("HOME", &places.folder);
                places.of_caddy(example)
            }
        };
        (text, command)
    }
}

impl Places {
    fn of_nginx(&self, example: String) -> String {
        let Self { folder, server, address, plain, certificate, key } = self;
        let (pid, said) = (folder.join("pid"), folder.join("said"));
        let changes: [Change<'_>; 9] = [
            ("listen 80;", &format!("listen {plain};")),
            ("listen 443 ssl", &format!("listen {address} ssl")),
            ("/etc/ssl/chat.example.pem", plainly(certificate)),
            ("/etc/ssl/private/chat.example.key", plainly(key)),
            ("/run/nginx.pid", plainly(&pid)),
            ("/var/log/nginx/error.log", plainly(&said)),
            ("server 127.0.0.1:8080;", &format!("server {server};")),
            ("worker_rlimit_nofile 131072", "worker_rlimit_nofile 1000"),
            ("worker_connections 60000", "worker_connections 500"),
        ];
        changes.iter().fold(example, put)
    }

    fn of_haproxy(&self, example: String) -> String {
        let Self { folder, server, address, plain, certificate, key } = self;
        let both = [certificate, key].map(|path| std::fs::read(path).expect("it can be read"));
        let together = folder.join("both.pem");
        std::fs::write(&together, both.concat()).expect("it is written");
        let changes: [Change<'_>; 5] = [
            ("bind :80\n", &format!("bind {plain}\n")),
            ("bind :443 ", &format!("bind {address} ")),
            ("/etc/haproxy/chat.example.pem", plainly(&together)),
            ("server holdline 127.0.0.1:8080", &format!("server holdline {server}")),
            ("maxconn 60000", "maxconn 500"),
        ];
        changes.iter().fold(example, put)
    }

    /// Caddy must not ask anybody for a certificate.
    fn of_caddy(&self, example: String) -> String {
        let Self { server, address, plain, certificate, key, .. } = self;
        let clear = format!(
            "{{\n\tadmin off\n\tauto_https off\n}}\nhttp://:{} {{\n\tbind 127.0.0.1",
            plain.port()
        );
        let site = format!(
            "https://:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate} {key}",
            port = address.port(),
            certificate = certificate.display(),
            key = key.display(),
        );
        let changes: [Change<'_>; 3] = [
            ("http://chat.example {", &clear),
            ("\nchat.example {", &format!("\n{site}")),
            ("reverse_proxy 127.0.0.1:8080", &format!("reverse_proxy {server}")),
        ];
        changes.iter().fold(example, put)
    }
}

fn plainly(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

/// Replaces one text by another. The old text must be there.
fn put(text: String, (old, new): &Change<'_>) -> String {
    assert!(text.contains(old), "the example does not say {old:?} any more");
    text.replace(old, new)
}
