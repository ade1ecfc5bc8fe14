//! A widget and the person who uses it: chat after chat, each with a fate of its own. Some
//! customers end the chat, some have it ended, some go away for good, some come back in time, and
//! some too late.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::addresses;
use super::frames;
use super::random::Random;
use super::record::Chat;
use super::server::now_ms;
use super::talk::{End, Socket};
use super::world::{World, Wrong};

/// How long a handshake or an answer to `hello` may take before the socket is given up.
const PATIENCE: Duration = Duration::from_secs(3);

/// One visitor in one chat.
pub(crate) struct Customer {
    pub(crate) world: Rc<World>,
    pub(crate) random: Random,
    pub(crate) chat: Rc<Chat>,
    /// The address that the widget comes from.
    address: Ipv4Addr,
    visitor: String,
    token: String,
    /// How many messages were sent for the first time.
    pub(crate) said: u32,
    /// The messages that were sent and not answered, in order, each with the time when it was last
    /// sent.
    pub(crate) unanswered: VecDeque<(u32, i64)>,
    /// Since when the widget knows of a later place than it was told.
    pub(crate) behind: Option<Instant>,
    pub(crate) is_over: bool,
    /// When the last socket was given up. That is later than anything that was sent on this socket.
    pub(crate) left_at: i64,
}

/// How a chat ends.
#[derive(Clone, Copy, Debug)]
enum Fate {
    CustomerEnds,
    AgentEnds,
    Gone,
    TooLate,
}

/// One widget, for as long as the trial lasts.
pub(crate) async fn live(world: Rc<World>, number: u64) {
    let mut random = Random::new(world.plan.seed, number);
    // The widgets do not all come at once.
    sleep(Duration::from_millis(random.between(0, 2_000))).await;
    while !world.closing.get() {
        world.moving().await;
        if let Some((mut customer, socket)) = Customer::arrive(&world, number, &mut random).await {
            customer.stay(socket).await;
            world.over.send(Rc::clone(&customer.chat)).expect("the verifier runs");
        }
    }
}

impl Customer {
    /// Begins a chat; nothing if the trial ends before the start is answered.
    async fn arrive(world: &Rc<World>, number: u64, random: &mut Random) -> Option<(Self, Socket)> {
        let visitor = format!("{:016x}{:016x}", random.next(), random.next());
        let mut customer = Self {
            world: Rc::clone(world),
            random: Random::new(random.next(), 0),
            chat: Rc::new(Chat::default()),
            address: addresses::of_widget(number),
            visitor,
            token: String::new(),
            said: 0,
            unanswered: VecDeque::new(),
            behind: None,
            is_over: false,
            left_at: now_ms(),
        };
        while !world.closing.get() {
            world.up().await;
            if let Some(socket) = customer.try_to_start().await {
                return Some((customer, socket));
            }
            sleep(Duration::from_millis(random.between(20, 300))).await;
        }
        None
    }

    async fn try_to_start(&mut self) -> Option<Socket> {
        let mut socket = self.connect().await?;
        let asked_at = now_ms();
        let welcome = self.greet(&mut socket).await?;
        let begun = if let Some(live) = welcome.get("conversation") {
            live.clone()
        } else {
            let start = r#"{"type":"start","ref":0,"id":"start","name":"Kim"}"#;
            socket.send(Message::text(start)).await.ok()?;
            let started = answer(&mut socket, &["started", "refused"]).await?;
            if started["type"] == "refused" {
                self.world.note(Wrong::Refused, format!("a start: {started}"));
                return None;
            }
            started
        };
        let id = begun.get("conversation").or(begun.get("id")).and_then(Value::as_str)?;
        begun["token"].as_str()?.clone_into(&mut self.token);
        let chat = Rc::new(Chat::new(id));
        chat.proven_at.set(asked_at);
        if begun.get("conversation").is_some() {
            let seen = begun["seq"].as_u64().and_then(|seq| u32::try_from(seq).ok());
            chat.seen.set(seen.unwrap_or(0));
        }
        self.chat = Rc::clone(&chat);
        self.world.chats.borrow_mut().insert(id.to_owned(), chat);
        self.world.count(|tally| tally.chats += 1);
        Some(socket)
    }

    async fn connect(&self) -> Option<Socket> {
        let world = &self.world;
        let opening = async {
            let stream = addresses::connect(self.address, world.proxy).await.ok()?;
            let url = format!("ws://{}/v1/widget?widget=shop", world.proxy);
            let mut request = url.into_client_request().ok()?;
            let protocol = "holdline.v1".parse().ok()?;
            request.headers_mut().insert("sec-websocket-protocol", protocol);
            match tokio_tungstenite::client_async(request, stream).await {
                Ok((socket, _)) => Some(socket),
                // A reset connection may always be the work of the proxy, or of a kill.
                Err(Error::Http(answer)) => {
                    let body = answer.body().as_deref().unwrap_or_default();
                    let (status, body) = (answer.status(), String::from_utf8_lossy(body));
                    world.note(Wrong::Refused, format!("a handshake: {status} {body}"));
                    None
                }
                Err(_) => None,
            }
        };
        timeout(PATIENCE, opening).await.ok().flatten()
    }

    async fn greet(&self, socket: &mut Socket) -> Option<Value> {
        let (visitor, seen) = (&self.visitor, self.chat.seen.get());
        let hello = if self.token.is_empty() {
            format!(r#"{{"type":"hello","visitor":"{visitor}"}}"#)
        } else {
            let token = &self.token;
            format!(r#"{{"type":"hello","visitor":"{visitor}","token":"{token}","after":{seen}}}"#)
        };
        socket.send(Message::text(hello)).await.ok()?;
        answer(socket, &["welcome", "refused"]).await
    }

    /// Stays in the chat until it ends, however it ends.
    async fn stay(&mut self, socket: Socket) {
        let (low, high) = self.world.plan.posts;
        let posts = u32::try_from(self.random.between(low, high)).unwrap_or(u32::MAX / 2);
        let fate = match self.random.between(0, 100) {
            0..30 => Fate::CustomerEnds,
            30..60 => Fate::AgentEnds,
            60..85 => Fate::Gone,
            _ => Fate::TooLate,
        };
        let stretches = u32::try_from(self.random.between(1, 4)).unwrap_or(1);
        let mut socket = Some(socket);
        for stretch in 1..=stretches {
            socket = self.talk_on(socket, posts * stretch / stretches).await;
            if self.is_over {
                return;
            }
            if stretch < stretches && self.random.chance(50) && !self.world.closing.get() {
                socket = self.stay_away_briefly(socket).await;
            }
        }
        self.world.moving().await;
        match fate {
            Fate::CustomerEnds => self.end(socket).await,
            Fate::AgentEnds => self.be_ended(socket).await,
            Fate::Gone => self.go(socket).await,
            Fate::TooLate => self.return_too_late(socket).await,
        }
    }

    /// Talks, and comes back after every loss.
    pub(crate) async fn talk_on(
        &mut self,
        mut socket: Option<Socket>,
        up_to: u32,
    ) -> Option<Socket> {
        loop {
            let mut open = match socket.take() {
                Some(open) => open,
                None => self.come_back().await?,
            };
            match self.talk(&mut open, up_to).await {
                End::Said => return Some(open),
                End::Over => return None,
                End::Lost => self.left_at = now_ms(),
            }
        }
    }

    /// Comes back into the chat; nothing if the chat is over.
    pub(crate) async fn come_back(&mut self) -> Option<Socket> {
        loop {
            self.world.up().await;
            if let Some(socket) = self.try_to_come_back().await {
                return Some(socket);
            }
            if self.is_over {
                return None;
            }
            self.left_at = now_ms();
            let pause = self.random.between(20, 300);
            sleep(Duration::from_millis(pause)).await;
        }
    }

    async fn try_to_come_back(&mut self) -> Option<Socket> {
        let mut socket = self.connect().await?;
        let asked_at = now_ms();
        let proven_at = self.chat.proven_at.get();
        let welcome = self.greet(&mut socket).await?;
        let Some(live) = welcome.get("conversation") else {
            self.is_over = true;
            if welcome["ended"]["id"] != *self.chat.id {
                self.world.note(Wrong::Lost, format!("{}: welcomed {welcome}", self.chat.id));
            }
            return None;
        };
        if live["id"] != *self.chat.id {
            self.is_over = true;
            self.world.note(Wrong::Lost, format!("{}: welcomed {welcome}", self.chat.id));
            return None;
        }
        // A customer who was gone for so long cannot be in the chat any more.
        if self.world.due_by(proven_at.max(self.left_at)).is_some_and(|due| asked_at > due) {
            let what = format!("{}: back at {asked_at}, last there {proven_at}", self.chat.id);
            self.world.note(Wrong::Missed, what);
        }
        self.chat.proven_at.set(proven_at.max(asked_at));
        self.world.count(|tally| tally.resumes += 1);
        self.say_again(&mut socket).await?;
        Some(socket)
    }
}

/// The next frame of one of these types.
async fn answer(socket: &mut Socket, kinds: &[&str]) -> Option<Value> {
    let listening = async {
        loop {
            let Message::Text(text) = socket.next().await?.ok()? else { continue };
            if kinds.contains(&frames::kind(&text)) {
                return serde_json::from_str(&text).ok();
            }
        }
    };
    timeout(PATIENCE, listening).await.ok().flatten()
}
