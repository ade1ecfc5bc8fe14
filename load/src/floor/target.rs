//! The floor as a target: this program itself, started again.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;

use super::{FloorOptions, Tampering};
use crate::clock;
use crate::dialect::Spoken;
use crate::holdline::dialect::{NAME, Settings};
use crate::plan::customer_of;
use crate::target::{Absent, Demands, Running, Target};
use crate::watch::{Ear, News, Told, Watch};

/// The floor.
#[derive(Clone, Debug)]
pub struct FloorTarget {
    /// This program.
    pub program: PathBuf,
    /// How the floor behaves.
    pub options: FloorOptions,
}

impl Target for FloorTarget {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn version(&self) -> Result<String, Absent> {
        Ok(env!("CARGO_PKG_VERSION").to_owned())
    }

    fn start(&self, demands: &Demands) -> anyhow::Result<Box<dyn Running>> {
        let tampering = match self.options.tampering {
            Tampering::None => "none",
            Tampering::Lose => "lose",
            Tampering::Duplicate => "duplicate",
            Tampering::Reorder => "reorder",
        };
        let mut child = Command::new(&self.program)
            .args(["floor", "--listen", "127.0.0.1:0"])
            .args(["--stall-ms", &self.options.stall.as_millis().to_string()])
            .args(["--stall-every-ms", &self.options.stall_every.as_millis().to_string()])
            .args(["--tamper", tampering])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", self.program.display()))?;
        let stdout = child.stdout.take().context("it has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().context("the floor did not start")?;
        let (answered, has_agents) = (demands.answered, demands.agents.count > 0);
        Ok(Box::new(RunningFloor { child, address, answered, has_agents }))
    }

    fn promise(&self, _demands: &Demands) -> Option<&'static str> {
        Some("nothing: it is said as soon as the post is read")
    }
}

struct RunningFloor {
    child: Child,
    address: SocketAddr,
    answered: bool,
    has_agents: bool,
}

impl Running for RunningFloor {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.child.id()]
    }

    fn dialect(&self) -> Spoken {
        let settings = Settings { widget: "load".to_owned(), answered: self.answered };
        let settings = serde_json::to_value(settings).unwrap_or_default();
        Spoken { name: NAME.to_owned(), settings }
    }

    fn watch(&self, ear: Ear) -> anyhow::Result<Option<Box<dyn Watch>>> {
        if !self.has_agents {
            return Ok(None);
        }
        let mut stream = TcpStream::connect(self.address)?;
        stream.write_all(b"GET /agent HTTP/1.1\r\n\r\n")?;
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let reader = stream.try_clone()?;
        std::thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                if let Some(told) = told(&line)
                    && ear.send(told).is_err()
                {
                    return;
                }
            }
            seen.store(true, Ordering::Relaxed);
        });
        Ok(Some(Box::new(FloorWatch { stream, is_over })))
    }
}

impl Drop for RunningFloor {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn told(line: &str) -> Option<Told> {
    let (what, number) = line.split_once(' ')?;
    let number: u64 = number.parse().ok()?;
    let (customer, news) = match what {
        "entered" => (u32::try_from(number).ok()?, News::Accepted),
        _ => (customer_of(number), News::Message(number)),
    };
    Some(Told { customer, news, at: clock::now() })
}

struct FloorWatch {
    stream: TcpStream,
    is_over: Arc<AtomicBool>,
}

impl Watch for FloorWatch {
    fn fault(&mut self) -> Option<String> {
        self.is_over.load(Ordering::Relaxed).then(|| "the floor has ended".to_owned())
    }
}

impl Drop for FloorWatch {
    fn drop(&mut self) {
        // The thread that reads it then ends.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}
