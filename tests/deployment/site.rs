//! A shop on a Holdline behind a proxy. Its customers and agents come through the proxy, over TLS.

use std::fs::File;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bridge::Bridge;
use crate::console::{Console, PATIENCE};
use crate::example::{Change, Kind};
use crate::program::{Program, command};
use crate::proxy::{Proxy, free_address};
use crate::widget::{Introduction, Widget, mint_visitor};

/// Longer than a widget needs to come back on a busy machine.
const WINDOW_S: u64 = 60;

pub(crate) struct Site {
    data: TempDir,
    server: SocketAddr,
    pub(crate) program: Option<Program>,
    bridge: Bridge,
    pub(crate) proxy: Proxy,
    /// The administrator, who does not come through the proxy.
    pub(crate) admin: Console,
}

impl Site {
    pub(crate) async fn open(kind: Kind, changes: &[Change<'_>]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let server = free_address();
        let program = start(&data, server);
        let admin = program.admin.clone();
        let proxy = Proxy::start(kind, server, changes);
        let bridge = Bridge::open(proxy.address, &proxy.certificate).await;
        admin.put("/v1/agents/ada", json!({ "name": "Ada", "units": 3 })).await.ok();
        admin.put("/v1/queues/sales", json!({ "agents": ["ada"] })).await.ok();
        let site = Self { data, server, program: Some(program), proxy, bridge, admin };
        site.place("shop", json!({ "heartbeat_s": 15, "window_s": WINDOW_S })).await;
        site
    }

    /// Makes a widget with a workstream of its own.
    pub(crate) async fn place(&self, id: &str, mut settings: Value) {
        settings["queue"] = json!("sales");
        self.admin.put(&format!("/v1/workstreams/{id}"), settings).await.ok();
        let widget = json!({ "workstream": id, "origins": ["*"] });
        self.admin.put(&format!("/v1/widgets/{id}"), widget).await.ok();
    }

    /// Ada's console, through the proxy.
    pub(crate) async fn ada(&self) -> Console {
        let token = self.admin.post("/v1/agents/ada/tokens", json!({})).await.ok();
        let token = token["token"].as_str().expect("a token");
        Console::new(&format!("http://{}", self.bridge.address), token)
    }

    /// A customer's socket, through the proxy.
    pub(crate) async fn customer(&self, widget: &str) -> Widget {
        let hello = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
        Widget::open(self.bridge.address, widget, hello).await
    }

    /// The address to which clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.bridge.address
    }

    /// Whether the proxy lets a widget in now.
    pub(crate) async fn lets_in(&self) -> bool {
        Widget::try_connect(self.bridge.address, "shop", None).await.is_ok()
    }

    /// Lets a customer come back, who tries as often as it takes.
    pub(crate) async fn come_back(&self, hello: Introduction) -> Widget {
        let started = Instant::now();
        loop {
            if let Ok(mut widget) = Widget::try_connect(self.bridge.address, "shop", None).await {
                widget.hello(hello).await;
                return widget;
            }
            assert!(started.elapsed() < PATIENCE, "the way back is closed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The addresses that sockets come from, as the server says.
    pub(crate) fn clients(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.data.path().join("log")).expect("a log");
        let came = log.lines().filter_map(|line| line.split(" comes from ").nth(1));
        came.map(|rest| rest.split_whitespace().next().unwrap_or_default().to_owned()).collect()
    }

    /// Starts the server again, at the address that the proxy knows.
    pub(crate) fn start_again(&mut self) {
        self.program = Some(start(&self.data, self.server));
    }
}

fn start(data: &TempDir, address: SocketAddr) -> Program {
    let mut command = command(data.path());
    command.args(["--listen", &address.to_string(), "--threads", "2", "--no-demo"]);
    // The log tells which client the proxy names.
    command.env("HOLDLINE_TRUSTED_PROXIES", "127.0.0.1");
    command.args(["--log-addresses", "--log", "error,holdline::socket=debug"]);
    let log = File::options().append(true).create(true).open(data.path().join("log"));
    command.stdout(Stdio::piped()).stderr(log.expect("a log"));
    Program::spawn(command)
}
