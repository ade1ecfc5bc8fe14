//! What the operator decides about TLS: which files it is spoken with.

use std::path::PathBuf;

use crate::config::sources::Sources;
use crate::tls::Files;

/// The files, if both a certificate and its key are given. A setting is refused without the others
/// that it needs.
pub(super) fn take(sources: &mut Sources, has_operators: bool) -> Option<Files> {
    let [certificate_from, key_from, authority_from] =
        ["tls_certificate", "tls_key", "tls_client_authority"].map(|key| sources.origin(key));
    let certificate = sources.take("tls_certificate", file);
    let key = sources.take("tls_key", file);
    let client_authority = sources.take("tls_client_authority", file);
    let mut refuse = |key, from: Option<String>, message: &str| {
        sources.refuse(key, from.unwrap_or_default(), message.to_owned());
    };
    if client_authority.is_some() && (certificate.is_none() || !has_operators) {
        let message = "needs operator_listen, tls_certificate and tls_key: certificates are asked \
                       for there alone";
        refuse("tls_client_authority", authority_from, message);
    }
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Files { certificate, key, client_authority }),
        (Some(_), None) if key_from.is_none() => {
            refuse("tls_certificate", certificate_from, "needs tls_key beside it");
            None
        }
        (None, Some(_)) if certificate_from.is_none() => {
            refuse("tls_key", key_from, "needs tls_certificate beside it");
            None
        }
        _ => None,
    }
}

fn file(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("must name a file".to_owned()) } else { Ok(text.into()) }
}
