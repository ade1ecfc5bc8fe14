//! A finding of the simulation about the real session, pinned down with real sockets: a tab whose
//! `start` is still being written is there as long as it answers.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::App;
use futures_util::{SinkExt as _, StreamExt as _};
use holdline::access::{Keys, Secret};
use holdline::domain::conversation::event::{Audience, Event};
use holdline::domain::id::{ConversationId, Seq};
use holdline::engine::{Engine, Options, Starting, Threads};
use holdline::journal::Recovered;
use holdline::journal::memory::MemoryJournal;
use holdline::socket::session::Door;
use holdline::socket::{Figures, bind, serve};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::plan::Plan;
use crate::settings;

/// Longer than two heartbeats of one second.
const WRITING: Duration = Duration::from_millis(3_500);

#[test]
fn whoever_answers_while_their_start_is_written_is_there() {
    actix_rt::System::new().block_on(async {
        let (engine, journal, address) = engine().await;
        let url = format!("ws://{address}/v1/widget?widget=widget-0");
        let mut request = url.into_client_request().unwrap();
        let protocol = "holdline.v1".parse().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (mut socket, _) = connect_async(request).await.unwrap();
        socket.send(Message::text(json!({"type": "hello"}).to_string())).await.unwrap();
        socket.next().await.unwrap().unwrap();
        journal.hold_receipts();
        let start = json!({"type": "start", "ref": 1, "id": "s1"}).to_string();
        socket.send(Message::text(start)).await.unwrap();
        let written = tokio::time::sleep(WRITING);
        tokio::pin!(written);
        let mut is_held = true;
        let started = loop {
            tokio::select! {
                () = &mut written, if is_held => {
                    is_held = false;
                    journal.release_receipts();
                }
                // Reading answers pings.
                frame = socket.next() => {
                    if let Some(Ok(Message::Text(text))) = frame {
                        break serde_json::from_str::<Value>(&text).unwrap();
                    }
                }
            }
        };
        assert_eq!(started["type"], "started", "{started}");
        let id: ConversationId = started["conversation"].as_str().unwrap().parse().unwrap();
        let history =
            engine.history(id, Seq::ZERO, Audience::Agent, 100, usize::MAX).await.unwrap();
        let is_lost = |event: &Event| matches!(event, Event::SessionLost { .. });
        assert!(!history.iter().any(|recorded| is_lost(&recorded.event)), "{history:?}");
    });
}

/// An engine on a journal in memory, behind a real socket; its heartbeat is a second.
async fn engine() -> (Engine, Arc<MemoryJournal>, SocketAddr) {
    let starting = Starting::default();
    let journal = Arc::new(MemoryJournal::new(starting.receipts()));
    let recovered = Recovered::default();
    let threads = Threads::current();
    let engine = starting.start(Options::default(), threads, journal.clone(), recovered).await;
    let mut plan = Plan::draw(1);
    plan.streams[0].heartbeat = 1;
    for change in settings::all(&plan) {
        engine.change(change).await.unwrap();
    }
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let keys = Keys::of(Secret::from_bytes([7; 32]), Path::new("nowhere"));
    let door = Rc::new(Door::new(engine.clone(), Arc::new(keys), 0));
    let (stop, stopping) = watch::channel(false);
    actix_rt::spawn(async move {
        // The engine serves until the test, and with it the system, is over.
        let _alive = stop;
        serve(listener, App::new, door, Arc::<Figures>::default(), stopping).await.unwrap();
    });
    (engine, journal, address)
}
