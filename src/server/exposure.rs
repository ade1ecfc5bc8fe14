//! Warnings at the start about what is open to more people than it should be.

use std::net::SocketAddr;

use crate::config::{Config, is_loopback};
use crate::private;

/// Warns of what is open, one line for each.
pub(super) fn warn(config: &Config) {
    warn_of_open_file(config);
    let open = |address: &SocketAddr| !is_loopback(*address);
    let listen = config.listen;
    let tls = config.tls.as_ref();
    let asks_for_certificates = tls.is_some_and(|tls| tls.client_authority.is_some());
    match config.operator_listen {
        None if open(&listen) => tracing::warn!(
            "whoever reaches {listen} is told the metrics and the OpenAPI document: name an \
             address of their own for them (operator_listen), or have a proxy keep them inside"
        ),
        Some(address) if open(&address) && !asks_for_certificates => tracing::warn!(
            "whoever reaches {address} is told the metrics and the OpenAPI document: let nobody \
             but operators reach it, or ask for their certificates (tls_client_authority)"
        ),
        _ => {}
    }
    if open(&listen) && tls.is_none() && !config.strangers.has_proxies() {
        tracing::warn!(
            "what is said at {listen}, tokens included, is in the clear: give a certificate \
             (tls_certificate, tls_key), or name the proxy that ends TLS (trusted_proxies)"
        );
    }
    if open(&listen) && config.page {
        tracing::warn!("whoever reaches {listen} is shown the demo page (page = false)");
    }
}

/// A token in a file that everybody on the machine may read is everybody's.
pub(super) fn warn_of_open_file(config: &Config) {
    let (Some(file), Some(token)) = (&config.file, &config.admin_token) else { return };
    let stands_there = token.source() == file.display().to_string();
    if stands_there && private::is_open_to_all(file) {
        let file = file.display();
        tracing::warn!("{file} gives the administrator's token, and everybody here can read it");
    }
}
