//! The keys of the issuer: how they are fetched, replaced, taken back and kept, and what becomes of
//! people while they cannot be fetched.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Office, office, restarted, started, started_with};
use crate::console::{Console, PATIENCE};
use crate::issuer::{Identity, Issuer, Manner};
use crate::signer::Signer;

const FILE: &str = "sign_in_keys.json";

/// Repeats a request until it is answered with this status.
async fn until_answered(who: &Console, status: u16) {
    let began = Instant::now();
    loop {
        let answer = who.get("/v1/widgets").await;
        if answer.status == status {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn administrator(office: &Office) -> Value {
    office.claims("kate", "holdline-administrator")
}

#[tokio::test]
async fn a_key_that_is_new_is_looked_for_and_made_up_ones_are_not_for_ever() {
    let office = office().await;
    let claims = administrator(&office);
    let known = office.sign(&claims);
    until_answered(&known, 200).await;
    let before = office.issuer.asked();
    // A key that is made up does not make the server ask the issuer each time.
    for number in 0..200 {
        let made_up = Signer::ed25519().sign_as(&format!("made up {number}"), &claims);
        office
            .shop
            .admin
            .with_token(&made_up)
            .get("/v1/widgets")
            .await
            .refused(401, "unknown_token");
    }
    let asked = office.issuer.asked() - before;
    assert!(asked <= 2, "the issuer was asked {asked} times");
    // The issuer begins to sign with another key.
    let next = Signer::ed25519();
    office.issuer.become_one_that(Manner::Tells(vec![office.signer.jwk("one"), next.jwk("two")]));
    let renewed = office.shop.admin.with_token(&next.sign_as("two", &claims));
    until_answered(&renewed, 200).await;
    known.get("/v1/widgets").await.ok();
}

#[tokio::test]
async fn the_first_token_of_a_new_key_is_not_refused() {
    let office = office().await;
    let claims = administrator(&office);
    until_answered(&office.sign(&claims), 200).await;
    let next = Signer::p256();
    office.issuer.become_one_that(Manner::Tells(vec![office.signer.jwk("one"), next.jwk("two")]));
    // The server may ask the issuer again only this long after it last did.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let renewed = office.shop.admin.with_token(&next.sign_as("two", &claims));
    let both = tokio::join!(renewed.get("/v1/widgets"), renewed.get("/v1/queues"));
    both.0.ok();
    both.1.ok();
}

#[tokio::test]
async fn a_key_that_is_taken_back_ends_what_it_has_signed() {
    let office = office().await;
    office.shop.hire("ada", 1).await;
    let ada = office.sign(&office.claims("ada", "holdline-agent"));
    let mut feed = ada.feed(None).await;
    let next = Signer::p256();
    office.issuer.become_one_that(Manner::Tells(vec![next.jwk("two")]));
    let kate = office.shop.admin.with_token(&next.sign_as("two", &administrator(&office)));
    until_answered(&kate, 200).await;
    assert!(feed.ends_within(PATIENCE).await, "what a key has signed that is gone is good");
    ada.get("/v1/agents/me").await.refused(401, "unknown_token");
    // A key is gone, too, when another key takes its name.
    let third = Signer::p256();
    let keys = vec![Signer::p256().jwk("two"), third.jwk("three")];
    office.issuer.become_one_that(Manner::Tells(keys));
    let third = third.sign_as("three", &administrator(&office));
    until_answered(&office.shop.admin.with_token(&third), 200).await;
    kate.get("/v1/widgets").await.refused(401, "unknown_token");
}

#[tokio::test]
async fn keys_are_kept_for_a_start_without_the_issuer() {
    let mut office = office().await;
    let kate = office.sign(&administrator(&office));
    until_answered(&kate, 200).await;
    let file = office.shop.server.directory().path().join(FILE);
    let began = Instant::now();
    while !file.exists() {
        assert!(began.elapsed() < PATIENCE, "the keys are not kept");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    for manner in [Manner::Fails, Manner::Hangs, Manner::Floods, Manner::Redirects, Manner::Lies] {
        office.issuer.become_one_that(manner.clone());
        let asked = office.issuer.asked();
        office = restarted(office).await;
        let began = Instant::now();
        while office.issuer.asked() == asked {
            assert!(began.elapsed() < PATIENCE, "{manner:?} is not asked");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        kate.at(&office.shop.admin).get("/v1/widgets").await.ok();
    }
    // Kept keys of another issuer mean nothing, and a file that somebody wrote by hand is no reason
    // to believe that issuer.
    let kept = std::fs::read_to_string(&file).unwrap();
    let Office { shop, issuer, signer } = office;
    let data = shop.server.stop().await;
    std::fs::write(&file, kept.replace(&issuer.name(), "http://127.0.0.1:1/people")).unwrap();
    let office = started(data, issuer, signer);
    kate.at(&office.shop.admin).get("/v1/widgets").await.refused(401, "unknown_token");
}

#[tokio::test]
async fn keys_that_are_kept_and_damaged_are_fetched_again() {
    let office = office().await;
    let file = office.shop.server.directory().path().join(FILE);
    let Office { shop, issuer, signer } = office;
    let data = shop.server.stop().await;
    std::fs::write(&file, "{").unwrap();
    let office = started(data, issuer, signer);
    until_answered(&office.sign(&administrator(&office)), 200).await;
}

#[tokio::test]
async fn an_issuer_is_believed_by_the_authority_that_the_operator_names_alone() {
    let (signer, identity) = (Signer::p256(), Identity::new());
    let manner = Manner::Tells(vec![signer.jwk("one")]);
    let issuer = Issuer::open_as(manner, Some(&identity)).await;
    let mut data = Arc::new(tempfile::tempdir().unwrap());
    let file = |name: &str, pem: &str| {
        let file = data.path().with_extension(name);
        std::fs::write(&file, pem).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let authority = file("pem", &identity.authority);
    let other = file("other", &Identity::new().authority);
    let (mut issuer, mut signer) = (issuer, signer);
    let named = |file| [("HOLDLINE_OIDC_AUTHORITY", file)];
    // The system does not know the issuer's authority, and the other authority has not signed the
    // issuer's certificate.
    for more in [&[][..], &named(other.as_str())] {
        let office = started_with(data, issuer, signer, more);
        let kate = office.sign(&administrator(&office));
        kate.get("/v1/widgets").await.refused(401, "unknown_token");
        assert_eq!(office.issuer.asked(), 0, "it was asked by somebody who does not know it");
        data = office.shop.server.stop().await;
        (issuer, signer) = (office.issuer, office.signer);
    }
    let office = started_with(data, issuer, signer, &named(authority.as_str()));
    office.sign(&administrator(&office)).get("/v1/widgets").await.ok();
    for file in [authority, other] {
        std::fs::remove_file(file).unwrap();
    }
}

#[tokio::test]
async fn a_server_starts_without_the_issuer_and_lets_people_in_once_it_is_there() {
    for manner in [Manner::Hangs, Manner::Fails, Manner::Floods, Manner::Redirects, Manner::Lies] {
        let signer = Signer::p256();
        let issuer = Issuer::open(manner.clone()).await;
        let data = Arc::new(tempfile::tempdir().unwrap());
        let began = Instant::now();
        let office = started(data, issuer, signer);
        assert!(began.elapsed() < Duration::from_secs(4), "the start waits for {manner:?}");
        let kate = office.sign(&administrator(&office));
        kate.get("/v1/widgets").await.refused(401, "unknown_token");
        // A caller with a token of Holdline's own does not notice.
        office.shop.admin.get("/v1/widgets").await.ok();
        office.issuer.become_one_that(Manner::Tells(vec![office.signer.jwk("one")]));
        until_answered(&kate, 200).await;
    }
}

#[tokio::test]
async fn keys_that_are_not_for_this_are_not_used() {
    let office = office().await;
    let claims = administrator(&office);
    let signer = Signer::p256();
    let with = |name: &str, value: Value| {
        let mut jwk = signer.jwk("odd");
        jwk[name] = value;
        jwk
    };
    let odd = [
        with("use", json!("enc")),
        with("key_ops", json!(["sign", "wrapKey"])),
        with("alg", json!("ES384")),
        with("alg", json!("HS256")),
        with("crv", json!("P-384")),
        json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "odd" }),
        json!({ "kty": "unheard of", "kid": "odd" }),
        json!("no key"),
    ];
    let mut keys = odd.to_vec();
    keys.push(office.signer.jwk("two"));
    office.issuer.become_one_that(Manner::Tells(keys));
    let two = office.shop.admin.with_token(&office.signer.sign_as("two", &claims));
    until_answered(&two, 200).await;
    let odd = office.shop.admin.with_token(&signer.sign_as("odd", &claims));
    odd.get("/v1/widgets").await.refused(401, "unknown_token");
}

#[tokio::test]
async fn what_a_token_says_of_its_key_is_neither_fetched_nor_believed() {
    let office = office().await;
    let claims = administrator(&office);
    until_answered(&office.sign(&claims), 200).await;
    // This issuer counts everything that it is asked for.
    let elsewhere = Issuer::open(Manner::Fails).await;
    let thief = Signer::p256();
    let named = |mut header: jsonwebtoken::Header, id: Option<&str>| {
        header.kid = id.map(str::to_owned);
        header.jwk = serde_json::from_value(thief.jwk("two")).ok();
        assert!(header.jwk.is_some(), "the key stands in the token");
        header.jku = Some(format!("{}/keys", elsewhere.name()));
        header.x5u = Some(format!("{}/chain.pem", elsewhere.name()));
        header
    };
    for id in [Some("one"), Some("two"), None] {
        let token = thief.sign_under(&named(thief.header(), id), &claims);
        let stranger = office.shop.admin.with_token(&token);
        stranger.get("/v1/widgets").await.refused(401, "unknown_token");
    }
    // The same header means nothing in a token that the issuer has signed, either.
    let mut header = named(office.signer.header(), Some("one"));
    let show = |header: &jsonwebtoken::Header| {
        office.shop.admin.with_token(&office.signer.sign_under(header, &claims))
    };
    show(&header).get("/v1/widgets").await.ok();
    header.crit = Some(vec!["jku".to_owned()]);
    show(&header).get("/v1/widgets").await.refused(401, "unknown_token");
    assert_eq!(elsewhere.asked(), 0, "a token has it ask whom it names");
}

#[tokio::test]
async fn an_issuer_that_sends_on_to_somebody_else_is_not_followed() {
    let thief = Signer::p256();
    let elsewhere = Issuer::open(Manner::Tells(vec![thief.jwk("two")])).await;
    let issuer = Issuer::open(Manner::SendsOn(format!("{}/keys", elsewhere.name()))).await;
    let office = started(Arc::new(tempfile::tempdir().unwrap()), issuer, Signer::p256());
    let began = Instant::now();
    while office.issuer.asked() == 0 {
        assert!(began.elapsed() < PATIENCE, "it is not asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // This request waits for the fetch that has begun.
    let stolen = thief.sign_as("two", &administrator(&office));
    let stolen = office.shop.admin.with_token(&stolen);
    stolen.get("/v1/widgets").await.refused(401, "unknown_token");
    assert_eq!(elsewhere.asked(), 0, "somebody else is asked for the keys");
}

#[tokio::test]
async fn keys_that_could_not_be_fetched_for_a_week_let_nobody_in() {
    let office = office().await;
    let claims = administrator(&office);
    until_answered(&office.sign(&claims), 200).await;
    let file = office.shop.server.directory().path().join(FILE);
    let Office { shop, mut issuer, mut signer } = office;
    let mut data = shop.server.stop().await;
    issuer.become_one_that(Manner::Fails);
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let fetched_at = kept["fetched_at_ms"].as_i64().unwrap();
    for (hours, status) in [(7 * 24 - 1, 200), (7 * 24 + 1, 401)] {
        kept["fetched_at_ms"] = json!(fetched_at - hours * 3_600_000);
        std::fs::write(&file, kept.to_string()).unwrap();
        let office = started(data, issuer, signer);
        let answer = office.sign(&claims).get("/v1/widgets").await;
        assert_eq!(answer.status, status, "after {hours} hours: {}", answer.text);
        assert_eq!(answer.text.contains("could not be fetched for too long"), status == 401);
        office.shop.admin.get("/v1/widgets").await.ok();
        data = office.shop.server.stop().await;
        (issuer, signer) = (office.issuer, office.signer);
    }
}
