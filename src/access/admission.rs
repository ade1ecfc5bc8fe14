//! The keys by which a site's own server vouches for the visitors of a widget.

use std::fmt;
use std::sync::Arc;

use crate::access::signed::{self, NotAPublicKey, PublicKey};
use crate::domain::id::WidgetId;
use crate::domain::settings::{AdmissionRule, NotVouched, Vouching};
use crate::domain::time::Timestamp;

/// The keys of one widget, ready to verify with.
pub struct AdmissionKeys(Vec<PublicKey>);

impl fmt::Debug for AdmissionKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("AdmissionKeys").field(&self.0.len()).finish()
    }
}

impl AdmissionKeys {
    /// Refuses the first of these that is no public key, with its index.
    pub fn check(keys: &[Arc<str>]) -> Result<(), (usize, NotAPublicKey)> {
        for (place, key) in keys.iter().enumerate() {
            PublicKey::from_pem(key).map_err(|problem| (place, problem))?;
        }
        Ok(())
    }

    /// The keys of a rule. A key that cannot be read is left out: [`Self::check`] would have
    /// refused it, and it has signed nothing.
    pub fn of(rule: &AdmissionRule) -> Self {
        Self(rule.keys.iter().filter_map(|key| PublicKey::from_pem(key).ok()).collect())
    }

    /// The name of the visitor for whom a token vouches, in this widget and now.
    pub fn subject(
        &self,
        token: &str,
        widget: &WidgetId,
        now: Timestamp,
    ) -> Result<String, NotVouched> {
        let header = signed::header(token).ok_or(NotVouched::Signature)?;
        let claims = self.0.iter().find_map(|key| key.verify(token, &header));
        let claims = claims.ok_or(NotVouched::Signature)?;
        let vouching = Vouching {
            subject: claims.text("sub").map(str::to_owned),
            audiences: claims.texts("aud"),
            validity: claims.validity(),
        };
        vouching.judge(widget.as_str(), now)
    }
}
