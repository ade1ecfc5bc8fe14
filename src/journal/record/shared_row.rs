//! The stored form of what happened to several conversations at one time: one record for appends
//! that were made together.
//!
//! ```json
//! {"records": [{"kind": "…", "body": {…}}, …],
//!  "of": [["<conversation>", 5, 0], ["<conversation>", 4, 1], 2, …]}
//! ```
//!
//! Each entry of `of` is a conversation, the place of the first event in it, and the number of the
//! record that says what happened; or, for a conversation that was taken out, how many events it
//! had. The entries take positions one after the other, one for each event, so that those behind an
//! entry that was taken out stay where they are. Every record is named by an entry: what is taken
//! out, and what was refused, leaves no word behind.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::conversation::event::Event;
use crate::domain::id::{ConversationId, Seq};
use crate::journal::record::append::{self, Piece};
use crate::journal::record::body::{self, Sink};
use crate::journal::record::event;
use crate::journal::record::stream::StreamName;
use crate::journal::record::unreadable::Unreadable;

/// The kind of the record.
const KIND: &str = "happened_to_several";

/// What has happened to one of the conversations: what would stand in the columns if it had a row
/// of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Share<'a> {
    /// How many positions its own is behind that of the row.
    pub offset: u64,
    /// How many positions it takes: one for each event.
    pub positions: u64,
    /// The stream of the conversation.
    pub stream: &'a str,
    /// The place of the first event.
    pub seq: u32,
    /// What happened.
    pub kind: &'a str,
    /// The rest of it.
    pub body: &'a str,
}

/// What stands in such a record.
#[derive(Debug)]
pub struct Shares<'a> {
    /// Those that were not taken out, in the order of their positions.
    pub shares: Vec<Share<'a>>,
    /// How many positions the record takes, including those that were taken out.
    pub positions: u64,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    records: Vec<Piece<'a>>,
    #[serde(borrow)]
    of: Vec<Member<'a>>,
}

/// One entry of `of`.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(untagged)]
enum Member<'a> {
    /// So many events were taken out.
    TakenOut(u64),
    /// A conversation, the place of its first event, and which record.
    Of(&'a str, u32, usize),
}

/// The same with each record as it is.
#[derive(Deserialize, Serialize)]
struct Unread<'a> {
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
    #[serde(borrow)]
    of: Vec<Member<'a>>,
}

/// Writes one more record behind those that stand in `records`.
pub fn write_record(events: &[Event], records: &mut Vec<u8>) {
    if !records.is_empty() {
        records.push(b',');
    }
    match events {
        [event] => {
            event::encode(event, Sink { body: records, is_named: true });
        }
        several => {
            records.extend_from_slice(b"{\"kind\":\"");
            records.extend_from_slice(append::KIND.as_bytes());
            records.extend_from_slice(b"\",\"body\":");
            append::encode(several, records);
            records.push(b'}');
        }
    }
}

/// Writes one more member, with the number of its record, behind those that stand in `members`.
pub fn write_member(id: ConversationId, first: Seq, record: usize, members: &mut Vec<u8>) {
    members.extend_from_slice(b"[\"");
    members.extend_from_slice(StreamName::default().of_conversation(id).as_bytes());
    members.extend_from_slice(b"\",");
    members.extend_from_slice(itoa::Buffer::new().format(first.number()).as_bytes());
    members.push(b',');
    members.extend_from_slice(itoa::Buffer::new().format(record).as_bytes());
    members.push(b']');
}

/// Puts the body together from the records and the members, writes it behind what stands in `body`,
/// and returns its kind; nothing without members.
pub fn put_together<'a>(
    records: &[u8],
    members: impl IntoIterator<Item = &'a [u8]>,
    body: &mut Vec<u8>,
) -> Option<&'static str> {
    body.extend_from_slice(b"{\"records\":[");
    body.extend_from_slice(records);
    body.extend_from_slice(b"],\"of\":");
    let mut separator = b'[';
    for member in members {
        body.push(separator);
        body.extend_from_slice(member);
        separator = b',';
    }
    body.extend_from_slice(b"]}");
    (separator == b',').then_some(KIND)
}

/// What happened to several conversations at one time; nothing if the record with this kind and
/// this body does not say that.
pub fn read_shared_row<'a>(kind: &str, body: &'a str) -> Option<Result<Shares<'a>, Unreadable>> {
    is_shared_row(kind).then(|| decode(body))
}

/// Whether a record of this kind says what happened to several conversations.
pub fn is_shared_row(kind: &str) -> bool {
    kind == KIND
}

/// What stands in a record of this kind.
fn decode(body: &str) -> Result<Shares<'_>, Unreadable> {
    let Body { records, of } = serde_json::from_str(body)?;
    let lengths = records.iter().map(length).collect::<Result<Vec<_>, _>>()?;
    let mut shares = Vec::with_capacity(of.len());
    let mut offset: u64 = 0;
    for member in of {
        let events = match member {
            Member::TakenOut(events) => events,
            Member::Of(stream, seq, which) => {
                stream.parse::<ConversationId>()?;
                let (Some(record), Some(length)) = (records.get(which), lengths.get(which)) else {
                    return Err(Unreadable(format!("no record {which} stands in it")));
                };
                let (kind, body) = (record.kind, record.body());
                shares.push(Share { offset, positions: *length, stream, seq, kind, body });
                *length
            }
        };
        offset = offset.saturating_add(events);
    }
    if offset == 0 {
        return Err(Unreadable("nothing stands in it".to_owned()));
    }
    Ok(Shares { shares, positions: offset })
}

/// The body of a record of this kind without what happened to this conversation at this offset, and
/// without the record that only it named; none when nothing is left of it.
pub fn without(body: &str, stream: &str, offset: u64) -> Result<Option<String>, Unreadable> {
    let Shares { shares, .. } = decode(body)?;
    let found = shares.iter().position(|share| (share.offset, share.stream) == (offset, stream));
    let Some(found) = found else {
        return Err(Unreadable(format!("{stream} does not stand in it")));
    };
    if shares.len() == 1 {
        return Ok(None);
    }
    let mut unread: Unread<'_> = serde_json::from_str(body)?;
    let members = unread.of.iter_mut().filter(|member| matches!(member, Member::Of(..)));
    for (member, share) in members.zip(&shares).skip(found).take(1) {
        *member = Member::TakenOut(share.positions);
    }
    unread.keep_named();
    Ok(Some(body::json(&unread)))
}

/// Leaves out of a body of this kind the records that no entry names any more. A body that cannot
/// be read stays as it is.
pub fn keep_named(body: &mut Vec<u8>) {
    let Ok(mut unread) = serde_json::from_slice::<Unread<'_>>(body) else { return };
    unread.keep_named();
    let mut kept = Vec::with_capacity(body.len());
    body::write_json(&mut kept, &unread);
    *body = kept;
}

impl Unread<'_> {
    /// Keeps the records that an entry names, under new numbers.
    fn keep_named(&mut self) {
        let records = std::mem::take(&mut self.records);
        let mut numbers = vec![None; records.len()];
        for member in &mut self.of {
            let Member::Of(_, _, which) = member else { continue };
            // An entry that names an absent record goes on doing so.
            let Some(record) = records.get(*which) else { continue };
            *which = *numbers[*which].get_or_insert_with(|| {
                self.records.push(record);
                self.records.len() - 1
            });
        }
    }
}

/// How many events a record tells of.
fn length(record: &Piece<'_>) -> Result<u64, Unreadable> {
    if record.kind == KIND {
        return Err(Unreadable("it stands in itself".to_owned()));
    }
    let together = append::read_append(record.kind, record.body()).transpose()?;
    Ok(together.map_or(1, |pieces| pieces.len() as u64))
}
