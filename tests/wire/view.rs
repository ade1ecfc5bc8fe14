//! What a customer is told of what happened.

use holdline::domain::cause::{Cause, Evidence};
use holdline::domain::conversation::event::{
    Actor, Audience, Author, Departure, Event, Hold, OfferEnd, Opening, Reason, Recorded,
    RestartTimers,
};
use holdline::domain::id::{AgentId, MessageId, Seq, SessionId, VisitorId};
use holdline::domain::lease::{Lease, Purpose};
use holdline::domain::text::{DisplayName, MessageText};
use holdline::domain::time::{Span, Timestamp};
use holdline::wire::view::for_customer;
use serde_json::{Value, json};

use crate::schema_of;

const AT: Timestamp = Timestamp::from_millis(1_767_225_600_250);

fn agent() -> AgentId {
    "agent-42".parse().unwrap()
}

fn lease() -> Lease {
    let grace = Span::from_secs(150);
    Lease::new(agent(), 1, Purpose::Chat, grace)
}

/// One of each kind of event.
fn every_event() -> Vec<Event> {
    let opening = Opening {
        widget: "shop".parse().unwrap(),
        workstream: "sales".parse().unwrap(),
        queue: "all".parse().unwrap(),
        visitor: VisitorId::from_bits(1),
        start: "s".parse().unwrap(),
        salt: 0,
        name: None,
        form: Some("{}".into()),
        context: None,
        page: None,
        locale: None,
        close_at: None,
    };
    let session = SessionId::from_bits(1);
    let (id, text) = ("m".parse::<MessageId>().unwrap(), MessageText::parse("hi").unwrap());
    let from = Author::Agent(agent());
    let reason = Reason::AgentEnded;
    vec![
        Event::ConversationStarted(opening),
        Event::SessionJoined { session, heartbeat: Span::ZERO, program: None },
        Event::SessionLost {
            session,
            cause: Cause::Reset,
            heard_at: AT,
            there_until: AT,
            evidence: Evidence::default(),
        },
        Event::CustomerAway { since: AT, until: AT, cause: Cause::Reset },
        Event::CustomerReturned { after: Span::ZERO, reminder: None },
        Event::CustomerDisconnected { since: AT, cause: Cause::Silent },
        Event::MessagePosted { by: None, id, from, text, reminder: None },
        Event::ChatOffered { lease: lease(), until: AT, by: None },
        Event::OfferEnded {
            by: None,
            agent: agent(),
            end: OfferEnd::Declined,
            excluded: false,
            close_at: None,
        },
        Event::ChatAccepted {
            by: None,
            lease: lease(),
            name: DisplayName::parse("Grace").unwrap(),
            close_at: None,
        },
        Event::AgentLeft { by: None, agent: agent(), why: Departure::Gone, close_at: None },
        Event::AgentAway { agent: agent(), since: AT, until: AT },
        Event::AgentBack { agent: agent() },
        Event::CustomerReminded { until: AT },
        Event::WrapupStarted { reason, by: Actor::Agent(agent()), hold: Hold::No, close_at: None },
        Event::LeaseReleased { agent: agent() },
        Event::ConversationClosed { reason, by: Actor::Supervisor(agent()) },
        Event::ServerRestarted { until: AT, timers: RestartTimers::default() },
    ]
}

fn frames(event: Event) -> Vec<Value> {
    let recorded = Recorded { seq: Seq::new(5), at: AT, event };
    let frames = for_customer(&recorded, |_| DisplayName::parse("Grace").ok());
    frames.iter().map(|frame| serde_json::from_str(frame).unwrap()).collect()
}

#[test]
fn a_customer_is_told_exactly_what_they_may_see() {
    let schema = schema_of("server");
    for event in every_event() {
        let is_seen = event.is_seen_by(Audience::Customer);
        let shown = format!("{event:?}");
        let frames = frames(event);
        assert_eq!(!frames.is_empty(), is_seen, "{shown}");
        for frame in frames {
            assert!(schema.is_valid(&frame), "{frame}");
            assert_eq!(frame["seq"], 5);
            assert!(!frame.to_string().contains("agent-42"), "an agent's id is not shown: {frame}");
        }
    }
}

#[test]
fn agents_come_and_go_by_name() {
    let name = DisplayName::parse("Grace").unwrap();
    let at = "2026-01-01T00:00:00.250Z";
    assert_eq!(
        frames(Event::ChatAccepted { by: None, lease: lease(), name, close_at: None }),
        [
            json!({"type": "joined", "seq": 5, "name": "Grace", "at": at}),
            json!({"type": "state", "seq": 5, "state": "active"}),
        ]
    );
    assert_eq!(
        frames(Event::AgentLeft {
            by: None,
            agent: agent(),
            why: Departure::Released,
            close_at: None
        }),
        [
            json!({"type": "left", "seq": 5, "name": "Grace", "at": at}),
            json!({"type": "state", "seq": 5, "state": "open"}),
        ]
    );
    let reason = Reason::CustomerDisconnectedWhileOpen;
    assert_eq!(
        frames(Event::ConversationClosed { reason, by: Actor::Timer }),
        [json!({"type": "state", "seq": 5, "state": "closed", "reason": reason.name()})]
    );
    for (event, told) in [
        (Event::AgentAway { agent: agent(), since: AT, until: AT }, "away"),
        (Event::AgentBack { agent: agent() }, "back"),
    ] {
        let frames = frames(event);
        let [frame, state] = frames.as_slice() else { panic!("{frames:?}") };
        assert_eq!((&state["type"], &state["state"]), (&"state".into(), &"active".into()));
        assert_eq!((&frame["type"], &frame["state"]), (&"agent".into(), &told.into()));
        assert_eq!((&frame["name"], &frame["seq"]), (&"Grace".into(), &5.into()));
    }
    let reminder = frames(Event::CustomerReminded { until: AT });
    assert_eq!((&reminder[0]["from"], &reminder[0]["id"]), (&"system".into(), &"system-5".into()));
}
