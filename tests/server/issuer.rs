//! An issuer of tokens on this machine: it tells its keys over HTTP, or does not.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it does when it is asked.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// It tells these keys.
    Tells(Vec<Value>),
    /// It answers nothing.
    Hangs,
    /// It answers without an end.
    Floods,
    /// It says that something is wrong with it.
    Fails,
    /// It says that its keys are somewhere else.
    Redirects,
    /// It calls itself something else.
    Lies,
}

/// The issuer. It is gone when it is dropped.
pub(crate) struct Issuer {
    address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<AtomicUsize>,
    listening: JoinHandle<()>,
}

impl Issuer {
    pub(crate) async fn open(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (manner, asked) = (Arc::new(Mutex::new(manner)), Arc::new(AtomicUsize::new(0)));
        let (telling, counting) = (manner.clone(), asked.clone());
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (telling, counting) = (telling.clone(), counting.clone());
                tokio::spawn(async move {
                    // Whoever hangs up has heard enough.
                    let _gone = answer(stream, address, &telling, &counting).await;
                });
            }
        });
        Self { address, manner, asked, listening }
    }

    /// What it calls itself.
    pub(crate) fn name(&self) -> String {
        format!("http://{}/people", self.address)
    }

    pub(crate) fn become_one_that(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// How often it was asked for its keys.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn answer(
    mut stream: TcpStream,
    address: SocketAddr,
    manner: &Mutex<Manner>,
    asked: &AtomicUsize,
) -> std::io::Result<()> {
    let mut question = Vec::new();
    while !question.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut question).await? == 0 {
            return Ok(());
        }
    }
    let question = String::from_utf8_lossy(&question).into_owned();
    let is_for_keys = question.starts_with("GET /people/keys ");
    let manner = manner.lock().unwrap().clone();
    if is_for_keys || !matches!(manner, Manner::Tells(_)) {
        asked.fetch_add(1, Ordering::Relaxed);
    }
    let own = format!("http://{address}/people");
    let discovered = |issuer: &str| json!({ "issuer": issuer, "jwks_uri": format!("{own}/keys") });
    let (status, body) = match manner {
        Manner::Hangs => return std::future::pending().await,
        Manner::Floods => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"issuer\":\"").await?;
            loop {
                stream.write_all(&[b'a'; 65_536]).await?;
            }
        }
        Manner::Fails => ("503 Service Unavailable", json!({})),
        Manner::Redirects => ("302 Found\r\nlocation: /people/keys", json!({})),
        Manner::Lies => ("200 OK", discovered("http://127.0.0.1:1/people")),
        Manner::Tells(keys) if is_for_keys => ("200 OK", json!({ "keys": keys })),
        Manner::Tells(_) if question.starts_with("GET /people/.well-known/openid-config") => {
            ("200 OK", discovered(&own))
        }
        Manner::Tells(_) => ("404 Not Found", json!({})),
    };
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).await
}
