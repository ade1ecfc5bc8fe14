//! The audit stream of both journals: what is noted with a change, the chain, and what is dropped.

use holdline::domain::audit::{Act, AuditEntry, AuditKind};
use holdline::domain::settings::QueueSettings;
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};
use holdline::journal::sqlite::check::{self, Checked};
use holdline::journal::{Append, AuditFilter, AuditRow, Journal};
use tokio::sync::oneshot;

use crate::rows::journal_db;
use crate::support::{Kind, Trial, agent, block};

fn day(day: u64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000) + Span::from_secs(86_400).times(day)
}

fn note(journal: &dyn Journal, at: Timestamp, act: Act) {
    let (done, written) = oneshot::channel();
    journal.append(Append::Audit { entry: Box::new(AuditEntry { at, times: 1, act }), done });
    block(written).unwrap().unwrap();
}

fn read_by(who: &str) -> Act {
    Act::new(AuditKind::TranscriptRead, Some(agent(who))).about("conversation", "c-1")
}

fn all(journal: &dyn Journal) -> Vec<AuditRow> {
    block(journal.audit(AuditFilter::default(), None, 1_000)).unwrap().rows
}

/// Ten entries, one a day.
fn noted(journal: &dyn Journal) {
    for number in 0..10 {
        note(journal, day(number), read_by(if number < 5 { "ann" } else { "bob" }));
    }
}

/// Each entry follows on the one before it.
fn assert_chained(rows: &[AuditRow]) {
    for pair in rows.windows(2) {
        let [later, earlier] = pair else { unreachable!("pairs") };
        assert_eq!(later.number, earlier.number + 1);
        assert_eq!(later.hash, later.hash_after(&earlier.hash));
    }
}

fn problems(trial: &Trial) -> Vec<String> {
    let Checked { problems, .. } = check::check(trial.dir()).unwrap();
    problems.told.iter().map(ToString::to_string).collect()
}

#[test]
fn a_change_is_noted_with_who_made_it_and_pages_are_the_newest_first() {
    for kind in [Kind::Sqlite, Kind::Memory] {
        let trial = Trial::new(kind);
        let journal = trial.journal();
        noted(journal);
        let queue = QueueSettings {
            id: "sales".parse().unwrap(),
            name: DisplayName::parse("Sales").unwrap(),
            agents: Vec::new(),
        };
        let (done, written) = oneshot::channel();
        let (change, by) = (Box::new(SettingChange::PutQueue(queue)), Some(agent("root")));
        journal.append(Append::Setting { change, by, at: day(11), done });
        block(written).unwrap().unwrap();
        let rows = all(journal);
        assert_chained(&rows);
        let change = &rows[0];
        assert_eq!((change.number, change.kind.as_str()), (11, "setting_put"));
        assert_eq!(change.by.as_deref(), Some("root"));
        assert_eq!(change.about.as_deref(), Some("queue:sales"));
        assert!(change.body.contains("sha256"), "{}", change.body);

        let filter = AuditFilter { by: Some(agent("ann")), ..AuditFilter::default() };
        let first = block(journal.audit(filter.clone(), None, 3)).unwrap();
        let numbers = |rows: &[AuditRow]| rows.iter().map(|row| row.number).collect::<Vec<_>>();
        assert_eq!(numbers(&first.rows), [5, 4, 3]);
        let next = block(journal.audit(filter, first.next, 3)).unwrap();
        assert_eq!(numbers(&next.rows), [2, 1]);
        assert_eq!(next.next, None);
        let (from, to) = (Some(day(2)), Some(day(4)));
        let between = AuditFilter { from, to, ..AuditFilter::default() };
        let between = block(journal.audit(between, None, 10)).unwrap().rows;
        assert_eq!(numbers(&between), [4, 3]);
    }
}

#[test]
fn what_is_dropped_is_told_in_the_chain_which_goes_on_from_there() {
    for kind in [Kind::Sqlite, Kind::Memory] {
        let trial = Trial::new(kind);
        let journal = trial.journal();
        noted(journal);
        let (before, at) = (day(4), day(20));
        assert!(block(journal.drop_audit(before, at)).unwrap());
        assert!(!block(journal.drop_audit(before, at)).unwrap(), "nothing older is left");
        let rows = all(journal);
        assert_chained(&rows);
        assert_eq!((rows[0].number, rows.len()), (11, 7));
        assert_eq!(rows[0].kind, "entries_dropped");
        let anchor = rows[0].anchor().unwrap();
        let first = rows.last().unwrap();
        assert_eq!((anchor.number, first.number), (4, 5));
        assert_eq!(first.hash, first.hash_after(&anchor.hash), "it goes on from the anchor");
        // This drops everything: the one entry that is left tells of the dropping itself.
        assert!(block(journal.drop_audit(day(21), day(22))).unwrap());
        let rows = all(journal);
        assert_eq!((rows.len(), rows[0].number), (1, 12));
        assert_eq!(rows[0].hash, rows[0].hash_after(&rows[0].anchor().unwrap().hash));
    }
}

#[test]
fn the_chain_outlives_a_restart_and_a_dropping_and_is_whole() {
    let mut trial = Trial::new(Kind::Sqlite);
    noted(trial.journal());
    trial.reopen();
    note(trial.journal(), day(10), read_by("ann"));
    assert!(block(trial.journal().drop_audit(day(3), day(12))).unwrap());
    assert_chained(&all(trial.journal()));
    assert_eq!(problems(&trial), Vec::<String>::new(), "while it is in use");
    trial.close();
    assert_eq!(problems(&trial), Vec::<String>::new());
    let checked = check::check(trial.dir()).unwrap().audit;
    assert_eq!((checked.entries, checked.last, checked.hash.len()), (9, 12, 64));
}

/// What somebody may do to the table, and what the check then names.
const TAMPERING: [(&str, &str); 8] = [
    ("UPDATE audit SET body = replace(body, '}', ' }') WHERE number = 6", "audit entry 6"),
    ("UPDATE audit SET actor = 'bob' WHERE number = 5", "audit entry 5"),
    ("UPDATE audit SET at = at + 1 WHERE number = 7", "audit entry 7"),
    ("UPDATE audit SET hash = zeroblob(32) WHERE number = 7", "audit entry 7"),
    ("DELETE FROM audit WHERE number = 7", "audit entry 8"),
    ("DELETE FROM audit WHERE number = 4", "audit entry 5"),
    ("DELETE FROM audit WHERE number > 9", "audit: the entries behind 9 up to 11 are absent"),
    ("DELETE FROM audit", "audit: the entries behind 0 up to 11 are absent"),
];

#[test]
fn a_byte_that_was_changed_and_an_entry_that_was_taken_away_are_told() {
    for (sql, told) in TAMPERING {
        let mut trial = Trial::new(Kind::Sqlite);
        noted(trial.journal());
        assert!(block(trial.journal().drop_audit(day(3), day(12))).unwrap());
        trial.close();
        assert_eq!(journal_db(trial.dir()).execute(sql, ()).map(|changed| changed > 0), Ok(true));
        let found = problems(&trial);
        assert!(found.iter().any(|problem| problem.contains(told)), "{sql}: {found:?}");
        // The check tells this, but no start is refused: the chats do not depend on the audit
        // stream.
        trial.reopen();
        note(trial.journal(), day(13), read_by("ann"));
        trial.close();
        assert!(!problems(&trial).is_empty(), "{sql}: what is added hides nothing");
    }
}
