//! The whole server, put together: journal, engine, sockets, HTTP and the demo page, in the order
//! in which each needs the other, and taken apart in the reverse.

mod demonstration;
mod exposure;
mod fault;
mod listeners;
mod upkeep;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix::Arbiter;
use tokio::sync::watch;

use crate::access::{Access, Given, Keys, SignIn};
use crate::clock::{self, Stopwatch};
use crate::config::Config;
use crate::domain::time::{Span, Timestamp};
use crate::engine::{Engine, Options, Starting, Threads};
use crate::http::{HttpState, openapi};
use crate::journal::{Journal, store};
use crate::server::demonstration::Demonstration;
use crate::server::listeners::{Listeners, Serving};
use crate::socket::session::Routes;
use crate::tls::Certificates;
use crate::wire::time::rfc3339;

pub use crate::server::fault::ServerFault;

/// By how much the journal may be ahead of the wall clock without a warning: clocks are set by
/// small steps all the time.
const TELL_AHEAD: Span = Span::from_secs(1);

/// A server that runs. It must be stopped with [`Server::stop`]. Otherwise its last commands may be
/// lost, as in a crash, but nothing that was acknowledged.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    operator_address: Option<SocketAddr>,
    certificates: Option<Arc<Certificates>>,
    engine: Engine,
    access: Arc<Access>,
    journal: Arc<dyn Journal>,
    arbiters: Vec<Arbiter>,
    stop: watch::Sender<bool>,
    drain: Duration,
    greeting: String,
}

impl Server {
    /// Starts everything that the configuration asks for. When this returns, every conversation
    /// is live again and connections are taken. Must be called inside an actix system.
    pub async fn start(config: &Config) -> Result<Self, ServerFault> {
        let certificates = config.tls.clone().map(Certificates::open).transpose()?.map(Arc::new);
        let listeners = Listeners::bind(config, certificates.as_ref())?;
        let (address, operator_address) = (listeners.address, listeners.operator_address);

        let starting = Starting::default();
        let (journal, mut recovered) = store::open(&config.data, starting.receipts())?;
        recovered.latest = begin_time(recovered.latest, config.set_clock_back)?;
        let access = Arc::new(Access::open(&config.data, config.admin_token.as_ref())?);
        let keys = Arc::new(Keys::open(&config.data)?);
        let sign_in = config.sign_in.as_ref().map(|rules| SignIn::open(rules, &config.data));
        let sign_in = sign_in.transpose()?.map(Arc::new);
        let held = recovered.conversations.len();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (threads, arbiters) = Threads::start(config.threads.unwrap_or(cores));
        let stopwatch = Stopwatch::start();
        let engine = starting.start(Options::default(), threads, journal.clone(), recovered).await;
        tracing::info!(
            conversations = held,
            milliseconds = u64::try_from(stopwatch.time().as_millis()).unwrap_or(u64::MAX),
            "every conversation that is not closed is live"
        );

        decide(config, &engine);
        tracing::info!("Holdline {} listens on {address}", env!("CARGO_PKG_VERSION"));
        let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let strangers = config.strangers.strangers(descriptors);
        let state = HttpState::new(engine.clone(), access.clone(), keys.clone(), openapi::json());
        let state = state.with_strangers(strangers.clone()).with_tls(config.tls.is_some());
        let state = state.with_sign_in(sign_in.clone());
        let (demonstration, mut greeting) =
            Demonstration::begin(config, &engine, access.clone(), address).await?;
        if let Some(address) = operator_address {
            let origin = demonstration::origin(config, address);
            tracing::info!("metrics and the OpenAPI document are at {address}");
            greeting = format!("{greeting}metrics and /openapi.json are at {origin}\n");
        }
        warn_of_open_widgets(&engine);
        exposure::warn(config);
        let (stop, stopping) = watch::channel(false);
        let serving = Serving {
            engine: engine.clone(),
            keys,
            state,
            strangers,
            routes: Routes::default(),
            page: config.page,
            stopping,
        };
        serving.begin(&listeners, &arbiters)?;
        if let Some(arbiter) = arbiters.first() {
            arbiter.spawn(demonstration.go_on(engine.clone()));
            upkeep::begin(arbiter, &engine, sign_in, certificates.as_ref());
        }
        let drain = config.drain;
        Ok(Self {
            address,
            operator_address,
            certificates,
            engine,
            access,
            journal,
            arbiters,
            stop,
            drain,
            greeting,
        })
    }

    /// Where connections are taken.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators ask for metrics and the like, if that is another address.
    pub const fn operator_address(&self) -> Option<SocketAddr> {
        self.operator_address
    }

    /// The engine.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What to tell the person who started the server: where to go, and how to try it.
    pub fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Reads the certificate and its key again, if there are any. A pair that cannot be taken is
    /// logged, and changes nothing.
    pub fn renew_certificates(&self) {
        if let Some(certificates) = &self.certificates {
            certificates.renew();
        }
    }

    /// Takes from a configuration that was read again the one thing that can change while a server
    /// runs: the administrator's token. An old token lets nobody in when this returns.
    pub fn follow(&self, config: &Config) {
        exposure::warn_of_open_file(config);
        match self.access.give(config.admin_token.as_ref()) {
            Given::Replaced => {
                self.engine.note_ended_token();
                tracing::info!("the configuration gives another administrator's token");
            }
            Given::Unchanged => {
                tracing::info!("the configuration gives the same administrator's token as before");
            }
            Given::Missing => tracing::warn!(
                "the configuration gives no administrator's token any more: the one that it gave \
                 stays good until the server is started again"
            ),
        }
    }

    /// Takes no more connections, asks every widget to come back later, and returns when
    /// everything that was decided is on the disk.
    pub async fn stop(self) -> Result<(), ServerFault> {
        // Nobody listens to this any more when every thread has died, which is as good.
        self.stop.send_replace(true);
        let drained = self.engine.drain(self.drain).await;
        for arbiter in &self.arbiters {
            arbiter.stop();
        }
        let journal = self.journal;
        // Closing waits for the disk and for threads, so it must not block a thread others wait
        // for.
        let closing = tokio::task::spawn_blocking(move || journal.close());
        // If the journal's threads have died, they have said so themselves.
        let _died = closing.await;
        drained.map_err(ServerFault::Flush)
    }
}

/// Applies to the engine what the configuration decides.
fn decide(config: &Config, engine: &Engine) {
    if config.log_addresses {
        engine.tell_addresses();
    }
    if config.sign_in.as_ref().is_some_and(|rules| !rules.agent_tokens) {
        engine.take_no_agent_tokens();
        tracing::info!("tokens of agents that were made here let nobody in");
    }
}

fn warn_of_open_widgets(engine: &Engine) {
    for widget in engine.settings().widgets.values().filter(|widget| widget.is_open_to_any()) {
        let widget = &widget.id;
        tracing::warn!(%widget, "widget {widget} accepts pages of any origin");
    }
}

/// The earliest time to begin at: where the journal ends, even if the clock of this machine is
/// behind that, so that time never runs back. With `set_back` it may run back.
fn begin_time(latest: Timestamp, set_back: bool) -> Result<Timestamp, ServerFault> {
    let wall = clock::wall();
    let ahead = latest.since(wall);
    let (latest_text, wall_text) = (rfc3339(latest), rfc3339(wall));
    if ahead <= TELL_AHEAD {
        return Ok(latest);
    }
    if set_back {
        tracing::warn!(
            "time is set back from {latest_text}, where the journal ends, to {wall_text}, as \
             --set-clock-back asks"
        );
        return Ok(wall);
    }
    if ahead > clock::AHEAD_MAX {
        return Err(ServerFault::ClockBehind { latest: latest_text, wall: wall_text });
    }
    tracing::error!(
        ahead_ms = ahead.as_millis(),
        "the journal ends at {latest_text}, and the clock of this machine says {wall_text}: times \
         go on from where the journal ends, and are wrong by as much, until the clock is set right \
         or the server is started once with --set-clock-back"
    );
    Ok(latest)
}
