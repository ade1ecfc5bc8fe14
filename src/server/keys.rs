//! Keeps the keys of the issuer that signs people in.

use std::sync::Arc;

use tokio::time::{Duration, MissedTickBehavior, interval};

use crate::access::SignIn;
use crate::engine::Engine;
use crate::limits;

/// Fetches the keys now, and again and again.
pub(super) async fn keep(sign_in: Arc<SignIn>, engine: Engine) {
    let mut every = interval(Duration::from_secs(limits::ISSUER_KEYS_SECONDS));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if sign_in.fetch(engine.now()).await {
            // What was opened with a token of a key that is gone ends.
            engine.note_ended_token();
        }
    }
}
