//! What the journal itself says: whose window ended, how often, and how long after it was due.

use std::collections::HashMap;
use std::path::Path;

use holdline::domain::id::ConversationId;
use holdline::domain::time::Timestamp;
use holdline::journal::record::{self, Share, Shares};
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use crate::actors::prepare;

/// The counts that must be zero, and the number of expiries.
#[derive(Debug, Serialize)]
pub(super) struct Proof {
    pub(super) expired: u64,
    pub(super) early: u64,
    pub(super) missed: u64,
    pub(super) twice: u64,
    /// Chats that expired although they should not.
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
    let sql = "SELECT stream, at, kind, body FROM events WHERE position > ?";
    let mut statement = journal.prepare(sql)?;
    let mut rows = statement.query([after])?;
    let mut times: HashMap<ConversationId, u32> = HashMap::new();
    let mut proof =
        Proof { expired: 0, early: 0, missed: 0, twice: 0, wrong: 0, decided_latest_ms: 0 };
    while let Some(row) = rows.next()? {
        let (stream, at, kind, body) =
            (text(row, 0)?, row.get::<_, i64>(1)?, text(row, 2)?, text(row, 3)?);
        let late = at - deadline.as_millis();
        let mut count = |stream: &str| -> anyhow::Result<()> {
            let id: ConversationId = stream.parse()?;
            proof.expired += 1;
            // At the deadline itself the customer may still come back.
            proof.early += u64::from(late < 1);
            proof.wrong += u64::from(!prepare::expires(id));
            proof.decided_latest_ms = proof.decided_latest_ms.max(late);
            let times = times.entry(id).or_default();
            *times += 1;
            proof.twice += u64::from(*times > 1);
            Ok(())
        };
        // Appends that were made together share one row.
        let shares = record::read_shared_row(kind, body).transpose()?;
        let Some(Shares { shares, .. }) = shares else {
            (0..ends(kind, body)?).try_for_each(|_| count(stream))?;
            continue;
        };
        for Share { stream, kind, body, .. } in shares {
            (0..ends(kind, body)?).try_for_each(|_| count(stream))?;
        }
    }
    proof.missed = expected.saturating_sub(times.len() as u64);
    Ok(proof)
}

/// How many windows end by the record with this kind and this body.
fn ends(kind: &str, body: &str) -> anyhow::Result<usize> {
    let is_end = |kind: &str| kind == "customer_disconnected";
    let together = record::read_append(kind, body).transpose()?;
    Ok(together.map_or_else(
        || usize::from(is_end(kind)),
        |pieces| pieces.iter().filter(|piece| is_end(piece.kind)).count(),
    ))
}

fn text<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> anyhow::Result<&'a str> {
    Ok(row.get_ref(column)?.as_str()?)
}
