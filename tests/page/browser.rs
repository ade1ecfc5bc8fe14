//! Chromium without a window, driven over its DevTools protocol.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::console::PATIENCE;

const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
];

/// A browser with a profile of its own.
pub(crate) struct Browser {
    process: Child,
    profile: tempfile::TempDir,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    calls: u64,
    /// The errors that pages have reported.
    pub(crate) errors: Vec<String>,
}

/// Whether a program says that it is a browser that knows the flags above. The program on a machine
/// may be an older browser, or may only say where to get one.
fn is_new_enough(program: &str) -> bool {
    let output = Command::new(program).args(["--version", "--no-sandbox"]).output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = said.unwrap_or_default();
    let major = version
        .split_whitespace()
        .filter_map(|word| word.split('.').next())
        .find_map(|number| number.parse::<u32>().ok());
    major.is_some_and(|major| major >= 112)
}

/// A tab.
#[derive(Clone, Debug)]
pub(crate) struct Tab {
    target: String,
    session: String,
}

impl Browser {
    pub(crate) async fn start() -> Self {
        let program = ["chromium", "chromium-browser", "google-chrome"];
        let profile = tempfile::tempdir().expect("a directory");
        let data = format!("--user-data-dir={}", profile.path().display());
        let fitting = program.iter().filter(|program| is_new_enough(program));
        let process = fitting.into_iter().find_map(|program| {
            let mut command = Command::new(program);
            command.args(FLAGS).arg(&data).arg("about:blank");
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        });
        let process = process.expect(
            "these tests need Chromium 112 or newer; install it with: \
             apt-get update && apt-get install -y chromium",
        );
        let address = address_in(profile.path().join("DevToolsActivePort")).await;
        let (socket, _) = connect_async(address).await.expect("the browser can be driven");
        Self { process, profile, socket, calls: 0, errors: Vec::new() }
    }

    /// Opens a tab of this size, in points.
    pub(crate) async fn open(&mut self, address: &str, width: u32, height: u32) -> Tab {
        let made = self.call(None, "Target.createTarget", json!({ "url": "about:blank" })).await;
        let target = made["targetId"].as_str().expect("a target").to_owned();
        let attach = json!({ "targetId": target, "flatten": true });
        let attached = self.call(None, "Target.attachToTarget", attach).await;
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        let tab = Tab { target, session };
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            self.tell(&tab, domain, json!({})).await;
        }
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": width < 500 });
        self.tell(&tab, "Emulation.setDeviceMetricsOverride", size).await;
        self.tell(&tab, "Page.navigate", json!({ "url": address })).await;
        tab
    }

    pub(crate) async fn reload(&mut self, tab: &Tab) {
        // The mark tells what the page showed before from what it will show.
        self.evaluate(tab, "document.body.dataset.old = 1").await;
        self.tell(tab, "Page.reload", json!({})).await;
        self.until(
            tab,
            "document.body && !document.body.dataset.old && document.readyState === 'complete'",
        )
        .await;
    }

    pub(crate) async fn close(&mut self, tab: &Tab) {
        self.call(None, "Target.closeTarget", json!({ "targetId": tab.target })).await;
    }

    /// Goes to another address in a tab, as a link does.
    pub(crate) async fn navigate(&mut self, tab: &Tab, address: &str) {
        self.tell(tab, "Page.navigate", json!({ "url": address })).await;
        let there = format!("location.href === '{address}' && document.readyState === 'complete'");
        self.until(tab, &there).await;
    }

    /// Goes back by one in a tab's history.
    pub(crate) async fn go_back(&mut self, tab: &Tab) {
        let history = self.tell(tab, "Page.getNavigationHistory", json!({})).await;
        let before = history["currentIndex"].as_u64().expect("a place") - 1;
        let entry = &history["entries"][usize::try_from(before).expect("a place")]["id"];
        self.tell(tab, "Page.navigateToHistoryEntry", json!({ "entryId": entry })).await;
    }

    /// Puts this tab in front of everything, which hides the others.
    pub(crate) async fn front(&mut self, tab: &Tab) {
        self.call(None, "Target.activateTarget", json!({ "targetId": tab.target })).await;
    }

    /// The value of an expression in the page.
    pub(crate) async fn evaluate(&mut self, tab: &Tab, expression: &str) -> Value {
        self.try_evaluate(tab, expression).await.expect("the page can be asked")
    }

    /// The same, or the browser's error while the tab is between two pages.
    async fn try_evaluate(&mut self, tab: &Tab, expression: &str) -> Result<Value, Value> {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.ask(Some(&tab.session), "Runtime.evaluate", asked).await?;
        Ok(answer["result"]["value"].clone())
    }

    /// Waits until an expression is true in the page, or in the page that takes its place.
    pub(crate) async fn until(&mut self, tab: &Tab, expression: &str) {
        let start = Instant::now();
        while self.try_evaluate(tab, expression).await != Ok(json!(true)) {
            if start.elapsed() > PATIENCE {
                let page = self.evaluate(tab, "document.body.innerText").await;
                panic!("waited in vain until {expression}; the page says: {page}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Types into what has the focus, as a keyboard does.
    pub(crate) async fn type_into(&mut self, tab: &Tab, selector: &str, text: &str) {
        self.evaluate(tab, &format!("document.querySelector('{selector}').focus()")).await;
        self.tell(tab, "Input.insertText", json!({ "text": text })).await;
    }

    pub(crate) async fn press_enter(&mut self, tab: &Tab) {
        for kind in ["keyDown", "keyUp"] {
            let key = json!({ "type": kind, "key": "Enter", "code": "Enter", "text": "\r",
                "windowsVirtualKeyCode": 13 });
            self.tell(tab, "Input.dispatchKeyEvent", key).await;
        }
    }

    pub(crate) async fn click(&mut self, tab: &Tab, selector: &str) {
        self.evaluate(tab, &format!("document.querySelector('{selector}').click()")).await;
    }

    /// Makes the network of a tab fail, or work again.
    pub(crate) async fn network(&mut self, tab: &Tab, works: bool) {
        self.tell(tab, "Network.enable", json!({})).await;
        let conditions = json!({ "offline": !works, "latency": 0,
            "downloadThroughput": -1, "uploadThroughput": -1 });
        self.tell(tab, "Network.emulateNetworkConditions", conditions).await;
    }

    /// Saves a picture of a tab where the tests keep their pictures.
    pub(crate) async fn picture(&mut self, tab: &Tab, name: &str) -> PathBuf {
        let shot = self.tell(tab, "Page.captureScreenshot", json!({ "format": "png" })).await;
        let bytes = BASE64_STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("it");
        assert!(bytes.len() > 2_000, "the picture shows something");
        let folder = std::env::temp_dir().join("holdline-pictures");
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(format!("{name}.png"));
        std::fs::write(&path, bytes).expect("it is written");
        path
    }

    async fn tell(&mut self, tab: &Tab, method: &str, parameters: Value) -> Value {
        self.call(Some(&tab.session), method, parameters).await
    }

    async fn call(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        let answer = self.ask(session, method, parameters).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    async fn ask(
        &mut self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Result<Value, Value> {
        self.calls += 1;
        let id = self.calls;
        let mut call = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            call["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(call.to_string())).await.expect("the browser listens");
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let message = next.expect("the browser answers").expect("it lives").expect("it speaks");
            let Message::Text(text) = message else { continue };
            let told: Value = serde_json::from_str(&text).expect("JSON");
            if told["id"] == id {
                return told
                    .get("error")
                    .map_or_else(|| Ok(told["result"].clone()), |error| Err(error.clone()));
            }
            self.note(&told);
        }
    }

    fn note(&mut self, told: &Value) {
        match told["method"].as_str() {
            Some("Runtime.exceptionThrown") => self.errors.push(told["params"].to_string()),
            Some("Log.entryAdded") if told["params"]["entry"]["level"] == "error" => {
                self.errors.push(told["params"]["entry"].to_string());
            }
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A browser that has died before cannot be killed.
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// The address at which a browser that has just started can be driven.
async fn address_in(file: PathBuf) -> String {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if let Some((port, path)) = text.split_once('\n') {
            return format!("ws://127.0.0.1:{port}{}", path.trim());
        }
        assert!(start.elapsed() < PATIENCE, "the browser does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
