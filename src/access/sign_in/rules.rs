//! What the operator decides of an issuer.

use std::path::PathBuf;

use reqwest::Url;

/// Whose tokens are taken, and what they say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignInRules {
    /// The issuer, exactly as it calls itself.
    pub issuer: String,
    /// What it calls this server.
    pub audience: String,
    /// Which claim names the roles: its name, or a path to it with dots.
    pub role_claim: String,
    /// Which claim names the agent.
    pub id_claim: String,
    /// Where the keys are; where the issuer says that they are when absent.
    pub keys: Option<Url>,
    /// The PEM file of the authorities, one of which has signed the certificate of the server that
    /// has the keys; the system's authorities when absent.
    pub authority: Option<PathBuf>,
    /// Whether agents are also let in by tokens that are made here.
    pub agent_tokens: bool,
}
