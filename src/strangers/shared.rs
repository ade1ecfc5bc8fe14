//! What every thread knows of strangers: the accounts, and the proxies that strangers come by.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_http::header::HeaderMap;

use crate::domain::id::WidgetId;
use crate::strangers::budgets::{Budgets, Use};
use crate::strangers::ledger::{Held, Ledger, OverBudget};
use crate::strangers::party::Parties;
use crate::strangers::proxies::{Named, Proxies};

/// What a server knows of strangers. Cheap to clone; the same on every thread.
#[derive(Clone, Debug)]
pub struct Strangers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ledger: Arc<Ledger>,
    proxies: Proxies,
    /// Whether connections of trusted proxies begin with a header of the PROXY protocol.
    proxy_protocol: bool,
    has_told_untrusted: AtomicBool,
}

impl Default for Strangers {
    fn default() -> Self {
        Self::new(Budgets::none(), Proxies::default(), false)
    }
}

impl Strangers {
    /// Strangers within these budgets, who may come by these proxies.
    pub fn new(budgets: Budgets, proxies: Proxies, proxy_protocol: bool) -> Self {
        Self(Arc::new(Shared {
            ledger: Arc::new(Ledger::new(budgets)),
            proxies,
            proxy_protocol,
            has_told_untrusted: AtomicBool::new(false),
        }))
    }

    /// Whether a connection from here must begin with a header of the PROXY protocol.
    pub fn expects_header(&self, peer: SocketAddr) -> bool {
        self.0.proxy_protocol && self.0.proxies.trust(peer.ip())
    }

    /// Whether what comes from this address is passed on by a trusted proxy.
    pub fn trust(&self, address: IpAddr) -> bool {
        self.0.proxies.trust(address)
    }

    /// The address that a request comes from: the peer's, or the one that trusted proxies name.
    pub fn client(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer?.ip();
        let named = self.0.proxies.client(peer, headers);
        if let Named::ByUntrusted = named
            && !self.0.has_told_untrusted.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                "a request names the client that it is passed on for, and comes from an address \
                 that is not one of trusted_proxies: the name is ignored. Is a proxy missing there?"
            );
        }
        Some(match named {
            Named::Client(client) => client,
            Named::Nobody | Named::ByUntrusted => peer,
        })
    }

    /// The parties that a use counts for: the address, and what is known of the page.
    pub fn parties(
        &self,
        address: Option<IpAddr>,
        site: Option<&str>,
        widget: Option<&WidgetId>,
    ) -> Parties {
        self.0.ledger.parties(address, site, widget)
    }

    /// Takes one more of a use that is held, from every party's budget or from none. Nothing is
    /// held where no party has a budget.
    pub fn hold(&self, what: Use, parties: &Parties) -> Result<Option<Held>, OverBudget> {
        self.0.ledger.hold(what, parties)
    }

    /// Spends one of a use that is counted by the minute. If one party's budget is used up, the
    /// parties asked before it have spent theirs nevertheless.
    pub fn spend(&self, what: Use, parties: &Parties) -> Result<(), OverBudget> {
        self.0.ledger.spend(what, parties, NonZeroU32::MIN)
    }

    /// The same with several of it at once.
    pub fn spend_several(
        &self,
        what: Use,
        parties: &Parties,
        count: NonZeroU32,
    ) -> Result<(), OverBudget> {
        self.0.ledger.spend(what, parties, count)
    }

    /// How many parties have an account.
    pub fn accounts(&self) -> usize {
        self.0.ledger.accounts()
    }
}
