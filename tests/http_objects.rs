//! The JSON of HTTP: documents read and written back, mistakes named, the feed's events.

#[path = "fixtures/chat.rs"]
mod chat;

use std::sync::Arc;

use holdline::domain::agent::Presence;
use holdline::domain::conversation::event::Event;
use holdline::domain::id::{ConversationId, Seq};
use holdline::domain::settings::{
    AgentSettings, Autoclose, CustomerLimits, Disposal, IdleRule, Retention, Role, WidgetSettings,
    Workstream, WrapupBlock,
};
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};
use holdline::wire::objects::{
    AgentDocument, AgentObject, ConversationObject, MessageDocument, PresenceDocument,
    QueueDocument, ReadDocument, WidgetDocument, WorkstreamDocument,
};
use holdline::wire::{feed, time};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::chat::{NOON, absence, every_event, lease, recorded, view};

fn workstream(body: &str) -> Result<Workstream, Vec<String>> {
    let read = WorkstreamDocument::read("sales".parse().unwrap(), body.as_bytes(), None);
    read.map_err(|errors| {
        errors.iter().map(|error| format!("{} {}", error.field, error.message)).collect()
    })
}

#[test]
fn a_conversation_has_the_fixed_fields() {
    let object = serde_json::to_value(ConversationObject::from(&view())).unwrap();
    assert_eq!(object["id"], "00000000-0000-0000-0000-000000000005");
    assert_eq!(object["state"], "active");
    assert_eq!(object["phase"], "talking");
    assert_eq!(object["reason"], Value::Null);
    assert_eq!(object["agent"], "ada");
    assert_eq!(object["widget"], "site");
    assert_eq!(object["seq"], 9);
    assert_eq!(object["started_at"], "2026-03-01T12:00:00.123Z");
    let customer = &object["customer"];
    assert_eq!(customer["connected"], false);
    assert_eq!(customer["away_since"], "2026-03-01T12:00:00.123Z");
    assert_eq!(customer["until"], "2026-03-01T12:03:00.123Z");
    assert_eq!(customer["cause"], "closed");
    assert_eq!(customer["form"]["topic"], "price");
}

#[test]
fn an_agent_has_the_fixed_fields_and_can_be_put_back() {
    let settings = AgentSettings {
        id: "ada".parse().unwrap(),
        name: DisplayName::parse("Ada").unwrap(),
        role: Role::Supervisor,
        units: 3,
    };
    let (id, lease) = (ConversationId::from_bits(5), lease());
    let presences = (Presence::Offline, Presence::DoNotDisturb);
    let object = AgentObject::new(&settings, presences.0, presences.1, 2, [(id, &lease)]);
    let object = serde_json::to_value(object).unwrap();
    assert_eq!(object["presence"], "offline");
    assert_eq!(object["chosen"], "do_not_disturb");
    assert_eq!(
        object["leases"],
        json!([{ "conversation": id.to_string(), "units": 2, "for": "chat" }])
    );
    let body = object.to_string();
    let read = AgentDocument::read("ada".parse().unwrap(), body.as_bytes()).unwrap();
    assert_eq!(read, settings);
}

#[test]
fn an_absent_field_gets_its_default() {
    let read = workstream(r#"{"queue":"first"}"#).unwrap();
    assert_eq!(read, Workstream::new("sales".parse().unwrap(), "first".parse().unwrap()));
    assert!(read.violations().is_empty());
    let queue = QueueDocument::read("q".parse().unwrap(), b"").unwrap();
    assert_eq!((queue.name.as_str(), queue.agents.len()), ("q", 0));
}

#[test]
fn a_null_means_never_and_a_fraction_means_milliseconds() {
    let body = r#"{"queue":"q","window_s":2.5,"heartbeat_s":1.0005,"autoclose_s":{"open":null},
        "idle_s":{"warn":60,"close":90.25},"wrapup_block":{"for_s":30}}"#;
    let read = workstream(body).unwrap();
    assert_eq!(read.window, Span::from_millis(2_500));
    assert_eq!(read.heartbeat, Span::from_millis(1_001));
    assert_eq!(read.autoclose, Autoclose { open: None, ..Autoclose::default() });
    assert_eq!(
        read.idle,
        Some(IdleRule { warn: Span::from_secs(60), close: Span::from_millis(90_250) })
    );
    assert_eq!(read.wrapup_block, WrapupBlock::For(Span::from_secs(30)));
    assert_eq!(workstream(r#"{"queue":"q","idle_s":null,"redirect":null}"#).unwrap().idle, None);
}

#[test]
fn a_retention_says_when_and_what() {
    let read = |retention: &str| {
        workstream(&format!(r#"{{"queue":"q","retention":{retention}}}"#)).map(|one| one.retention)
    };
    assert_eq!(read("null").unwrap(), None);
    let a_year = Retention { after_days: 365, then: Disposal::Delete };
    assert_eq!(workstream(r#"{"queue":"q"}"#).unwrap().retention, Some(a_year));
    for before in [None, Some(Retention { after_days: 9, then: Disposal::Archive })] {
        let id = "sales".parse().unwrap();
        let mut known = Workstream::new(id, "q".parse().unwrap());
        known.retention = before;
        let again = |body: &[u8]| {
            WorkstreamDocument::read("sales".parse().unwrap(), body, Some(&known)).unwrap()
        };
        assert_eq!(again(br#"{"queue":"q"}"#).retention, before, "no word changes nothing");
        assert_eq!(again(br#"{"queue":"q","retention":null}"#).retention, None);
    }
    for (name, then) in [("archive", Disposal::Archive), ("delete", Disposal::Delete)] {
        let given = format!(r#"{{"after_days":90,"then":"{name}"}}"#);
        assert_eq!(read(&given).unwrap(), Some(Retention { after_days: 90, then }));
    }
    for (wrong, told) in [
        (r#"{"after_days":90}"#, "retention.then is missing"),
        (r#"{"then":"delete"}"#, "retention.after_days is missing"),
        (r#"{"after_days":1.5,"then":"delete"}"#, "retention.after_days must be a whole number"),
        (r#"{"after_days":1,"then":"burn"}"#, "retention.then must be \"archive\" or \"delete\""),
        ("7", "retention must be"),
    ] {
        let found = read(wrong).unwrap_err().join("\n");
        assert!(found.contains(told), "{told:?} is not in: {found}");
    }
    for (days, is_allowed) in [(0, false), (1, true), (36_500, true), (36_501, false)] {
        let given =
            format!(r#"{{"queue":"q","retention":{{"after_days":{days},"then":"delete"}}}}"#);
        let violations = workstream(&given).unwrap().violations();
        assert_eq!(violations.is_empty(), is_allowed, "{days} days: {violations:?}");
    }
}

#[test]
fn a_customer_may_do_so_much_in_one_chat() {
    let read = |limits: &str| {
        workstream(&format!(r#"{{"queue":"q","customer_limits":{limits}}}"#)).unwrap()
    };
    let defaults = CustomerLimits::default();
    assert_eq!(read("{}").customer_limits, defaults);
    let given = read(r#"{"bytes":24000,"connections":10}"#).customer_limits;
    assert_eq!(given, CustomerLimits { bytes: 24_000, connections: 10, ..defaults });
    for (field, least, most) in
        [("messages", 10, 18_000), ("bytes", 24_000, 1_073_741_824), ("connections", 10, 1_000_000)]
    {
        for (value, is_allowed) in
            [(least - 1, false), (least, true), (most, true), (most + 1, false)]
        {
            let violations = read(&format!(r#"{{"{field}":{value}}}"#)).violations();
            assert_eq!(violations.is_empty(), is_allowed, "{field} {value}: {violations:?}");
            let named =
                violations.iter().all(|one| one.field == format!("customer_limits.{field}"));
            assert!(named, "{violations:?}");
        }
    }
}

#[test]
fn every_mistake_in_a_document_is_named() {
    let told = workstream(
        r#"{"window":3,"units":"two","window_s":-1,"decline_limit":300,"wrapup_block":"maybe",
            "autoclose_s":{"wrapup":true,"closed":1},"idle_s":{"warn":3},"redirect":7}"#,
    )
    .unwrap_err()
    .join("\n");
    for part in [
        "queue is missing",
        "units must be a whole number, not a text",
        "window_s must be a number of seconds",
        "decline_limit must be a smaller number",
        "wrapup_block must be \"always\"",
        "autoclose_s.wrapup must be a number of seconds",
        "autoclose_s.closed is not known here; known are: open, active, wrapup",
        "idle_s.close is missing",
        "redirect must be a text, not a number",
        "window is not known here; known are: id, queue, units, window_s",
    ] {
        assert!(told.contains(part), "{part:?} is not in:\n{told}");
    }
    assert!(workstream("[]").unwrap_err()[0].contains("must be a JSON object, not a list"));
    assert!(workstream("{").unwrap_err()[0].contains("must be JSON"));
    assert!(workstream(r#"{"queue":"q","id":"other"}"#).unwrap_err()[0].contains("must be sales"));
}

#[test]
fn small_documents_name_their_mistakes() {
    let message = MessageDocument::read(br#"{"id":"a b","text":"  "}"#).unwrap_err();
    let fields: Vec<_> = message.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["id", "text"]);
    let long = format!(r#"{{"id":"m","text":"{}"}}"#, "x".repeat(6_001));
    let long = MessageDocument::read(long.as_bytes()).unwrap_err();
    assert_eq!(long[0].message, "must be at most 6000 characters");
    let presence = PresenceDocument::read(br#"{"presence":"asleep"}"#).unwrap_err();
    assert!(presence[0].message.contains("do_not_disturb"));
    assert_eq!(ReadDocument::read(br#"{"seq":7}"#).unwrap().seq, Seq::new(7));
    assert!(ReadDocument::read(br#"{"seq":4294967296}"#).is_err());
    let widget = WidgetDocument::read("w".parse().unwrap(), br#"{"workstream":"s","origins":[1]}"#);
    assert_eq!(widget.unwrap_err()[0].message, "item 0: must be a text, not a number");
    let widget = WidgetDocument::read("w".parse().unwrap(), br#"{"workstream":"s"}"#);
    assert_eq!(widget.unwrap_err()[0].field, "origins");
    let old = WidgetSettings {
        id: "w".parse().unwrap(),
        workstream: "s".parse().unwrap(),
        origins: Vec::new(),
        admission: None,
    };
    assert_eq!(WidgetDocument::from(&old).origins, ["*"], "an empty list of before admits any");
    let agent = AgentDocument::read("a".parse().unwrap(), br#"{"role":"boss"}"#).unwrap_err();
    assert!(agent[0].message.contains("agent, supervisor, administrator"));
}

#[test]
fn feed_events_have_their_fields() {
    let id = ConversationId::from_bits(5);
    let away = feed::away(id, &absence(), NOON + Span::from_secs(60));
    let data: Value = serde_json::from_str(&away.data).unwrap();
    assert_eq!(away.kind.name(), "away");
    assert_eq!(data["remaining_ms"], 120_000);
    assert_eq!(data["cause"], "closed");
    assert_eq!(data["until"], "2026-03-01T12:03:00.123Z");

    let posted =
        every_event().into_iter().find(|event| matches!(event, Event::MessagePosted { .. }));
    let message = feed::message(id, &recorded(posted.unwrap())).unwrap();
    let data: Value = serde_json::from_str(&message.data).unwrap();
    assert_eq!(
        (&data["from"], &data["agent"], &data["id"], &data["seq"]),
        (&json!("agent"), &json!("ada"), &json!("m1"), &json!(4))
    );
    assert_eq!(feed::offer(&view(), NOON), None, "a chat that is not offered makes no offer");
    let mut offered = view();
    offered.offer_until = Some(NOON + Span::from_secs(2));
    let data = feed::offer(&offered, NOON).unwrap().data;
    assert_eq!(serde_json::from_str::<Value>(&data).unwrap()["remaining_ms"], 2_000);
    assert!(!data.contains('\n'));
}

#[test]
fn times_and_lengths_are_written_for_people() {
    assert_eq!(time::rfc3339(Timestamp::from_millis(0)), "1970-01-01T00:00:00.000Z");
    let lengths = [(250, "250 ms"), (2_500, "2.5 s"), (180_000, "3 min"), (3_900_000, "1 h 5 min")];
    for (millis, text) in lengths {
        assert_eq!(time::spoken(Span::from_millis(millis)), text);
    }
}

fn any_workstream() -> impl Strategy<Value = Workstream> {
    let span = || (0_u64..100_000_000).prop_map(Span::from_millis);
    let block = prop_oneof![
        Just(WrapupBlock::Always),
        Just(WrapupBlock::Never),
        span().prop_map(WrapupBlock::For)
    ];
    let maybe = move || prop::option::of(span());
    let autoclose = (maybe(), maybe(), maybe());
    let idle = prop::option::of((span(), span()));
    let spans = (span(), span(), span(), span());
    let redirect = prop::option::of("https://[a-z]{1,9}\\.org");
    let then = prop_oneof![Just(Disposal::Archive), Just(Disposal::Delete)];
    let retention = prop::option::of(
        (any::<u32>(), then).prop_map(|(after_days, then)| Retention { after_days, then }),
    );
    let customer_limits = any::<[u32; 3]>()
        .prop_map(|[messages, bytes, connections]| CustomerLimits { messages, bytes, connections });
    let kept = (redirect, retention, customer_limits);
    (1_u32..2_000, 0_u8..9, spans, block, autoclose, idle, kept).prop_map(
        |(units, decline_limit, spans, wrapup_block, autoclose, idle, kept)| {
            let (redirect, retention, customer_limits) = kept;
            Workstream {
                customer_limits,
                retention,
                units,
                decline_limit,
                window: spans.0,
                heartbeat: spans.1,
                offer: spans.2,
                agent_grace: spans.3,
                wrapup_block,
                autoclose: Autoclose {
                    open: autoclose.0,
                    active: autoclose.1,
                    wrapup: autoclose.2,
                },
                idle: idle.map(|(warn, close)| IdleRule { warn, close }),
                redirect: redirect.map(Arc::from),
                ..Workstream::new("sales".parse().unwrap(), "first".parse().unwrap())
            }
        },
    )
}

proptest! {
    #[test]
    fn a_workstream_comes_back_as_it_was(before in any_workstream()) {
        let written = serde_json::to_vec(&WorkstreamDocument::from(&before)).unwrap();
        let after = WorkstreamDocument::read(before.id.clone(), &written, None).unwrap();
        prop_assert_eq!(after, before);
    }

    #[test]
    fn no_body_breaks_the_reading(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = WorkstreamDocument::read("w".parse().unwrap(), &body, None);
        let _ = MessageDocument::read(&body);
    }
}
