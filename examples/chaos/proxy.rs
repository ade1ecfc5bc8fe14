//! A TCP proxy on loopback that breaks what it carries: it cuts, resets and stalls connections, and
//! loses one direction of them. By the PROXY protocol it tells the server whom it speaks for. It
//! runs on a thread of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};

use super::addresses;
use super::random::Random;

/// The longest stall. What was sent before the stall arrives after it.
pub(crate) const STALL_MAX: Duration = Duration::from_millis(2_500);

/// How long one direction is lost before the connection ends altogether.
const ONE_WAY_MAX: Duration = Duration::from_secs(6);

/// The number of the first connection's stream of chance, far from those of the widgets.
const STREAM: u64 = 1 << 32;

/// What the proxy has done, and whether it may do more.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) connections: AtomicU64,
    pub(crate) cut: AtomicU64,
    pub(crate) reset: AtomicU64,
    pub(crate) stalled: AtomicU64,
    /// How often what the client sends was lost.
    pub(crate) deaf: AtomicU64,
    /// How often what the server sends was lost.
    pub(crate) mute: AtomicU64,
    /// While this is set, nothing new is broken.
    pub(crate) calm: AtomicBool,
}

/// A connection's state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    Whole,
    Stalled,
    LosesUp,
    LosesDown,
}

/// What to do with a connection when its time has come.
enum Turn {
    Go(Way, Instant),
    Cut,
    Reset,
}

/// Starts a proxy in front of `server`. It breaks each connection about once in `mean`.
pub(crate) fn start(
    server: SocketAddr,
    mean: Duration,
    seed: u64,
    faults: Arc<Faults>,
) -> io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    std::thread::Builder::new().name("proxy".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime for the proxy");
        runtime.block_on(accept(listener, server, mean, seed, faults));
    })?;
    Ok(address)
}

async fn accept(
    listener: std::net::TcpListener,
    server: SocketAddr,
    mean: Duration,
    seed: u64,
    faults: Arc<Faults>,
) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    loop {
        let Ok((client, from)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let number = faults.connections.fetch_add(1, Ordering::Relaxed);
        let random = Random::new(seed, STREAM + number);
        let carrier = Carrier { random, mean, faults: Arc::clone(&faults) };
        tokio::spawn(async move {
            // A client that comes while the server is down finds a connection that ends.
            let Ok(mut there) = addresses::connect(addresses::PROXY, server).await else { return };
            let header = addresses::header(addresses::announced(from.ip()), server);
            if there.write_all(header.as_bytes()).await.is_ok() {
                carrier.carry(client, there).await;
            }
        });
    }
}

struct Carrier {
    random: Random,
    mean: Duration,
    faults: Arc<Faults>,
}

impl Carrier {
    async fn carry(mut self, mut client: TcpStream, mut server: TcpStream) {
        if client.set_nodelay(true).is_err() {
            return;
        }
        let (mut up, mut down) = (vec![0; 16_384], vec![0; 16_384]);
        let mut way = Way::Whole;
        let mut until = Instant::now() + self.random.wait(self.mean);
        loop {
            let carried = tokio::select! {
                read = client.read(&mut up), if way != Way::Stalled => {
                    pass(read, &up, &mut server, way != Way::LosesUp).await
                }
                read = server.read(&mut down), if way != Way::Stalled => {
                    pass(read, &down, &mut client, way != Way::LosesDown).await
                }
                () = sleep_until(until) => match self.turn(way) {
                    Turn::Go(next, at) => {
                        (way, until) = (next, at);
                        true
                    }
                    Turn::Cut => false,
                    Turn::Reset => {
                        reset(&client);
                        reset(&server);
                        false
                    }
                },
            };
            if !carried {
                return;
            }
        }
    }

    fn turn(&mut self, way: Way) -> Turn {
        let again = Instant::now() + self.random.wait(self.mean);
        match way {
            Way::LosesUp | Way::LosesDown => return Turn::Cut,
            Way::Stalled => return Turn::Go(Way::Whole, again),
            Way::Whole if self.faults.calm.load(Ordering::Relaxed) => {
                return Turn::Go(Way::Whole, again);
            }
            Way::Whole => {}
        }
        let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        match self.random.between(0, 100) {
            0..30 => {
                count(&self.faults.cut);
                Turn::Cut
            }
            30..55 => {
                count(&self.faults.reset);
                Turn::Reset
            }
            55..75 => {
                count(&self.faults.stalled);
                let most = u64::try_from(STALL_MAX.as_millis()).unwrap_or(u64::MAX);
                let length = Duration::from_millis(self.random.between(200, most));
                Turn::Go(Way::Stalled, Instant::now() + length)
            }
            75..88 => {
                count(&self.faults.deaf);
                Turn::Go(Way::LosesUp, Instant::now() + ONE_WAY_MAX)
            }
            _ => {
                count(&self.faults.mute);
                Turn::Go(Way::LosesDown, Instant::now() + ONE_WAY_MAX)
            }
        }
    }
}

/// Passes on what was read; false when the connection is over.
async fn pass(read: io::Result<usize>, bytes: &[u8], to: &mut TcpStream, arrives: bool) -> bool {
    match read {
        Ok(0) | Err(_) => false,
        Ok(_) if !arrives => true,
        Ok(count) => to.write_all(&bytes[..count]).await.is_ok(),
    }
}

/// Makes the end of this connection a reset.
fn reset(stream: &TcpStream) {
    // A connection that is already gone needs no reset.
    let _gone = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
