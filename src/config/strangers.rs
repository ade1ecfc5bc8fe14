//! What the operator decides about strangers: the proxies that they come through, and budgets.

use crate::config::sources::Sources;
use crate::config::values::switch;
use crate::strangers::{BUDGETS, Budgets, Proxies, Strangers};

/// How strangers are treated.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StrangerRules {
    /// The proxies whose word on where a request comes from is taken.
    pub proxies: Proxies,
    /// Whether connections of these proxies begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// How much strangers may use.
    pub budgets: Budgets,
}

impl StrangerRules {
    pub(super) fn take(sources: &mut Sources) -> Self {
        let protocol_from = sources.origin("proxy_protocol");
        let networks = sources.take("trusted_proxies", Proxies::networks).unwrap_or_default();
        let header = sources.take("forwarded_header", str::parse).unwrap_or_default();
        let proxy_protocol = sources.take("proxy_protocol", switch).unwrap_or(false);
        if let (true, true, Some(from)) = (proxy_protocol, networks.is_empty(), protocol_from) {
            let message = "needs trusted_proxies, which begin their connections with it";
            sources.refuse("proxy_protocol", from, message.to_owned());
        }
        let budgets = BUDGETS.iter().fold(Budgets::default(), |budgets, it| {
            match sources.take(it.key, most) {
                Some(most) => budgets.with(it.scope, it.of, most),
                None => budgets,
            }
        });
        Self { proxies: Proxies::new(networks, header), proxy_protocol, budgets }
    }

    /// Whether the operator has named a proxy in front.
    pub const fn has_proxies(&self) -> bool {
        !self.proxies.is_empty()
    }

    /// Strangers under these rules. No address may take more than a quarter of the descriptors that
    /// the process may have.
    pub fn strangers(&self, descriptors: Option<u64>) -> Strangers {
        let quarter = descriptors.map(|all| u32::try_from(all / 4).unwrap_or(u32::MAX));
        let budgets = self.budgets.clone();
        let budgets = match quarter {
            Some(quarter) => budgets.with_connections_within(quarter),
            None => budgets,
        };
        Strangers::new(budgets, self.proxies.clone(), self.proxy_protocol)
    }
}

fn most(text: &str) -> Result<u32, String> {
    let most = text.parse().ok().filter(|most| *most <= 1_000_000_000);
    most.ok_or_else(|| "must be from 1 to 1000000000, or 0 for no bound".to_owned())
}
