//! socket.io on Node: connection state recovery brings a customer back. It does not tell when a
//! customer fails to return; the little server in `load/peers/server.js` sets a timer for that.

pub mod dialect;
mod watch;

use std::net::SocketAddr;
use std::process::Command;

use crate::dialect::Spoken;
use crate::peer::process::{self, Server};
use crate::target::{Absent, Demands, Running, Target};
use crate::watch::{Ear, Watch};

/// The name of its dialect.
pub const DIALECT: &str = "socket.io";

const NAME: &str = "socket.io";

/// A server on socket.io.
#[derive(Clone, Copy, Debug)]
pub struct SocketIo;

/// Node, with this script of ours.
fn node() -> Result<Command, Absent> {
    let mut command = Command::new(process::program(NAME, "node")?);
    if !process::files().join("node_modules/socket.io/package.json").is_file() {
        let reason = "its package is not there; load/peers/install socket.io installs it";
        return Err(Absent { name: NAME, reason: reason.into() });
    }
    command.arg(process::files().join("server.js"));
    Ok(command)
}

impl Target for SocketIo {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> Result<String, Absent> {
        let program = process::program(NAME, "node")?;
        let node_itself = process::printed(&program, &["--version"]).unwrap_or_default();
        process::at_least(NAME, "node", process::version_in(&node_itself), (18, 0))?;
        let mut command = node()?;
        command.arg("version");
        let output = command.output().map_err(|error| Absent {
            name: NAME,
            reason: format!("Node does not start: {error}; load/peers/install socket.io"),
        })?;
        let printed = String::from_utf8_lossy(&output.stdout);
        // Earlier versions bring nobody back.
        process::at_least(NAME, "socket.io", process::version_in(&printed), (4, 6))
    }

    fn start(&self, demands: &Demands) -> anyhow::Result<Box<dyn Running>> {
        let address = process::free_address()?;
        let mut command = node()?;
        command
            .arg(address.port().to_string())
            .arg(demands.heartbeat.as_millis().to_string())
            .arg(demands.window.as_millis().to_string())
            .env("NODE_ENV", "production");
        let mut server = Server::start(NAME, process::folder(NAME)?, command)?;
        server.await_port(address)?;
        Ok(Box::new(Script { server, address }))
    }

    fn promise(&self, _demands: &Demands) -> Option<&'static str> {
        Some("the acknowledgement: the server's handler has run; nothing is written")
    }
}

/// A server that runs.
struct Script {
    server: Server,
    address: SocketAddr,
}

impl Running for Script {
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
