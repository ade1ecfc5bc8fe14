//! What an administrator decides about visitors for whom a site's own server vouches, and what that
//! server must say of them.

use std::sync::Arc;

use crate::domain::settings::violation::Violation;
use crate::domain::time::{Span, Timestamp};
use crate::domain::validity::{LEEWAY, NotValid, Validity};
use crate::limits;

/// The keys by which a site's server vouches for its visitors.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AdmissionRule {
    /// Whether a chat can be begun only by somebody who is vouched for.
    pub required: bool,
    /// The public keys, as PEM: 1 to 4. A signature by any of them is good.
    pub keys: Vec<Arc<str>>,
}

/// What a site's server says of a visitor, once its signature was found to be good.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Vouching {
    /// The name by which the site knows them.
    pub subject: Option<String>,
    /// For which widgets it is meant.
    pub audiences: Vec<String>,
    /// When it is good.
    pub validity: Validity,
}

/// Why nobody is vouched for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotVouched {
    /// It is no token that one of the widget's keys has signed.
    #[error("it is no token that a key of this widget has signed")]
    Signature,
    /// It names no visitor, or the name is too long.
    #[error("`sub` must be a text of 1 to 256 bytes")]
    Subject,
    /// It is for somebody else.
    #[error("`aud` must be the id of this widget")]
    Audience,
    /// It does not end.
    #[error("`exp` must say until when it is good")]
    Endless,
    /// It has ended.
    #[error("it was good until earlier")]
    Expired,
    /// It is not good yet.
    #[error("`nbf` and `iat` must not lie in the future")]
    Early,
    /// It is good for too long.
    #[error("it must be good for at most 24 hours")]
    Long,
}

const SECONDS_MAX: Span = Span::from_secs(limits::ADMISSION_SECONDS_MAX);

impl AdmissionRule {
    /// Every rule that this breaks, as far as it can be seen without reading the keys.
    pub(super) fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        if !(1..=limits::ADMISSION_KEYS_MAX).contains(&self.keys.len()) {
            found.push(Violation::new("admission.keys", "must name 1 to 4 public keys"));
        }
        if self.keys.iter().any(|key| key.len() > limits::ADMISSION_KEY_BYTES_MAX) {
            found.push(Violation::new("admission.keys", "each must be at most 1,024 bytes"));
        }
        found
    }

    /// How many bytes its keys have in all.
    pub fn bytes(&self) -> usize {
        self.keys.iter().map(|key| key.len()).sum()
    }
}

impl Vouching {
    /// The name of the visitor whom it admits to a widget now.
    pub fn judge(self, widget: &str, now: Timestamp) -> Result<String, NotVouched> {
        if !self.audiences.iter().any(|audience| audience == widget) {
            return Err(NotVouched::Audience);
        }
        let expires_at = self.validity.judge(now).map_err(|why| match why {
            NotValid::Endless => NotVouched::Endless,
            NotValid::Expired => NotVouched::Expired,
            NotValid::Early => NotVouched::Early,
        })?;
        let from = self.validity.issued_at.unwrap_or(now).min(now);
        if expires_at.since(from) > SECONDS_MAX + LEEWAY {
            return Err(NotVouched::Long);
        }
        let length = 1..=limits::ADMISSION_SUBJECT_BYTES_MAX;
        self.subject.filter(|subject| length.contains(&subject.len())).ok_or(NotVouched::Subject)
    }
}
