//! Mosquitto: MQTT 5 over WebSocket. A customer's will, with a delay, is what tells the second
//! party that they are gone: the broker publishes it unless they return in time.

pub mod dialect;
mod packet;
mod watch;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::dialect::Spoken;
use crate::peer::process::{self, Server};
use crate::target::{Absent, Demands, Running, Target};
use crate::watch::{Ear, Watch};

/// The name of its dialect.
pub const DIALECT: &str = "mqtt";

const NAME: &str = "mosquitto";

/// The broker of the Eclipse foundation.
#[derive(Clone, Copy, Debug)]
pub struct Mosquitto;

impl Target for Mosquitto {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> Result<String, Absent> {
        let program = process::program(NAME, "mosquitto")?;
        let printed = process::printed(&program, &["-h"]).unwrap_or_default();
        // Earlier versions have listeners with other rules of who may connect.
        process::at_least(NAME, "mosquitto", process::version_in(&printed), (2, 0))
    }

    fn start(&self, demands: &Demands) -> anyhow::Result<Box<dyn Running>> {
        let program = process::program(NAME, "mosquitto")?;
        let folder = process::folder(NAME)?;
        let address = process::free_address()?;
        let configuration = folder.path().join("mosquitto.conf");
        std::fs::write(&configuration, configure(address, folder.path(), demands.durable)?)?;
        let mut command = Command::new(program);
        command.arg("-c").arg(configuration);
        let mut server = Server::start(NAME, folder, command)?;
        server.await_port(address)?;
        Ok(Box::new(Broker { server, address, demands: demands.clone() }))
    }

    fn promise(&self, demands: &Demands) -> Option<&'static str> {
        Some(if demands.durable {
            "PUBACK: the broker holds it in memory; its file is written each half hour and at exit"
        } else {
            "PUBACK: the broker holds it in memory"
        })
    }
}

fn configure(address: SocketAddr, folder: &Path, is_kept: bool) -> anyhow::Result<String> {
    let file = std::fs::read_to_string(process::files().join("mosquitto.conf"))?;
    Ok(file
        .replace("@PORT@", &address.port().to_string())
        .replace("@FOLDER@", &folder.to_string_lossy())
        .replace("@PERSISTENCE@", if is_kept { "true" } else { "false" }))
}

/// A broker that runs.
struct Broker {
    server: Server,
    address: SocketAddr,
    demands: Demands,
}

impl Running for Broker {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn processes(&self) -> Vec<u32> {
        self.server.processes()
    }

    fn dialect(&self) -> Spoken {
        let settings = dialect::settings(&self.demands);
        Spoken { name: DIALECT.into(), settings: json!(settings) }
    }

    fn watch(&self, ear: Ear) -> anyhow::Result<Option<Box<dyn Watch>>> {
        Ok(Some(Box::new(watch::start(self.address, ear)?)))
    }
}
