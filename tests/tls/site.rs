//! A server that speaks TLS, in a process of its own, with its files in a directory of the test's.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::authority::Authority;
use crate::client::Client;
use crate::program::{Program, command};

/// A server, and the authority that signed its certificate.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) authority: Authority,
    pub(crate) program: Program,
}

/// The program, which reads its certificate from this folder and writes its log there.
pub(crate) fn asked(folder: &Path, environment: &[(&str, &str)]) -> Command {
    let mut asked = command(folder);
    asked.env("HOLDLINE_LISTEN", "127.0.0.1:0").env("HOLDLINE_THREADS", "2");
    asked.env("HOLDLINE_DEMO", "auto");
    asked.env("HOLDLINE_TLS_CERTIFICATE", folder.join("chain.pem"));
    asked.env("HOLDLINE_TLS_KEY", folder.join("key.pem"));
    asked.envs(environment.iter().copied());
    asked.stdout(Stdio::piped());
    asked
}

impl Site {
    pub(crate) fn open(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let authority = Authority::new();
        authority.issue().put(folder.path());
        Self::open_in(folder, authority, environment)
    }

    /// Does the same in a folder that already holds the certificate.
    pub(crate) fn open_in(
        folder: TempDir,
        authority: Authority,
        environment: &[(&str, &str)],
    ) -> Self {
        let mut asked = asked(folder.path(), environment);
        asked.stderr(std::fs::File::create(folder.path().join("log")).expect("a log"));
        let program = Program::spawn(asked);
        assert!(program.greeting.contains("https://"), "{}", program.greeting);
        Self { folder, authority, program }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.program.address, &self.authority)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("a log")
    }
}
