//! A customer's session without a socket: it says and hears what the session's actor would.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix::{Actor, Context, Handler};
use holdline::behavior::message::{FromSession, Join};
use holdline::domain::cause::Cause;
use holdline::domain::conversation::command::StartRequest;
use holdline::domain::id::{ConversationId, Seq, SessionId, VisitorId};
use holdline::domain::text::MessageText;
use holdline::domain::time::Span;
use holdline::engine::{Feed, NotJoined, Outbox, ToSession, Visit};
use holdline::wire::client::Reference;
use holdline::wire::refusal::RefusalCode;

use crate::world::{World, parsed, settle};

static SESSIONS: AtomicUsize = AtomicUsize::new(1);

/// A session of a customer's.
pub struct Customer {
    pub visit: Visit,
    heard: Arc<Mutex<Vec<ToSession>>>,
    heartbeat: Span,
}

#[derive(Debug)]
struct Ear(Arc<Mutex<Vec<ToSession>>>);

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<ToSession> for Ear {
    type Result = ();

    fn handle(&mut self, told: ToSession, _: &mut Self::Context) {
        self.0.lock().unwrap().push(told);
    }
}

#[derive(Debug)]
struct Endless;

impl Outbox for Endless {
    fn take(&self, _: usize) -> bool {
        true
    }

    fn has_room_for_page(&self) -> bool {
        true
    }
}

impl Customer {
    /// A new session that belongs to no particular customer yet.
    pub fn new(world: &World) -> Self {
        let heard = Arc::<Mutex<Vec<ToSession>>>::default();
        let address = Ear(heard.clone()).start().recipient();
        let number = SESSIONS.fetch_add(1, Ordering::Relaxed) as u64;
        let session = SessionId::from_bits(number);
        let visit = world.engine.visit(session, parsed("shop"), 0, address, Arc::new(Endless));
        Self { visit, heard, heartbeat: Span::from_secs(25) }
    }

    /// A new session that has begun a chat.
    pub async fn chatting(world: &World, visitor: u128) -> (Self, ConversationId) {
        let customer = Self::new(world);
        customer.start(visitor).unwrap();
        let id = customer.joined().await;
        (customer, id)
    }

    /// A new session that is in a chat with Ada, behind her feed.
    pub async fn talking(world: &World, visitor: u128) -> (Feed, Self, ConversationId) {
        let feed = world.ada_works().await;
        let (customer, id) = Self::chatting(world, visitor).await;
        settle().await;
        world.ada_accepts(id).await;
        (feed, customer, id)
    }

    /// The live chat of a visitor.
    pub fn chat_of(&self, visitor: u128) -> Option<ConversationId> {
        self.visit.chat_of(VisitorId::from_bits(visitor))
    }

    pub fn start(&self, visitor: u128) -> Result<ConversationId, RefusalCode> {
        let request = StartRequest {
            widget: parsed("shop"),
            visitor: VisitorId::from_bits(visitor),
            start: parsed("start"),
            salt: 0,
            name: None,
            form: None,
            context: None,
            page: None,
            locale: None,
        };
        self.visit.start(request, self.entrance(Seq::ZERO), None)
    }

    /// Comes back into a chat of which the session has seen everything up to this place.
    pub fn join(&self, id: ConversationId, after: u32) {
        let join = FromSession::Join(Box::new(self.entrance(Seq::new(after))));
        assert!(self.visit.say(id, join));
    }

    pub async fn joined(&self) -> ConversationId {
        settle().await;
        self.find(|told| match told {
            ToSession::Joined { conversation, .. } => Some(*conversation),
            _ => None,
        })
        .expect("it was let in")
    }

    pub async fn not_joined(&self) -> NotJoined {
        settle().await;
        self.find(|told| match told {
            ToSession::NotJoined { why, .. } => Some(why.clone()),
            _ => None,
        })
        .expect("it was turned away")
    }

    pub fn post(&self, id: ConversationId, message: &str, text: &str) {
        let text = MessageText::parse(text).unwrap();
        let reference = Reference::Text(message.into());
        self.visit.say(id, FromSession::Post(reference, parsed(message), text));
    }

    pub fn lose(&self, id: ConversationId) {
        self.visit.leave(Some(id), Cause::Closed(1006));
    }

    /// What the session was told and the test has not yet taken from it.
    pub fn told(&self) -> Vec<ToSession> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }

    /// Puts something back among what the session was told.
    pub fn keep(&self, told: ToSession) {
        self.heard.lock().unwrap().push(told);
    }

    /// The first thing that the session was told and that `pick` picks.
    pub fn find<T>(&self, pick: impl Fn(&ToSession) -> Option<T>) -> Option<T> {
        self.heard.lock().unwrap().iter().find_map(pick)
    }

    pub fn was_posted(&self) -> Option<u32> {
        self.find(|told| match told {
            ToSession::Posted { seq, .. } => Some(seq.number()),
            _ => None,
        })
    }

    /// The frames that the session was given, as texts.
    pub fn frames(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard
            .iter()
            .filter_map(|told| match told {
                ToSession::Frame { text, .. } => Some(text.to_string()),
                _ => None,
            })
            .collect()
    }

    fn entrance(&self, after: Seq) -> Join {
        Join { start: None, after: Some(after), heartbeat: self.heartbeat, program: None, of: None }
    }
}
