//! A secret key, and what is derived from it.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::access::fault::{AccessFault, at};
use crate::access::files::read;
use crate::domain::id::{VisitorId, WidgetId};
use crate::private;

/// The file of the first secret of a data directory.
pub(super) const SECRET_FILE: &str = "secret";
const SECRET_BYTES: usize = 32;

/// A key of 256 random bits. Each use names its purpose: what is derived from the key for one
/// purpose is good for no other.
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
        let unique = URL_SAFE_NO_PAD.encode(Self::mint()?.bytes());
        let made = data.join(format!("{SECRET_FILE}.{unique}.new"));
        private::write(&made, Self::mint()?.bytes()).map_err(|source| at(&made, source))?;
        // A hard link, unlike a rename, never replaces a file that another server has put there.
        let linked = fs::hard_link(&made, &path);
        fs::remove_file(&made).map_err(|source| at(&made, source))?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(at(&path, error));
            }
            _ => private::sync_directory(data).map_err(|source| at(data, source))?,
        }
        Self::read(&path)?.ok_or_else(|| at(&path, io::ErrorKind::NotFound.into()))
    }

    /// A new secret of random bits.
    pub(super) fn mint() -> Result<Self, AccessFault> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| AccessFault::Random(error.to_string()))?;
        Ok(Self(bytes))
    }

    pub(super) const fn bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
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
    pub(super) fn digest(&self, purpose: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut digest = Hmac::<Sha256>::new_from_slice(&self.0)
            .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
        digest.update(purpose);
        for part in parts {
            digest.update(part);
        }
        digest
    }
}

/// Who a customer is to us, from the secret that their browser keeps. The browser's secret cannot
/// be recovered from it.
pub fn visitor_id(secret: &Secret, kept_by_browser: &str) -> VisitorId {
    id_of(secret.digest(b"visitor\0", &[kept_by_browser.as_bytes()]))
}

/// Who a customer is to us when a site's server vouches for them, from the widget and the name by
/// which the site knows them. None of these ids is ever one of [`visitor_id`]'s, and the name
/// cannot be recovered from one.
pub fn vouched_id(secret: &Secret, widget: &WidgetId, subject: &str) -> VisitorId {
    // No id of a widget has a zero byte.
    let parts = [widget.as_str().as_bytes(), b"\0", subject.as_bytes()];
    id_of(secret.digest(b"vouched visitor\0", &parts))
}

fn id_of(digest: Hmac<Sha256>) -> VisitorId {
    let digest = digest.finalize().into_bytes();
    let mut bits = [0; 16];
    bits.copy_from_slice(&digest[..16]);
    VisitorId::from_bits(u128::from_be_bytes(bits))
}
