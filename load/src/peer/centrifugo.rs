//! Centrifugo: its JSON protocol over WebSocket. A leave is told as soon as a connection is lost,
//! without a grace. What a customer missed is recovered after a return.

pub mod dialect;
mod token;
mod watch;

use std::net::SocketAddr;
use std::process::Command;

use crate::dialect::Spoken;
use crate::peer::process::{self, Server};
use crate::target::{Absent, Demands, Running, Target};
use crate::watch::{Ear, Watch};

/// The name of its dialect.
pub const DIALECT: &str = "centrifugo";

const NAME: &str = "centrifugo";

/// The server of the Centrifugal project.
#[derive(Clone, Copy, Debug)]
pub struct Centrifugo;

impl Target for Centrifugo {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> Result<String, Absent> {
        let program = process::program(NAME, NAME)?;
        let printed = process::printed(&program, &["version"]).unwrap_or_default();
        // Earlier versions have another form of configuration.
        process::at_least(NAME, "centrifugo", process::version_in(&printed), (6, 0))
    }

    fn start(&self, demands: &Demands) -> anyhow::Result<Box<dyn Running>> {
        let program = process::program(NAME, NAME)?;
        let folder = process::folder(NAME)?;
        let address = process::free_address()?;
        let configuration = folder.path().join("centrifugo.yaml");
        std::fs::write(&configuration, configure(address, demands)?)?;
        let mut command = Command::new(program);
        command.arg("-c").arg(configuration).current_dir(folder.path());
        let mut server = Server::start(NAME, folder, command)?;
        server.await_port(address)?;
        Ok(Box::new(Node { server, address, customers: demands.customers }))
    }

    fn promise(&self, _demands: &Demands) -> Option<&'static str> {
        Some(
            "the reply to a publish: it is in the channel's history, in memory; nothing is written",
        )
    }
}

fn configure(address: SocketAddr, demands: &Demands) -> anyhow::Result<String> {
    let file = std::fs::read_to_string(process::files().join("centrifugo.yaml"))?;
    let patience = demands.heartbeat * 9 / 10;
    Ok(file
        .replace("@PORT@", &address.port().to_string())
        .replace("@SECRET@", token::SECRET)
        .replace("@HEARTBEAT@", &format!("{}ms", demands.heartbeat.as_millis()))
        .replace("@PATIENCE@", &format!("{}ms", patience.as_millis()))
        .replace("@WINDOW@", &format!("{}ms", demands.window.as_millis())))
}

/// A server that runs.
struct Node {
    server: Server,
    address: SocketAddr,
    customers: u32,
}

impl Running for Node {
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
        Ok(Some(Box::new(watch::start(self.address, self.customers, ear)?)))
    }
}
