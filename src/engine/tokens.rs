//! The tokens of agents while the server runs: whom each lets in, and when it was used.

use std::sync::atomic::AtomicBool;

use dashmap::DashMap;
use tokio::sync::watch;

use crate::domain::settings::registry::{Registry, TokenDigest};
use crate::domain::time::Timestamp;

/// The use of tokens, and what follows when they change.
#[derive(Debug)]
pub(super) struct Tokens {
    /// When each was used last in this run, for tokens that the settings know.
    pub(super) used: DashMap<TokenDigest, Timestamp>,
    pub(super) changed: watch::Sender<()>,
    /// Whether tokens let nobody in, because an issuer alone signs people in.
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

    /// Has everything that a token has let in look again, and forgets the tokens that are gone.
    pub(super) fn follow(&self, after: &Registry) {
        self.used.retain(|digest, _| after.tokens.contains_key(digest));
        self.changed.send_replace(());
    }
}
