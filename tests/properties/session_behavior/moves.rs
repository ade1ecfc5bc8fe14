//! Random dialogues of a session: what its widget says, and what the widget is answered.

use holdline::behavior::session::Nearby;
use holdline::domain::id::ConversationId;
use holdline::domain::time::Span;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// What a widget says.
pub(super) const FRAMES: [&str; 12] = [
    r#"{"type":"hello"}"#,
    r#"{"type":"hello","token":"t","after":1}"#,
    r#"{"type":"hello","token":"t","admission":"a"}"#,
    r#"{"type":"start","ref":1,"id":"s-1"}"#,
    r#"{"type":"start","ref":2,"id":"s-2"}"#,
    r#"{"type":"post","ref":3,"id":"m-1","text":"hello"}"#,
    r#"{"type":"end","ref":4}"#,
    r#"{"type":"beat","seq":0}"#,
    r#"{"type":"typing","on":true}"#,
    r#"{"type":"read","seq":1}"#,
    r#"{"type":"leaving","cause":"hidden"}"#,
    "not a frame",
];

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Move {
    Say(usize),
    Ping,
    Pong,
    /// The oldest open question is answered, in one of several ways.
    Answer,
    Frame,
    Probe,
    /// The chat that the session is in is over.
    Over,
    Close,
    Wait(u64),
    End,
}

/// A random dialogue.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// How many frames are refused at the beginning.
    pub(super) refused: usize,
    /// Whether the runtime answers in the same turn in which it is asked.
    pub(super) is_at_once: bool,
    pub(super) near: Near,
    pub(super) moves: Vec<(u8, Move)>,
}

#[derive(Clone, Debug)]
pub(super) struct Near {
    requires_admission: bool,
    is_elsewhere: bool,
}

impl Nearby for Near {
    fn window(&self) -> Span {
        Span::from_secs(45)
    }

    fn requires_admission(&self) -> bool {
        self.requires_admission
    }

    fn is_elsewhere(&self, _: ConversationId) -> bool {
        self.is_elsewhere
    }
}

pub(super) fn script() -> impl Strategy<Value = Script> {
    let one = prop_oneof![
        12 => (0..FRAMES.len()).prop_map(Move::Say),
        12 => Just(Move::Answer),
        2 => Just(Move::Ping),
        2 => Just(Move::Pong),
        2 => Just(Move::Frame),
        1 => Just(Move::Probe),
        1 => Just(Move::Over),
        1 => (0_u64..40_000).prop_map(Move::Wait),
    ];
    let last = prop_oneof![Just(Move::Close), Just(Move::End), Just(Move::Wait(600_000))];
    let moves = (vec((any::<u8>(), one), 0..60), option::of(last)).prop_map(|(mut moves, last)| {
        let hello = moves.iter().map(|(dice, _)| usize::from(*dice) % 3).next();
        moves.insert(0, (0, Move::Say(hello.unwrap_or_default())));
        moves.extend(last.map(|last| (0, last)));
        moves
    });
    let near = (prop::bool::weighted(0.2), prop::bool::weighted(0.1))
        .prop_map(|(requires_admission, is_elsewhere)| Near { requires_admission, is_elsewhere });
    let refused = prop_oneof![2 => Just(0_usize), 1 => 97_usize..100];
    (refused, any::<bool>(), near, moves).prop_map(|(refused, is_at_once, near, moves)| Script {
        refused,
        is_at_once,
        near,
        moves,
    })
}
