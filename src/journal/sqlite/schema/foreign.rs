//! What stands in a database that Holdline has not made there. A trigger would run with every
//! append, a view may stand for anything in place of a table, and a table may have a rule of its
//! own; so a database is used only while its schema is one that Holdline makes.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::journal::sqlite::schema::tables;
use crate::journal::sqlite::schema::versions::{
    ARCHIVE_VERSION, AUDIT_SINCE, CHATS_VERSION, JOURNAL_VERSION, version,
};

/// Which database a file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::journal::sqlite) enum Kind {
    /// `journal.db`, or a copy of it.
    Journal,
    /// `chats.db`.
    Chats,
    /// `archive.db`.
    Archive,
}

/// The type and the name of something in a schema.
type Name = (String, String);

/// The table that only a copy has.
const SECRETS: &str = "secrets";

/// The tables that come with the audit stream: SQLite's own counts its numbers.
const OF_THE_AUDIT: [&str; 2] = ["audit", "sqlite_sequence"];

impl Kind {
    /// The newest version that this release knows.
    pub(in crate::journal::sqlite) const fn version(self) -> i64 {
        match self {
            Self::Journal => JOURNAL_VERSION,
            Self::Chats => CHATS_VERSION,
            Self::Archive => ARCHIVE_VERSION,
        }
    }

    /// What this release and those before it have made there, each as a whole.
    const fn made(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Journal => {
                &[&[tables::JOURNAL, tables::AUDIT, tables::SECRETS], &[tables::JOURNAL_OF_1]]
            }
            Self::Chats => &[&[tables::CHATS]],
            Self::Archive => &[&[tables::ARCHIVE]],
        }
    }
}

/// Everything in which the schema of a database is not as Holdline makes it, in words.
pub(in crate::journal::sqlite) fn differences(
    connection: &Connection,
    kind: Kind,
) -> rusqlite::Result<Vec<String>> {
    let mut known: BTreeMap<Name, Vec<String>> = BTreeMap::new();
    for made in kind.made() {
        let model = Connection::open_in_memory()?;
        made.iter().try_for_each(|sql| model.execute_batch(sql))?;
        for (name, sql) in objects(&model)? {
            known.entry(name).or_default().push(sql);
        }
    }
    let found = objects(connection)?;
    let mut differences = Vec::new();
    for ((form, name), sql) in &found {
        let forms = known.get(&(form.clone(), name.clone()));
        // What ANALYZE counts is SQLite's own, and changes no answer.
        let is_of_sqlite = form == "table" && name.starts_with("sqlite_stat");
        match forms {
            Some(forms) if forms.contains(sql) => {}
            Some(_) => differences.push(format!("the {form} {name:?} is not as Holdline makes it")),
            None if is_of_sqlite => {}
            None => differences.push(format!("the {form} {name:?} is not of Holdline")),
        }
    }
    let has_audit = version(connection)? >= AUDIT_SINCE;
    let may_be_absent =
        |name: &str| name == SECRETS || (!has_audit && OF_THE_AUDIT.contains(&name));
    let is_missing = |name: &&Name| !found.contains_key(*name) && !may_be_absent(&name.1);
    let missing = known.keys().filter(is_missing);
    differences.extend(missing.map(|(form, name)| format!("the {form} {name:?} is not there")));
    Ok(differences)
}

/// All that stands in a schema, each with the words that have made it.
fn objects(connection: &Connection) -> rusqlite::Result<BTreeMap<Name, String>> {
    let sql = "SELECT type, name, coalesce(sql, tbl_name) FROM sqlite_schema";
    let mut statement = connection.prepare(sql)?;
    let objects = statement.query_map((), |row| {
        let words: String = row.get(2)?;
        Ok(((row.get(0)?, row.get(1)?), evenly_spaced(&words)))
    })?;
    objects.collect()
}

/// The same words whether SQLite has added a column to them or they were written so.
fn evenly_spaced(sql: &str) -> String {
    let words: Vec<_> = sql.split_ascii_whitespace().collect();
    let mut sql = words.join(" ");
    for mark in ["(", ")", ","] {
        for spaced in [format!(" {mark}"), format!("{mark} ")] {
            sql = sql.replace(&spaced, mark);
        }
    }
    sql
}
