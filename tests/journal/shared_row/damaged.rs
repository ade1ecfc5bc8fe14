//! A shared row that is not what was written is one problem, whatever the row says of its chats.
//! The problem is told with its place, and everything else that is wrong is told, too.

use std::path::Path;

use holdline::domain::id::ConversationId;
use holdline::journal::sqlite::check::check;
use rusqlite::params;

use crate::rows::{self, assert_one_damage, journal_db, number, remove_chats};
use crate::shared_row::{SHARED, all, crowd};
use crate::support::{Chat, Kind, Trial, settle};

/// The position of the damaged row: the loss of three connections, of two events each.
const PLACE: u64 = 7;

/// Three chats that share rows. `goes_on` says whether they go on behind the row at [`PLACE`].
fn furnish(goes_on: bool) -> (Trial, Vec<Chat>) {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chats = crowd(1..=3);
    all(&trial, &mut chats, Chat::start);
    all(&trial, &mut chats, |chat| chat.join(1));
    all(&trial, &mut chats, |chat| chat.lose(1));
    if goes_on {
        all(&trial, &mut chats, |chat| chat.join(2));
        settle(&trial, chats.iter_mut().map(|chat| chat.lose(2)).collect::<Vec<_>>());
        settle(&trial, chats.iter_mut().map(|chat| chat.join(3)).collect::<Vec<_>>());
        settle(&trial, [Chat::new(9, "q", 1_000).start()]);
    }
    trial.close();
    let shared = number(&journal_db(trial.dir()), SHARED);
    assert_eq!(shared, if goes_on { 4 } else { 3 });
    (trial, chats)
}

/// Changes the row at [`PLACE`], and nothing else.
fn change(dir: &Path, change: &str) {
    let sql = format!("UPDATE events SET {change} WHERE position = ?");
    assert_eq!(journal_db(dir).execute(&sql, [PLACE]).unwrap(), 1);
}

/// Puts another body into the row, with the checksum that it must have.
fn replace(dir: &Path, body: &str) {
    let journal = journal_db(dir);
    let sql = "SELECT at FROM events WHERE position = ?";
    let at: i64 = journal.query_row(sql, [PLACE], |row| row.get(0)).unwrap();
    let (stream, kind) = ("several".to_owned(), "happened_to_several".to_owned());
    let checksum = rows::checksum(&(PLACE, stream, 0, at, kind, body.to_owned()));
    let sql = "UPDATE events SET body = ?, checksum = ? WHERE position = ?";
    assert_eq!(journal.execute(sql, params![body, checksum, PLACE]).unwrap(), 1);
}

/// The one problem that a check finds, with `chats.db` and without it. A start must tell the same.
#[track_caller]
fn one_problem(dir: &Path, shown: &str) -> String {
    let told = check(dir).unwrap().problems.told;
    assert_eq!(told.len(), 1, "{shown}: {told:?}");
    remove_chats(dir);
    let problem = assert_one_damage(dir, PLACE, shown);
    assert_eq!(told[0].problem, problem);
    problem
}

fn name(number: u128) -> String {
    ConversationId::from_bits(number).to_string()
}

#[test]
fn a_row_that_is_not_what_was_written_is_one_problem() {
    let other = format!("body = replace(body, '{}', '{}')", name(2), name(8));
    let changes = [
        // The row is still JSON, and still something that may have happened.
        "body = replace(body, '\"since\":1', '\"since\":2')",
        "body = replace(body, '\",3,0]', '\",4,0]')",
        "body = replace(body, '\",3,0]', '\",2,0]')",
        "body = replace(body, '\",3,0]', '\",3,7]')",
        // The second chat's events now belong to another chat, which does not exist.
        &other,
        "body = replace(body, '],[', '],900,[')",
        "body = substr(body, 1, length(body) - 1)",
        "body = '{}'",
        "body = ''",
        "checksum = checksum + 1",
        "kind = 'happened_together'",
        "kind = 'session_lost'",
        "stream = 'settings'",
        "stream = ''",
        "seq = 1",
        "at = at + 1",
    ];
    for damage in changes {
        for goes_on in [false, true] {
            let (trial, _) = furnish(goes_on);
            change(trial.dir(), damage);
            let problem = one_problem(trial.dir(), damage);
            assert_eq!(problem, "its checksum does not match", "{damage}");
        }
    }
}

#[test]
fn a_row_of_a_form_that_nobody_knows_is_one_problem() {
    let id = name(1);
    let record = r#"{"kind":"lease_released","body":{"agent":"ann"}}"#;
    let nested = r#"{"kind":"happened_to_several","body":{"records":[],"of":[2]}}"#;
    let bodies = [
        ("{}".to_owned(), "missing field `records`"),
        (format!(r#"{{"records":[{record}]}}"#), "missing field `of`"),
        (r#"{"records":[],"of":[]}"#.to_owned(), "nothing stands in it"),
        (format!(r#"{{"records":[{record}],"of":[["{id}",3,1]]}}"#), "no record 1 stands in it"),
        (format!(r#"{{"records":[{record}],"of":[["{id}",3]]}}"#), "did not match any variant"),
        (format!(r#"{{"records":[{record}],"of":[-2]}}"#), "did not match any variant"),
        (format!(r#"{{"records":[{record}],"of":[["settings",3,0]]}}"#), "an id is malformed"),
        (format!(r#"{{"records":[{nested}],"of":[["{id}",3,0]]}}"#), "it stands in itself"),
        (
            format!(
                r#"{{"records":[{{"kind":"happened_together","body":[]}}],"of":[["{id}",3,0]]}}"#
            ),
            "nothing stands in it",
        ),
    ];
    for (body, expected) in bodies {
        for goes_on in [false, true] {
            let (trial, _) = furnish(goes_on);
            replace(trial.dir(), &body);
            let problem = one_problem(trial.dir(), &body);
            assert!(problem.contains(expected), "{body}: {problem}");
        }
    }
}

#[test]
fn an_event_in_it_that_nobody_knows_is_told_with_the_place_of_its_append() {
    let (trial, chats) = furnish(true);
    // A later release wrote the unknown event, so the row is what was written.
    let known = r#"{"kind":"lease_released","body":{"agent":"ann"}}"#;
    let unknown = r#"{"kind":"session_dreamt","body":{}}"#;
    let together = |second| format!(r#"{{"kind":"happened_together","body":[{known},{second}]}}"#);
    let records = [together(known), together(unknown)].join(",");
    let [one, two, three] = [0, 1, 2].map(|index: usize| chats[index].id());
    let of = format!(r#"[["{one}",3,0],["{two}",3,1],["{three}",3,0]]"#);
    replace(trial.dir(), &format!(r#"{{"records":[{records}],"of":{of}}}"#));
    remove_chats(trial.dir());
    let problem = assert_one_damage(trial.dir(), PLACE + 2, "session_dreamt");
    assert!(problem.contains("session_dreamt"), "{problem}");
}

#[test]
fn what_else_is_wrong_is_still_told() {
    // A chat that goes on behind the row is followed again, whether it could be read in the row or
    // not.
    for damage in ["checksum = checksum + 1", "body = '{}'"] {
        let (trial, _) = furnish(true);
        change(trial.dir(), damage);
        let sql = "DELETE FROM events WHERE stream = ? AND seq = 7";
        assert_eq!(journal_db(trial.dir()).execute(sql, [name(2)]).unwrap(), 1);
        let told = check(trial.dir()).unwrap().problems.told;
        let told: Vec<_> = told.iter().map(|one| one.problem.as_str()).collect();
        let expected = [
            "its checksum does not match".to_owned(),
            format!("conversation {} has the place 9 after 6", name(2)),
            "2 records are absent, of which the retention has taken out 0".to_owned(),
        ];
        assert_eq!(told, expected, "{damage}");
    }
}

#[test]
fn a_shared_row_that_is_gone_is_missed() {
    let (trial, chats) = furnish(true);
    let sql = "DELETE FROM events WHERE position = ?";
    assert_eq!(journal_db(trial.dir()).execute(sql, [PLACE]).unwrap(), 1);
    let told = check(trial.dir()).unwrap().problems.told;
    assert!(told.iter().any(|one| one.problem.contains("6 records are absent")), "{told:?}");
    let missed = told.iter().filter(|one| one.problem.contains("has the place 5 after 2"));
    assert_eq!(missed.count(), chats.len(), "{told:?}");
}
