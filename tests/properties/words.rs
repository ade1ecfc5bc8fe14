//! Ids, texts, times and names: what is taken, what is refused, and how each is written.

use std::collections::BTreeSet;

use holdline::domain::agent::Presence;
use holdline::domain::cause::{Cause, Leaving, Misuse};
use holdline::domain::conversation::State;
use holdline::domain::conversation::command::Refusal;
use holdline::domain::conversation::event::Reason;
use holdline::domain::conversation::view::Stage;
use holdline::domain::id::{AgentId, ConversationId, MessageId, SessionId, VisitorId};
use holdline::domain::session::SessionRefusal;
use holdline::domain::text::{DisplayName, MessageText, TextRefusal};
use holdline::domain::time::{Span, Timestamp};
use holdline::limits;

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[test]
fn a_conversation_s_id_is_a_uuid_and_nothing_else() {
    let id: ConversationId = ID.parse().unwrap();
    assert_eq!(id.to_string(), ID);
    assert_eq!(id.as_bits(), 0x0189_0a5d_ac96_774b_bcce_b302_099a_8057);
    assert_eq!(ID.to_uppercase().parse::<ConversationId>(), Ok(id));
    for malformed in [
        "",
        "01890a5dac96774bbcceb302099a8057",
        "01890a5d-ac96-774b-bcce-b302099a805",
        "01890a5d-ac96-774b-bcce-b302099a80577",
        "01890a5d_ac96-774b-bcce-b302099a8057",
        "01890a5d-ac96-774b-bcce-b302099a805g",
        "0-890a5d-ac96-774b-bcce-b302099a8057",
    ] {
        let refused = malformed.parse::<ConversationId>().unwrap_err();
        assert_eq!(refused.to_string(), "expected a UUID", "{malformed}");
    }
}

/// Where a conversation is stored must never change.
#[test]
fn the_shard_of_an_id_is_the_same_for_ever() {
    let shard = |bits: u128| ConversationId::from_bits(bits).shard().number();
    let known: Vec<_> = [0, 1, 2, 1 << 64, u128::MAX, 0x0189_0a5d_ac96_774b_bcce_b302_099a_8057]
        .into_iter()
        .map(shard)
        .collect();
    assert_eq!(known, [220, 11, 70, 9, 93, 111]);
    let all: BTreeSet<_> = (0..5_000).map(shard).collect();
    assert_eq!(all.len(), limits::SHARDS, "and every shard is used");
}

#[test]
fn the_other_ids_are_what_they_were_made_of() {
    let session = SessionId::from_bits(0xabc);
    assert_eq!(session.to_string(), "0000000000000abc");
    assert_eq!("0000000000000abc".parse(), Ok(session));
    assert_eq!(session.as_bits(), 0xabc);
    assert!("xyz".parse::<SessionId>().is_err());
    assert_eq!(VisitorId::from_bits(7).as_bits(), 7);

    let longest = "a".repeat(limits::CHOSEN_ID_BYTES_MAX);
    for good in ["a", "Az09-_.", &longest] {
        let id: AgentId = good.parse().unwrap();
        assert_eq!((id.as_str(), id.to_string().as_str()), (good, good));
    }
    for bad in ["", "a b", "ä", "a/b", &format!("{longest}a")] {
        assert!(bad.parse::<AgentId>().is_err(), "{bad}");
    }
    let longest = "!".repeat(limits::MESSAGE_ID_BYTES_MAX);
    for good in ["a", "{\"}~", &longest] {
        let id: MessageId = good.parse().unwrap();
        assert_eq!((id.as_str(), id.to_string().as_str()), (good, good));
    }
    for bad in ["", "a b", "ä", &format!("{longest}!")] {
        assert!(bad.parse::<MessageId>().is_err(), "{bad}");
    }
}

#[test]
fn a_text_has_as_many_characters_as_it_may_and_not_only_white_space() {
    // Each of these characters has two bytes, but the limit counts characters.
    let longest = "ü".repeat(limits::TEXT_CHARS_MAX);
    assert_eq!(MessageText::parse(&longest).unwrap().as_str(), longest);
    let ascii = "u".repeat(limits::TEXT_CHARS_MAX);
    assert!(MessageText::parse(&ascii).is_ok());
    for over in [format!("{longest}ü"), format!("{ascii}u")] {
        let refused = MessageText::parse(&over).unwrap_err();
        assert_eq!(refused, TextRefusal::TooLong(limits::TEXT_CHARS_MAX));
        assert_eq!(refused.to_string(), "must be at most 6000 characters");
    }
    assert_eq!(MessageText::parse(" \n\t").unwrap_err().to_string(), "must not be empty");
    assert_eq!(MessageText::parse(" kept ").unwrap().as_str(), " kept ");
    let name = DisplayName::parse("  Ada ").unwrap();
    assert_eq!((name.as_str(), name.to_string().as_str()), ("Ada", "Ada"));
    assert!(DisplayName::parse(&"n".repeat(limits::NAME_CHARS_MAX + 1)).is_err());
}

#[test]
fn times_add_up_and_never_wrap() {
    let noon = Timestamp::from_millis(1_000);
    assert_eq!(noon.as_millis(), 1_000);
    assert_eq!((noon + Span::from_secs(2)).as_millis(), 3_000);
    assert_eq!((noon - Span::from_millis(1)).as_millis(), 999);
    assert_eq!(noon.since(Timestamp::from_millis(400)).as_millis(), 600);
    assert_eq!(noon.since(Timestamp::from_millis(4_000)), Span::ZERO);
    assert_eq!(noon.to_string(), "1000ms");
    assert_eq!(noon + Span::from_millis(u64::MAX), Timestamp::from_millis(i64::MAX));
    assert!((Span::from_millis(2_500).as_secs_f64() - 2.5).abs() < f64::EPSILON);
    assert_eq!(Span::from_secs(3).times(4).divided_by(6), Span::from_secs(2));
    assert_eq!(Span::from_secs(3).divided_by(0), Span::from_secs(3));
    assert_eq!(Span::from_secs(1) + Span::from_millis(1), Span::from_millis(1_001));
}

/// Names stand in journals, on the wire and in people's scripts.
#[test]
fn names_are_told_apart_and_never_change() {
    let misuses = [Misuse::Protocol, Misuse::Size, Misuse::Rate, Misuse::Token, Misuse::Slow]
        .map(Misuse::name);
    assert_eq!(misuses, ["protocol", "size", "rate", "token", "slow"]);
    assert_eq!([Leaving::Hidden, Leaving::Unloaded].map(Leaving::name), ["hidden", "unloaded"]);
    let causes = [
        Cause::Left(Leaving::Hidden),
        Cause::Closed(1001),
        Cause::Reset,
        Cause::Silent,
        Cause::Replaced,
        Cause::Draining,
        Cause::Restarted,
        Cause::Refused(Misuse::Size),
    ];
    assert_eq!(
        causes.map(Cause::name),
        ["left", "closed", "reset", "silent", "replaced", "draining", "restarted", "refused"]
    );
    assert_eq!(State::ALL.map(State::name), ["open", "active", "waiting", "wrapup", "closed"]);
    assert_eq!(
        Presence::ALL.map(Presence::name),
        ["available", "busy", "do_not_disturb", "away", "offline"]
    );
    assert_eq!([Stage::Offered, Stage::Talking].map(Stage::name), ["offered", "talking"]);
    let reasons: BTreeSet<_> = Reason::ALL.map(Reason::name).into_iter().collect();
    assert_eq!(reasons.len(), Reason::ALL.len());
    let refusals = [
        SessionRefusal::AlreadyGreeted,
        SessionRefusal::HelloFirst,
        SessionRefusal::AlreadyStarted,
        SessionRefusal::NotStarted,
    ];
    assert_eq!(
        refusals.map(SessionRefusal::code),
        ["already_greeted", "hello_first", "already_started", "not_started"]
    );
    let told: BTreeSet<_> = refusals.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), refusals.len());
    let codes: BTreeSet<_> = Refusal::ALL.map(Refusal::code).into_iter().collect();
    assert_eq!(codes.len(), Refusal::ALL.len());
    let told: BTreeSet<_> = Refusal::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), Refusal::ALL.len());
}
