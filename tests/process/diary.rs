//! What a customer or an agent who talks all the time was told. Each writes it down, and after a
//! kill the diary is held against what the server knows.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::console::{Console, PATIENCE};
use crate::widget::{Introduction, Widget};

/// The time between two messages of one author: fast, and within what one socket may send.
const PACE: Duration = Duration::from_millis(20);

/// One side of one chat.
#[derive(Debug)]
pub(crate) struct Diary {
    pub(crate) conversation: String,
    pub(crate) author: String,
    /// Each message that was answered, with its place.
    pub(crate) answered: BTreeMap<String, u64>,
    /// The messages that were sent and are not answered yet, in order; at most a few.
    pub(crate) unanswered: Vec<String>,
    /// The places that the customer was told of, in the order in which they came.
    pub(crate) heard: Vec<u64>,
    next: usize,
}

impl Diary {
    pub(crate) fn new(conversation: &str, author: &str) -> Self {
        Self {
            conversation: conversation.to_owned(),
            author: author.to_owned(),
            answered: BTreeMap::new(),
            unanswered: Vec::new(),
            heard: Vec::new(),
            next: 0,
        }
    }

    /// Whether this id was ever sent.
    pub(crate) fn sent(&self, id: &str) -> bool {
        self.answered.contains_key(id) || self.unanswered.iter().any(|sent| sent == id)
    }

    fn mint(&mut self) -> String {
        self.next += 1;
        let id = format!("{}-{}", self.author, self.next);
        self.unanswered.push(id.clone());
        id
    }

    fn note(&mut self, id: &str, seq: u64) {
        self.unanswered.retain(|sent| sent != id);
        let before = self.answered.insert(id.to_owned(), seq);
        assert!(before.is_none_or(|before| before == seq), "{id} stood at {before:?}, now {seq}");
    }

    /// Talks as a customer until the socket ends, and gives the introduction for coming back.
    pub(crate) async fn talk(&mut self, mut widget: Widget) -> Introduction {
        for id in self.unanswered.clone() {
            // A dead socket is noticed below.
            let _dead = widget.send(post(&id)).await;
        }
        loop {
            match widget.next_within(PACE).await {
                Some(Ok(frame)) => self.hear(&frame),
                Some(Err(_)) => return widget.introduction(),
                None if self.unanswered.len() < 4 => {
                    let id = self.mint();
                    let _dead = widget.send(post(&id)).await;
                }
                None => {}
            }
        }
    }

    /// Comes back, and listens until every message that was sent is answered.
    pub(crate) async fn come_back(&mut self, address: SocketAddr, hello: Introduction) -> Widget {
        let mut widget = Widget::open(address, "shop", hello).await;
        assert_eq!(widget.conversation, self.conversation, "{}", widget.welcome);
        for id in self.unanswered.clone() {
            widget.send(post(&id)).await.expect("the socket is open");
        }
        while !self.unanswered.is_empty() {
            match widget.next_within(PATIENCE).await {
                Some(Ok(frame)) => self.hear(&frame),
                other => panic!("{other:?} came before {:?} were answered", self.unanswered),
            }
        }
        widget
    }

    fn hear(&mut self, frame: &Value) {
        let kind = frame["type"].as_str().expect("a type");
        assert!(!["refused", "joined"].contains(&kind), "{frame}");
        if !["message", "posted"].contains(&kind) {
            return;
        }
        let (id, seq) =
            (frame["id"].as_str().expect("an id"), frame["seq"].as_u64().expect("a seq"));
        let is_own = kind == "posted" || frame["from"] == "customer";
        let is_known = self.answered.contains_key(id);
        if is_own {
            self.note(id, seq);
        }
        // A post that is sent again is answered again. Everything else is heard once, in order.
        if !(kind == "posted" && is_known) {
            let last = self.heard.last().copied().unwrap_or(0);
            assert!(seq > last, "{frame} came after {last}");
            self.heard.push(seq);
        }
    }

    /// Talks as an agent until the server is gone.
    pub(crate) async fn write(&mut self, console: &Console) {
        loop {
            let id = match self.unanswered.first() {
                Some(id) => id.clone(),
                None => self.mint(),
            };
            let path = format!("/v1/conversations/{}/messages", self.conversation);
            let request = console.request(Method::POST, &path);
            let body = json!({ "id": id, "text": format!("the text of {id}") });
            let Ok(response) = request.json(&body).timeout(PATIENCE).send().await else { return };
            assert_eq!(response.status(), 200);
            let Ok(posted) = response.json::<Value>().await else { return };
            self.note(&id, posted["seq"].as_u64().expect("a seq"));
            tokio::time::sleep(PACE).await;
        }
    }
}

fn post(id: &str) -> Message {
    let text = format!("the text of {id}");
    Message::text(json!({ "type": "post", "ref": id, "id": id, "text": text }).to_string())
}
