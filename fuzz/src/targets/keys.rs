//! The public keys of others: the answers of an issuer that is asked where its keys are and which
//! keys it has, and the keys by which a site's server vouches. Whatever keys are taken, nobody
//! counts as the signer of what another has signed.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use holdline::access::{AdmissionKeys, IssuerKeys, address_of_keys, may_be_asked};
use holdline::domain::settings::AdmissionRule;
use holdline::domain::time::Timestamp;
use holdline::limits::ISSUER_KEYS_MAX;
use serde_json::Value;

/// The issuer's name for itself.
const ISSUER: &str = "https://issuer.test";

/// A time at which everything is good that the known keys have signed.
const NOW: Timestamp = Timestamp::from_millis(1_790_000_001_000);

/// A public key, made for this target alone, and a text that was signed with its private half,
/// which nobody has kept.
struct Known {
    pem: &'static str,
    jwk: &'static str,
    signed: &'static str,
}

const KNOWN: [Known; 3] = [
    Known {
        pem: "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAzrdHrjLNUuz6k1i4fCNA\nlZ0Y3g675Eyg1UHWPNdy23HiBln6iadx5NzGPjHq1FD9QQRSeShb28nB1VO9VGf6\nsMCXx1i93ngpJo/QNHdNLZLPAmrt8HulrD8La852+HtgIDLBiuSU+wAlL6LsKCWA\nc4HXeyO8m4Z2OcDaUD9olFn7g+epo0SEvHfgFBH+OvNZxx5wdmSk56na1RQtNWQj\n+Vci4OUuN8gnqQAAayR3uDbWg6XTXoJeCELc90u66TQT7VFhiV+19gi07b+XloEx\nzpctp0eJfGKVz53YUcplSogkyQaxmO+TDFr9zzVyh+/RE5WqJzqskt65Ko9nA+uE\n5wIDAQAB\n-----END PUBLIC KEY-----",
        jwk: r#"{"kty":"RSA","kid":"rsa","use":"sig","alg":"RS256","n":"zrdHrjLNUuz6k1i4fCNAlZ0Y3g675Eyg1UHWPNdy23HiBln6iadx5NzGPjHq1FD9QQRSeShb28nB1VO9VGf6sMCXx1i93ngpJo_QNHdNLZLPAmrt8HulrD8La852-HtgIDLBiuSU-wAlL6LsKCWAc4HXeyO8m4Z2OcDaUD9olFn7g-epo0SEvHfgFBH-OvNZxx5wdmSk56na1RQtNWQj-Vci4OUuN8gnqQAAayR3uDbWg6XTXoJeCELc90u66TQT7VFhiV-19gi07b-XloExzpctp0eJfGKVz53YUcplSogkyQaxmO-TDFr9zzVyh-_RE5WqJzqskt65Ko9nA-uE5w","e":"AQAB"}"#,
        signed: "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoia2ltIiwiYXVkIjoic2hvcCIsImlhdCI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAzNjAwfQ.vU-QYg3CpFHfchW1fuLZgu_MOV6Frz35kgRmZfsAvM-6zStsAlzW5n9dUiAZWziIgE2BlnhUXG1S1FORU56ZuVJEJpGLuNpO0hEvfZthbDOtBMIBnfCfqa0eXeD4ZoNKhofZt3fW2SNeSYmDifhNRLYUHEa8XMvuyWOMBo4_yzDXY2yrPXTBbEwvLIQRFw5VDav9kmYHUrsH_x6MVzFeCOZZUexug-7GSdYlAeAOxvQuCaqy0Sqrteq5Mjjx2tjPTH0TUWP2F996fFLRjQnOSuz67WURNZGV4qlJJYaVDhQcoFe51oXsCz7MH3K0R7AtfASyBNDxJ3gJD_5kljHrcg",
    },
    Known {
        pem: "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEuO1uBH6/zPVrvcTzZPGM4eY80Y4Y\nWHGzY+nPgH9NFcvGuA9UtnrOK63I/CXFl96Ud7ces+m8Ag7AmwjSg/arwA==\n-----END PUBLIC KEY-----",
        jwk: r#"{"kty":"EC","kid":"ec","use":"sig","alg":"ES256","crv":"P-256","x":"uO1uBH6_zPVrvcTzZPGM4eY80Y4YWHGzY-nPgH9NFcs","y":"xrgPVLZ6ziutyPwlxZfelHe3HrPpvAIOwJsI0oP2q8A"}"#,
        signed: "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImVjIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoia2ltIiwiYXVkIjoic2hvcCIsImlhdCI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAzNjAwfQ.Jhll7Gf1bOQdQqsxpW7uKHcUSjlhEN9L-oaO7NcNaYyA_hlPZ1Xjefk2GofHLIdmtXIogOTLmkOk_6VuTRb4yQ",
    },
    Known {
        pem: "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAHfat651lGOd3YaFoRtRsgv4EGhWlJm3kzSSZfnFJQwA=\n-----END PUBLIC KEY-----",
        jwk: r#"{"kty":"OKP","kid":"ed","use":"sig","alg":"EdDSA","crv":"Ed25519","x":"Hfat651lGOd3YaFoRtRsgv4EGhWlJm3kzSSZfnFJQwA"}"#,
        signed: "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6ImVkIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoia2ltIiwiYXVkIjoic2hvcCIsImlhdCI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAzNjAwfQ.b-TVZpOa_SaYPHm7xHgNPZsxKP8fU806pDXGggZQu5-FLJdodmP4AlzmXGjBAK2TVeuq6G_ztdxGJMBW27vkBw",
    },
];

pub(crate) fn run(bytes: &[u8]) {
    discovered(bytes);
    answered(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        vouching(text);
    }
}

/// The place of the keys is always an address that may be asked, whatever the bytes say.
fn discovered(bytes: &[u8]) {
    if let Ok(url) = address_of_keys(bytes, ISSUER) {
        assert_eq!(may_be_asked(url.as_str()).as_ref(), Some(&url), "it is read otherwise again");
        let is_here = matches!(url.host_str(), Some("localhost" | "[::1]"))
            || url.host_str().is_some_and(|host| host.starts_with("127."));
        assert!(url.scheme() == "https" || is_here, "{url} can be listened to");
    }
}

/// The keys of an answer are the same when they are read again in the form in which they are kept.
/// What a known key has signed counts as signed by nobody else, and still counts when that key
/// stands beside the others.
fn answered(bytes: &[u8]) {
    let Ok(keys) = IssuerKeys::answered(bytes, NOW) else { return };
    let Ok(mut document) = serde_json::from_slice::<Value>(bytes) else {
        panic!("what is taken is JSON");
    };
    let kept = IssuerKeys::answered(document.to_string().as_bytes(), NOW);
    let kept = kept.unwrap_or_else(|fault| panic!("what is taken is taken again: {fault}"));
    assert!(keys.thumbprints().eq(kept.thumbprints()), "other keys are kept");
    assert!(keys.thumbprints().count() <= ISSUER_KEYS_MAX, "too many are taken");
    for known in &KNOWN {
        let signer = keys.signer(known.signed);
        assert!(signer.is_none() || has(&document, known), "somebody else has signed it");
    }
    let Some(listed) = document["keys"].as_array_mut() else { panic!("it has keys") };
    if listed.len() + KNOWN.len() <= ISSUER_KEYS_MAX {
        listed.extend(KNOWN.iter().map(jwk));
        let more = IssuerKeys::answered(document.to_string().as_bytes(), NOW);
        let more = more.unwrap_or_else(|fault| panic!("three more are taken: {fault}"));
        for known in &KNOWN {
            assert!(more.signer(known.signed).is_some(), "what is signed by a key stays so");
        }
    }
}

/// A key as it stands in a document.
fn jwk(known: &Known) -> Value {
    serde_json::from_str(known.jwk).unwrap_or_else(|fault| panic!("it is a key: {fault}"))
}

/// The number of a key, whatever else the key says.
fn number(key: &Value) -> Option<Vec<u8>> {
    let field = if key["kty"] == "RSA" { "n" } else { "x" };
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(key[field].as_str()?).ok()?;
    let zeros = decoded.iter().take_while(|byte| **byte == 0).count();
    Some(decoded[zeros..].to_vec())
}

/// Whether a document has this key, however the key's number is written.
fn has(document: &Value, known: &Known) -> bool {
    let own = number(&jwk(known));
    let listed = document["keys"].as_array();
    listed.into_iter().flatten().any(|key| own.is_some() && number(key) == own)
}

/// A text is taken as a key, or is none. It vouches only for visitors for whom its key has signed,
/// and changes nothing for the keys beside it.
fn vouching(text: &str) {
    let widget = "shop".parse().unwrap_or_else(|error| panic!("a word is an id: {error:?}"));
    let rule = |keys: &[&str]| {
        AdmissionKeys::of(&AdmissionRule {
            required: true,
            keys: keys.iter().map(|key| (*key).into()).collect(),
        })
    };
    let alone = rule(&[text]);
    let is_key = AdmissionKeys::check(&[text.into()]).is_ok();
    assert_eq!(format!("{alone:?}"), format!("AdmissionKeys({})", u8::from(is_key)));
    for known in &KNOWN {
        let beside = rule(&[text, known.pem]).subject(known.signed, &widget, NOW);
        assert_eq!(beside.as_deref(), Ok("kim"), "what is good stays good");
        if let Ok(subject) = alone.subject(known.signed, &widget, NOW) {
            assert_eq!(subject, "kim");
            assert!(is_key && holds(text, known), "somebody else vouches");
        }
    }
}

/// Whether a text holds this key, whatever form the key has.
fn holds(text: &str, known: &Known) -> bool {
    let Some(inner) = text.split("-----").nth(2) else { return false };
    let is_letter = |letter: &char| letter.is_ascii_alphanumeric() || "+/".contains(*letter);
    // Lines with a colon are what a text says beside the key.
    let lines = inner.lines().filter(|line| !line.contains(':'));
    let letters: String = lines.flat_map(str::chars).filter(is_letter).collect();
    let (decoded, own) = (BASE64_STANDARD_NO_PAD.decode(letters), number(&jwk(known)));
    decoded.is_ok_and(|key| own.is_some_and(|own| key.windows(own.len()).any(|part| part == own)))
}
