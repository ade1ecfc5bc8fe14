//! The tokens of agents while the server runs: whom each lets in, and when it was used.

use std::sync::atomic::AtomicBool;

use dashmap::DashMap;
use tokio::sync::watch;

use crate::domain::settings::registry::{Registry, TokenDigest};
use crate::domain::time::Timestamp;

/// What becomes of tokens and of what they let in.
#[derive(Debug)]
pub(super) struct Tokens {
    /// When each was used last in this run, for tokens that the settings know.
    pub(super) used: DashMap<TokenDigest, Timestamp>,
    pub(super) changed: watch::Sender<()>,
    /// Whether they let nobody in, because an issuer alone signs people in.
    pub(super) are_off: AtomicBool,
}

/// Why a token lets nobody in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenRefusal {
    /// It is nobody's, or was ended.
    Unknown,
    /// Its time is over.
    Expired,
    /// An issuer alone signs agents in.
    NotTaken,
}

impl Tokens {
    pub(super) fn new() -> Self {
        let changed = watch::channel(()).0;
        Self { used: DashMap::new(), changed, are_off: AtomicBool::new(false) }
    }

    /// Tells everybody who goes on by a token to look again, and forgets what is gone.
    pub(super) fn follow(&self, after: &Registry) {
        self.used.retain(|digest, _| after.tokens.contains_key(digest));
        self.changed.send_replace(());
    }
}
