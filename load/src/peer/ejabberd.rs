//! ejabberd: XMPP over WebSocket. Stream management holds a lost customer; when it gives them up,
//! the presence that they sent to the agent is taken back, which is what the agent is told.

mod accounts;
pub mod dialect;
mod watch;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::dialect::Spoken;
use crate::peer::process::{self, Server};
use crate::target::{Absent, Demands, Running, Target};
use crate::watch::{Ear, Watch};

/// The name of its dialect.
pub const DIALECT: &str = "xmpp";

const NAME: &str = "ejabberd";

/// The server of `ProcessOne`.
#[derive(Clone, Copy, Debug)]
pub struct Ejabberd;

/// Where Debian puts Erlang's libraries, ejabberd among them.
const LIBRARIES: [&str; 3] =
    ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib/erlang/lib"];

/// The folder of libraries that holds ejabberd, and its version.
fn library() -> Result<(&'static str, String), Absent> {
    let found = LIBRARIES.iter().find_map(|folder| {
        let names = std::fs::read_dir(folder).ok()?;
        let names = names.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let version = names.filter_map(|name| name.strip_prefix("ejabberd-").map(str::to_owned));
        // Debian has a second folder of the same version, named with Debian's own revision.
        version.min_by_key(String::len).map(|version| (*folder, version))
    });
    found.ok_or_else(|| Absent {
        name: NAME,
        reason: "its library is not there; load/peers/install ejabberd installs it".into(),
    })
}

impl Target for Ejabberd {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> Result<String, Absent> {
        process::program(NAME, "erl")?;
        let (_, version) = library()?;
        process::at_least(NAME, "ejabberd", Some(version), (23, 1))
    }

    fn start(&self, demands: &Demands) -> anyhow::Result<Box<dyn Running>> {
        let (libraries, _) = library()?;
        let folder = process::folder(NAME)?;
        let address = process::free_address()?;
        let configuration = folder.path().join("ejabberd.yml");
        std::fs::write(&configuration, configure(address, demands)?)?;
        let program = process::program(NAME, "erl")?;
        let place = folder.path().to_path_buf();
        let command = || start_command(&program, libraries, &place);
        let mut server = Server::start(NAME, folder, command())?;
        server.await_port(address)?;
        accounts::make(address, demands.customers)?;
        // Memory that the server took to make the accounts is no part of what customers take.
        server.start_again(command())?;
        server.await_port(address)?;
        Ok(Box::new(Host { server, address, window: demands.window }))
    }

    fn promise(&self, _demands: &Demands) -> Option<&'static str> {
        Some("the answer to a ping after the message: it is passed on; nothing is written")
    }
}

/// ejabberd's script wants the system's folders and its name server; the runtime needs neither.
fn start_command(program: &Path, libraries: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(["-noinput", "+K", "true", "+P", "250000", "+Q", "65536"])
        .args(["-mnesia", "dir"])
        .arg(format!("\"{}\"", folder.join("database").display()))
        .args(["-s", "ejabberd"])
        .current_dir(folder)
        .env("HOME", folder)
        .env("ERL_LIBS", libraries)
        .env("ERL_CRASH_DUMP", Path::new("/dev/null"))
        .env("EJABBERD_CONFIG_PATH", folder.join("ejabberd.yml"))
        .env("EJABBERD_LOG_PATH", folder.join("ejabberd.log"));
    command
}

/// ejabberd counts in whole seconds here.
fn configure(address: SocketAddr, demands: &Demands) -> anyhow::Result<String> {
    let file = std::fs::read_to_string(process::files().join("ejabberd.yml"))?;
    let seconds = |time: Duration| time.as_secs_f64().ceil().max(1.0).to_string();
    // A heartbeat in time leaves the server no reason to ask. After two heartbeats it counts as
    // silence.
    let ask = demands.heartbeat + demands.heartbeat / 8;
    let wait =
        (demands.heartbeat * 2).saturating_sub(Duration::from_secs_f64(ask.as_secs_f64().ceil()));
    Ok(file
        .replace("@PORT@", &address.port().to_string())
        .replace("@WINDOW@", &seconds(demands.window))
        .replace("@ASK@", &seconds(ask))
        .replace("@WAIT@", &seconds(wait)))
}

/// A server that runs.
struct Host {
    server: Server,
    address: SocketAddr,
    window: Duration,
}

impl Running for Host {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn processes(&self) -> Vec<u32> {
        self.server.processes()
    }

    fn dialect(&self) -> Spoken {
        let window_s = self.window.as_secs_f64().ceil();
        Spoken { name: DIALECT.into(), settings: serde_json::json!(window_s) }
    }

    fn watch(&self, ear: Ear) -> anyhow::Result<Option<Box<dyn Watch>>> {
        Ok(Some(Box::new(watch::start(self.address, ear)?)))
    }
}
