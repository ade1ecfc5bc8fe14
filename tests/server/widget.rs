//! A widget: the customer's end of `holdline.v1`. It behaves as a browser does, and answers pings
//! while it lives. It uses nothing of the server's code.

use std::collections::VecDeque;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsFd as _;
use std::time::Duration;

use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::console::PATIENCE;

/// What carries a socket: a connection, or TLS on one.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

type Socket = WebSocketStream<Box<dyn Transport>>;

/// Frames that may come at any time, and say nothing about the course of the chat.
const PASSING: [&str; 4] = ["queue", "typing", "read", "beat"];

/// What a widget says in `hello`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Introduction {
    pub(crate) visitor: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) after: Option<u64>,
    pub(crate) admission: Option<String>,
}

/// How a socket ended: the code of the close frame, or 1006 if there was none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Closed(pub(crate) u16);

/// One socket of a widget.
pub(crate) struct Widget {
    sink: SplitSink<Socket, Message>,
    /// The connection under the socket.
    line: std::net::TcpStream,
    frames: mpsc::UnboundedReceiver<Result<Value, Closed>>,
    reading: JoinHandle<()>,
    kept: VecDeque<Value>,
    references: u64,
    pub(crate) visitor: String,
    pub(crate) welcome: Value,
    pub(crate) conversation: String,
    pub(crate) token: String,
    /// The last place that the widget has seen.
    pub(crate) seq: u64,
}

/// A secret as a browser mints it.
pub(crate) fn mint_visitor() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

impl Widget {
    /// A socket that was let in and has said nothing.
    pub(crate) async fn connect(address: SocketAddr, widget: &str) -> Self {
        Self::try_connect(address, widget, None).await.expect("the widget is let in")
    }

    pub(crate) async fn try_connect(
        address: SocketAddr,
        widget: &str,
        origin: Option<&str>,
    ) -> Result<Self, Error> {
        let named = origin.map(|origin| ("origin", origin));
        Self::try_connect_with(address, widget, named.as_slice()).await
    }

    /// Does the same with more headers.
    pub(crate) async fn try_connect_with(
        address: SocketAddr,
        widget: &str,
        more: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        let line = stream.as_fd().try_clone_to_owned()?.into();
        Self::try_connect_over(Box::new(stream), line, address, widget, more).await
    }

    /// Does the same over this transport, which runs on the connection `line`.
    pub(crate) async fn try_connect_over(
        transport: Box<dyn Transport>,
        line: std::net::TcpStream,
        address: SocketAddr,
        widget: &str,
        more: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let url = format!("ws://{address}/v1/widget?widget={widget}");
        let mut request = url.into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", "holdline.v1".parse().expect("a header"));
        for (name, value) in more {
            headers.insert(*name, value.parse().expect("a header"));
        }
        let (socket, _) = client_async(request, transport).await?;
        let (sink, mut stream) = socket.split();
        let (sender, frames) = mpsc::unbounded_channel();
        // The task reads all the time, as a browser does, so that pings are answered.
        let reading = tokio::spawn(async move {
            let mut closed = Closed(1006);
            while let Some(Ok(message)) = stream.next().await {
                match message {
                    Message::Text(text) => {
                        let frame = serde_json::from_str(&text).expect("a frame is JSON");
                        // A test that has seen enough no longer listens.
                        let _unheard = sender.send(Ok(frame));
                    }
                    Message::Close(frame) => {
                        closed = Closed(frame.map_or(1005, |frame| u16::from(frame.code)));
                    }
                    _ => {}
                }
            }
            let _unheard = sender.send(Err(closed));
        });
        Ok(Self {
            sink,
            line,
            frames,
            reading,
            kept: VecDeque::new(),
            references: 0,
            visitor: String::new(),
            welcome: Value::Null,
            conversation: String::new(),
            token: String::new(),
            seq: 0,
        })
    }

    /// A socket that has said `hello` and was welcomed.
    pub(crate) async fn open(address: SocketAddr, widget: &str, hello: Introduction) -> Self {
        let mut opened = Self::connect(address, widget).await;
        opened.hello(hello).await;
        opened
    }

    pub(crate) async fn hello(&mut self, hello: Introduction) -> Value {
        self.say(introduce(&hello)).await;
        self.visitor = hello.visitor.unwrap_or_default();
        self.seq = hello.after.unwrap_or(0);
        let welcome = self.until("welcome").await;
        if let Some(live) = welcome.get("conversation") {
            self.conversation = live["id"].as_str().expect("an id").to_owned();
            self.token = live["token"].as_str().expect("a token").to_owned();
        }
        self.welcome = welcome.clone();
        welcome
    }

    /// Says a frame.
    pub(crate) async fn say(&mut self, frame: Value) {
        self.send(Message::text(frame.to_string())).await.expect("the socket is open");
    }

    pub(crate) async fn send(&mut self, message: Message) -> Result<(), Error> {
        tokio::time::timeout(PATIENCE, self.sink.send(message)).await.expect("it is sent in time")
    }

    pub(crate) fn reference(&mut self) -> String {
        self.references += 1;
        format!("r{}", self.references)
    }

    /// Starts a chat and takes its answer.
    pub(crate) async fn start(&mut self, id: &str, name: &str) -> Value {
        let reference = self.reference();
        self.say(json!({ "type": "start", "ref": reference, "id": id, "name": name })).await;
        let started = self.expect("started").await;
        assert_eq!(started["ref"], reference);
        self.conversation = started["conversation"].as_str().expect("an id").to_owned();
        self.token = started["token"].as_str().expect("a token").to_owned();
        started
    }

    /// Posts a message without waiting for the answer, and returns its reference.
    pub(crate) async fn post_only(&mut self, id: &str, text: &str) -> String {
        let reference = self.reference();
        self.say(json!({ "type": "post", "ref": reference, "id": id, "text": text })).await;
        reference
    }

    /// Posts a message and takes its answer.
    pub(crate) async fn post(&mut self, id: &str, text: &str) -> Value {
        let reference = self.post_only(id, text).await;
        let posted = self.expect("posted").await;
        assert_eq!((&posted["ref"], &posted["id"]), (&json!(reference), &json!(id)));
        posted
    }

    /// The next frame of any type, if one comes in time; or how the socket ended.
    pub(crate) async fn next_within(
        &mut self,
        patience: Duration,
    ) -> Option<Result<Value, Closed>> {
        if let Some(kept) = self.kept.pop_front() {
            return Some(Ok(kept));
        }
        let frame = tokio::time::timeout(patience, self.frames.recv()).await.ok()??;
        if let Ok(frame) = &frame {
            let is_place = !matches!(frame["type"].as_str(), Some("beat" | "read" | "started"));
            if let Some(seq) = frame["seq"].as_u64().filter(|_| is_place) {
                self.seq = self.seq.max(seq);
            }
        }
        Some(frame)
    }

    async fn next(&mut self, what: &str) -> Value {
        match self.next_within(PATIENCE).await {
            Some(Ok(frame)) => frame,
            Some(Err(closed)) => panic!("waited for {what}, and was closed: {closed:?}"),
            None => panic!("waited in vain for {what}"),
        }
    }

    /// The next frame, which must be of this type; only passing ones may come before it.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next(kind).await;
            if frame["type"] == kind {
                return frame;
            }
            let passing = frame["type"].as_str().is_some_and(|kind| PASSING.contains(&kind));
            assert!(passing, "waited for {kind}, and there came {frame}");
        }
    }

    /// The next frame of this type; others before it are passed over.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next(kind).await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The next frame of one of these types.
    pub(crate) async fn until_any(&mut self, kinds: &[&str]) -> Value {
        loop {
            let frame = self.next("an answer").await;
            if frame["type"].as_str().is_some_and(|kind| kinds.contains(&kind)) {
                return frame;
            }
        }
    }

    /// The next `state` frame, which must name this state.
    pub(crate) async fn until_state(&mut self, state: &str) -> Value {
        let frame = self.until("state").await;
        assert_eq!(frame["state"], state, "{frame}");
        frame
    }

    /// The next frame, which must be a message from this side with this text.
    pub(crate) async fn expect_text(&mut self, from: &str, text: &str) -> Value {
        let message = self.expect("message").await;
        assert_eq!((&message["from"], &message["text"]), (&json!(from), &json!(text)));
        message
    }

    /// The next frame, which must be a refusal with this code.
    pub(crate) async fn expect_refused(&mut self, code: &str) -> Value {
        let refused = self.expect("refused").await;
        assert_eq!(refused["code"], code, "{refused}");
        assert!(refused["message"].as_str().is_some_and(|message| !message.is_empty()));
        refused
    }

    /// Asks for something that is refused, and returns every frame before the refusal. By then
    /// everything that was to come has come.
    pub(crate) async fn settle(&mut self) -> Vec<Value> {
        let reference = self.reference();
        // A post without an id is refused, and answers stay in order.
        self.say(json!({ "type": "post", "ref": reference, "id": "", "text": "" })).await;
        let mut before = Vec::new();
        loop {
            let frame = self.next("the answer to a post without an id").await;
            if frame["type"] == "refused" && frame["ref"] == reference.as_str() {
                return before;
            }
            before.push(frame);
        }
    }

    /// Everything up to the end of the socket, and its close code.
    pub(crate) async fn ended(&mut self) -> (Vec<Value>, Closed) {
        let mut frames = Vec::new();
        loop {
            match self.next_within(PATIENCE).await {
                Some(Ok(frame)) => frames.push(frame),
                Some(Err(closed)) => return (frames, closed),
                None => panic!("waited in vain for the end; there came {frames:#?}"),
            }
        }
    }

    /// What a widget says to come back to its chat.
    pub(crate) fn introduction(&self) -> Introduction {
        Introduction {
            visitor: Some(self.visitor.clone()),
            token: Some(self.token.clone()),
            after: Some(self.seq),
            admission: None,
        }
    }

    /// The tab dies: the connection ends without a close frame.
    pub(crate) async fn kill(self) -> Introduction {
        let introduction = self.introduction();
        // Only this half is closed. A connection that is dropped while something comes is reset.
        let _closed_before = self.line.shutdown(Shutdown::Write);
        let reading = self.reading.abort_handle();
        let _late = tokio::time::timeout(PATIENCE, self.reading).await;
        reading.abort();
        introduction
    }

    /// The page no longer answers anything, not even pings, but its connection stays open.
    pub(crate) fn freeze(self) -> Frozen {
        self.reading.abort();
        Frozen { reading: self.reading, sink: self.sink }
    }

    /// Closes with a close frame, and waits until the server has answered it.
    pub(crate) async fn close(mut self, code: u16) -> Introduction {
        let introduction = self.introduction();
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.send(Message::Close(Some(frame))).await.expect("the socket is open");
        let (_, closed) = self.ended().await;
        assert_eq!(closed, Closed(code), "a close frame is answered with its code");
        introduction
    }
}

/// A connection that nobody reads.
pub(crate) struct Frozen {
    #[expect(dead_code, reason = "it is only held")]
    reading: JoinHandle<()>,
    #[expect(dead_code, reason = "it is only held")]
    sink: SplitSink<Socket, Message>,
}

pub(crate) fn introduce(hello: &Introduction) -> Value {
    let mut frame = json!({ "type": "hello", "page": "https://shop.test/cart", "locale": "en" });
    let fields = frame.as_object_mut().expect("an object");
    if let Some(visitor) = &hello.visitor {
        fields.insert("visitor".to_owned(), json!(visitor));
    }
    if let Some(token) = &hello.token {
        fields.insert("token".to_owned(), json!(token));
    }
    if let Some(admission) = &hello.admission {
        fields.insert("admission".to_owned(), json!(admission));
    }
    if let Some(after) = &hello.after {
        fields.insert("after".to_owned(), json!(after));
    }
    frame
}
