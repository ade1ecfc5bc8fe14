//! Accepting connections: one loop on each thread, for HTTP and for widgets alike.

mod connections;
mod entrance;
mod reserve;

use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol as HttpVersion, Request, Response};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::dev::AppConfig;
use rustix::io::Errno;
use rustls::ServerConfig;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::limits;
use crate::socket::admission::Admission;
use crate::socket::listener::connections::UnderWay;
use crate::socket::listener::entrance::{Rule, is_of_reserve};
use crate::socket::listener::reserve::{Reserve, reset};
use crate::socket::strict::Strict;
use crate::socket::thread::Thread;
use crate::socket::transport::Transport;
use crate::socket::upgrade;
use crate::strangers::Connection;
use crate::tls;

pub use crate::socket::listener::entrance::{Entrance, bind};

/// How long to wait after accepting fails for a reason that is not one connection's, or while no
/// descriptor is left and no connection waits. Otherwise the kernel reports it again and again.
const ERROR_WAIT: Duration = Duration::from_millis(20);

/// What the listeners of all threads have seen.
#[derive(Debug, Default)]
pub struct Figures {
    accepted: AtomicU64,
    failed: AtomicU64,
    turned_away: AtomicU64,
}

impl Figures {
    /// Connections that were accepted.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Times that accepting failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Connections that were closed at once because no descriptor was left.
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

/// Serves connections on this thread, which must run an actix arbiter, until `stop` holds true or
/// its sender is gone. Then it accepts no more, and returns once the HTTP requests under way are
/// answered, or [`limits::HTTP_FINISH_SECONDS_MAX`] have passed. It does not touch widgets'
/// sockets: their sessions say `bye`.
pub async fn serve<F, I, S, B, A>(
    entrance: impl Into<Entrance>,
    app: F,
    admission: A,
    figures: Arc<Figures>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()>
where
    F: FnOnce() -> I,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
    A: Admission,
{
    let (listener, rule, certificates) = entrance.into().open()?;
    let address = listener.local_addr()?;
    let app = app().into_factory().map_err(|error| error.into().error_response());
    let admission = Rc::new(admission);
    let (admitting, thread) = (Rc::clone(&admission), Thread::new());
    let stopping = stop.clone();
    let requests = HttpService::build()
        .local_addr(address)
        // A client that has closed its half has gone: the open feed is an agent's liveness, and a
        // feed that nothing is written to would otherwise live until a write fails.
        .h1_allow_half_closed(false)
        .on_connect_ext(|stream: &Strict<Transport>, data| {
            data.insert(stream.connection());
        })
        .graceful_shutdown_signal(move || {
            let mut stopping = stopping.clone();
            async move {
                // A sender that is gone is a stop as well.
                let _: Result<_, _> = stopping.wait_for(|stop| *stop).await;
            }
        })
        .upgrade(fn_service(move |(request, framed)| {
            let (admission, thread) = (Rc::clone(&admitting), Rc::clone(&thread));
            async move { upgrade::answer(&*admission, &thread, request, framed).await }
        }))
        .finish(map_config(app, move |()| AppConfig::default()));
    let service = fn_service(|(stream, connection): (Transport, Arc<Connection>)| async move {
        let peer = connection.peer();
        Ok((Strict::new(stream, connection), HttpVersion::Http1, peer))
    });
    let service = service
        .and_then(requests)
        .new_service(())
        .await
        .map_err(|()| io::Error::other("the HTTP application could not be built"))?;
    let service = Rc::new(service);
    let under_way = Rc::new(UnderWay::default());
    let admits = |stream: &_| rule.admits(stream, under_way.count());
    let mut in_a_row = 0;
    let mut reserve = Reserve::take();
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &mut reserve, admits, &*admission, &figures) => {
                let Some(mut stream) = accepted else { continue };
                let entry = UnderWay::enter(&under_way);
                let (service, admission) = (Rc::clone(&service), Rc::clone(&admission));
                let config = certificates.as_ref().map(|it| it.config(rule.is_operators));
                actix_rt::spawn(async move {
                    if let Some(connection) = begin(&mut stream, rule, &*admission).await {
                        let serving = async {
                            let secured = secure(stream, &connection, config, &*admission).await;
                            let Some(stream) = secured else { return Ok(()) };
                            service.call((stream, Arc::clone(&connection))).await
                        };
                        see_through(serving, &connection, &*admission).await;
                    }
                    drop(entry);
                });
            }
        }
        in_a_row = (in_a_row + 1) % limits::ACCEPTS_MAX;
        if in_a_row == 0 {
            tokio::task::yield_now().await;
        }
    }
    drop(listener);
    let limit = Duration::from_secs(limits::HTTP_FINISH_SECONDS_MAX);
    // Whatever is not answered by then is dropped with its thread.
    let _: Result<_, _> = tokio::time::timeout(limit, under_way.done()).await;
    Ok(())
}

/// Begins with an accepted connection; returns nothing where it is not taken.
async fn begin(
    stream: &mut TcpStream,
    rule: Rule,
    admission: &impl Admission,
) -> Option<Arc<Connection>> {
    let peer = stream.peer_addr().ok();
    if rule.is_operators {
        return Some(Arc::new(Connection::of_operator(peer)));
    }
    let is_of_reserve = is_of_reserve(stream);
    let strangers = admission.strangers();
    match Connection::begin(stream, peer, is_of_reserve, strangers).await {
        Ok(connection) => Some(Arc::new(connection)),
        Err(why) => {
            reset(&SockRef::from(&*stream));
            admission.note_not_taken(peer, &why);
            None
        }
    }
}

/// Takes a connection through the TLS handshake, where there is TLS; nothing where that fails.
async fn secure(
    stream: TcpStream,
    connection: &Connection,
    config: Option<Arc<ServerConfig>>,
    admission: &impl Admission,
) -> Option<Transport> {
    let Some(config) = config else { return Some(Transport::Plain(stream)) };
    // Boxed, so that a connection in the clear needs no room for it.
    match Box::pin(tls::accept(stream, config)).await {
        Ok((stream, session)) => Some(Transport::secured(stream, session)),
        Err(why) => {
            admission.note_not_secured(connection.peer(), &why);
            None
        }
    }
}

/// Serves a connection to its end, or until it must go.
async fn see_through<T>(
    serving: impl Future<Output = Result<T, DispatchError>>,
    connection: &Connection,
    admission: &impl Admission,
) {
    tokio::select! {
        biased;
        served = serving => {
            // What goes wrong on one connection concerns only its other end.
            if let Err(DispatchError::Parse(_)) = served {
                admission.note_unreadable();
            }
        }
        () = connection.must_go() => admission.note_turned_away(),
    }
}

fn note_turned_away(admission: &impl Admission, figures: &Figures) {
    figures.turned_away.fetch_add(1, Ordering::Relaxed);
    admission.note_turned_away();
}

/// Closes a connection that there is no room for.
fn turn_away(stream: TcpStream, admission: &impl Admission, figures: &Figures) {
    reset(&SockRef::from(&stream));
    drop(stream);
    note_turned_away(admission, figures);
}

/// Waits for a connection, and returns it if it is to be kept.
async fn accept(
    listener: &TcpListener,
    reserve: &mut Reserve,
    admits: impl Fn(&TcpStream) -> bool,
    admission: &impl Admission,
    figures: &Figures,
) -> Option<TcpStream> {
    let note_turned_away = || note_turned_away(admission, figures);
    let error = match listener.accept().await {
        Ok((stream, _)) if reserve.refill() && admits(&stream) => {
            figures.accepted.fetch_add(1, Ordering::Relaxed);
            return prepare(&stream).ok().map(|()| stream);
        }
        Ok((stream, _)) => {
            turn_away(stream, admission, figures);
            reserve.refill();
            return None;
        }
        Err(error) => error,
    };
    figures.failed.fetch_add(1, Ordering::Relaxed);
    let is_of_one_connection = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    );
    if is_of_one_connection {
        return None;
    }
    let code = Errno::from_io_error(&error);
    if matches!(code, Some(Errno::MFILE | Errno::NFILE)) {
        while reserve.turn_away(listener) {
            note_turned_away();
        }
    } else {
        tracing::warn!(%error, "a connection could not be accepted");
    }
    tokio::time::sleep(ERROR_WAIT).await;
    None
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let silence = Duration::from_secs(limits::KEEPALIVE_SECONDS);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(silence))?;
    #[cfg(target_os = "linux")]
    {
        let limit = Duration::from_secs(limits::HTTP_UNACKNOWLEDGED_SECONDS_MAX);
        socket.set_tcp_user_timeout(Some(limit))?;
    }
    Ok(())
}
