//! The addresses that connections are taken at, and what is answered at each.

use std::net::SocketAddr;
use std::sync::Arc;

use actix::Arbiter;
use actix_web::App;
use actix_web::middleware::from_fn;
use tokio::sync::watch;

use crate::access::Keys;
use crate::config::Config;
use crate::engine::Engine;
use crate::http::{self, HttpState, Part};
use crate::server::fault::ServerFault;
use crate::socket::session::{Door, OperatorDoor, Routes};
use crate::socket::{self, Entrance, Figures};
use crate::strangers::Strangers;
use crate::tls::Certificates;
use crate::web;

/// The addresses, before anybody is let in.
pub(super) struct Listeners {
    public: Entrance,
    pub(super) address: SocketAddr,
    operators: Option<Entrance>,
    pub(super) operator_address: Option<SocketAddr>,
}

/// What serving needs on every thread.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) engine: Engine,
    pub(super) keys: Arc<Keys>,
    pub(super) state: HttpState,
    pub(super) strangers: Strangers,
    pub(super) routes: Routes,
    pub(super) page: bool,
    pub(super) stopping: watch::Receiver<bool>,
}

impl Listeners {
    /// Begins to listen.
    pub(super) fn bind(
        config: &Config,
        certificates: Option<&Arc<Certificates>>,
    ) -> Result<Self, ServerFault> {
        let (public, address) = bind(config.listen)?;
        let operators = config.operator_listen.map(bind).transpose()?;
        let (operators, operator_address) = operators.unzip();
        let entrance = |listener| Entrance::from(listener).secured_by(certificates.map(Arc::clone));
        let public = entrance(public);
        let public = if operators.is_some() { public.beside_operators() } else { public };
        let operators = operators.map(|listener| entrance(listener).of_operators());
        Ok(Self { public, address, operators, operator_address })
    }
}

fn bind(address: SocketAddr) -> Result<(std::net::TcpListener, SocketAddr), ServerFault> {
    let bound = || {
        let listener = socket::bind(address)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bound().map_err(|source| ServerFault::Listen { address, source })
}

impl Serving {
    /// Takes connections on all of these threads.
    pub(super) fn begin(
        &self,
        listeners: &Listeners,
        arbiters: &[Arbiter],
    ) -> Result<(), ServerFault> {
        let address = listeners.address;
        let failed = |source| ServerFault::Listen { address, source };
        let has_operators = listeners.operators.is_some();
        for (thread, arbiter) in arbiters.iter().enumerate() {
            let serving = self.clone();
            let entrance = listeners.public.try_clone().map_err(failed)?;
            arbiter.spawn_fn(move || {
                actix::spawn(serving.serve_public(thread, entrance, has_operators));
            });
            if let Some(entrance) = &listeners.operators {
                let (serving, entrance) = (self.clone(), entrance.try_clone().map_err(failed)?);
                arbiter.spawn_fn(move || drop(actix::spawn(serving.serve_operators(entrance))));
            }
        }
        Ok(())
    }

    async fn serve_public(self, thread: usize, entrance: Entrance, has_operators: bool) {
        let Self { engine, keys, state, strangers, routes, page, stopping } = self;
        let door = Door::among(engine, keys, thread, &routes, strangers);
        let part = if has_operators { Part::Public } else { Part::Whole };
        let app = move || {
            let app = App::new().wrap(from_fn(http::watch));
            let app = if page { app.configure(web::configure) } else { app };
            app.configure(http::configure(&state, part))
        };
        let figures = Arc::new(Figures::default());
        if let Err(error) = socket::serve(entrance, app, door, figures, stopping).await {
            tracing::error!(%error, thread, "connections cannot be taken");
        }
    }

    async fn serve_operators(self, entrance: Entrance) {
        let Self { engine, state, stopping, .. } = self;
        let door = OperatorDoor::new(engine);
        let app = move || {
            let app = App::new().wrap(from_fn(http::watch));
            app.configure(http::configure(&state, Part::Operators))
        };
        let figures = Arc::new(Figures::default());
        if let Err(error) = socket::serve(entrance, app, door, figures, stopping).await {
            tracing::error!(%error, "connections of operators cannot be taken");
        }
    }
}
