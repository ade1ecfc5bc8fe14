//! An event as the projection is told of it.

use crate::domain::conversation::event::Recorded;
use crate::domain::id::Seq;
use crate::journal::Fault;
use crate::journal::sqlite::row::{self, Part, Row};

/// An event, and the record that says it, which is kept as it is.
pub(super) struct Told {
    pub(super) position: u64,
    pub(super) recorded: Recorded,
    pub(super) kind: String,
    pub(super) body: String,
    pub(super) checksum: Option<u32>,
}

impl Told {
    /// The events in a row, as they stand in the timeline: each as if it had a row of its own.
    pub(super) fn of(row: &Row) -> Result<Vec<Self>, Fault> {
        let parts = row.parts().map_err(|error| row.damaged(&error.0))?;
        let is_alone = parts.len() == 1;
        let told = parts.into_iter().map(|part| {
            let event = part.event().map_err(|error| row.damaged(&error.0))?;
            let Part { position, seq, kind, body } = part;
            let of_its_own = || row::checksum(position, &row.stream, seq, row.at, kind, body);
            Ok(Self {
                position,
                recorded: Recorded { seq: Seq::new(seq), at: row.at, event },
                kind: kind.to_owned(),
                body: body.to_owned(),
                checksum: if is_alone { row.checksum } else { Some(of_its_own()) },
            })
        });
        told.collect()
    }
}
