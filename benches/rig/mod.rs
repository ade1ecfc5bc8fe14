//! An engine on a journal in memory, with sessions that only listen, for benches that need more
//! than a machine and less than a server.
#![allow(dead_code, reason = "each bench uses a part of it")]

use std::sync::Arc;

use actix::{Actor, Addr, Arbiter, Context, Handler, SystemRunner};
use criterion::Criterion;
use holdline::behavior::message::{FromSession, Join};
use holdline::domain::conversation::command::{Command, StartRequest};
use holdline::domain::conversation::event::Author;
use holdline::domain::id::{ConversationId, Seq, SessionId, VisitorId};
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::settings::{QueueSettings, WidgetSettings, Workstream};
use holdline::domain::text::{DisplayName, MessageText};
use holdline::domain::time::Span;
use holdline::engine::{Engine, Options, Outbox, Starting, Threads, ToSession, Visit};
use holdline::journal::Recovered;
use holdline::journal::memory::MemoryJournal;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Where the engine's actors live, seen from the caller.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// On the caller's thread, as a session and its conversation live.
    SameThread,
    /// On another thread.
    OtherThread,
}

impl Place {
    /// Both places.
    pub(crate) const BOTH: [Self; 2] = [Self::SameThread, Self::OtherThread];

    /// What a bench calls the place.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SameThread => "on one thread",
            Self::OtherThread => "across threads",
        }
    }
}

/// An engine, and the thread that asks it.
pub(crate) struct Rig {
    pub(crate) system: SystemRunner,
    pub(crate) engine: Engine,
    arbiters: Vec<Arbiter>,
    minted: u64,
}

/// A session that passes on everything that it is told.
struct Listener(UnboundedSender<ToSession>);

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Handler<ToSession> for Listener {
    type Result = ();

    fn handle(&mut self, told: ToSession, _: &mut Self::Context) {
        // Nobody listens any more when the bench is over.
        drop(self.0.send(told));
    }
}

/// A socket that always has room.
#[derive(Debug)]
struct Room;

impl Outbox for Room {
    fn take(&self, _: usize) -> bool {
        true
    }

    fn has_room_for_page(&self) -> bool {
        true
    }
}

impl Rig {
    pub(crate) fn new(place: Place) -> Self {
        let system = actix::System::new();
        let (engine, arbiters) = system.block_on(async {
            let (threads, arbiters) = match place {
                Place::SameThread => (Threads::current(), Vec::new()),
                Place::OtherThread => Threads::start(1),
            };
            let starting = Starting::default();
            let journal = Arc::new(MemoryJournal::new(starting.receipts()));
            let options = Options::default();
            let engine = starting.start(options, threads, journal, Recovered::default()).await;
            for change in settings() {
                engine.change(change).await.expect("the settings keep the rules");
            }
            (engine, arbiters)
        });
        Self { system, engine, arbiters, minted: 0 }
    }

    /// A session, and the channel of what it is told.
    pub(crate) fn session(&mut self) -> (Visit, UnboundedReceiver<ToSession>) {
        let (told, hears) = unbounded_channel();
        self.minted += 1;
        let session = SessionId::from_bits(self.minted);
        let visit = self.system.block_on(async {
            let address: Addr<Listener> = match self.arbiters.first() {
                None => Listener(told).start(),
                Some(arbiter) => {
                    Listener::start_in_arbiter(&arbiter.handle(), move |_| Listener(told))
                }
            };
            let widget = "shop".parse().expect("an id");
            self.engine.visit(session, widget, 0, address.recipient(), Arc::new(Room))
        });
        (visit, hears)
    }

    /// Begins this many chats, each with this many sessions.
    pub(crate) fn chats(&mut self, chats: u128, sessions: usize) -> Vec<Chat> {
        let mut begun = Vec::new();
        for visitor in 0..chats {
            let (visit, mut hears) = self.session();
            let id = self.system.block_on(async {
                let id = visit.start(start(visitor), entrance(), None).expect("it may begin");
                joined(&mut hears).await;
                id
            });
            let mut chat = Chat { id, sessions: vec![(visit, hears)] };
            while chat.sessions.len() < sessions {
                let (visit, mut hears) = self.session();
                self.system.block_on(async {
                    assert!(visit.say(id, FromSession::Join(Box::new(entrance()))), "it may join");
                    joined(&mut hears).await;
                });
                chat.sessions.push((visit, hears));
            }
            begun.push(chat);
        }
        begun
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        for arbiter in &self.arbiters {
            arbiter.stop();
        }
    }
}

/// A chat that has begun, and the sessions that hear it.
pub(crate) struct Chat {
    pub(crate) id: ConversationId,
    pub(crate) sessions: Vec<(Visit, UnboundedReceiver<ToSession>)>,
}

fn settings() -> [SettingChange; 3] {
    let queue = "sales".parse().expect("an id");
    let workstream =
        Workstream::new("sales".parse().expect("an id"), "sales".parse().expect("an id"));
    let name = DisplayName::parse("Sales").expect("a name");
    let widget = WidgetSettings {
        id: "shop".parse().expect("an id"),
        workstream: workstream.id.clone(),
        origins: Vec::new(),
        admission: None,
    };
    [
        SettingChange::PutQueue(QueueSettings { id: queue, name, agents: Vec::new() }),
        SettingChange::PutWorkstream(workstream),
        SettingChange::PutWidget(widget),
    ]
}

/// The request with which a visitor begins a chat.
pub(crate) fn start(visitor: u128) -> StartRequest {
    StartRequest {
        widget: "shop".parse().expect("an id"),
        visitor: VisitorId::from_bits(visitor),
        start: "start".parse().expect("an id"),
        salt: 0,
        name: None,
        form: None,
        context: None,
        page: None,
        locale: None,
    }
}

/// The entrance of a session that has seen everything.
pub(crate) fn entrance() -> Join {
    let after = Some(Seq::new(u32::MAX));
    Join { start: None, after, heartbeat: Span::from_secs(120), program: None, of: None }
}

/// A message of 160 bytes.
pub(crate) fn post(number: u64) -> Command {
    Command::Post {
        by: None,
        from: Author::Customer,
        id: format!("{number:0>36}").parse().expect("an id"),
        text: MessageText::parse(&"x".repeat(160)).expect("a text"),
    }
}

/// Waits until a session is in its chat.
pub(crate) async fn joined(hears: &mut UnboundedReceiver<ToSession>) {
    loop {
        match hears.recv().await.expect("the session lives") {
            ToSession::Joined { .. } => return,
            ToSession::NotJoined { why, .. } => panic!("it must not be turned away: {why:?}"),
            _ => {}
        }
    }
}

/// Short runs: all benches together should not take longer than a cup of tea.
pub(crate) fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(500))
        .measurement_time(std::time::Duration::from_secs(2))
}
