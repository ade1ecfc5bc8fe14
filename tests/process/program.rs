//! The binary, running in a process of its own, on a port and a directory of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use crate::console::{Console, PATIENCE};

pub(crate) const ADMINISTRATOR: &str = "the-administrator-of-the-trials";

/// A process that listens.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) admin: Console,
    /// What the program had printed when it was ready.
    pub(crate) greeting: String,
    told: mpsc::Receiver<String>,
}

/// The program, without any variable of this process's environment that could mean something to it.
pub(crate) fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdline"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HOLDLINE_")) {
        command.env_remove(name);
    }
    command.arg("--data").arg(data).current_dir(data);
    command.env("HOLDLINE_ADMIN_TOKEN", ADMINISTRATOR);
    command
}

/// Runs the program until it ends by itself.
pub(crate) fn run(mut command: Command) -> Output {
    command.output().expect("the program can be run")
}

impl Program {
    pub(crate) fn start(data: &Path, demo: &str) -> Self {
        let mut command = command(data);
        command.args(["--listen", "127.0.0.1:0", "--threads", "2", "--log", "warn", demo]);
        command.stdout(Stdio::piped());
        Self::spawn(command)
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program can be run");
        let output = child.stdout.take().expect("a pipe");
        let (tell, told) = mpsc::channel();
        // The pipe is read to its end, so that the program never waits for its reader.
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut line = String::new();
            while output.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                // A test that knows enough no longer listens.
                let _unheard = tell.send(std::mem::take(&mut line));
            }
        });
        let mut greeting = String::new();
        // The tokens stand in one paragraph, and the address in it or before it.
        while !(greeting.ends_with("\n\n") && greeting.contains("administrator")) {
            match told.recv_timeout(PATIENCE) {
                Ok(line) => greeting.push_str(&line),
                Err(_) => panic!("it does not greet: {greeting}"),
            }
        }
        let (_, rest) = greeting.split_once("://").expect("an address");
        let address = rest.split(['/', '\n']).next().expect("an address");
        let address: SocketAddr = address.trim().parse().expect("an address");
        let admin = Console::new(&format!("http://{address}"), ADMINISTRATOR);
        Self { child, address, admin, greeting, told }
    }

    /// A caller without a token at the operators' address, where operators have an address of their
    /// own.
    pub(crate) fn operators(&mut self) -> Console {
        let address = self.operators_address();
        Console::new(&format!("http://{address}"), ADMINISTRATOR).stranger()
    }

    /// The operators' address.
    pub(crate) fn operators_address(&mut self) -> SocketAddr {
        let told = "metrics and /openapi.json are at ";
        self.hear_until(told);
        let (_, origin) = self.greeting.split_once(told).expect("it was heard");
        let (_, address) = origin.split_once("://").expect("an address");
        address.trim().parse().expect("an address")
    }

    /// Reads on in what the program prints, up to a line that has this in it.
    pub(crate) fn hear_until(&mut self, end: &str) {
        while !self.greeting.contains(end) {
            match self.told.recv_timeout(PATIENCE) {
                Ok(line) => self.greeting.push_str(&line),
                Err(_) => panic!("it does not say {end}: {}", self.greeting),
            }
        }
    }

    /// Kills the program with kill -9, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        let status = self.child.wait().expect("it ends");
        assert!(!status.success(), "it was killed");
    }

    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it runs");
    }

    /// Makes the program read its configuration again, if it has a file for that.
    pub(crate) fn hang_up(&self) {
        kill_process(Pid::from_child(&self.child), Signal::HUP).expect("it runs");
    }

    /// Waits until the program has ended by itself.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// The id of the program's process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A program that has already ended cannot be killed.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
