//! What two seeds once found, told step by step: with other dice those seeds would not find it
//! again.

use holdline::domain::conversation::event::Event;
use holdline::domain::id::SessionId;
use serde_json::{Value, json};

use crate::node::Node;
use crate::plan::Plan;
use crate::server::{Call, Cut, Millis, Seen, Server};
use crate::settings;
use crate::wrong::Rules;

/// How often the sessions here are asked to beat.
const HEARTBEAT: Millis = 2_000;

/// A node, and what was seen of it.
struct Stage {
    node: Node,
    now: Millis,
    seen: Vec<Seen>,
}

impl Stage {
    /// A node with the settings of some plan, whose sessions beat every two seconds.
    fn open() -> Self {
        let mut plan = Plan::draw(1);
        for stream in &mut plan.streams {
            (stream.heartbeat, stream.window) = (HEARTBEAT / 1_000, 60);
            (stream.close_open, stream.idle) = (None, None);
        }
        let mut node = Node::new(1, Rules::default());
        node.start(holdline::domain::time::Timestamp::from_millis(1_700_000_000_000));
        let mut stage = Self { node, now: 0, seen: Vec::new() };
        for (ticket, change) in (1..).zip(settings::all(&plan)) {
            stage.node.call(ticket, Call::Change(Box::new(change)));
            stage.pass(10);
        }
        stage
    }

    /// Lets this much time pass.
    fn pass(&mut self, millis: Millis) {
        let end = self.now + millis;
        while let Some(due) = self.node.due().filter(|due| *due <= end) {
            self.now = due;
            while self.node.advance(self.now, usize::MAX) {}
        }
        self.now = end;
        self.node.advance(end, 0);
        self.seen.extend(self.node.seen());
    }

    fn connect(&mut self) -> SessionId {
        self.node.connect(&settings::widget_id(0)).expect("it is let in")
    }

    fn say(&mut self, session: SessionId, frame: &Value) {
        self.node.say(session, &frame.to_string());
        self.pass(20);
    }

    /// The last frame of this kind that a session was sent.
    fn told(&self, session: SessionId, kind: &str) -> Option<Value> {
        self.seen.iter().rev().find_map(|seen| match seen {
            Seen::Frame(to, text) if *to == session => {
                serde_json::from_str::<Value>(text).ok().filter(|frame| frame["type"] == kind)
            }
            _ => None,
        })
    }

    fn was_lost(&self, lost: SessionId) -> bool {
        self.seen.iter().any(|seen| match seen {
            Seen::Durable(row) => {
                matches!(&row.event, Event::SessionLost { session, .. } if *session == lost)
            }
            _ => false,
        })
    }
}

fn hello(token: Option<&str>) -> Value {
    let visitor = format!("{:032x}", 7);
    token.map_or_else(
        || json!({"type": "hello", "visitor": visitor}),
        |token| json!({"type": "hello", "visitor": visitor, "token": token, "after": 1}),
    )
}

fn start(id: &str) -> Value {
    json!({"type": "start", "ref": id, "id": id, "name": "Kim"})
}

/// Seed 17,755: a tab that says only `start` again thereby shows that it is there.
#[test]
fn who_says_start_again_is_there() {
    let mut stage = Stage::open();
    let session = stage.connect();
    stage.say(session, &hello(None));
    stage.say(session, &start("s1"));
    assert!(stage.told(session, "started").is_some());
    for again in ["s2", "s3", "s4", "s5"] {
        stage.pass(HEARTBEAT * 3 / 2);
        stage.say(session, &start(again));
        assert!(!stage.was_lost(session), "before {again}");
    }
    stage.pass(2 * HEARTBEAT + 500);
    assert!(stage.was_lost(session), "it has said nothing any more");
}

/// Seed 16,166: the node is not at rest while a page of missed messages waits for room.
#[test]
fn a_page_that_is_still_to_come_is_not_rest() {
    let mut stage = Stage::open();
    let first = stage.connect();
    stage.say(first, &hello(None));
    stage.say(first, &start("s1"));
    let started = stage.told(first, "started").expect("it has begun");
    for number in 0..20 {
        let id = format!("m{number}");
        stage.say(first, &json!({"type": "post", "ref": id, "id": id, "text": "again"}));
    }
    let last = stage.told(first, "posted").expect("it stands")["seq"].as_u64();
    stage.node.cut(first, Cut::Reset);
    stage.pass(100);
    assert!(stage.node.account().is_some(), "everybody is at rest");
    let second = stage.connect();
    stage.node.stall(second, true);
    stage.say(second, &hello(started["token"].as_str()));
    for _ in 0..20 {
        stage.pass(30);
        assert!(stage.node.account().is_none(), "what was missed is still to be told");
        stage.node.pong(second);
    }
    stage.node.stall(second, false);
    stage.pass(1_000);
    assert!(stage.node.account().is_some(), "everything was told");
    let told = stage.told(second, "message").expect("it was told what it missed");
    assert_eq!(told["seq"].as_u64(), last);
}
