//! A server on port 0 with its data in a directory of its own, and a shop that is set up over HTTP:
//! a queue, a workstream with a short window, a widget, and the people whom a test hires.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use holdline::config::Config;
use holdline::server::Server;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::console::Console;
use crate::widget::{Introduction, Widget, mint_visitor};

pub(crate) const ADMINISTRATOR: &str = "the-administrator-of-the-trials";

/// A server that runs on a thread of its own.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) admin: Console,
    data: Arc<TempDir>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn start_with(data: Arc<TempDir>, demo: &str) -> Self {
        Self::start_under(data, demo, &[])
    }

    /// Does the same with more of the environment.
    pub(crate) fn start_under(data: Arc<TempDir>, demo: &str, more: &[(&str, &str)]) -> Self {
        let config = configuration(data.path(), demo, more);
        let (tell, told) = std::sync::mpsc::channel();
        let (stop, stopping) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            actix::System::new().block_on(async move {
                let server = Server::start(&config).await.expect("the server starts");
                tell.send(server.address()).expect("the test waits for it");
                // A test that fails drops the sender, which stops the server as well.
                let _asked = stopping.await;
                server.stop().await.expect("the server stops well");
            });
        });
        let address = told.recv().expect("the server has started");
        let admin = Console::new(&format!("http://{address}"), ADMINISTRATOR);
        Self { address, admin, data, stop: Some(stop), thread: Some(thread) }
    }

    /// Stops the server, waits until it has stopped, and gives its directory back.
    pub(crate) async fn stop(mut self) -> Arc<TempDir> {
        let data = self.data.clone();
        let thread = self.ask_to_stop();
        let joining = tokio::task::spawn_blocking(move || thread.join());
        joining.await.expect("joining works").expect("the server has not panicked");
        data
    }

    /// Asks the server to stop, without waiting.
    pub(crate) fn ask_to_stop(&mut self) -> JoinHandle<()> {
        // A server that has stopped by itself does not listen for this.
        let _gone = self.stop.take().expect("it runs").send(());
        self.thread.take().expect("it runs")
    }

    pub(crate) fn directory(&self) -> Arc<TempDir> {
        self.data.clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // How the thread ended does not matter: the test has failed or ended before.
            let _end = thread.join();
        }
    }
}

fn configuration(data: &Path, demo: &str, more: &[(&str, &str)]) -> Config {
    let data = data.to_str().expect("a path of plain letters").to_owned();
    let demo = demo.to_owned();
    let environment = move |name: &str| {
        let value = match name {
            "HOLDLINE_ADMIN_TOKEN" => ADMINISTRATOR,
            "HOLDLINE_LISTEN" => "127.0.0.1:0",
            "HOLDLINE_DATA" => &data,
            "HOLDLINE_DEMO" => &demo,
            "HOLDLINE_THREADS" => "2",
            "HOLDLINE_DRAIN_S" => "5",
            _ => more.iter().find(|(known, _)| *known == name)?.1,
        };
        Some(value.into())
    };
    Config::load(["holdline".into()], environment, |_| unreachable!("there is no file"))
        .expect("the configuration is good")
}

/// A server with a shop.
pub(crate) struct Shop {
    pub(crate) server: Running,
    pub(crate) admin: Console,
}

impl Shop {
    /// A shop whose customers are held for 2 s and asked to beat every second, unless `settings`
    /// say otherwise.
    pub(crate) async fn open(settings: Value) -> Self {
        Self::open_under(settings, &[]).await
    }

    /// Does the same with more of the environment.
    pub(crate) async fn open_under(settings: Value, more: &[(&str, &str)]) -> Self {
        let data = Arc::new(tempfile::tempdir().expect("a directory"));
        let server = Running::start_under(data, "off", more);
        let admin = server.admin.clone();
        admin.put("/v1/queues/sales", json!({})).await.ok();
        let shop = Self { server, admin };
        shop.set(settings).await;
        shop.admin
            .put("/v1/widgets/shop", json!({ "workstream": "sales", "origins": ["*"] }))
            .await
            .ok();
        shop
    }

    /// Changes the shop's workstream.
    pub(crate) async fn set(&self, settings: Value) {
        let mut workstream = json!({ "queue": "sales", "window_s": 2, "heartbeat_s": 1 });
        let fields = workstream.as_object_mut().expect("an object");
        fields.extend(settings.as_object().expect("settings").clone());
        self.admin.put("/v1/workstreams/sales", workstream).await.ok();
    }

    /// Hires somebody who serves the shop's queue.
    pub(crate) async fn hire(&self, id: &str, units: u32) -> Console {
        let hired = self.employ(id, "agent", units).await;
        let queue = self.admin.get("/v1/queues/sales").await.ok();
        let mut serving = queue["agents"].as_array().expect("a list").clone();
        serving.push(json!(id));
        self.admin.put("/v1/queues/sales", json!({ "agents": serving })).await.ok();
        hired
    }

    /// Employs somebody with this role and gives them a token.
    pub(crate) async fn employ(&self, id: &str, role: &str, units: u32) -> Console {
        let name = format!("{}{}", id[..1].to_uppercase(), &id[1..]);
        let settings = json!({ "name": name, "role": role, "units": units });
        self.admin.put(&format!("/v1/agents/{id}"), settings).await.ok();
        let path = format!("/v1/agents/{id}/tokens");
        let token = self.admin.post(&path, json!({})).await.ok();
        self.admin.with_token(token["token"].as_str().expect("a token"))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// A browser that has never been here.
    pub(crate) async fn browser(&self) -> Widget {
        self.visit(Introduction { visitor: Some(mint_visitor()), ..Introduction::default() }).await
    }

    /// A widget that introduces itself like this.
    pub(crate) async fn visit(&self, introduction: Introduction) -> Widget {
        Widget::open(self.address(), "shop", introduction).await
    }

    /// A browser with a chat that an agent is in.
    pub(crate) async fn talking(&self, agent: &Console) -> Widget {
        let mut widget = self.browser().await;
        widget.start("start", "Kim").await;
        agent
            .until(
                &format!("/v1/conversations/{}", widget.conversation),
                "the chat is offered or waits",
                |chat| chat["state"] == "active" || chat["state"] == "open",
            )
            .await;
        agent.act(&widget.conversation, "accept").await.ok();
        widget.until("joined").await;
        widget.until_state("active").await;
        widget
    }

    /// Stops the server, and starts it again on the same directory.
    pub(crate) async fn restart(self) -> Self {
        let data = self.server.stop().await;
        let server = Running::start_with(data, "off");
        let admin = server.admin.clone();
        Self { server, admin }
    }
}
