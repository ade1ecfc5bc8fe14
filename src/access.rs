//! Who is let in, and the secrets that say so: the administrator's token, the demo's tokens, the
//! keys of conversations and visitors. All are made once and kept in the data directory, readable
//! by their owner alone, so that a restart knows them again.

pub mod token;

mod admission;
mod conversation;
mod fault;
mod files;
mod keys;
mod secret;
mod sign_in;
mod signed;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::access::fault::at;
use crate::access::files::{keep, read_json};
use crate::domain::settings::registry::TokenDigest;
use crate::private;

pub use crate::access::admission::AdmissionKeys;
pub use crate::access::conversation::ConversationToken;
pub use crate::access::fault::AccessFault;
pub use crate::access::keys::{Keys, SigningKey};
pub use crate::access::secret::{Secret, visitor_id, vouched_id};
pub use crate::access::sign_in::{
    AnswerFault, IssuerKeys, SignIn, SignInRules, SignedIn, address_of_keys, may_be_asked,
};
pub use crate::access::signed::NotAPublicKey;
pub use crate::access::token::{GivenToken, mint_token};

/// The files of a data directory that hold the secrets, for backup and restore.
pub const FILES: [&str; 3] = [ACCESS_FILE, secret::SECRET_FILE, keys::SIGNING_FILE];

const ACCESS_FILE: &str = "access.json";

/// Why the administrator's token was not rotated.
#[derive(Debug, thiserror::Error)]
pub enum NotRotated {
    /// The operator gives it at the named place, and it can be changed only there.
    #[error("the administrator's token comes from {0}")]
    Given(String),
    /// The new one could not be made or kept. The old one is still good.
    #[error(transparent)]
    Fault(#[from] AccessFault),
}

/// The tokens of people that this server itself hands out.
pub struct Access {
    path: PathBuf,
    /// What the file holds. This lock is held while the file is written.
    kept: Mutex<Kept>,
    administrator: ArcSwap<AdministratorToken>,
}

/// The administrator's token.
#[derive(Clone)]
pub struct AdministratorToken {
    token: String,
    digest: TokenDigest,
    origin: Origin,
}

/// Where a token is from, which says whether it is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The operator has given it, at the place that is named.
    Given(String),
    /// It was made now. Nobody knows it yet.
    Made,
    /// It was made at an earlier start, and told then.
    Kept,
}

/// What a configuration that was read again says of the administrator's token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Given {
    /// It is the same.
    Unchanged,
    /// It is another, which is in force now. The old one lets nobody in any more.
    Replaced,
    /// There is none any more. The one that was given before stays.
    Missing,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct Kept {
    administrator: Option<String>,
    demo: BTreeMap<String, String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Access").field("path", &self.path).finish_non_exhaustive()
    }
}

impl fmt::Debug for AdministratorToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AdministratorToken")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl AdministratorToken {
    fn new(token: String, origin: Origin) -> Self {
        Self { digest: token::digest(&token), token, origin }
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Where the token is from.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl From<&GivenToken> for AdministratorToken {
    fn from(given: &GivenToken) -> Self {
        Self::new(given.as_str().to_owned(), Origin::Given(given.source().to_owned()))
    }
}

impl Access {
    /// The tokens of this data directory, which is made if it is not there. An administrator's
    /// token that is given takes the place of the kept one, and is not kept itself. Without either,
    /// a token is made.
    pub fn open(data: &Path, administrator: Option<&GivenToken>) -> Result<Self, AccessFault> {
        private::make_directory(data).map_err(|source| at(data, source))?;
        let path = data.join(ACCESS_FILE);
        let mut kept: Kept = read_json(&path)?.unwrap_or_default();
        kept.refuse_short(&path)?;
        let administrator = match (administrator, &kept.administrator) {
            (Some(given), _) => given.into(),
            (None, Some(kept)) => AdministratorToken::new(kept.clone(), Origin::Kept),
            (None, None) => {
                let made = mint_token("hla_")?;
                kept.administrator = Some(made.clone());
                keep(&path, &kept)?;
                AdministratorToken::new(made, Origin::Made)
            }
        };
        let administrator = ArcSwap::from_pointee(administrator);
        Ok(Self { path, kept: Mutex::new(kept), administrator })
    }

    /// The file that keeps what was made here.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The administrator's token that is in force.
    pub fn administrator(&self) -> Arc<AdministratorToken> {
        self.administrator.load_full()
    }

    /// Whether a digest is that of the administrator's token, compared in constant time.
    pub fn is_administrator(&self, digest: &TokenDigest) -> bool {
        self.administrator.load().digest.0.ct_eq(&digest.0).into()
    }

    /// Makes a new token for the administrator, which is kept and in force on every thread when
    /// this returns. The old one lets nobody in any more. It waits for the disk.
    pub fn rotate_administrator(&self) -> Result<String, NotRotated> {
        let mut kept = self.kept();
        if let Origin::Given(source) = self.administrator.load().origin() {
            return Err(NotRotated::Given(source.clone()));
        }
        let token = mint_token("hla_")?;
        let changed = Kept { administrator: Some(token.clone()), ..kept.clone() };
        keep(&self.path, &changed)?;
        *kept = changed;
        self.administrator.store(Arc::new(AdministratorToken::new(token.clone(), Origin::Kept)));
        Ok(token)
    }

    /// Takes the administrator's token of a configuration that was read again. It is in force on
    /// every thread when this returns.
    pub fn give(&self, administrator: Option<&GivenToken>) -> Given {
        // Held so that this does not fall between the two halves of a rotation.
        let _kept = self.kept();
        let before = self.administrator();
        let Some(given) = administrator else {
            let was_given = matches!(before.origin, Origin::Given(_));
            return if was_given { Given::Missing } else { Given::Unchanged };
        };
        let given = AdministratorToken::from(given);
        let is_same = given.digest == before.digest;
        self.administrator.store(Arc::new(given));
        if is_same { Given::Unchanged } else { Given::Replaced }
    }

    /// The token of one of the demo's agents: the same at every start. It is made where there is
    /// none.
    pub fn demo_token(&self, agent: &str) -> Result<(String, Origin), AccessFault> {
        let mut kept = self.kept();
        if let Some(token) = kept.demo.get(agent) {
            return Ok((token.clone(), Origin::Kept));
        }
        let token = mint_token("hlt_")?;
        kept.demo.insert(agent.to_owned(), token.clone());
        keep(&self.path, &*kept)?;
        Ok((token, Origin::Made))
    }

    /// Every kept token of the demo's agents, with the agent's id.
    pub fn demo_tokens(&self) -> Vec<(String, String)> {
        self.kept().demo.clone().into_iter().collect()
    }

    /// Forgets the demo's tokens: they are good for nothing any more.
    pub fn forget_demo(&self) -> Result<(), AccessFault> {
        let mut kept = self.kept();
        if kept.demo.is_empty() {
            return Ok(());
        }
        kept.demo.clear();
        keep(&self.path, &*kept)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Refuses a token that is too short: somebody may have written it into the file.
    fn refuse_short(&self, path: &Path) -> Result<(), AccessFault> {
        let administrator = self.administrator.iter().map(|token| ("administrator", token));
        let demo = self.demo.iter().map(|(agent, token)| (agent.as_str(), token));
        match administrator.chain(demo).find(|(_, token)| !token::is_long_enough(token)) {
            None => Ok(()),
            Some((whose, _)) => Err(AccessFault::Damaged {
                path: path.to_owned(),
                problem: format!("the token of {whose} {}", token::RULE),
            }),
        }
    }
}
