//! What the journal itself says: whose window ended, how often, and how long after it was due.

use std::collections::HashMap;
use std::path::Path;

use holdline::domain::id::ConversationId;
use holdline::domain::time::Timestamp;
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use crate::actors::prepare;

/// The count of what must not be.
#[derive(Debug, Serialize)]
pub(super) struct Proof {
    pub(super) expired: u64,
    pub(super) early: u64,
    pub(super) missed: u64,
    pub(super) twice: u64,
    /// Chats that ended and were not to.
    pub(super) wrong: u64,
    /// Milliseconds after the deadline at which the last was decided.
    pub(super) decided_latest_ms: i64,
}

impl Proof {
    pub(super) fn holds(&self) -> bool {
        (self.early, self.missed, self.twice, self.wrong) == (0, 0, 0, 0)
    }
}

/// Reads what was written after a position.
pub(super) fn prove(
    dir: &Path,
    after: u64,
    deadline: Timestamp,
    expected: u64,
) -> anyhow::Result<Proof> {
    let journal =
        Connection::open_with_flags(dir.join("journal.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // What happened together stands in one row.
    let sql = "SELECT stream, at FROM events
         WHERE position > ?1 AND kind = 'customer_disconnected'
         UNION ALL SELECT stream, at FROM events, json_each(body) AS one
         WHERE position > ?1 AND kind = 'happened_together'
           AND one.value ->> '$.kind' = 'customer_disconnected'";
    let mut statement = journal.prepare(sql)?;
    let mut rows = statement.query([after])?;
    let mut times: HashMap<ConversationId, u32> = HashMap::new();
    let mut proof =
        Proof { expired: 0, early: 0, missed: 0, twice: 0, wrong: 0, decided_latest_ms: 0 };
    while let Some(row) = rows.next()? {
        let id: ConversationId = row.get::<_, String>(0)?.parse()?;
        let late = row.get::<_, i64>(1)? - deadline.as_millis();
        proof.expired += 1;
        // The last moment still counts for the customer.
        proof.early += u64::from(late < 1);
        proof.wrong += u64::from(!prepare::expires(id));
        proof.decided_latest_ms = proof.decided_latest_ms.max(late);
        let times = times.entry(id).or_default();
        *times += 1;
        proof.twice += u64::from(*times > 1);
    }
    proof.missed = expected.saturating_sub(times.len() as u64);
    Ok(proof)
}
