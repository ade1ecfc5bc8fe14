//! The tokens that a site's server signs for its visitors, and the public keys that the server is
//! known by. Only the one good token here vouches for anybody.

use holdline::access::AdmissionKeys;
use holdline::domain::settings::AdmissionRule;
use holdline::domain::time::Timestamp;

/// A public key, made for this target alone.
const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAVnbKxB7GGXzj8tYZRMWI/cbbLCDYZPbBr2LHhWddwPY=\n-----END PUBLIC KEY-----";

/// A token, signed with the private half of the key, which nobody has kept.
const GOOD: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJraW0iLCJhdWQiOiJzaG9wIiwiZXhwIjoxNzkwMDAzNjAwLCJpYXQiOjE3OTAwMDAwMDB9.rNyWWdMSxpTYrHMSmNe5YMrzFMA52gqji-h7H5X9qx8M35HuCDZP7q4sDkx0OdIDqkQCGjM0vAK58adR4lPcDw";

/// A time at which the token is good.
const NOW: Timestamp = Timestamp::from_millis(1_790_000_001_000);

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _judged = AdmissionKeys::check(&[text.into()]);
    let rule = AdmissionRule { required: true, keys: vec![KEY.into(), text.into()] };
    let widget = "shop".parse().unwrap_or_else(|error| panic!("a word is an id: {error:?}"));
    let keys = AdmissionKeys::of(&rule);
    assert_eq!(keys.subject(GOOD, &widget, NOW).as_deref(), Ok("kim"), "what is good stays good");
    if let Ok(subject) = keys.subject(text, &widget, NOW) {
        assert_eq!((text, &*subject), (GOOD, "kim"), "somebody else is vouched for");
    }
}
