//! The form of a row that several appends share, since version 4 of `journal.db`.

use holdline::domain::cause::Cause;
use holdline::domain::conversation::event::Event;
use holdline::domain::id::{ConversationId, Seq};
use holdline::journal::record::{Entry, Record, Share, Shares, read_shared_row, shared_row};

use crate::golden::time;
use crate::support::agent;

const KIND: &str = "happened_to_several";
const ONE: &str = "00000000-0000-0000-0000-00000000feed";
const TWO: &str = "00000000-0000-0000-0000-000000000001";

const BODY: &str = concat!(
    r#"{"records":["#,
    r#"{"kind":"happened_together","body":[{"kind":"customer_disconnected","#,
    r#""body":{"since":1790000000004,"cause":{"kind":"silent"}}},"#,
    r#"{"kind":"lease_released","body":{"agent":"ann"}}]},"#,
    r#"{"kind":"lease_released","body":{"agent":"bob"}}],"#,
    r#""of":[["00000000-0000-0000-0000-00000000feed",5,0],"#,
    r#"["00000000-0000-0000-0000-000000000001",4294967295,1],"#,
    r#"["00000000-0000-0000-0000-00000000feed",7,1]]}"#,
);

/// The same row when its first append was taken out, and then its second.
const WITHOUT_ONE: &str = concat!(
    r#"{"records":[{"kind":"lease_released","body":{"agent":"bob"}}],"#,
    r#""of":[2,["00000000-0000-0000-0000-000000000001",4294967295,0],"#,
    r#"["00000000-0000-0000-0000-00000000feed",7,0]]}"#,
);
const WITHOUT_TWO: &str = concat!(
    r#"{"records":[{"kind":"lease_released","body":{"agent":"bob"}}],"#,
    r#""of":[2,1,["00000000-0000-0000-0000-00000000feed",7,0]]}"#,
);

fn together() -> [Event; 2] {
    [
        Event::CustomerDisconnected { since: time(4), cause: Cause::Silent },
        Event::LeaseReleased { agent: agent("ann") },
    ]
}

fn alone() -> [Event; 1] {
    [Event::LeaseReleased { agent: agent("bob") }]
}

fn read(body: &str) -> Shares<'_> {
    read_shared_row(KIND, body).expect("it is of several").expect("it can be read")
}

#[test]
fn what_happened_to_several_is_written_as_ever() {
    let mut records = Vec::new();
    shared_row::write_record(&together(), &mut records);
    shared_row::write_record(&alone(), &mut records);
    let member = |id, first, record| {
        let mut member = Vec::new();
        shared_row::write_member(
            ConversationId::from_bits(id),
            Seq::new(first),
            record,
            &mut member,
        );
        member
    };
    let members = [member(0xfeed, 5, 0), member(1, u32::MAX, 1), member(0xfeed, 7, 1)];
    let mut body = Vec::new();
    let kind = shared_row::put_together(&records, members.iter().map(Vec::as_slice), &mut body);
    assert_eq!((kind, std::str::from_utf8(&body).unwrap()), (Some(KIND), BODY));
    assert_eq!(shared_row::put_together(&records, [], &mut Vec::new()), None, "of nobody");

    // Without the first append, no append names its record.
    let mut body = Vec::new();
    shared_row::put_together(&records, members[1..].iter().map(Vec::as_slice), &mut body);
    shared_row::keep_named(&mut body);
    assert_eq!(std::str::from_utf8(&body).unwrap(), WITHOUT_ONE.replace("[2,[", "[["));
    let mut whole = BODY.as_bytes().to_vec();
    shared_row::keep_named(&mut whole);
    assert_eq!(whole, BODY.as_bytes());
}

#[test]
fn what_happened_to_several_is_read_as_ever() {
    let (first, second) = (Record::of_events(&together()), Record::of_events(&alone()));
    let share = |offset, positions, stream, seq, record: &'static str, body| Share {
        offset,
        positions,
        stream,
        seq,
        kind: record,
        body,
    };
    let Shares { shares, positions } = read(BODY);
    let expected = [
        share(0, 2, ONE, 5, first.kind, &first.body),
        share(2, 1, TWO, u32::MAX, second.kind, &second.body),
        share(3, 1, ONE, 7, second.kind, &second.body),
    ];
    assert_eq!((shares.as_slice(), positions), (&expected[..], 4));
    for (body, left) in [(WITHOUT_ONE, &expected[1..]), (WITHOUT_TWO, &expected[2..])] {
        let Shares { shares, positions } = read(body);
        assert_eq!((shares.as_slice(), positions), (left, 4), "the others stay where they are");
    }
    assert!(read_shared_row("happened_together", BODY).is_none());
    assert!(Entry::read_event(KIND, BODY).is_err(), "it is no event itself");
    assert!(Entry::read(KIND, BODY).is_err());
}

#[test]
fn whoever_is_taken_out_leaves_a_number() {
    let one = shared_row::without(BODY, ONE, 0).unwrap();
    assert_eq!(one.as_deref(), Some(WITHOUT_ONE));
    let two = shared_row::without(WITHOUT_ONE, TWO, 2).unwrap();
    assert_eq!(two.as_deref(), Some(WITHOUT_TWO));
    assert_eq!(shared_row::without(WITHOUT_TWO, ONE, 3).unwrap(), None, "nothing is left");
    for (stream, offset) in [(ONE, 1), (ONE, 2), (TWO, 0), (TWO, 3)] {
        assert!(shared_row::without(BODY, stream, offset).is_err(), "{stream} is not at {offset}");
    }
    assert!(shared_row::without("{}", ONE, 0).is_err());
}

#[test]
fn what_is_no_record_of_several_is_refused() {
    let bob = r#"{"kind":"lease_released","body":{"agent":"bob"}}"#;
    let of = |member: &str| format!(r#"{{"records":[{bob}],"of":[{member}]}}"#);
    let records = |record: &str| format!(r#"{{"records":[{record}],"of":[["{ONE}",1,0]]}}"#);
    assert!(read_shared_row(KIND, &of(&format!(r#"["{ONE}",1,0]"#))).unwrap().is_ok());
    let refused = [
        "{}".to_owned(),
        "[]".to_owned(),
        "{".to_owned(),
        format!(r#"{{"records":[{bob}]}}"#),
        format!(r#"{{"of":[["{ONE}",1,0]]}}"#),
        // No append, or none that takes a position.
        of(""),
        of("0"),
        of(&format!(r#"["{ONE}",1,1]"#)),
        of(&format!(r#"["{ONE}",1]"#)),
        of(&format!(r#"["{ONE}",1,0,0]"#)),
        of(&format!(r#"["{ONE}",-1,0]"#)),
        of(&format!(r#"["{ONE}",4294967296,0]"#)),
        of(r#"["settings",1,0]"#),
        of(r#"["",1,0]"#),
        of("-1"),
        of("1.5"),
        of("null"),
        of("\"1\""),
        records("null"),
        records(r#"{"kind":"lease_released"}"#),
        records(r#"{"kind":"happened_together","body":[]}"#),
        records(r#"{"kind":"happened_together","body":{}}"#),
        records(r#"{"kind":"happened_to_several","body":{"records":[],"of":[1]}}"#),
    ];
    for body in refused {
        assert!(read_shared_row(KIND, &body).unwrap().is_err(), "{body}");
    }
}
