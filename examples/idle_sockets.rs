//! How much memory an idle socket costs: opens many to a server in this process, sends a beat and
//! then 4 KiB on each, and prints the resident bytes of each. Its clients are bare descriptors.
//!
//! `cargo run --release --example idle_sockets -- 8000`

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use actix::{Actor, ActorContext, StreamHandler};
use actix_web::App;
use holdline::socket::{
    Admission, Figures, Line, Message, ProtocolError, Rejection, UpgradeRequest, WebsocketContext,
    bind, serve,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Quiet(Line);

impl Actor for Quiet {
    type Context = WebsocketContext<Self>;
}

impl StreamHandler<Result<Message, ProtocolError>> for Quiet {
    fn handle(&mut self, item: Result<Message, ProtocolError>, _: &mut Self::Context) {
        if let Ok(Message::Text(_)) = item {
            self.0.text(&bytestring::ByteString::from_static("ok"));
        }
        self.0.done();
    }

    fn finished(&mut self, context: &mut Self::Context) {
        if self.0.has_given_all() {
            context.stop();
        }
    }
}

struct Open;

impl Admission for Open {
    type Session = Quiet;

    fn admit(&self, _: &UpgradeRequest, line: Line) -> Result<Quiet, Rejection> {
        Ok(Quiet(line))
    }
}

fn main() -> std::io::Result<()> {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(8_000);
    let listener = bind(([127, 0, 0, 1], 0).into())?;
    let address = listener.local_addr()?;
    let (_stop, stopping) = tokio::sync::watch::channel(false);
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(serve(
            listener,
            App::new,
            Open,
            Arc::<Figures>::default(),
            stopping,
        ))
    });
    let mut clients = Vec::with_capacity(count);
    let before = resident()?;
    for _ in 0..count {
        let mut client = TcpStream::connect(address)?;
        client.write_all(
            b"GET /v1/widget?widget=shop HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n\
              Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
              Sec-WebSocket-Protocol: holdline.v1\r\n\r\n",
        )?;
        let mut answer = [0; 512];
        assert!(client.read(&mut answer)? > 0, "the server closed");
        clients.push(client);
    }
    report("open", before, count)?;
    for payload in [24, 4_096] {
        for client in &mut clients {
            client.write_all(&frame(payload))?;
            client.read_exact(&mut [0; 4])?;
        }
        report(&format!("after a text of {payload} bytes"), before, count)?;
    }
    Ok(())
}

fn frame(payload: usize) -> Vec<u8> {
    let length = u16::try_from(payload).unwrap_or(u16::MAX).to_be_bytes();
    let mut frame = vec![0x81, 0x80 | 0x7e, length[0], length[1], 0, 0, 0, 0];
    frame.resize(8 + payload, b'x');
    frame
}

fn report(when: &str, before: usize, count: usize) -> std::io::Result<()> {
    let each = (resident()?.saturating_sub(before)) / count;
    writeln!(std::io::stdout(), "{when}: {each} bytes resident for each of {count}")
}

fn resident() -> std::io::Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    Ok(kibibytes.unwrap_or(0_usize) * 1024)
}
