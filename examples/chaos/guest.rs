//! A stranger's socket, with as much of the protocol as it takes to be in the way.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::addresses;
use super::budgets::Running;
use super::frames;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest answer to a guess that is read.
const ANSWER_MAX: usize = 4_096;

/// A socket that was let in.
pub(crate) struct Guest {
    socket: WebSocketStream<TcpStream>,
    /// The address that the server counts the socket for.
    pub(crate) client: Ipv4Addr,
    /// The run of the server that let the socket in.
    pub(crate) by: Running,
}

/// Connects as a client that comes from this public address.
pub(crate) async fn connect(server: SocketAddr, client: Ipv4Addr) -> io::Result<TcpStream> {
    let connecting = async {
        let mut stream = addresses::connect(addresses::STRANGERS, server).await?;
        // A client that comes so often cannot wait for its ports to become free.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        stream.write_all(addresses::header(client, server).as_bytes()).await?;
        Ok(stream)
    };
    within(connecting).await
}

async fn within<T>(what: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(PATIENCE, what).await.map_err(io::Error::other)?
}

/// The status of an answer, and the code of its problem.
fn refusal(status: u16, body: &str) -> String {
    match frames::word(body, "code") {
        Some(code) => format!("{status} {code}"),
        None => status.to_string(),
    }
}

/// Shows a token that is nobody's, and tells how this was answered.
pub(crate) async fn guess(server: SocketAddr, client: Ipv4Addr, number: u32) -> String {
    let asking = async {
        let mut stream = connect(server, client).await?;
        let asked = format!(
            "GET /v1/agents/me HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\
             Authorization: Bearer hlt_{number:043}\r\n\r\n"
        );
        stream.write_all(asked.as_bytes()).await?;
        let mut answer = Vec::new();
        while answer.len() < ANSWER_MAX && !answer.ends_with(b"}") {
            if stream.read_buf(&mut answer).await? == 0 {
                break;
            }
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let Ok(answer) = within(asking).await else { return "not taken".to_owned() };
    let status = answer.get(9..12).and_then(|status| status.parse().ok());
    status.map_or_else(|| "not taken".to_owned(), |status| refusal(status, &answer))
}

impl Guest {
    /// Connects, shakes hands and says hello, without which the socket would soon be closed. If it
    /// is not let in, tells why.
    pub(crate) async fn open(
        server: SocketAddr,
        client: Ipv4Addr,
        by: Running,
    ) -> Result<Self, String> {
        let not_taken = || "not taken".to_owned();
        let stream = connect(server, client).await.map_err(|_| not_taken())?;
        let url = format!("ws://{server}/v1/widget?widget=strangers");
        let mut request = url.into_client_request().map_err(|_| not_taken())?;
        let protocol = "holdline.v1".parse().map_err(|_| not_taken())?;
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        match timeout(PATIENCE, tokio_tungstenite::client_async(request, stream)).await {
            Ok(Ok((mut socket, _))) => {
                // If the socket is already lost, its next use will show that.
                let _lost = socket.send(Message::text(r#"{"type":"hello"}"#)).await;
                Ok(Self { socket, client, by })
            }
            Ok(Err(Error::Http(answer))) => {
                let body = answer.body().as_deref().unwrap_or_default();
                Err(refusal(answer.status().as_u16(), &String::from_utf8_lossy(body)))
            }
            Ok(Err(_)) | Err(_) => Err(not_taken()),
        }
    }

    /// Asks for a chat, and gives `started`, `closed`, or the code of the refusal.
    pub(crate) async fn start(&mut self, number: u32) -> String {
        let starting = async {
            let start = format!(r#"{{"type":"start","ref":1,"id":"s-{number}","name":"Sam"}}"#);
            self.socket.send(Message::text(start)).await.ok()?;
            loop {
                let Message::Text(text) = self.socket.next().await?.ok()? else { continue };
                match frames::kind(&text) {
                    "started" => return Some("started".to_owned()),
                    "refused" => {
                        return Some(frames::word(&text, "code").unwrap_or("refused").to_owned());
                    }
                    _ => {}
                }
            }
        };
        let outcome = timeout(PATIENCE, starting).await;
        outcome.ok().flatten().unwrap_or_else(|| "closed".to_owned())
    }

    /// Reads the frames that have come, and says how many posts the server took.
    pub(crate) fn hear(&mut self) -> u32 {
        let mut posted = 0;
        while let Some(Some(Ok(frame))) = self.socket.next().now_or_never() {
            if let Message::Text(text) = frame {
                posted += u32::from(frames::kind(&text) == "posted");
            }
        }
        posted
    }

    /// Posts without a pause; false if the server does not take this.
    pub(crate) async fn post(&mut self, number: u32, times: u32) -> bool {
        let posting = async {
            for which in 0..times {
                let id = format!("p-{number}-{which}");
                let post = format!(r#"{{"type":"post","ref":2,"id":"{id}","text":"all of it"}}"#);
                self.socket.feed(Message::text(post)).await.ok()?;
            }
            self.socket.flush().await.ok()
        };
        timeout(PATIENCE, posting).await.ok().flatten().is_some()
    }
}
