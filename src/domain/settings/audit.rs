//! For how long the audit stream is kept.

use crate::domain::settings::violation::{Violation, outside};
use crate::domain::time::{Span, Timestamp};

/// For how long the entries of the audit stream are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AuditRetention {
    /// For how many days of 24 hours: 1 to 36,500; for ever when absent.
    pub after_days: Option<u32>,
}

impl Default for AuditRetention {
    fn default() -> Self {
        Self { after_days: Some(365) }
    }
}

impl AuditRetention {
    /// Every rule that it breaks; none when it may be used.
    pub fn violations(self) -> Vec<Violation> {
        let days = self.after_days.map(u64::from);
        let outside = days.and_then(|days| outside("after_days", days, 1, 36_500, " days"));
        outside.into_iter().collect()
    }

    /// Entries older than this are dropped, if any are. The time moves on once an hour, so there is
    /// at most one drop an hour to tell of.
    pub fn dropped_before(self, now: Timestamp) -> Option<Timestamp> {
        const HOUR: i64 = 3_600_000;
        let age = Span::from_secs(86_400).times(u64::from(self.after_days?));
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let before = now.as_millis().saturating_sub(age);
        Some(Timestamp::from_millis(before - before.rem_euclid(HOUR)))
    }
}
