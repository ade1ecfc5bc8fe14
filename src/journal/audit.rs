//! The audit stream as both journals keep it: what is asked of it, and the chain of its entries.
//!
//! Each entry has the SHA-256 of the hash before it and of its own bytes. Where the retention has
//! dropped the oldest entries, an entry holds the number and the hash of the last of them, from
//! which the chain goes on.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::domain::audit::{Act, AuditEntry, AuditKind};
use crate::domain::id::AgentId;
use crate::domain::settings::registry::SettingChange;
use crate::domain::time::Timestamp;
use crate::journal::fault::Fault;
use crate::journal::record::Record;

/// The audit stream, to which the log appends.
pub trait AuditStream {
    /// A page of the audit stream, the newest first: entries before a number that match. The page
    /// may be short, even empty, and still have a next.
    fn audit(
        &self,
        filter: AuditFilter,
        before: Option<u64>,
        most: usize,
    ) -> BoxFuture<'static, Result<AuditPage, Fault>>;

    /// Drops some of the oldest entries of the audit stream, from before a time, and notes that in
    /// it. Returns whether there were any.
    fn drop_audit(
        &self,
        before: Timestamp,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<bool, Fault>>;
}

/// Which entries are asked for. Everything that is given must match.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Of this person.
    pub by: Option<AgentId>,
    /// Of one of these kinds; of any when empty.
    pub kinds: Vec<AuditKind>,
    /// About this.
    pub about: Option<String>,
    /// Not before this time.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
}

/// An entry as it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditRow {
    /// Its number, from 1 and without gaps.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// The name of its kind, which a later release may have written.
    pub kind: String,
    /// Who.
    pub by: Option<String>,
    /// About what.
    pub about: Option<String>,
    /// What else there is to say: a JSON object.
    pub body: String,
    /// The hash of the chain up to here.
    pub hash: Vec<u8>,
}

/// A page of the stream, the newest first.
#[derive(Debug, Default)]
pub struct AuditPage {
    /// The entries that match.
    pub rows: Vec<AuditRow>,
    /// The number before which the next page begins; nothing when this was the last.
    pub next: Option<u64>,
}

/// Where the chain ends.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tail {
    /// The number of the last entry; zero where there is none.
    pub number: u64,
    /// Its hash; empty where there is none.
    pub hash: Vec<u8>,
}

impl Tail {
    /// Makes an entry the next one of the chain, which ends with it from now on.
    pub fn append(&mut self, entry: AuditEntry) -> AuditRow {
        let AuditEntry { at, times, act: Act { by, kind, about, facts } } = entry;
        let mut body: Map<String, Value> =
            facts.into_iter().map(|(name, fact)| (name, fact.into())).collect();
        if times != 1 {
            body.insert("times".to_owned(), times.into());
        }
        let mut row = AuditRow {
            number: self.number + 1,
            at,
            kind: kind.name().to_owned(),
            by: by.map(|by| by.to_string()),
            about,
            body: Value::Object(body).to_string(),
            hash: Vec::new(),
        };
        row.hash = row.hash_after(&self.hash);
        self.number = row.number;
        self.hash.clone_from(&row.hash);
        row
    }
}

impl AuditRow {
    /// The hash that this entry must have behind an entry with the hash `before`.
    pub fn hash_after(&self, before: &[u8]) -> Vec<u8> {
        let texts = [
            Some(self.kind.as_str()),
            self.by.as_deref(),
            self.about.as_deref(),
            Some(self.body.as_str()),
        ];
        let mut hash = Sha256::new();
        hash.update(before);
        hash.update(self.number.to_le_bytes());
        hash.update(self.at.as_millis().to_le_bytes());
        for text in texts {
            hash.update(text.unwrap_or_default());
            hash.update([0]);
        }
        hash.finalize().to_vec()
    }

    /// Its hash as hexadecimal digits.
    pub fn hash_text(&self) -> String {
        hex(&self.hash)
    }

    /// Where the chain goes on, if this entry tells of dropped entries: behind this number and this
    /// hash.
    pub fn anchor(&self) -> Option<Tail> {
        if self.kind != AuditKind::EntriesDropped.name() {
            return None;
        }
        let body: Map<String, Value> = serde_json::from_str(&self.body).ok()?;
        let number = body.get("through")?.as_str()?.parse().ok()?;
        let text = body.get("hash")?.as_str()?;
        let digits = |at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let hash = (0..text.len()).step_by(2).map(digits).collect::<Option<Vec<u8>>>()?;
        Some(Tail { number, hash })
    }
}

impl AuditFilter {
    /// Whether an entry matches.
    pub fn matches(&self, row: &AuditRow) -> bool {
        let is_of = |by: &AgentId| row.by.as_deref() == Some(by.as_str());
        self.by.as_ref().is_none_or(is_of)
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind.name() == row.kind))
            && self.about.as_ref().is_none_or(|about| row.about.as_ref() == Some(about))
            && self.from.is_none_or(|from| row.at >= from)
            && self.to.is_none_or(|to| row.at < to)
    }
}

/// What is noted of a change of the settings, with the digest of its record's text. By the digest
/// the change can be found in the journal, and no other be taken for it.
pub(super) fn of_change(
    change: &SettingChange,
    by: Option<&AgentId>,
    at: Timestamp,
    record: &Record,
) -> Option<AuditEntry> {
    let act = Act::of_change(change, by)?;
    let act = act.with("sha256", hex(&Sha256::digest(record.body.as_bytes())));
    Some(AuditEntry { at, times: 1, act })
}

/// The entry that tells of the entries that the retention drops.
pub(super) fn of_dropping(last: &Tail, dropped: u64, at: Timestamp) -> AuditEntry {
    let act = Act::new(AuditKind::EntriesDropped, None)
        .with("through", last.number.to_string())
        .with("entries", dropped.to_string())
        .with("hash", hex(&last.hash));
    AuditEntry { at, times: 1, act }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}
