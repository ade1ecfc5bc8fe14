//! An agent's feed, read as a console reads it: server-sent events, one by one.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::Value;

use crate::console::PATIENCE;
use crate::console::described::check_event;

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) data: Value,
}

/// An open feed. Dropping it ends it.
pub(crate) struct Feed {
    bytes: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    unread: String,
    /// The id of the last event that had one.
    pub(crate) last: Option<String>,
    /// What the first event said: what the feed is called, and how often to beat.
    pub(crate) opening: Value,
}

impl Feed {
    pub(crate) async fn open(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let bytes = response.bytes_stream().boxed();
        let mut feed = Self { bytes, unread: String::new(), last: None, opening: Value::Null };
        let first = feed.next_within(PATIENCE).await.expect("the feed opens");
        assert_eq!((first.name.as_str(), &first.id), ("open", &None));
        feed.opening = first.data;
        feed
    }

    /// The next event; nothing if none comes in time, or if the feed has ended.
    pub(crate) async fn next_within(&mut self, patience: Duration) -> Option<Event> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            while let Some((block, rest)) = self.unread.split_once("\n\n") {
                let event = parse(block);
                self.unread = rest.to_owned();
                if let Some(event) = event {
                    self.last = event.id.clone().or(self.last.take());
                    return Some(event);
                }
            }
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            if !self.read_more(left).await {
                return None;
            }
        }
    }

    /// The next event of this name; others are passed over.
    #[track_caller]
    pub(crate) fn until(&mut self, name: &str) -> impl Future<Output = Event> {
        let name = name.to_owned();
        async move { self.until_such(&name, |event| event.name == name).await }
    }

    /// The next event for which this holds; others are passed over.
    pub(crate) async fn until_such(&mut self, what: &str, is_it: impl Fn(&Event) -> bool) -> Event {
        let mut passed = Vec::new();
        loop {
            match self.next_within(PATIENCE).await {
                Some(event) if is_it(&event) => return event,
                Some(event) => passed.push(event),
                None => panic!("waited in vain for {what}; there came {passed:#?}"),
            }
        }
    }

    /// Whether the feed ends in time, whatever events come before its end.
    pub(crate) async fn ends_within(&mut self, patience: Duration) -> bool {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            if self.next_within(left).await.is_none() {
                return tokio::time::Instant::now() < deadline;
            }
        }
    }

    /// Everything up to the end of the feed.
    pub(crate) async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next_within(PATIENCE).await {
            events.push(event);
        }
        events
    }

    async fn read_more(&mut self, patience: Duration) -> bool {
        match tokio::time::timeout(patience, self.bytes.next()).await {
            Ok(Some(Ok(bytes))) => {
                self.unread.push_str(std::str::from_utf8(&bytes).expect("text"));
                true
            }
            Ok(Some(Err(_)) | None) | Err(_) => false,
        }
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim_start().to_owned())
    };
    let data = field("data:")?;
    let event = Event {
        id: field("id:"),
        name: field("event:").expect("an event has a name"),
        data: serde_json::from_str(&data).expect("an event's data is JSON"),
    };
    check_event(&event.name, &event.data);
    Some(event)
}
