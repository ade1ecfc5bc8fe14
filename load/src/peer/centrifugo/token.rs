//! The proof of identity for Centrifugo: a JSON web token, as the site's own server would make it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The secret that is shared with the server, which is out of reach for everybody else.
pub const SECRET: &str = "it only ever listens on loopback";

/// A token that names a client, and the channels to which the server subscribes it: a JSON object
/// with an object of options for each.
pub fn minted(name: &str, channels: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode("{\"alg\":\"HS256\"}");
    let claims = URL_SAFE_NO_PAD.encode(format!("{{\"sub\":\"{name}\",\"subs\":{channels}}}"));
    let signed = format!("{header}.{claims}");
    let mut digest = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
    digest.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(digest.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the server's own `checktoken` took for a token of user 7.
    const TAKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3Iiwic3VicyI6eyJjaGF0OjciOnt9fX0.\
        M3UMaWn8TMETFYqSccFv8lKYO16Tci8O-Mn68KRh-7k";

    #[test]
    fn a_token_is_signed_as_the_server_checks_it() {
        assert_eq!(minted("7", "{\"chat:7\":{}}"), TAKEN);
    }
}
