//! Accepting connections: one loop on each thread, for HTTP and for widgets alike.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
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
use rustix::process::Resource;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

use crate::limits;
use crate::socket::strict::Strict;
use crate::socket::upgrade::{self, Admission};
use crate::strangers::Connection;

/// How long to wait after an error of accepting that is not one connection's, or while no
/// descriptor is left and nobody waits: the kernel would say so again and again.
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

/// Opens a listening socket. Each thread serves a clone of it ([`try_clone`]).
///
/// [`try_clone`]: std::net::TcpListener::try_clone
pub fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(limits::BACKLOG_MAX)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Serves connections on this thread, which must run an actix arbiter, until `stop` holds true or
/// its sender is gone. Then no more are accepted, and it returns once the HTTP requests that were
/// under way are answered, or [`limits::HTTP_FINISH_SECONDS_MAX`] have passed. Widgets' sockets
/// are not touched: their sessions say `bye`.
pub async fn serve<F, I, S, B, A>(
    listener: std::net::TcpListener,
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
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let address = listener.local_addr()?;
    let app = app().into_factory().map_err(|error| error.into().error_response());
    let admission = Rc::new(admission);
    let admitting = Rc::clone(&admission);
    let stopping = stop.clone();
    let requests = HttpService::build()
        .local_addr(address)
        // Who has closed their half has gone: the open feed is an agent's liveness, and one that
        // nothing is written to would otherwise live until a write fails.
        .h1_allow_half_closed(false)
        .on_connect_ext(|stream: &Strict<TcpStream>, data| {
            data.insert(stream.connection());
        })
        .graceful_shutdown_signal(move || {
            let mut stopping = stopping.clone();
            async move {
                // That the sender is gone is a stop as well.
                let _: Result<_, _> = stopping.wait_for(|stop| *stop).await;
            }
        })
        .upgrade(fn_service(move |(request, framed)| {
            let admission = Rc::clone(&admitting);
            async move { upgrade::answer(&*admission, request, framed).await }
        }))
        .finish(map_config(app, move |()| AppConfig::default()));
    let service = fn_service(|(stream, connection): (TcpStream, Arc<Connection>)| async move {
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
    let mut in_a_row = 0;
    let mut reserve = Reserve::take();
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &mut reserve, &*admission, &figures) => {
                let Some(mut stream) = accepted else { continue };
                let entry = UnderWay::enter(&under_way);
                let (service, admission) = (Rc::clone(&service), Rc::clone(&admission));
                actix_rt::spawn(async move {
                    if let Some(connection) = begin(&mut stream, &*admission).await {
                        let serving = service.call((stream, Arc::clone(&connection)));
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

/// Whether a connection took one of the last descriptors, which are kept for those who have a token
/// and for operators. The system gives the least that is free.
fn is_of_reserve(stream: &TcpStream) -> bool {
    let Some(all) = rustix::process::getrlimit(Resource::Nofile).current else { return false };
    let kept = (all / 16).min(limits::DESCRIPTORS_KEPT_MAX);
    u64::try_from(stream.as_raw_fd()).unwrap_or_default() >= all - kept
}

/// Begins with a connection that was accepted; nothing where it is not taken.
async fn begin(stream: &mut TcpStream, admission: &impl Admission) -> Option<Arc<Connection>> {
    let is_of_reserve = is_of_reserve(stream);
    let peer = stream.peer_addr().ok();
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

/// Waits for a connection, and answers it if it is to be kept.
async fn accept(
    listener: &TcpListener,
    reserve: &mut Reserve,
    admission: &impl Admission,
    figures: &Figures,
) -> Option<TcpStream> {
    let note_turned_away = || {
        figures.turned_away.fetch_add(1, Ordering::Relaxed);
        admission.note_turned_away();
    };
    let error = match listener.accept().await {
        Ok((stream, _)) if reserve.refill() => {
            figures.accepted.fetch_add(1, Ordering::Relaxed);
            return prepare(&stream).ok().map(|()| stream);
        }
        Ok((stream, _)) => {
            reset(&SockRef::from(&stream));
            drop(stream);
            reserve.refill();
            note_turned_away();
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

/// Descriptors that a thread keeps for when there are no others: whoever comes then is told so by
/// a reset, at once, instead of waiting in the backlog in front of a server that does not answer.
/// Widgets come back later by themselves.
///
/// One that is let go for a moment may be taken: by a file that is opened, or by a connection that
/// another thread accepts. So a connection is kept only by a thread whose reserve is whole, and the
/// first descriptors that become free make it whole again. Otherwise connections could take every
/// reserve, and nobody would be turned away any more.
struct Reserve(Vec<File>);

impl Reserve {
    fn take() -> Self {
        let mut reserve = Self(Vec::with_capacity(limits::DESCRIPTORS_RESERVED));
        reserve.refill();
        reserve
    }

    /// Takes what is missing, as far as there are descriptors. True if the reserve is whole.
    fn refill(&mut self) -> bool {
        while self.0.len() < limits::DESCRIPTORS_RESERVED {
            let Ok(file) = File::open("/dev/null") else { return false };
            self.0.push(file);
        }
        true
    }

    /// Accepts one connection with a descriptor of the reserve, and closes it. False when the
    /// reserve is used up, or nobody waits.
    fn turn_away(&mut self, listener: &TcpListener) -> bool {
        let has_come = self.0.pop().is_some() && {
            let accepted = SockRef::from(listener).accept();
            accepted.is_ok_and(|(socket, _)| {
                reset(&SockRef::from(&socket));
                true
            })
        };
        self.refill();
        has_come
    }
}

/// Has the other end told of a close by a reset, which leaves nothing of the connection behind.
fn reset(socket: &SockRef<'_>) {
    // Without it, the close is an ordinary one.
    let _: io::Result<()> = socket.set_linger(Some(Duration::ZERO));
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

/// Has a connection that becomes a widget's socket live through a longer silence of the network: a
/// customer's phone may be in a tunnel.
pub(super) fn bear_with(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    {
        let limit = Duration::from_secs(limits::UNACKNOWLEDGED_SECONDS_MAX);
        // Without it, the socket is given up sooner, and its widget comes back.
        let _: io::Result<()> = SockRef::from(stream).set_tcp_user_timeout(Some(limit));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

/// The connections that HTTP is spoken on.
#[derive(Default)]
struct UnderWay {
    count: Cell<usize>,
    changed: Notify,
}

impl UnderWay {
    fn enter(this: &Rc<Self>) -> Entry {
        this.count.set(this.count.get() + 1);
        Entry(Rc::clone(this))
    }

    async fn done(&self) {
        while self.count.get() > 0 {
            self.changed.notified().await;
        }
    }
}

/// One of them, for as long as it lives.
struct Entry(Rc<UnderWay>);

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.count.set(self.0.count.get() - 1);
        self.0.changed.notify_one();
    }
}
