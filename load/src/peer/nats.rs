//! NATS: its own protocol over WebSocket. The system account is told of every lost connection at
//! once. There is no grace, so no notice ever says that a customer did not return. Posts go to
//! `JetStream`, which acknowledges them.

pub mod dialect;
mod lines;
mod watch;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::dialect::Spoken;
use crate::peer::process::{self, Server};
use crate::target::{Absent, Demands, Running, Target};
use crate::watch::{Ear, Watch};

/// The name of its dialect.
pub const DIALECT: &str = "nats";

const NAME: &str = "nats";

/// The server of the NATS project.
#[derive(Clone, Copy, Debug)]
pub struct Nats;

impl Target for Nats {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> Result<String, Absent> {
        let program = process::program(NAME, "nats-server")?;
        let printed = process::printed(&program, &["--version"]).unwrap_or_default();
        // Earlier versions know no `sync_interval`.
        process::at_least(NAME, "nats-server", process::version_in(&printed), (2, 10))
    }

    fn start(&self, demands: &Demands) -> anyhow::Result<Box<dyn Running>> {
        let program = process::program(NAME, "nats-server")?;
        let folder = process::folder(NAME)?;
        let address = process::free_address()?;
        let configuration = folder.path().join("nats.conf");
        std::fs::write(&configuration, configure(address, folder.path(), demands)?)?;
        let mut command = Command::new(program);
        command.arg("-c").arg(configuration);
        let mut server = Server::start(NAME, folder, command)?;
        server.await_port(address)?;
        watch::make_stream(address)?;
        Ok(Box::new(Streams { server, address }))
    }

    fn promise(&self, demands: &Demands) -> Option<&'static str> {
        Some(if demands.durable {
            "JetStream's acknowledgement: written to its file and synced (sync_interval: always)"
        } else {
            "JetStream's acknowledgement: written to its file, which is synced every two minutes"
        })
    }
}

fn configure(address: SocketAddr, folder: &Path, demands: &Demands) -> anyhow::Result<String> {
    let file = std::fs::read_to_string(process::files().join("nats.conf"))?;
    Ok(file
        .replace("@PLAIN@", &process::free_address()?.port().to_string())
        .replace("@PORT@", &address.port().to_string())
        .replace("@FOLDER@", &folder.join("store").to_string_lossy())
        .replace("@HEARTBEAT@", &format!("{}ms", demands.heartbeat.as_millis()))
        .replace("@SYNC@", if demands.durable { "always" } else { "\"2m\"" }))
}

/// A server that runs.
struct Streams {
    server: Server,
    address: SocketAddr,
}

impl Running for Streams {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn processes(&self) -> Vec<u32> {
        self.server.processes()
    }

    fn dialect(&self) -> Spoken {
        Spoken { name: DIALECT.into(), settings: serde_json::Value::Null }
    }

    fn watch(&self, ear: Ear) -> anyhow::Result<Option<Box<dyn Watch>>> {
        Ok(Some(Box::new(watch::start(self.address, ear)?)))
    }
}
