//! A server on the real transport, with a session that answers and counts.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, AsyncContext, StreamHandler};
use actix_web::{App, HttpResponse, web};
use bytestring::ByteString;
use holdline::domain::time::Span;
use holdline::socket::{
    Admission, Entrance, Figures, Line, Message, Outbox, ProtocolError, Rejection, SocketEnd,
    UpgradeRequest, WebsocketContext, bind, serve,
};
use holdline::strangers::Strangers;
use holdline::tls::Certificates;
use holdline::wire::close::CloseCode;
use holdline::wire::problem::UNKNOWN_WIDGET;
use tokio::sync::watch;

/// What the sessions of a server have seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) frames: AtomicUsize,
    pub(crate) ticks: AtomicUsize,
    pub(crate) stopped: AtomicUsize,
    pub(crate) ends: Mutex<Vec<Option<SocketEnd>>>,
    pub(crate) requests: Mutex<Vec<UpgradeRequest>>,
    pub(crate) outboxes: Mutex<Vec<Arc<Outbox>>>,
}

impl Seen {
    pub(crate) fn frames(&self) -> usize {
        self.frames.load(Ordering::SeqCst)
    }

    pub(crate) fn ticks(&self) -> usize {
        self.ticks.load(Ordering::SeqCst)
    }

    pub(crate) fn ends(&self) -> Vec<Option<SocketEnd>> {
        self.ends.lock().unwrap().clone()
    }
}

/// A session that echoes texts. The text `push` makes it send without end, `bye` makes it close,
/// and `later` makes it note frames as done only at its next tick.
struct Echo {
    line: Line,
    seen: Arc<Seen>,
    pushes: bool,
    later: Option<usize>,
}

impl Actor for Echo {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(Duration::from_millis(5), |echo, _| {
            echo.seen.ticks.fetch_add(1, Ordering::SeqCst);
            if let Some(owed) = &mut echo.later {
                for _ in 0..std::mem::take(owed) {
                    echo.line.done();
                }
            }
            if echo.pushes {
                let text = ByteString::from("x".repeat(65_536));
                for _ in 0..4 {
                    echo.line.text(&text);
                }
            }
        });
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.seen.ends.lock().unwrap().push(self.line.end());
        self.seen.stopped.fetch_add(1, Ordering::SeqCst);
    }
}

impl StreamHandler<Result<Message, ProtocolError>> for Echo {
    fn handle(&mut self, item: Result<Message, ProtocolError>, context: &mut Self::Context) {
        self.seen.frames.fetch_add(1, Ordering::SeqCst);
        match item {
            Ok(Message::Text(text)) => match &*text {
                "push" => self.pushes = true,
                "later" => self.later = Some(0),
                "bye" => {
                    self.line.close(CloseCode::Restart, Span::from_secs(3));
                    context.stop();
                }
                "hush" => {}
                _ => self.line.text(&text),
            },
            Ok(Message::Ping(payload)) => self.line.pong(&payload),
            Ok(_) | Err(_) => {}
        }
        match &mut self.later {
            Some(owed) => *owed += 1,
            None => self.line.done(),
        }
    }

    fn finished(&mut self, context: &mut Self::Context) {
        if self.line.has_given_all() {
            context.stop();
        }
    }
}

struct Doorman(Arc<Seen>, Strangers);

impl Admission for Doorman {
    type Session = Echo;

    fn admit(&self, request: &UpgradeRequest, line: Line) -> Result<Echo, Rejection> {
        self.0.requests.lock().unwrap().push(request.clone());
        if request.widget != "shop" {
            return Err(Rejection::new(&UNKNOWN_WIDGET, "there is no such widget"));
        }
        self.0.outboxes.lock().unwrap().push(line.outbox());
        Ok(Echo { line, seen: Arc::clone(&self.0), pushes: false, later: None })
    }

    fn strangers(&self) -> &Strangers {
        &self.1
    }
}

/// A running server; dropping it stops it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) stop: watch::Sender<bool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_at(bind("127.0.0.1:0".parse().unwrap()).unwrap(), None)
    }

    /// Does the same on this listener, over TLS if there are certificates.
    pub(crate) fn start_at(
        listener: std::net::TcpListener,
        certificates: Option<Arc<Certificates>>,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let listener = Entrance::from(listener).secured_by(certificates);
        let (stop, stopping) = watch::channel(false);
        let (seen, figures) = (Arc::<Seen>::default(), Arc::<Figures>::default());
        let threads = [listener.try_clone().unwrap(), listener]
            .into_iter()
            .map(|listener| {
                let (doorman, counted) =
                    (Doorman(Arc::clone(&seen), Strangers::default()), Arc::clone(&figures));
                let stopping = stopping.clone();
                std::thread::spawn(move || run(listener, doorman, counted, stopping))
            })
            .collect();
        Self { address, seen, figures, stop, threads }
    }

    /// Stops the server, and waits until it has stopped.
    pub(crate) fn join(&mut self) {
        self.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

/// One of the server's threads.
fn run(
    listener: Entrance,
    doorman: Doorman,
    figures: Arc<Figures>,
    stopping: watch::Receiver<bool>,
) {
    actix_rt::System::new().block_on(async move {
        let app = || {
            App::new()
                .route("/plain", web::get().to(|| async { HttpResponse::Ok().body("hi") }))
                .route("/slow", web::get().to(slow))
        };
        serve(listener, app, doorman, figures, stopping).await.unwrap();
    });
}

async fn slow() -> HttpResponse {
    tokio::time::sleep(Duration::from_millis(300)).await;
    HttpResponse::Ok().body("done")
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Resident bytes of this process.
pub(crate) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}
