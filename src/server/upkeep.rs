//! What is done again and again as long as the server runs.

use std::sync::Arc;

use actix::Arbiter;
use tokio::time::{Duration, MissedTickBehavior, interval};

use crate::access::SignIn;
use crate::engine::Engine;
use crate::limits;
use crate::tls::Certificates;

/// Begins all of it.
pub(super) fn begin(
    arbiter: &Arbiter,
    engine: &Engine,
    sign_in: Option<Arc<SignIn>>,
    certificates: Option<&Arc<Certificates>>,
) {
    arbiter.spawn(engine.clone().keep_retention());
    if let Some(sign_in) = sign_in {
        arbiter.spawn(keep_keys(sign_in, engine.clone()));
    }
    if let Some(certificates) = certificates {
        arbiter.spawn(Arc::clone(certificates).keep_renewed());
    }
}

/// Fetches the keys now, and again and again.
async fn keep_keys(sign_in: Arc<SignIn>, engine: Engine) {
    let mut every = interval(Duration::from_secs(limits::ISSUER_KEYS_SECONDS));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if sign_in.fetch(engine.now()).await {
            // What was opened with a token whose key is gone ends.
            engine.note_ended_token();
        }
    }
}
