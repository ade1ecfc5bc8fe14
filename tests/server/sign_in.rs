//! People whom an issuer signs in: which tokens are taken and which are not, what their holders may
//! do, and when that ends.

mod keys;

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use reqwest::Method;
use serde_json::{Value, json};

use crate::console::Console;
use crate::feed::Feed;
use crate::issuer::{Issuer, Manner};
use crate::shop::{Running, Shop};
use crate::signer::{Signer, now, signed_with_public, unsigned};

const AUDIENCE: &str = "holdline";

/// How soon a feed ends when the right to it is gone: feeds are told of the change at once.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A shop whose people are signed in by an issuer with one key.
struct Office {
    shop: Shop,
    issuer: Issuer,
    signer: Signer,
}

/// The environment variables that name the issuer.
fn environment(issuer: &Issuer) -> [(&'static str, String); 2] {
    [("HOLDLINE_OIDC_ISSUER", issuer.name()), ("HOLDLINE_OIDC_AUDIENCE", AUDIENCE.to_owned())]
}

impl Office {
    async fn open_with(signer: Signer, more: &[(&str, &str)]) -> Self {
        let issuer = Issuer::open(Manner::Tells(vec![signer.jwk("one")])).await;
        let named = environment(&issuer);
        let mut environment: Vec<_> = named.iter().map(|(key, it)| (*key, it.as_str())).collect();
        environment.extend_from_slice(more);
        let shop = Shop::open_under(json!({ "window_s": 300 }), &environment).await;
        Self { shop, issuer, signer }
    }

    /// The claims that the issuer makes about somebody who has these roles.
    fn claims(&self, id: &str, roles: impl Into<Value>) -> Value {
        let subject = format!("subject of {id}");
        json!({
            "iss": self.issuer.name(), "aud": AUDIENCE, "sub": subject, "preferred_username": id,
            "roles": roles.into(), "iat": now(), "exp": now() + 300, "id": id,
        })
    }

    fn sign(&self, claims: &Value) -> Console {
        self.shop.admin.with_token(&self.signer.sign_as("one", claims))
    }
}

/// An office whose tokens name agents by a claim that is a valid id.
async fn office() -> Office {
    Office::open_with(Signer::p256(), &[("HOLDLINE_OIDC_ID_CLAIM", "preferred_username")]).await
}

fn changed(mut claims: Value, changes: &Value) -> Value {
    let fields = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        fields.insert(name.clone(), value.clone());
    }
    fields.retain(|_, value| !value.is_null());
    claims
}

#[tokio::test]
async fn people_of_every_role_are_let_in_by_the_word_of_the_issuer() {
    for signer in [
        Signer::p256(),
        Signer::ed25519(),
        Signer::rsa(Algorithm::RS256),
        Signer::rsa(Algorithm::PS256),
    ] {
        let named = [("HOLDLINE_OIDC_ID_CLAIM", "preferred_username")];
        let office = Office::open_with(signer, &named).await;
        let shop = &office.shop;
        shop.hire("ada", 1).await;
        let ada = office.sign(&office.claims("ada", json!(["holdline-agent", "other"])));
        ada.choose("available").await;
        let mut feed = ada.feed(None).await;
        let kim = shop.talking(&ada).await;
        feed.until_such("the chat", |it| it.data["id"] == json!(kim.conversation)).await;
        ada.get("/v1/agents").await.refused(403, "forbidden");

        // A person who is no agent needs no agent's record.
        let sue = office.sign(&office.claims("sue", "holdline-supervisor"));
        sue.get("/v1/agents").await.ok();
        sue.get("/v1/agents/me").await.refused(403, "no_agent");
        sue.get("/v1/widgets").await.refused(403, "forbidden");
        let close = format!("/v1/conversations/{}/force-close", kim.conversation);
        sue.post(&close, json!({})).await.ok();
        let kate = office.sign(&office.claims("kate", "holdline-administrator"));
        kate.put("/v1/queues/second", json!({})).await.ok();
        kate.get("/v1/agents/me").await.refused(403, "no_agent");
        // What Sue and Kate did bears their names.
        let entries = shop.admin.entries(&kim.conversation, "agent").await;
        assert!(entries.iter().all(|it| it["by"] != "administrator"), "{entries:?}");
        let audit = shop.admin.get("/v1/audit").await.ok();
        let by = |kind: &str| -> Vec<Value> {
            let entries = audit["entries"].as_array().unwrap().iter();
            entries.filter(|it| it["kind"] == kind).map(|it| it["by"].clone()).collect()
        };
        assert_eq!(by("chat_force_closed"), [json!("sue")]);
        assert_eq!(by("setting_put")[0], json!("kate"));
    }
}

#[tokio::test]
async fn what_the_issuer_has_not_said_lets_nobody_in() {
    let office = office().await;
    office.shop.hire("ada", 1).await;
    let good = office.claims("ada", "holdline-agent");
    let sign = |changes: Value| office.signer.sign_as("one", &changed(good.clone(), &changes));
    let header = |algorithm: &str| json!({ "alg": algorithm, "kid": "one" });
    let public = &office.signer.pem;
    let tokens = [
        ("another key under the same name", Signer::p256().sign_as("one", &good)),
        ("another kind of key", Signer::ed25519().sign_as("one", &good)),
        ("signed by nobody", unsigned(&header("none"), &good)),
        ("said to be signed", unsigned(&header("ES256"), &good)),
        ("signed with the public key", signed_with_public(public, &good)),
        ("another issuer", sign(json!({ "iss": "http://127.0.0.1:1/people" }))),
        ("nearly the issuer", sign(json!({ "iss": format!("{}/", office.issuer.name()) }))),
        ("no issuer", sign(json!({ "iss": null }))),
        ("another audience", sign(json!({ "aud": ["account", "other"] }))),
        ("no audience", sign(json!({ "aud": null }))),
        ("no end", sign(json!({ "exp": null }))),
        ("not yet", sign(json!({ "nbf": now() + 120 }))),
        ("not issued yet", sign(json!({ "iat": now() + 120 }))),
        ("no subject", sign(json!({ "sub": null }))),
        ("no name", sign(json!({ "preferred_username": null }))),
        ("a name that is no id", sign(json!({ "preferred_username": "ada@example.org" }))),
        ("a name that is somebody else", sign(json!({ "preferred_username": "administrator" }))),
        ("a word that is somebody else", sign(json!({ "preferred_username": "me" }))),
        ("an agent who is none", sign(json!({ "preferred_username": "eve" }))),
        ("no role", sign(json!({ "roles": null }))),
        ("an unknown role", sign(json!({ "roles": ["administrator", "agent"] }))),
        ("roles of another form", sign(json!({ "roles": { "holdline-agent": true } }))),
        ("too long", sign(json!({ "more": "a".repeat(8_192) }))),
        ("no token", "a.b.c".to_owned()),
    ];
    for (what, token) in tokens {
        let refused = office.shop.admin.with_token(&token).get("/v1/agents/me").await;
        assert_eq!(refused.status, 401, "{what}");
        refused.refused(401, "unknown_token");
    }
    let expired = office.shop.admin.with_token(&sign(json!({ "exp": now() - 61 })));
    expired.get("/v1/agents/me").await.refused(401, "token_expired");
    // The refusals are noted, as refusals of Holdline's own tokens are.
    let noted = |it: &Value| (it["by"].clone(), it["details"]["code"].clone());
    let path = "/v1/audit?kind=sign_in_refused";
    office
        .shop
        .admin
        .until(path, "both are noted", |audit| {
            let noted: Vec<_> = audit["entries"].as_array().unwrap().iter().map(noted).collect();
            noted.contains(&(json!("ada"), json!("token_expired")))
                && noted.contains(&(Value::Null, json!("unknown_token")))
        })
        .await;
    // Times that are near enough are taken, because clocks differ.
    let near = json!({ "exp": now() - 30, "nbf": now() + 30, "aud": ["account", AUDIENCE] });
    office.shop.admin.with_token(&sign(near)).me().await;
    office.sign(&good).me().await;
}

#[tokio::test]
async fn an_address_that_shows_too_many_bad_ones_is_told_so() {
    let more = [
        ("HOLDLINE_TRUSTED_PROXIES", "127.0.0.1"),
        ("HOLDLINE_REFUSED_TOKENS_PER_ADDRESS", "3"),
        ("HOLDLINE_OIDC_ID_CLAIM", "id"),
    ];
    let office = Office::open_with(Signer::p256(), &more).await;
    let claims = office.claims("kate", "holdline-administrator");
    let show = async |token: &str| {
        let console = office.shop.admin.with_token(token);
        let request = console.request(Method::GET, "/v1/widgets");
        Console::answer(request.header("x-forwarded-for", "192.0.2.7")).await
    };
    let bad = Signer::p256().sign_as("one", &claims);
    for _ in 0..3 {
        show(&bad).await.refused(401, "unknown_token");
    }
    show(&bad).await.refused(429, "too_many_attempts");
    show(&office.signer.sign_as("one", &claims)).await.ok();
}

#[tokio::test]
async fn roles_stand_where_the_operator_says() {
    let nested = json!({ "roles": ["offline_access", "holdline-agent", "holdline-supervisor"] });
    let cases = [
        ("realm_access.roles", json!({ "realm_access": nested })),
        ("https://example.org/roles", json!({ "https://example.org/roles": nested["roles"] })),
        ("a.b.c", json!({ "a": { "b": { "c": "holdline-supervisor" } } })),
    ];
    for (claim, changes) in cases {
        let more = [("HOLDLINE_OIDC_ROLE_CLAIM", claim), ("HOLDLINE_OIDC_ID_CLAIM", "id")];
        let office = Office::open_with(Signer::ed25519(), &more).await;
        let claims = changed(office.claims("sue", "holdline-administrator"), &changes);
        let sue = office.sign(&claims);
        sue.get("/v1/agents").await.ok();
        sue.get("/v1/widgets").await.refused(403, "forbidden");
        let other = office.sign(&office.claims("sue", "holdline-administrator"));
        other.get("/v1/agents").await.refused(401, "unknown_token");
    }
}

#[tokio::test]
async fn a_renewed_token_is_the_same_caller_as_long_as_the_role_is() {
    let office = office().await;
    let with_key = async |who: &Console, body: Value| {
        let request = who.request(Method::PUT, "/v1/queues/second").header("idempotency-key", "k");
        Console::answer(request.json(&body)).await
    };
    let claims = office.claims("kate", "holdline-administrator");
    let (first, body) = (office.sign(&claims), json!({ "name": "Second" }));
    assert_eq!(with_key(&first, body.clone()).await.status, 201);
    let renewed = office.sign(&changed(claims.clone(), &json!({ "exp": now() + 900 })));
    assert_ne!(first.token(), renewed.token());
    let again = with_key(&renewed, body.clone()).await;
    assert_eq!(
        (again.status, &again.headers["idempotency-replayed"]),
        (201, &"true".parse().unwrap())
    );
    // Another administrator is not told the first answer. Nor is Kate once her token lacks the
    // role.
    let other = office.sign(&office.claims("eve", "holdline-administrator"));
    assert_eq!(with_key(&other, body.clone()).await.status, 200);
    let demoted = office.sign(&changed(claims, &json!({ "roles": "holdline-supervisor" })));
    with_key(&demoted, body).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_feed_ends_when_the_token_that_opened_it_does() {
    let office = office().await;
    office.shop.hire("ada", 1).await;
    let claims = office.claims("ada", "holdline-agent");
    // The token is good for 3 s more, because clocks may differ by a minute.
    let short = office.sign(&changed(claims, &json!({ "exp": now() - 57 })));
    short.choose("available").await;
    let mut feed = short.feed(None).await;
    // This is before anything else, such as the line that keeps a feed alive, would have the server
    // check the token.
    assert!(
        feed.ends_within(Duration::from_secs(8)).await,
        "whoever is not signed in any more reads on"
    );
    short.get("/v1/agents/me").await.refused(401, "token_expired");
}

#[tokio::test]
async fn a_feed_ends_with_the_agent_whom_the_token_names() {
    let office = office().await;
    office.shop.hire("ada", 1).await;
    let ada = office.sign(&office.claims("ada", "holdline-agent"));
    let sue = office.sign(&office.claims("sue", "holdline-supervisor"));
    let mut own = ada.feed(None).await;
    let mut watched = Feed::open(sue.request(Method::GET, "/v1/agents/ada/feed")).await;
    office.shop.admin.delete("/v1/agents/ada").await.ok();
    assert!(own.ends_within(AT_ONCE).await, "the feed of one who was deleted goes on");
    assert!(watched.ends_within(AT_ONCE).await, "it is watched on");
    ada.get("/v1/agents/me").await.refused(401, "unknown_token");
}

#[tokio::test]
async fn tokens_that_are_made_here_go_on_as_before() {
    let office = office().await;
    let ada = office.shop.hire("ada", 1).await;
    ada.me().await;
    office.shop.admin.get("/v1/widgets").await.ok();
    // On a server without an issuer, an issuer's token is nobody's.
    let shop = Shop::open(json!({})).await;
    let kate = office.sign(&office.claims("kate", "holdline-administrator"));
    kate.at(&shop.admin).get("/v1/widgets").await.refused(401, "unknown_token");
}

#[tokio::test]
async fn where_the_issuer_alone_signs_people_in_a_token_that_was_made_here_lets_no_agent_in() {
    let office = office().await;
    let ada = office.shop.hire("ada", 1).await;
    let sue = office.shop.employ("sue", "supervisor", 1).await;
    ada.me().await;
    let Office { shop, issuer, signer } = office;
    let data = shop.server.stop().await;
    let office = started_with(data, issuer, signer, &[("HOLDLINE_AGENT_TOKENS", "false")]);
    let admin = &office.shop.admin;
    for old in [ada.at(admin), sue.at(admin)] {
        old.get("/v1/agents/me").await.refused(401, "token_not_taken");
        let presence = json!({ "presence": "available" });
        old.put("/v1/agents/me/presence", presence).await.refused(401, "token_not_taken");
        let feed = Console::answer(old.request(Method::GET, "/v1/agents/me/feed")).await;
        feed.refused(401, "token_not_taken");
    }
    // A token that never existed is unknown, as before. So nobody learns from this which tokens
    // there were.
    let made_up = admin.with_token("hlt_nobody-has-ever-been-given-this-one");
    made_up.get("/v1/agents/me").await.refused(401, "unknown_token");
    office.sign(&office.claims("ada", "holdline-agent")).me().await;
    // The administrator, who must be able to mend the issuer's settings, is not locked out. But
    // nobody can make tokens that get around the issuer.
    let tokens = "/v1/agents/ada/tokens";
    admin.post(tokens, json!({ "name": "phone" })).await.refused(409, "agent_tokens_off");
    let kate = office.sign(&office.claims("kate", "holdline-administrator"));
    kate.post(tokens, json!({})).await.refused(409, "agent_tokens_off");
    let kept = admin.get(tokens).await.ok();
    assert_eq!(kept["tokens"].as_array().unwrap().len(), 1, "{kept}");
    // The server knows whose tokens these are, and notes the refusals under that name.
    admin
        .until("/v1/audit?kind=sign_in_refused&by=sue", "it is noted", |audit| {
            let entries = audit["entries"].as_array().unwrap();
            entries.iter().any(|entry| entry["details"] == json!({ "code": "token_not_taken" }))
        })
        .await;
    // The tokens are good again when the operator allows them.
    let office = restarted(office).await;
    ada.at(&office.shop.admin).me().await;
}

/// The office on the same data, after a restart of the server.
async fn restarted(office: Office) -> Office {
    let Office { shop, issuer, signer } = office;
    let data = shop.server.stop().await;
    started(data, issuer, signer)
}

fn started(data: Arc<tempfile::TempDir>, issuer: Issuer, signer: Signer) -> Office {
    started_with(data, issuer, signer, &[])
}

fn started_with(
    data: Arc<tempfile::TempDir>,
    issuer: Issuer,
    signer: Signer,
    more: &[(&str, &str)],
) -> Office {
    let named = environment(&issuer);
    let mut environment: Vec<_> = named.iter().map(|(key, it)| (*key, it.as_str())).collect();
    environment.push(("HOLDLINE_OIDC_ID_CLAIM", "preferred_username"));
    environment.extend_from_slice(more);
    let server = Running::start_under(data, "off", &environment);
    let admin = server.admin.clone();
    Office { shop: Shop { server, admin }, issuer, signer }
}
