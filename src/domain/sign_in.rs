//! Who a person is according to an issuer, and what the issuer must say of them.

use crate::domain::id::AgentId;
use crate::domain::settings::Role;
use crate::domain::time::Timestamp;
use crate::domain::validity::{LEEWAY, NotValid, Validity};

/// Which issuer is trusted, and for whom its tokens must be meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expected {
    /// The issuer, exactly as it calls itself.
    pub issuer: String,
    /// The issuer's name for this server.
    pub audience: String,
}

/// What an issuer says of a person, once its signature was found to be good.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    /// The issuer that says it.
    pub issuer: Option<String>,
    /// For whom it is meant.
    pub audiences: Vec<String>,
    /// The name by which the issuer knows them.
    pub subject: Option<String>,
    /// When the statement is good.
    pub validity: Validity,
    /// Which agent they are.
    pub id: Option<String>,
    /// What they may do, and roles that mean nothing here.
    pub roles: Vec<String>,
}

/// A person whom an issuer has signed in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Person {
    /// The name by which the issuer knows them, for ever.
    pub subject: String,
    /// The name under which they act, and the agent that they are, if there is one of this id.
    pub id: AgentId,
    /// What they may do.
    pub role: Role,
    /// Until when that is so.
    pub good_until: Timestamp,
}

/// Why an issuer's token lets nobody in.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotSignedIn {
    /// It is no token that a key of the issuer's has signed.
    #[error("no key of the issuer's has signed the token")]
    Signature,
    /// It is no longer known which keys the issuer has.
    #[error("the keys of the issuer could not be fetched for too long")]
    NoKeys,
    /// The token is another issuer's.
    #[error("the claim iss must be the issuer")]
    Issuer,
    /// The token is meant for somebody else.
    #[error("the claim aud must be this server")]
    Audience,
    /// The token never expires.
    #[error("the claim exp must say until when the token is good")]
    Endless,
    /// The token has expired. It is told whom it named, where that can be read.
    #[error("the token was good until earlier")]
    Expired(Option<AgentId>),
    /// The token is not good yet.
    #[error("the claims nbf and iat must not lie in the future")]
    Early,
    /// The token does not say whom it is about.
    #[error("the claim sub must be a text of 1 to 255 bytes")]
    Subject,
    /// The token names no id that an agent could have.
    #[error("the claim that names the agent must be 1 to 64 of the characters A-Z a-z 0-9 - _ .")]
    Id,
    /// The token gives them no role.
    #[error(
        "the token must name a role: holdline-agent, holdline-supervisor or holdline-administrator"
    )]
    Role,
}

/// How long a person's name in a token may be (`OpenID` Connect Core 1.0, 2).
const SUBJECT_BYTES: std::ops::RangeInclusive<usize> = 1..=255;

/// The role with this name at an issuer.
fn role(name: &str) -> Option<Role> {
    match name {
        "holdline-agent" => Some(Role::Agent),
        "holdline-supervisor" => Some(Role::Supervisor),
        "holdline-administrator" => Some(Role::Administrator),
        _ => None,
    }
}

impl Statement {
    /// The person whom it signs in now.
    pub fn judge(self, expected: &Expected, now: Timestamp) -> Result<Person, NotSignedIn> {
        if self.issuer.as_ref() != Some(&expected.issuer) {
            return Err(NotSignedIn::Issuer);
        }
        if !self.audiences.contains(&expected.audience) {
            return Err(NotSignedIn::Audience);
        }
        let id = self.id.and_then(|id| id.parse().ok());
        let good_until = match self.validity.judge(now) {
            Ok(expires_at) => expires_at + LEEWAY,
            Err(NotValid::Endless) => return Err(NotSignedIn::Endless),
            Err(NotValid::Expired) => return Err(NotSignedIn::Expired(id)),
            Err(NotValid::Early) => return Err(NotSignedIn::Early),
        };
        let subject = self.subject.filter(|subject| SUBJECT_BYTES.contains(&subject.len()));
        let roles = self.roles.iter().filter_map(|name| role(name));
        Ok(Person {
            subject: subject.ok_or(NotSignedIn::Subject)?,
            id: id.ok_or(NotSignedIn::Id)?,
            role: roles.max().ok_or(NotSignedIn::Role)?,
            good_until,
        })
    }
}
