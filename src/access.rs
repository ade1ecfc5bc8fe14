//! Who is let in, and the secrets that say so: the administrator's token, the demo's tokens, the
//! key that signs the tokens of conversations. All are made once and kept in the data directory,
//! readable by their owner alone, so that a restart knows them again.

pub mod token;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::domain::id::{ConversationId, History, VisitorId, WidgetId};
use crate::private;

pub use crate::access::token::mint_token;

/// The files of a data directory that hold the secrets, for whoever copies them.
pub const FILES: [&str; 2] = [ACCESS_FILE, SECRET_FILE];

const ACCESS_FILE: &str = "access.json";
const SECRET_FILE: &str = "secret";
const SECRET_BYTES: usize = 32;
const TOKEN_VERSION: u8 = 2;
/// The version of tokens that named no history. They are still good.
const TOKEN_VERSION_WITHOUT_HISTORY: u8 = 1;
const TAG_BYTES: usize = 16;
/// What digests of the secret are for that stand in tokens.
const PURPOSE: &[u8] = b"conversation\0";

/// Why the secrets could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum AccessFault {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// A file holds something else than was written to it.
    #[error("{path}: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(String),
}

/// The tokens of people that this server itself hands out.
pub struct Access {
    path: PathBuf,
    kept: Kept,
    administrator: String,
    origin: Origin,
}

/// Where a token is from, which says whether it is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The operator has given it.
    Given,
    /// It was made now. Nobody knows it yet.
    Made,
    /// It was made at an earlier start, and told then.
    Kept,
}

#[derive(Default, Deserialize, Serialize)]
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

impl Access {
    /// The tokens of this data directory, which is made if it is not there. A token of the
    /// administrator's that is given takes the place of the kept one and is not kept itself;
    /// without either, one is made.
    pub fn open(data: &Path, administrator: Option<&str>) -> Result<Self, AccessFault> {
        private::make_directory(data).map_err(|source| at(data, source))?;
        let path = data.join(ACCESS_FILE);
        let mut kept = match read(&path)? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                AccessFault::Damaged { path: path.clone(), problem: error.to_string() }
            })?,
            None => Kept::default(),
        };
        kept.refuse_short(&path)?;
        let (administrator, origin) = match (administrator, &kept.administrator) {
            (Some(given), _) => (given.to_owned(), Origin::Given),
            (None, Some(kept)) => (kept.clone(), Origin::Kept),
            (None, None) => {
                let made = mint_token("hla_")?;
                kept.administrator = Some(made.clone());
                keep(&path, &kept)?;
                (made, Origin::Made)
            }
        };
        Ok(Self { path, kept, administrator, origin })
    }

    /// The file that keeps what was made here.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The administrator's token.
    pub fn administrator(&self) -> &str {
        &self.administrator
    }

    /// Where that is from.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The token of one of the demo's agents: the same at every start. It is made where there is
    /// none.
    pub fn demo_token(&mut self, agent: &str) -> Result<(String, Origin), AccessFault> {
        if let Some(token) = self.kept.demo.get(agent) {
            return Ok((token.clone(), Origin::Kept));
        }
        let token = mint_token("hlt_")?;
        self.kept.demo.insert(agent.to_owned(), token.clone());
        keep(&self.path, &self.kept)?;
        Ok((token, Origin::Made))
    }

    /// Every token of the demo's agents that is kept, with whose it is.
    pub fn demo_tokens(&self) -> impl Iterator<Item = (&str, &str)> {
        self.kept.demo.iter().map(|(agent, token)| (agent.as_str(), token.as_str()))
    }

    /// Forgets them: they are good for nothing any more.
    pub fn forget_demo(&mut self) -> Result<(), AccessFault> {
        if self.kept.demo.is_empty() {
            return Ok(());
        }
        self.kept.demo.clear();
        keep(&self.path, &self.kept)
    }
}

impl Kept {
    /// Somebody may have written others into the file.
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

/// The key that signs conversation tokens and digests the secrets of visitors. Losing it ends no
/// chat, but no widget can resume one.
#[derive(Clone)]
pub struct Secret([u8; SECRET_BYTES]);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

impl Secret {
    /// The secret with these bytes.
    pub const fn from_bytes(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// The secret of this data directory, made if there is none. Two servers that start at once
    /// find the same one.
    pub fn open(data: &Path) -> Result<Self, AccessFault> {
        let path = data.join(SECRET_FILE);
        if let Some(secret) = Self::read(&path)? {
            return Ok(secret);
        }
        private::make_directory(data).map_err(|source| at(data, source))?;
        let made = data.join(format!("{SECRET_FILE}.{}.new", mint_token("")?));
        write_private(&made, &random()?).map_err(|source| at(&made, source))?;
        // A link, unlike a rename, leaves a file alone that somebody else has put there meanwhile.
        let linked = fs::hard_link(&made, &path);
        fs::remove_file(&made).map_err(|source| at(&made, source))?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(at(&path, error));
            }
            _ => sync_directory(data)?,
        }
        Self::read(&path)?.ok_or_else(|| at(&path, io::ErrorKind::NotFound.into()))
    }

    fn read(path: &Path) -> Result<Option<Self>, AccessFault> {
        let Some(bytes) = read(path)? else { return Ok(None) };
        let bytes = bytes.try_into().map_err(|bytes: Vec<u8>| AccessFault::Damaged {
            path: path.to_owned(),
            problem: format!("holds {} bytes instead of {SECRET_BYTES}", bytes.len()),
        })?;
        Ok(Some(Self(bytes)))
    }

    /// A keyed digest. `purpose` keeps digests for one use from being good for another.
    fn digest(&self, purpose: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut digest = Hmac::<Sha256>::new_from_slice(&self.0)
            .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
        digest.update(purpose);
        for part in parts {
            digest.update(part);
        }
        digest
    }
}

/// The right to take part in one conversation as its customer.
#[derive(Debug)]
pub struct ConversationToken;

impl ConversationToken {
    /// The token of a conversation that began in this widget, in this history of the journal: 50
    /// characters that stand in an address as they are.
    pub fn issue(
        secret: &Secret,
        history: History,
        id: ConversationId,
        widget: &WidgetId,
    ) -> String {
        let mut bytes = vec![TOKEN_VERSION];
        bytes.extend(history.number().to_be_bytes());
        bytes.extend(id.as_bits().to_be_bytes());
        let tag = Self::digest(secret, Some(history), id, widget).finalize().into_bytes();
        bytes.extend(&tag[..TAG_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The conversation that a token was issued for, if this server issued it, for this widget; and
    /// in which history, unless it is of a release whose tokens named none.
    pub fn verify(
        secret: &Secret,
        token: &str,
        widget: &WidgetId,
    ) -> Option<(ConversationId, Option<History>)> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (history, rest) = match *bytes.first()? {
            TOKEN_VERSION => {
                let (history, rest) = bytes[1..].split_first_chunk::<4>()?;
                (Some(History::new(u32::from_be_bytes(*history))), rest)
            }
            TOKEN_VERSION_WITHOUT_HISTORY => (None, &bytes[1..]),
            _ => return None,
        };
        let (id, tag) = rest.split_first_chunk::<16>()?;
        if tag.len() != TAG_BYTES {
            return None;
        }
        let id = ConversationId::from_bits(u128::from_be_bytes(*id));
        // Compares in constant time.
        let digest = Self::digest(secret, history, id, widget);
        digest.verify_truncated_left(tag).ok().map(|()| (id, history))
    }

    fn digest(
        secret: &Secret,
        history: Option<History>,
        id: ConversationId,
        widget: &WidgetId,
    ) -> Hmac<Sha256> {
        let id = id.as_bits().to_be_bytes();
        let widget = widget.as_str().as_bytes();
        let named = history.map(|history| history.number().to_be_bytes());
        match &named {
            Some(history) => secret.digest(PURPOSE, &[&[TOKEN_VERSION], history, &id, widget]),
            None => secret.digest(PURPOSE, &[&[TOKEN_VERSION_WITHOUT_HISTORY], &id, widget]),
        }
    }
}

/// Who a customer is to us, from the secret that their browser keeps. The browser's secret cannot
/// be had back from it.
pub fn visitor_id(secret: &Secret, kept_by_browser: &str) -> VisitorId {
    let digest = secret.digest(b"visitor\0", &[kept_by_browser.as_bytes()]);
    let digest = digest.finalize().into_bytes();
    let mut bits = [0; 16];
    bits.copy_from_slice(&digest[..16]);
    VisitorId::from_bits(u128::from_be_bytes(bits))
}

fn random() -> Result<[u8; SECRET_BYTES], AccessFault> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| AccessFault::Random(error.to_string()))?;
    Ok(bytes)
}

/// Reads one of the files, which is closed to others first.
fn read(path: &Path) -> Result<Option<Vec<u8>>, AccessFault> {
    let read = || {
        private::look(path)?;
        if let Some(mended) = private::mend(path)? {
            tracing::warn!("{mended}");
        }
        private::read(path)
    };
    read().map_err(|source| at(path, source))
}

fn keep(path: &Path, kept: &Kept) -> Result<(), AccessFault> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let json = serde_json::to_vec_pretty(kept).map_err(|error| at(path, error.into()))?;
    write_private(&new, &json).map_err(|source| at(&new, source))?;
    fs::rename(&new, path).map_err(|source| at(path, source))?;
    path.parent().map_or(Ok(()), sync_directory)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    // What a crash left behind must not be written into as it is: its mode may be another.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_directory(path: &Path) -> Result<(), AccessFault> {
    let sync = || File::open(path)?.sync_all();
    sync().map_err(|source| at(path, source))
}

fn at(path: &Path, source: io::Error) -> AccessFault {
    AccessFault::File { path: path.to_owned(), source }
}
