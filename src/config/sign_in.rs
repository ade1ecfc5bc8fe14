//! What the operator decides about sign-in by the tokens of an issuer.

use crate::access::{SignInRules, may_be_asked};
use crate::config::sources::Sources;
use crate::config::values::switch;

/// The settings that mean something only with an issuer.
const NEED_ISSUER: [&str; 5] =
    ["oidc_audience", "oidc_role_claim", "oidc_id_claim", "oidc_keys", "oidc_authority"];

/// The rules of sign-in, if there is an issuer.
pub(super) fn take(sources: &mut Sources) -> Option<SignInRules> {
    let issuer_from = sources.origin("oidc_issuer");
    let audience_from = sources.origin("oidc_audience");
    let stray = NEED_ISSUER.into_iter().find_map(|key| Some((key, sources.origin(key)?)));
    let issuer = sources.take("oidc_issuer", address);
    let audience = sources.take("oidc_audience", text);
    let role_claim = sources.take("oidc_role_claim", text);
    let id_claim = sources.take("oidc_id_claim", text);
    let keys = sources.take("oidc_keys", address);
    let authority = sources.take("oidc_authority", text);
    let agent_tokens_from = sources.origin("agent_tokens");
    let agent_tokens = sources.take("agent_tokens", switch);
    if let (None, Some(false), Some(from)) = (&issuer_from, agent_tokens, agent_tokens_from) {
        let message = "can be false only with oidc_issuer: without an issuer it would let no \
                       agent in at all";
        sources.refuse("agent_tokens", from, message.to_owned());
    }
    match (issuer_from, audience_from, stray) {
        (None, _, Some((key, from))) => {
            sources.refuse(key, from, "means nothing without oidc_issuer".to_owned());
        }
        (Some(from), None, _) => {
            let message = "needs oidc_audience: a token that is meant for somebody else is not \
                           taken";
            sources.refuse("oidc_issuer", from, message.to_owned());
        }
        _ => {}
    }
    Some(SignInRules {
        issuer: issuer?,
        audience: audience?,
        role_claim: role_claim.unwrap_or_else(|| "roles".to_owned()),
        id_claim: id_claim.unwrap_or_else(|| "sub".to_owned()),
        keys: keys.and_then(|keys| may_be_asked(&keys)),
        authority: authority.map(Into::into),
        agent_tokens: agent_tokens.unwrap_or(true),
    })
}

/// The issuer's address, kept as it was given: the issuer must call itself exactly so.
fn address(text: &str) -> Result<String, String> {
    let message = || {
        "must be an address that begins with https://, or with http:// on this machine alone, \
         without a user or a fragment"
            .to_owned()
    };
    may_be_asked(text).map(|_| text.to_owned()).ok_or_else(message)
}

fn text(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(text.to_owned()) }
}
