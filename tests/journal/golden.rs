//! Golden records: every later version reads what version 1 wrote, and writes it the same.
//!
//! A new kind is added to the examples below and, by `UPDATE_EXPECT=1`, to the file. A line that is
//! already in the file never changes.

mod changes;
mod shared_row;

use holdline::domain::agent::Presence;
use holdline::domain::cause::{Cause, Evidence, Leaving, Misuse};
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::event::{
    Actor, Author, Departure, Event, Hold, OfferEnd, Opening, Reason, Reminder, RestartTimers,
};
use holdline::domain::id::{ConversationId, SessionId, VisitorId};
use holdline::domain::lease::{Lease, Notice, Purpose};
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::settings::{CustomerLimits, Disposal, Retention, Workstream};
use holdline::domain::text::{DisplayName, MessageText};
use holdline::domain::time::{Span, Timestamp};
use holdline::journal::record::{Entry, Record, Stream, TakenOut, read_append};
use holdline::journal::snapshot;
use serde_json::{Value, json};

use crate::support::{Chat, agent};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/records_v1.json");

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + millis)
}

fn lease(purpose: Purpose) -> Lease {
    Lease::new(agent("ann"), 2, purpose, Span::from_secs(150))
}

fn opening() -> Opening {
    Opening {
        widget: "shop".parse().unwrap(),
        workstream: "sales".parse().unwrap(),
        queue: "sales-de".parse().unwrap(),
        visitor: VisitorId::from_bits(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        start: "s-1".parse().unwrap(),
        salt: 0,
        name: Some(DisplayName::parse("Zoë").unwrap()),
        form: Some("{\"topic\":\"refund\"}".into()),
        context: Some("{\"basket\":3}".into()),
        page: Some("https://example.org/".into()),
        locale: Some("de-AT".into()),
        close_at: Some(time(1)),
    }
}

/// Each variant in this list is also named in [`is_in_the_examples`].
fn events() -> Vec<Event> {
    let reminder = Some(Reminder { at: time(2), until: time(3) });
    let session = SessionId::from_bits(0xabc);
    let mut events = vec![
        Event::ConversationStarted(opening()),
        Event::ConversationStarted(Opening {
            name: None,
            form: None,
            context: None,
            page: None,
            locale: None,
            close_at: None,
            ..opening()
        }),
        Event::ConversationStarted(Opening { salt: 0xfeed_f00d, ..opening() }),
        Event::SessionJoined {
            session,
            heartbeat: Span::from_secs(25),
            program: Some("widget/1".into()),
        },
        Event::CustomerAway { since: time(4), until: time(5), cause: Cause::Silent },
        Event::CustomerReturned { after: Span::from_millis(1_234), reminder: None },
        Event::CustomerReturned { after: Span::from_millis(1_234), reminder },
        Event::CustomerDisconnected { since: time(4), cause: Cause::Restarted },
        Event::MessagePosted {
            by: None,
            id: "m-1".parse().unwrap(),
            from: Author::Customer,
            text: MessageText::parse("\"Hi\"\n👋").unwrap(),
            reminder: None,
        },
        Event::MessagePosted {
            by: None,
            id: "m-2".parse().unwrap(),
            from: Author::Agent(agent("ann")),
            text: MessageText::parse("Hello").unwrap(),
            reminder,
        },
        Event::ChatOffered { lease: lease(Purpose::Offer), until: time(6), by: None },
        Event::ChatOffered { lease: lease(Purpose::Offer), until: time(6), by: Some(agent("sue")) },
        Event::ChatAccepted {
            by: None,
            lease: lease(Purpose::Chat),
            name: DisplayName::parse("Ann").unwrap(),
            close_at: Some(time(7)),
        },
        Event::ChatAccepted {
            by: None,
            lease: Lease {
                notice: Some(Notice::after(Span::from_secs(10))),
                ..lease(Purpose::Chat)
            },
            name: DisplayName::parse("Ann").unwrap(),
            close_at: None,
        },
        Event::AgentAway { agent: agent("ann"), since: time(4), until: time(5) },
        Event::AgentBack { agent: agent("ann") },
        Event::CustomerReminded { until: time(8) },
        Event::LeaseReleased { agent: agent("ann") },
        Event::ServerRestarted {
            until: time(9),
            timers: RestartTimers { offer_until: Some(time(1)), close_at: Some(time(2)), reminder },
        },
        Event::ServerRestarted { until: time(9), timers: RestartTimers::default() },
    ];
    let causes = [
        Cause::Left(Leaving::Hidden),
        Cause::Left(Leaving::Unloaded),
        Cause::Closed(1006),
        Cause::Reset,
        Cause::Silent,
        Cause::Replaced,
        Cause::Draining,
        Cause::Restarted,
        Cause::Refused(Misuse::Protocol),
        Cause::Refused(Misuse::Size),
        Cause::Refused(Misuse::Rate),
        Cause::Refused(Misuse::Token),
        Cause::Refused(Misuse::Slow),
    ];
    events.extend(causes.map(|cause| Event::SessionLost {
        session,
        cause,
        heard_at: time(1),
        there_until: time(2),
        evidence: Evidence::default(),
    }));
    events.extend([false, true].map(|asleep| Event::SessionLost {
        session,
        cause: Cause::Left(Leaving::Hidden),
        heard_at: time(1),
        there_until: time(2),
        evidence: Evidence {
            code: Some(1001),
            heard: 14,
            widest: Span::from_millis(25_100),
            asleep,
        },
    }));
    let ends = [OfferEnd::Declined, OfferEnd::Lapsed, OfferEnd::AgentGone, OfferEnd::Reassigned];
    events.extend(ends.map(|end| Event::OfferEnded {
        by: None,
        agent: agent("ann"),
        end,
        excluded: end == OfferEnd::Lapsed,
        close_at: Some(time(1)),
    }));
    events.extend([Departure::Released, Departure::Gone].map(|why| Event::AgentLeft {
        by: None,
        agent: agent("ann"),
        why,
        close_at: None,
    }));
    let holds = [Hold::No, Hold::Until(time(4)), Hold::UntilClosed];
    events.extend(holds.map(|hold| Event::WrapupStarted {
        reason: Reason::AgentEnded,
        by: Actor::Agent(agent("ann")),
        hold,
        close_at: Some(time(5)),
    }));
    events.extend(
        Reason::ALL.map(|reason| Event::ConversationClosed {
            reason,
            by: Actor::Supervisor(agent("sue")),
        }),
    );
    events.extend(
        [Actor::Customer, Actor::Agent(agent("ann")), Actor::Timer]
            .map(|by| Event::ConversationClosed { reason: Reason::AgentEnded, by }),
    );
    events.extend(by_a_supervisor());
    events
}

/// Does not compile when there is a new event: add the event to [`events`], and then here.
fn is_in_the_examples(event: &Event) -> &'static str {
    match event {
        Event::ConversationStarted(_) => "conversation_started",
        Event::SessionJoined { .. } => "session_joined",
        Event::SessionLost { .. } => "session_lost",
        Event::CustomerAway { .. } => "customer_away",
        Event::CustomerReturned { .. } => "customer_returned",
        Event::CustomerDisconnected { .. } => "customer_disconnected",
        Event::MessagePosted { .. } => "message_posted",
        Event::ChatOffered { .. } => "chat_offered",
        Event::OfferEnded { .. } => "offer_ended",
        Event::ChatAccepted { .. } => "chat_accepted",
        Event::AgentLeft { .. } => "agent_left",
        Event::AgentAway { .. } => "agent_away",
        Event::AgentBack { .. } => "agent_back",
        Event::CustomerReminded { .. } => "customer_reminded",
        Event::WrapupStarted { .. } => "wrapup_started",
        Event::LeaseReleased { .. } => "lease_released",
        Event::ConversationClosed { .. } => "conversation_closed",
        Event::ServerRestarted { .. } => "server_restarted",
    }
}

/// What a supervisor does in an agent's place, since version 7 of `journal.db`.
fn by_a_supervisor() -> [Event; 4] {
    let (ann, by) = (agent("ann"), Some(agent("sue")));
    [
        Event::MessagePosted {
            id: "m-3".parse().unwrap(),
            from: Author::Agent(ann.clone()),
            by: by.clone(),
            text: MessageText::parse("Hello").unwrap(),
            reminder: None,
        },
        Event::OfferEnded {
            agent: ann.clone(),
            end: OfferEnd::Reassigned,
            by: by.clone(),
            excluded: false,
            close_at: None,
        },
        Event::ChatAccepted {
            lease: lease(Purpose::Chat),
            name: DisplayName::parse("Ann").unwrap(),
            by: by.clone(),
            close_at: None,
        },
        Event::AgentLeft { agent: ann, why: Departure::Released, by, close_at: None },
    ]
}

fn examples() -> Vec<Entry> {
    let mut examples: Vec<_> = events().into_iter().map(Entry::Event).collect();
    examples.extend(Presence::ALL.map(|presence| Entry::Presence(presence, None)));
    examples.extend(changes::changes().into_iter().map(|change| Entry::Setting(change, None)));
    for then in [Disposal::Archive, Disposal::Delete] {
        let mut kept = Workstream::new("kept".parse().unwrap(), "sales-de".parse().unwrap());
        kept.retention = Some(Retention { after_days: 90, then });
        examples.push(Entry::Setting(SettingChange::PutWorkstream(kept), None));
        let conversations = vec![ConversationId::from_bits(0xfeed), ConversationId::from_bits(1)];
        examples.push(Entry::TakenOut(TakenOut { conversations, events: 27, disposal: then }));
    }
    let by = Some(agent("sue"));
    examples.push(Entry::Presence(Presence::Busy, by.clone()));
    examples.extend(changes::changes().into_iter().map(|it| Entry::Setting(it, by.clone())));
    let mut bounded = Workstream::new("bounded".parse().unwrap(), "sales-de".parse().unwrap());
    bounded.customer_limits = CustomerLimits { messages: 50, bytes: 65_536, connections: 20 };
    examples.push(Entry::Setting(SettingChange::PutWorkstream(bounded), None));
    examples
}

#[test]
fn version_1_is_read_and_written_the_same() {
    let examples = examples();
    let written: Vec<Value> = examples
        .iter()
        .map(|entry| {
            let Record { kind, body } = Record::of(entry);
            json!({ "kind": kind, "body": body })
        })
        .collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let text = serde_json::to_string_pretty(&written).unwrap();
        std::fs::write(FILE, text + "\n").unwrap();
    }
    let golden = std::fs::read_to_string(FILE).unwrap();
    let golden: Vec<Value> = serde_json::from_str(&golden).unwrap();
    assert_eq!(golden.len(), examples.len(), "UPDATE_EXPECT=1 adds new examples");
    for (line, (golden, example)) in golden.iter().zip(&examples).enumerate() {
        let (kind, body) = (golden["kind"].as_str().unwrap(), golden["body"].as_str().unwrap());
        assert_eq!(Entry::read(kind, body).as_ref(), Ok(example), "record {line} is read");
        let record = Record::of(example);
        assert_eq!((record.kind, &*record.body), (kind, body), "record {line} is written");
    }
}

#[test]
fn every_event_has_an_example_under_its_own_name() {
    let mut kinds: Vec<_> = events()
        .iter()
        .map(|event| {
            let kind = Record::of_event(event).kind;
            assert_eq!(kind, is_in_the_examples(event));
            kind
        })
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), 18);
}

/// The form of a row with several events, since version 3 of `journal.db`.
#[test]
fn what_happened_together_is_read_and_written_the_same() {
    const BODY: &str = concat!(
        r#"[{"kind":"customer_disconnected","#,
        r#""body":{"since":1790000000004,"cause":{"kind":"silent"}}},"#,
        r#"{"kind":"message_posted","#,
        r#""body":{"id":"m-1","from":"customer","text":"\"}{]\n👋"}}]"#,
    );
    let text = MessageText::parse("\"}{]\n👋").unwrap();
    let together = [
        Event::CustomerDisconnected { since: time(4), cause: Cause::Silent },
        Event::MessagePosted {
            by: None,
            id: "m-1".parse().unwrap(),
            from: Author::Customer,
            text,
            reminder: None,
        },
    ];
    let Record { kind, body } = Record::of_events(&together);
    assert_eq!((kind, &*body), ("happened_together", BODY));
    let pieces = read_append(kind, BODY).expect("it holds several").unwrap();
    assert_eq!(pieces.len(), 2);
    for (piece, event) in pieces.iter().zip(&together) {
        let alone = Record::of_event(event);
        assert_eq!((piece.kind, piece.body()), (alone.kind, &*alone.body));
    }
    assert!(read_append(pieces[0].kind, pieces[0].body()).is_none(), "it stands alone");
    for body in ["[]", "{}", "[{\"kind\":\"lease_released\"}]", "[{\"body\":{}}]", "["] {
        assert!(read_append(kind, body).unwrap().is_err(), "{body}");
    }
    assert!(Entry::read_event(kind, BODY).is_err(), "it is no event itself");
}

#[test]
fn what_a_later_release_adds_does_not_hurt() {
    let read = Entry::read("lease_released", "{\"agent\":\"ann\",\"added_later\":[1]}");
    assert_eq!(read, Ok(Entry::Event(Event::LeaseReleased { agent: agent("ann") })));
}

#[test]
fn what_is_not_a_record_is_refused() {
    let refused = [
        ("no_such_kind", "{}"),
        ("lease_released", "{}"),
        ("lease_released", "{\"agent\":\"not an id\"}"),
        ("lease_released", "{\"agent\":"),
        ("message_posted", "{\"id\":\"m\",\"from\":\"agent\",\"text\":\"x\"}"),
        ("message_posted", "{\"id\":\"m\",\"from\":\"customer\",\"text\":\"\"}"),
        ("token_added", "{\"agent\":\"ann\",\"digest\":\"00\",\"at\":0}"),
        ("presence_chosen", "{\"presence\":\"asleep\"}"),
        ("conversations_taken_out", "{\"conversations\":[\"x\"],\"events\":1,\"then\":\"delete\"}"),
        ("conversations_taken_out", "{\"conversations\":[],\"events\":1,\"then\":\"burn\"}"),
    ];
    for (kind, body) in refused {
        assert!(Entry::read(kind, body).is_err(), "{kind} {body}");
    }
}

#[test]
fn streams_are_told_apart() {
    let streams = [
        Stream::Conversation(ConversationId::from_bits(0xfeed)),
        Stream::Agent(agent("settings")),
        Stream::Settings,
        Stream::Retention,
        Stream::Several,
    ];
    for stream in streams {
        assert_eq!(Stream::read(&stream.name()), Ok(stream));
    }
    assert!(Stream::read("nobody").is_err());
}

#[test]
fn a_snapshot_holds_a_conversation_at_every_step() {
    let mut chat = Chat::new(7, "q", 1_000);
    drop(chat.whole_story());
    let mut whole = Conversation::new(chat.id());
    for recorded in &chat.history {
        whole.apply(&recorded.event, recorded.at);
        assert_eq!(snapshot::decode(&snapshot::encode(&whole)).as_ref(), Ok(&whole));
    }
    // Every event is applied once, in any order: a snapshot must also hold what no story leads to.
    for event in events() {
        whole.apply(&event, time(0));
        assert_eq!(snapshot::decode(&snapshot::encode(&whole)).as_ref(), Ok(&whole));
    }
    let mut newer = snapshot::encode(&whole);
    newer[0] = 99;
    assert!(snapshot::decode(&newer).is_err());
    assert!(snapshot::decode(&[]).is_err());
    let cut = &snapshot::encode(&whole)[..20];
    assert!(snapshot::decode(cut).is_err());
}
