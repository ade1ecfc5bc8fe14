//! centrifuge: the library that Centrifugo is made of, in a server of the least size
//! (`load/peers/centrifuge`). Its leaves are told when a connection is lost, without a grace; what
//! was missed is recovered after a return.

pub mod dialect;
mod watch;

use std::net::SocketAddr;
use std::process::Command;

use crate::dialect::Spoken;
use crate::peer::process::{self, Server};
use crate::target::{Absent, Demands, Running, Target};
use crate::watch::{Ear, Watch};

/// The name of its dialect.
pub const DIALECT: &str = "centrifuge";

const NAME: &str = "centrifuge";
const PROGRAM: &str = "centrifuge-peer";

/// A server on the library of the Centrifugal project.
#[derive(Clone, Copy, Debug)]
pub struct Centrifuge;

impl Target for Centrifuge {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> Result<String, Absent> {
        let program = process::program(NAME, PROGRAM)?;
        let printed = process::printed(&program, &["-version"]).unwrap_or_default();
        Ok(process::version_in(&printed).unwrap_or_else(|| "unknown".into()))
    }

    fn start(&self, demands: &Demands) -> anyhow::Result<Box<dyn Running>> {
        let address = process::free_address()?;
        let mut command = Command::new(process::program(NAME, PROGRAM)?);
        command
            .arg(format!("-listen={address}"))
            .arg(format!("-heartbeat={}ms", demands.heartbeat.as_millis()))
            .arg(format!("-window={}ms", demands.window.as_millis()));
        let mut server = Server::start(NAME, process::folder(NAME)?, command)?;
        server.await_port(address)?;
        Ok(Box::new(Node { server, address }))
    }

    fn promise(&self, _demands: &Demands) -> Option<&'static str> {
        Some(
            "the reply to a publish: it is in the channel's history, in memory; nothing is written",
        )
    }
}

/// A server that runs.
struct Node {
    server: Server,
    address: SocketAddr,
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
        Ok(Some(Box::new(watch::start(self.address, ear)?)))
    }
}
