//! The problems of an issuer's tokens, and of secrets that could not be replaced.

use actix_web::http::StatusCode;

use crate::access::{AccessFault, NotRotated};
use crate::http::problem::{Kind, Problem, kind};

impl Problem {
    /// The issuer's token lets nobody in.
    pub fn not_signed_in(why: &str) -> Self {
        Self::new(&kind::UNKNOWN_TOKEN, why)
    }

    /// Whether this kind answers a caller who asked for something they have no right to.
    pub fn is_forbidden(kind: &'static Kind) -> bool {
        kind.status == StatusCode::FORBIDDEN.as_u16()
    }

    /// The token was made here, where an issuer alone signs agents in.
    pub fn token_not_taken() -> Self {
        let detail = "the token was made here, and only the issuer's let agents in: sign in there";
        Self::new(&kind::TOKEN_NOT_TAKEN, detail)
    }

    /// No token of an agent is made where an issuer alone signs agents in.
    pub fn agent_tokens_off() -> Self {
        let detail = "a token that is made here would let nobody in: the issuer signs agents in";
        Self::new(&kind::AGENT_TOKENS_OFF, detail)
    }

    /// The issuer's token has expired.
    pub fn sign_in_expired() -> Self {
        Self::new(&kind::TOKEN_EXPIRED, "the token has expired: sign in again")
    }
}

impl From<AccessFault> for Problem {
    fn from(fault: AccessFault) -> Self {
        tracing::error!(error = %fault, "a secret could not be replaced");
        match fault {
            AccessFault::File { .. } => Self::disk_refuses(),
            AccessFault::Damaged { .. } | AccessFault::Client(_) | AccessFault::Random(_) => {
                Self::internal()
            }
        }
    }
}

impl From<NotRotated> for Problem {
    fn from(reason: NotRotated) -> Self {
        match reason {
            NotRotated::Given(source) => Self::given_by_configuration(&source),
            NotRotated::Fault(fault) => Self::from(fault),
        }
    }
}
