//! The secrets: made once, found again, private, and good for exactly what they were issued for.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use holdline::access::token::is_long_enough;
use holdline::access::{Access, ConversationToken, Origin, Secret, mint_token, visitor_id};
use holdline::domain::id::{ConversationId, History, WidgetId};
use proptest::prelude::*;

const HISTORY: History = History::new(5);

fn widget(id: &str) -> WidgetId {
    id.parse().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_restart_finds_the_same_tokens() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().join("new");
    let mut first = Access::open(&data, None).unwrap();
    let administrator = first.administrator().to_owned();
    let (ada, made) = first.demo_token("ada").unwrap();
    assert!(administrator.starts_with("hla_") && ada.starts_with("hlt_"));
    assert_eq!((first.origin(), made), (Origin::Made, Origin::Made));
    let mut second = Access::open(&data, None).unwrap();
    assert_eq!((second.administrator(), second.origin()), (&*administrator, Origin::Kept));
    assert_eq!(second.demo_token("ada").unwrap(), (ada.clone(), Origin::Kept));
    assert_ne!(second.demo_token("ben").unwrap().0, ada);
    second.forget_demo().unwrap();
    let mut third = Access::open(&data, None).unwrap();
    assert_eq!(third.demo_tokens().count(), 0);
    assert_ne!(third.demo_token("ada").unwrap().0, ada, "it is forgotten for ever");
    assert_eq!(mode(&data.join("access.json")), 0o600);
    assert!(!format!("{second:?}").contains(&administrator));
}

#[test]
fn a_given_token_is_used_and_not_kept() {
    let data = tempfile::tempdir().unwrap();
    let access = Access::open(data.path(), Some("given")).unwrap();
    assert_eq!((access.administrator(), access.origin()), ("given", Origin::Given));
    assert!(!data.path().join("access.json").exists());
    assert_ne!(Access::open(data.path(), None).unwrap().administrator(), "given");
}

#[test]
fn a_damaged_file_is_told_and_left_alone() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("access.json"), "{").unwrap();
    fs::write(data.path().join("secret"), "short").unwrap();
    let access = Access::open(data.path(), None).unwrap_err().to_string();
    assert!(access.contains("access.json"), "{access}");
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
    // Version 2, the history, the id; the rest is the tag, which only this secret makes.
    assert!(token.starts_with("AgAAAAUAAAAAAAAAAAAAAAAAAA"), "{token}");
    // A token of the version before, which named no history.
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
