//! The secrets: made once, found again, private, and good for exactly what they were issued for.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use holdline::access::token::{digest, is_long_enough};
use holdline::access::{
    Access, ConversationToken, Given, GivenToken, Keys, NotRotated, Origin, Secret, mint_token,
    visitor_id,
};
use holdline::domain::id::{ConversationId, History, WidgetId};
use holdline::domain::time::{Span, Timestamp};
use proptest::prelude::*;

const HISTORY: History = History::new(5);

fn widget(id: &str) -> WidgetId {
    id.parse().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn token_of(access: &Access) -> String {
    access.administrator().token().to_owned()
}

fn given(token: &str) -> GivenToken {
    GivenToken::new(token.to_owned(), "the trials".to_owned())
}

fn lets_in(access: &Access, token: &str) -> bool {
    access.is_administrator(&digest(token))
}

#[test]
fn a_restart_finds_the_same_tokens() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().join("new");
    let first = Access::open(&data, None).unwrap();
    let administrator = token_of(&first);
    let (ada, made) = first.demo_token("ada").unwrap();
    assert!(administrator.starts_with("hla_") && ada.starts_with("hlt_"));
    assert_eq!((first.administrator().origin(), made), (&Origin::Made, Origin::Made));
    let second = Access::open(&data, None).unwrap();
    assert_eq!(token_of(&second), administrator);
    assert_eq!(second.administrator().origin(), &Origin::Kept);
    assert_eq!(second.demo_token("ada").unwrap(), (ada.clone(), Origin::Kept));
    assert_ne!(second.demo_token("ben").unwrap().0, ada);
    second.forget_demo().unwrap();
    let third = Access::open(&data, None).unwrap();
    assert_eq!(third.demo_tokens().len(), 0);
    assert_ne!(third.demo_token("ada").unwrap().0, ada, "it is forgotten for ever");
    assert_eq!(mode(&data.join("access.json")), 0o600);
    assert!(!format!("{second:?}").contains(&administrator));
}

#[test]
fn a_given_token_is_used_and_not_kept() {
    let data = tempfile::tempdir().unwrap();
    let access = Access::open(data.path(), Some(&given("given"))).unwrap();
    assert_eq!(token_of(&access), "given");
    assert_eq!(access.administrator().origin(), &Origin::Given("the trials".to_owned()));
    assert!(!data.path().join("access.json").exists());
    assert_ne!(token_of(&Access::open(data.path(), None).unwrap()), "given");
}

#[test]
fn a_damaged_file_is_told_and_left_alone() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("access.json"), "{").unwrap();
    fs::write(data.path().join("secret"), "short").unwrap();
    let access = Access::open(data.path(), None).unwrap_err().to_string();
    assert!(access.contains("access.json"), "{access}");
    fs::write(data.path().join("access.json"), r#"{"demo":"hlt_of-somebody"}"#).unwrap();
    let access = Access::open(data.path(), None).unwrap_err().to_string();
    assert!(access.contains("line 1, column") && !access.contains("hlt_"), "{access}");
    let secret = Secret::open(data.path()).unwrap_err().to_string();
    assert!(secret.contains("5 bytes instead of 32"), "{secret}");
}

#[test]
fn the_secret_is_made_once_and_private() {
    let data = tempfile::tempdir().unwrap();
    let id = ConversationId::from_bits(7);
    let start = || Secret::open(data.path()).unwrap();
    let secrets = std::thread::scope(|scope| {
        let starts = [scope.spawn(start), scope.spawn(start)];
        starts.map(|start| start.join().unwrap())
    });
    let starts =
        secrets.map(|secret| ConversationToken::issue(&secret, HISTORY, id, &widget("demo")));
    assert_eq!(starts[0], starts[1]);
    assert_eq!(mode(&data.path().join("secret")), 0o600);
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn a_rotated_token_takes_the_place_of_the_old_one() {
    let data = tempfile::tempdir().unwrap();
    let access = Access::open(data.path(), None).unwrap();
    let (ada, _) = access.demo_token("ada").unwrap();
    let old = token_of(&access);
    let new = access.rotate_administrator().unwrap();
    assert!(new.starts_with("hla_") && new != old);
    assert!(lets_in(&access, &new) && !lets_in(&access, &old));
    let restarted = Access::open(data.path(), None).unwrap();
    assert!(lets_in(&restarted, &new) && !lets_in(&restarted, &old));
    assert_eq!(restarted.demo_token("ada").unwrap(), (ada, Origin::Kept), "the others stay");
    assert_eq!(mode(&data.path().join("access.json")), 0o600);
}

#[test]
fn a_given_token_is_changed_where_it_was_given() {
    let data = tempfile::tempdir().unwrap();
    let access = Access::open(data.path(), Some(&given("one"))).unwrap();
    let refused = access.rotate_administrator().unwrap_err();
    assert!(matches!(refused, NotRotated::Given(source) if source == "the trials"));
    assert_eq!(access.give(Some(&given("one"))), Given::Unchanged);
    assert_eq!(access.give(Some(&given("other"))), Given::Replaced);
    assert!(lets_in(&access, "other") && !lets_in(&access, "one"));
    assert_eq!(access.give(None), Given::Missing);
    assert!(lets_in(&access, "other"), "nobody is locked out by a line that is gone");

    // A server that was given no token can be given one later.
    let access = Access::open(data.path(), None).unwrap();
    let made = token_of(&access);
    assert_eq!(access.give(None), Given::Unchanged);
    assert_eq!(access.give(Some(&given("one"))), Given::Replaced);
    assert!(lets_in(&access, "one") && !lets_in(&access, &made));
    assert!(access.rotate_administrator().is_err());
}

/// A crash in the middle of a rotation can leave a new file beside the old one. The new file may be
/// empty, cut off or whole, and has not taken the place of the old one.
#[test]
fn a_crash_leaves_the_old_secret_or_the_new_one() {
    for name in ["access.json", "signing.json"] {
        let data = tempfile::tempdir().unwrap();
        let (file, unfinished) = (data.path().join(name), data.path().join(format!("{name}.new")));
        let state = || {
            let keys = Keys::open(data.path()).unwrap();
            let id = ConversationId::from_bits(7);
            let token = token_of(&Access::open(data.path(), None).unwrap());
            (keys.issue(HISTORY, id, &widget("demo")), token)
        };
        let rotate = || {
            Access::open(data.path(), None).unwrap().rotate_administrator().unwrap();
            let keys = Keys::open(data.path()).unwrap();
            keys.rotate(Timestamp::from_millis(1_000), Span::from_secs(10)).unwrap();
        };
        rotate();
        let old = fs::read(&file).unwrap();
        let before = state();
        rotate();
        let (new, after) = (fs::read(&file).unwrap(), state());
        assert_ne!(before, after);
        for length in [0, 1, new.len() / 2, new.len()] {
            fs::write(&file, &old).unwrap();
            fs::write(&unfinished, &new[..length]).unwrap();
            let found = state();
            let own = |state: &(String, String)| {
                if name == "access.json" { state.1.clone() } else { state.0.clone() }
            };
            assert_eq!(own(&found), own(&before), "{name} with {length} bytes of the next");
            assert!(!unfinished.exists(), "a key is left behind that nobody needs");
        }
        fs::write(&file, &new).unwrap();
        assert_eq!(state(), after);
    }
}

/// What a reader finds at any moment is what a crash at that moment would leave.
#[test]
fn a_file_is_whole_at_every_moment_of_a_rotation() {
    let data = tempfile::tempdir().unwrap();
    let (keys, access) = (Keys::open(data.path()).unwrap(), Access::open(data.path(), None));
    let access = access.unwrap();
    let rotate = || {
        keys.rotate(Timestamp::from_millis(1_000), Span::from_secs(10)).unwrap();
        access.rotate_administrator().unwrap();
    };
    rotate();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..100 {
                rotate();
            }
            is_over.store(true, std::sync::atomic::Ordering::SeqCst);
        });
        while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
            for name in ["signing.json", "access.json"] {
                let found = fs::read(data.path().join(name)).expect("it is never gone");
                let read: Result<serde_json::Value, _> = serde_json::from_slice(&found);
                assert!(read.is_ok(), "{name} is not whole: {found:?}");
            }
        }
    });
}

#[test]
fn the_key_before_verifies_until_its_time_is_over() {
    let data = tempfile::tempdir().unwrap();
    let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
    let (id, shop) = (ConversationId::from_bits(7), widget("shop"));
    let keys = Keys::open(data.path()).unwrap();
    let visitor = keys.visitor("abc");
    let first = keys.issue(HISTORY, id, &shop);
    let is_good = |keys: &Keys, token: &str, now| {
        let named = keys.verify(token, &shop, now);
        assert!(named.is_none_or(|named| named == (id, Some(HISTORY))));
        named.is_some()
    };
    assert_eq!(keys.signing(at(0)).made_at, None);

    let told = keys.rotate(at(100), Span::from_secs(50)).unwrap();
    assert_eq!((told.made_at, told.previous_until), (Some(at(100)), Some(at(150))));
    let second = keys.issue(HISTORY, id, &shop);
    assert_ne!(first, second);
    assert_eq!(mode(&data.path().join("signing.json")), 0o600);
    for keys in [&keys, &Keys::open(data.path()).unwrap()] {
        assert!(is_good(keys, &second, at(149)) && is_good(keys, &first, at(149)));
        assert!(is_good(keys, &second, at(150)) && !is_good(keys, &first, at(150)));
        assert_eq!(keys.signing(at(149)).previous_until, Some(at(150)));
        assert_eq!(keys.signing(at(150)).previous_until, None);
        assert_eq!(keys.visitor("abc"), visitor, "a rotation makes strangers of visitors");
    }

    assert!(keys.end_previous(at(120)).unwrap());
    assert!(!keys.end_previous(at(120)).unwrap(), "there is none any more");
    for keys in [&keys, &Keys::open(data.path()).unwrap()] {
        assert!(is_good(keys, &second, at(120)) && !is_good(keys, &first, at(120)));
    }

    // A rotation keeps one key, and none if it names no time.
    keys.rotate(at(200), Span::from_secs(50)).unwrap();
    keys.rotate(at(201), Span::from_secs(50)).unwrap();
    assert!(!is_good(&keys, &second, at(202)));
    let third = keys.issue(HISTORY, id, &shop);
    assert_eq!(keys.rotate(at(202), Span::ZERO).unwrap().previous_until, None);
    assert!(!is_good(&keys, &third, at(202)));
}

#[test]
fn a_token_of_the_release_before_verifies_by_the_key_before() {
    let data = tempfile::tempdir().unwrap();
    let keys = Keys::of(Secret::from_bytes([7; 32]), data.path());
    let before = "AQAAAAAAAAAAAAAAAAAAAAGLdjlVeVbbCcl0Bbv6h0x8";
    let now = Timestamp::from_millis(5);
    keys.rotate(now, Span::from_secs(1)).unwrap();
    let named = keys.verify(before, &widget("demo"), now);
    assert_eq!(named, Some((ConversationId::from_bits(1), None)));
}

#[test]
fn a_damaged_signing_key_is_told_and_left_alone() {
    let data = tempfile::tempdir().unwrap();
    for damaged in ["{", "{}", r#"{"key":"short","made_at_ms":1,"previous":null}"#] {
        fs::write(data.path().join("signing.json"), damaged).unwrap();
        let fault = Keys::open(data.path()).unwrap_err().to_string();
        assert!(fault.contains("signing.json") && !fault.contains("short"), "{fault}");
        assert_eq!(fs::read(data.path().join("signing.json")).unwrap(), damaged.as_bytes());
    }
}

#[test]
fn minted_tokens_differ_and_are_long() {
    let (one, other) = (mint_token("hlt_").unwrap(), mint_token("hlt_").unwrap());
    assert_ne!(one, other);
    assert_eq!(one.len(), 4 + 43);
}

#[test]
fn a_token_of_somebodys_own_has_the_length_of_128_bits() {
    let minted = mint_token("").unwrap();
    for (token, is_good) in [
        (&minted[..22], true),
        (&minted[..10], false),
        ("Tr0ub4dor&3-Tr0ub4dor&3", true),
        ("", false),
        ("a", false),
        ("0123456789abcdef0123456789abcde", false),
        ("0123456789abcdef0123456789ABCDEF", true),
        ("01890a5d-ac96-774b-bcce-b302099a8057", true),
        ("314159265358979323846264338327950288419", true),
        ("31415926535897932384626433832795028841", false),
        ("abcababcabcabcabcabcabcabcabcabcabcabc", false),
        ("with a space in it, and so on and on", false),
        ("ünd-so-weiter-und-so-weiter-und-so", false),
    ] {
        assert_eq!(is_long_enough(token), is_good, "{token}");
    }
    assert!(is_long_enough(&"abcdefghij".repeat(25)) && !is_long_enough(&minted.repeat(6)));
}

#[test]
fn a_token_is_good_for_its_conversation_widget_and_server_only() {
    let secret = Secret::from_bytes([1; 32]);
    let id = ConversationId::from_bits(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    let token = ConversationToken::issue(&secret, HISTORY, id, &widget("demo"));
    assert_eq!(token.len(), 50);
    assert_eq!(
        ConversationToken::verify(&secret, &token, &widget("demo")),
        Some((id, Some(HISTORY)))
    );
    assert_eq!(ConversationToken::verify(&secret, &token, &widget("other")), None);
    let elsewhere = Secret::from_bytes([2; 32]);
    assert_eq!(ConversationToken::verify(&elsewhere, &token, &widget("demo")), None);
}

#[test]
fn the_form_of_a_token_is_fixed() {
    let secret = Secret::from_bytes([7; 32]);
    let token =
        ConversationToken::issue(&secret, HISTORY, ConversationId::from_bits(1), &widget("demo"));
    // The token holds version 2, the history and the id. The rest is the tag, which only this
    // secret makes.
    assert!(token.starts_with("AgAAAAUAAAAAAAAAAAAAAAAAAA"), "{token}");
    // A token of the version before named no history.
    let before = "AQAAAAAAAAAAAAAAAAAAAAGLdjlVeVbbCcl0Bbv6h0x8";
    let read = ConversationToken::verify(&secret, before, &widget("demo"));
    assert_eq!(read, Some((ConversationId::from_bits(1), None)));
}

#[test]
fn a_visitor_is_known_again_and_only_here() {
    let secret = Secret::from_bytes([1; 32]);
    let elsewhere = Secret::from_bytes([2; 32]);
    assert_eq!(visitor_id(&secret, "abc"), visitor_id(&secret, "abc"));
    assert_ne!(visitor_id(&secret, "abc"), visitor_id(&secret, "abd"));
    assert_ne!(visitor_id(&secret, "abc"), visitor_id(&elsewhere, "abc"));
}

proptest! {
    #[test]
    fn no_changed_token_is_good(place in 0_usize..50, letter in "[A-Za-z0-9_-]") {
        let secret = Secret::from_bytes([3; 32]);
        let id = ConversationId::from_bits(99);
        let token = ConversationToken::issue(&secret, HISTORY, id, &widget("demo"));
        let mut changed = token.clone();
        changed.replace_range(place..=place, &letter);
        prop_assume!(changed != token);
        prop_assert_eq!(ConversationToken::verify(&secret, &changed, &widget("demo")), None);
    }

    #[test]
    fn no_text_at_all_breaks_the_reading(token in ".{0,80}") {
        let secret = Secret::from_bytes([3; 32]);
        prop_assert_eq!(ConversationToken::verify(&secret, &token, &widget("demo")), None);
    }
}
