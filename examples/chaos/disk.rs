//! Reads the database of the stopped server, as anybody with SQL may, and judges every chat again.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};

use super::judge::{Line, Moment, judge_copy, judge_times};
use super::world::{World, Wrong};

const EVENTS: &str = "
    SELECT conversation, seq, at, kind,
           CASE WHEN kind = 'message_posted' THEN body ->> '$.id' END,
           CASE WHEN kind = 'message_posted' THEN body ->> '$.text' END,
           CASE WHEN kind IN ('customer_away', 'server_restarted') THEN body ->> '$.until' END
    FROM timeline ORDER BY conversation, seq";

/// What the events of one chat say.
#[derive(Default)]
struct Told {
    conversation: String,
    events: u32,
    has_gap: bool,
    lines: Vec<Line>,
    moments: Vec<Moment>,
}

/// Judges every chat of a data directory whose server has stopped.
pub(crate) fn judge_all(world: &World, data: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(data.join("chats.db"), flags)?;
    let sql = "SELECT id FROM conversations WHERE workstream = 'strangers'";
    let mut statement = database.prepare(sql)?;
    let strangers = statement.query_map((), |row| row.get(0))?;
    let strangers: HashSet<String> = strangers.collect::<rusqlite::Result<_>>()?;
    world.count(|tally| tally.strangers_chats = strangers.len() as u64);
    let mut known = 0;
    let mut told = Told::default();
    let mut statement = database.prepare(EVENTS)?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let conversation: String = row.get(0)?;
        if conversation != told.conversation {
            known += usize::from(judge(world, &told, &strangers));
            told = Told { conversation, ..Told::default() };
        }
        told.add(row)?;
    }
    known += usize::from(judge(world, &told, &strangers));
    let chats = world.chats.borrow().len();
    if known != chats {
        world.note(Wrong::Lost, format!("{known} of {chats} chats are on the disk"));
    }
    let sql = "SELECT id, state FROM conversations WHERE state <> 'closed'";
    let mut statement = database.prepare(sql)?;
    let mut open = statement.query(())?;
    while let Some(row) = open.next()? {
        let (id, state): (String, String) = (row.get(0)?, row.get(1)?);
        world.note(Wrong::Other, format!("{id} is {state} after the end"));
    }
    Ok(())
}

impl Told {
    fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let (seq, at, kind): (u32, i64, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
        self.events += 1;
        self.has_gap |= seq != self.events;
        if kind == "message_posted" {
            self.lines.push(Line { seq, id: row.get(4)?, text: row.get(5)? });
        } else {
            self.moments.push(Moment { kind, at, until: row.get(6)? });
        }
        Ok(())
    }
}

/// Judges one chat; false if the driver was never told of it.
fn judge(world: &World, told: &Told, strangers: &HashSet<String>) -> bool {
    let Told { conversation, has_gap, lines, moments, .. } = told;
    if conversation.is_empty() {
        return false;
    }
    if *has_gap {
        world.note(Wrong::Lost, format!("{conversation} (the disk): its events have a gap"));
    }
    if strangers.contains(conversation) {
        return false;
    }
    let chat = world.chats.borrow().get(conversation).cloned();
    let Some(chat) = chat else {
        world.count(|tally| tally.orphans += 1);
        if !lines.is_empty() {
            world.note(Wrong::Other, format!("{conversation} (the disk): whose is it? {lines:?}"));
        }
        return false;
    };
    judge_copy(world, &chat, "the disk", lines);
    judge_times(world, &chat, moments);
    let ends = moments.iter().filter(|moment| moment.kind == "customer_disconnected").count();
    world.count(|tally| {
        tally.read_on_disk += lines.len() as u64;
        tally.expiries += ends as u64;
    });
    true
}
