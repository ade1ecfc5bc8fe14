//! Visitors for whom a site's own server vouches: which visitor they are taken for, who may not
//! begin a chat, and that nobody who has a chat loses it.

mod keys;

use jsonwebtoken::Algorithm;
use reqwest::Method;
use serde_json::{Value, json};

use crate::console::Console;
use crate::shop::Shop;
use crate::signer::{Signer, now, signed_with_public, unsigned};
use crate::widget::{Closed, Introduction, Widget, introduce, mint_visitor};

const DAY: u64 = 86_400;

async fn set(shop: &Shop, required: bool, keys: &[&str]) {
    let admission = json!({ "required": required, "keys": keys });
    let widget = json!({ "workstream": "sales", "origins": ["*"], "admission": admission });
    let put = shop.admin.put("/v1/widgets/shop", widget).await.ok();
    assert_eq!(put["admission"], admission);
}

/// A shop that holds customers for longer than a test takes, and asks who they are.
async fn shop_that_asks(signer: &Signer) -> Shop {
    let shop = Shop::open(json!({ "window_s": 300 })).await;
    set(&shop, true, &[&signer.pem]).await;
    shop
}

fn claims(subject: &str) -> Value {
    json!({ "sub": subject, "aud": "shop", "iat": now(), "exp": now() + 300, "name": "ignored" })
}

/// The claims of Kim with these changes; null takes a claim away.
fn with(changed: Value) -> Value {
    let mut claims = claims("kim");
    let fields = claims.as_object_mut().unwrap();
    for (name, value) in changed.as_object().unwrap() {
        fields.insert(name.clone(), value.clone());
    }
    fields.retain(|_, value| !value.is_null());
    claims
}

/// A new browser for whose customer this admission vouches.
fn vouched(admission: String) -> Introduction {
    let (visitor, admission) = (Some(mint_visitor()), Some(admission));
    Introduction { visitor, admission, ..Introduction::default() }
}

/// Says this `hello`, and returns the code of each refusal, and the widget with its welcome.
async fn told(shop: &Shop, hello: &Introduction) -> (Vec<String>, Widget) {
    let mut widget = Widget::connect(shop.address(), "shop").await;
    widget.say(introduce(hello)).await;
    let mut codes = Vec::new();
    loop {
        let frame = widget.until_any(&["refused", "welcome"]).await;
        if frame["type"] == "welcome" {
            widget.welcome = frame;
            return (codes, widget);
        }
        codes.push(frame["code"].as_str().unwrap().to_owned());
    }
}

/// Checks that this admission vouches for nobody, and that no chat is begun with it.
async fn refused(shop: &Shop, admission: String, code: &str) {
    let shown = admission.clone();
    let (codes, mut widget) = told(shop, &vouched(admission)).await;
    assert_eq!(codes, [code], "{shown}");
    begins_none(&mut widget).await;
}

async fn begins_none(widget: &mut Widget) {
    widget.say(json!({ "type": "start", "ref": "s", "id": "s" })).await;
    assert_eq!(widget.expect_refused("admission_required").await["ref"], "s");
}

/// A chat that is begun with this introduction.
async fn begun(shop: &Shop, hello: Introduction) -> Widget {
    let mut widget = shop.visit(hello).await;
    widget.start("start", "Kim").await;
    widget
}

#[tokio::test]
async fn a_chat_is_begun_by_somebody_who_is_vouched_for_alone() {
    for signer in [
        Signer::ed25519(),
        Signer::p256(),
        Signer::rsa(Algorithm::RS256),
        Signer::rsa(Algorithm::PS256),
    ] {
        let shop = shop_that_asks(&signer).await;
        let mut stranger = shop.browser().await;
        begins_none(&mut stranger).await;
        let kim = begun(&shop, vouched(signer.sign(&claims("kim")))).await;
        let shown = shop.admin.conversation(&kim.conversation).await;
        assert_eq!(shown["state"], "open");
        assert!(!shown.to_string().contains("kim"), "the site's name for them is kept: {shown}");
    }
}

#[tokio::test]
async fn what_vouches_for_nobody_here_begins_no_chat() {
    let signer = Signer::p256();
    let shop = shop_that_asks(&signer).await;
    let sign = |changed: Value| signer.sign(&with(changed));
    let invalid = [
        ("another key", Signer::p256().sign(&claims("kim"))),
        ("another kind of key", Signer::rsa(Algorithm::RS256).sign(&claims("kim"))),
        ("for another widget", sign(json!({ "aud": "other" }))),
        ("for other widgets", sign(json!({ "aud": ["other", "third"] }))),
        ("for nobody", sign(json!({ "aud": null }))),
        ("without an end", sign(json!({ "exp": null }))),
        ("with an end in words", sign(json!({ "exp": "tomorrow" }))),
        ("for more than a day", sign(json!({ "exp": now() + DAY + 120 }))),
        ("for more than a day, at its end", sign(json!({ "iat": now() - DAY, "exp": now() + 90 }))),
        ("not yet", sign(json!({ "nbf": now() + 120 }))),
        ("not issued yet", sign(json!({ "iat": now() + 120 }))),
        ("for no name", sign(json!({ "sub": null }))),
        ("for an empty name", sign(json!({ "sub": "" }))),
        ("for too long a name", sign(json!({ "sub": "k".repeat(257) }))),
        ("for a number", sign(json!({ "sub": 7 }))),
        ("signed by nobody", unsigned(&json!({ "alg": "none", "typ": "JWT" }), &claims("kim"))),
        ("said to be signed", unsigned(&json!({ "alg": "ES256" }), &claims("kim"))),
        ("signed with the public key", signed_with_public(&signer.pem, &claims("kim"))),
        ("no token", "kim".to_owned()),
        ("nothing", String::new()),
    ];
    for (what, admission) in invalid {
        eprintln!("{what}");
        refused(&shop, admission, "admission_invalid").await;
    }
    let mut critical = signer.header();
    critical.crit = Some(vec!["b64".to_owned()]);
    refused(&shop, signer.sign_under(&critical, &claims("kim")), "admission_invalid").await;
    // A token that the same key has signed for another use names another type.
    for named in ["logout+jwt", "application/secevent+jwt", ""] {
        let mut header = signer.header();
        header.typ = Some(named.to_owned());
        refused(&shop, signer.sign_under(&header, &claims("kim")), "admission_invalid").await;
    }
    for named in [None, Some("jwt"), Some("at+jwt"), Some("application/at+JWT")] {
        let mut header = signer.header();
        header.typ = named.map(str::to_owned);
        let (codes, _) = told(&shop, &vouched(signer.sign_under(&header, &claims("kim")))).await;
        assert!(codes.is_empty(), "{codes:?}: {named:?}");
    }
    refused(&shop, sign(json!({ "exp": now() - 61 })), "admission_expired").await;

    // A claim that is near enough is taken, because clocks differ. So is a claim just within its
    // bound.
    for good in [
        json!({ "exp": now() - 30, "iat": now() - 300 }),
        json!({ "iat": now() + 30, "nbf": now() + 30 }),
        json!({ "iat": null, "exp": now() + DAY }),
        json!({ "aud": ["other", "shop"], "exp": now() as f64 + 60.5 }),
        json!({ "sub": "k".repeat(256) }),
    ] {
        let (codes, _) = told(&shop, &vouched(sign(good.clone()))).await;
        assert!(codes.is_empty(), "{codes:?}: {good}");
    }
}

#[tokio::test]
async fn an_admission_that_is_too_long_or_no_text_is_no_hello() {
    let signer = Signer::ed25519();
    let shop = shop_that_asks(&signer).await;
    for (wrong, code) in [
        (json!("a".repeat(4_097)), "too_long"),
        (json!(7), "invalid_field"),
        (json!(["a"]), "invalid_field"),
    ] {
        let mut widget = Widget::connect(shop.address(), "shop").await;
        widget.say(json!({ "type": "hello", "admission": wrong })).await;
        assert_eq!(widget.expect_refused(code).await["field"], "admission");
    }
}

#[tokio::test]
async fn one_name_is_one_visitor_in_two_browsers_and_on_each_thread() {
    let signer = Signer::ed25519();
    let shop = shop_that_asks(&signer).await;
    let kim = begun(&shop, vouched(signer.sign(&claims("kim")))).await;
    for _ in 0..6 {
        let mut other = shop.visit(vouched(signer.sign(&claims("kim")))).await;
        assert_eq!(other.conversation, kim.conversation);
        other.say(json!({ "type": "start", "ref": "s", "id": "another" })).await;
        assert_eq!(other.until("started").await["conversation"], json!(kim.conversation));
    }
    let ada = begun(&shop, vouched(signer.sign(&claims("ada")))).await;
    assert_ne!(ada.conversation, kim.conversation);
    // This holds after a restart, too.
    let shop = shop.restart().await;
    let back = shop.visit(vouched(signer.sign(&claims("kim")))).await;
    assert_eq!(back.conversation, kim.conversation);
}

#[tokio::test]
async fn a_chat_goes_on_by_its_token_without_the_sites_server() {
    let signer = Signer::ed25519();
    let shop = shop_that_asks(&signer).await;
    let mut kim = begun(&shop, vouched(signer.sign(&claims("kim")))).await;
    kim.post("m1", "hello").await;
    let known = kim.kill().await;
    let chat = shop.visit(Introduction { admission: None, ..known.clone() }).await;
    // An admission that has ended meanwhile, or that no key has signed, does not keep the customer
    // from the chat, either.
    for bad in [signer.sign(&with(json!({ "exp": now() - 61 }))), "bad".to_owned()] {
        let hello = Introduction { admission: Some(bad), ..known.clone() };
        let (codes, widget) = told(&shop, &hello).await;
        assert_eq!(codes.len(), 1);
        assert_eq!(widget.welcome["conversation"]["id"], json!(chat.conversation));
    }
    // But the browser's secret alone leads to nobody's chat, and begins none.
    let alone = Introduction { token: None, admission: None, ..known };
    let mut stranger = shop.visit(alone).await;
    assert_eq!(stranger.welcome["conversation"], Value::Null);
    begins_none(&mut stranger).await;
}

#[tokio::test]
async fn a_session_that_came_by_a_token_begins_no_other_chat() {
    let signer = Signer::ed25519();
    let shop = shop_that_asks(&signer).await;
    let kim = begun(&shop, vouched(signer.sign(&claims("kim")))).await;
    let known = Introduction { admission: None, ..kim.kill().await };
    let mut back = shop.visit(known).await;
    back.until_state("open").await;
    back.say(json!({ "type": "end", "ref": "e" })).await;
    back.until_state("closed").await;
    begins_none(&mut back).await;
}

#[tokio::test]
async fn nobody_is_vouched_for_by_a_browsers_secret_nor_the_other_way_round() {
    let signer = Signer::ed25519();
    let shop = Shop::open(json!({ "window_s": 300 })).await;
    set(&shop, false, &[&signer.pem]).await;
    // Where the widget does not require an admission, a customer may be a stranger.
    let stranger = begun(&shop, Introduction::default()).await;
    let secret = mint_visitor();
    let known = Introduction { visitor: Some(secret.clone()), ..Introduction::default() };
    let anonymous = begun(&shop, known.clone()).await;
    // A customer whose name is the secret of a browser is another visitor.
    let named =
        Introduction { admission: Some(signer.sign(&claims(&secret))), ..Introduction::default() };
    let mut named = shop.visit(named).await;
    assert_eq!(named.welcome["conversation"], Value::Null);
    named.start("start", "Kim").await;
    // Kim has signed in with the same browser, and has their own chat, not the anonymous one.
    let signed_in = Introduction {
        admission: Some(signer.sign(&claims("kim"))),
        visitor: Some(secret.clone()),
        ..Introduction::default()
    };
    let mut kim = shop.visit(signed_in.clone()).await;
    assert_eq!(kim.welcome["conversation"], Value::Null);
    kim.start("start", "Kim").await;
    let chats = [&stranger, &anonymous, &named, &kim].map(|widget| widget.conversation.clone());
    let different: std::collections::BTreeSet<_> = chats.iter().collect();
    assert_eq!(different.len(), 4);
    // Once Kim has signed out, the browser is back in the anonymous chat.
    assert_eq!(shop.visit(known).await.conversation, anonymous.conversation);
    // An admission that is wrong leaves the customer who they are without it.
    let wrong = Introduction { admission: Some("wrong".to_owned()), ..signed_in };
    let (codes, widget) = told(&shop, &wrong).await;
    assert_eq!(codes, ["admission_invalid"]);
    assert_eq!(widget.welcome["conversation"]["id"], json!(anonymous.conversation));
}

#[tokio::test]
async fn whoever_is_vouched_for_is_not_led_into_anothers_chat_by_a_token() {
    let signer = Signer::ed25519();
    let shop = Shop::open(json!({ "window_s": 300 })).await;
    set(&shop, false, &[&signer.pem]).await;
    let browser = mint_visitor();
    let as_somebody = |subject: &str, token: Option<&Widget>| Introduction {
        visitor: Some(browser.clone()),
        admission: Some(signer.sign(&claims(subject))),
        token: token.map(|widget| widget.token.clone()),
        after: None,
    };
    // Two people share a browser, one after the other. The page has kept the token of the first.
    let mut ada = begun(&shop, as_somebody("ada", None)).await;
    ada.post("m1", "mine alone").await;
    for _ in 0..4 {
        let (codes, kim) = told(&shop, &as_somebody("kim", Some(&ada))).await;
        assert_eq!(codes, ["token_invalid"]);
        assert_eq!(kim.welcome["conversation"], Value::Null);
    }
    // The token does not lead into what is left of the chat, either.
    let (own, again) = (as_somebody("ada", Some(&ada)), as_somebody("kim", Some(&ada)));
    assert_eq!(shop.visit(own.clone()).await.conversation, ada.conversation);
    ada.say(json!({ "type": "end", "ref": "e" })).await;
    ada.until_state("closed").await;
    let (codes, kim) = told(&shop, &again).await;
    assert_eq!((codes, &kim.welcome["ended"]), (vec!["token_invalid".to_owned()], &Value::Null));
    let (codes, ended) = told(&shop, &own).await;
    assert!(codes.is_empty());
    assert_eq!(ended.welcome["ended"]["id"], json!(ada.conversation));

    // A customer who signs in during a chat goes on with it, because this browser has begun the
    // chat itself.
    let anonymous = Introduction { visitor: Some(browser.clone()), ..Introduction::default() };
    let before = begun(&shop, anonymous).await;
    let after = shop.visit(as_somebody("kim", Some(&before))).await;
    assert_eq!(after.conversation, before.conversation);
}

#[tokio::test]
async fn a_widget_that_does_not_ask_is_as_before() {
    let signer = Signer::ed25519();
    let shop = Shop::open(json!({ "window_s": 300 })).await;
    let widget = shop.admin.get("/v1/widgets/shop").await.ok();
    assert_eq!(widget["admission"], Value::Null);
    let hello = vouched("whatever this is".to_owned());
    let kim = begun(&shop, hello.clone()).await;
    let other = Introduction { admission: Some(signer.sign(&claims("kim"))), ..hello };
    assert_eq!(shop.visit(other).await.conversation, kim.conversation);
    // The widget asks for admissions, and then does not any more.
    set(&shop, true, &[&signer.pem]).await;
    let put = json!({ "workstream": "sales", "origins": ["*"], "admission": null });
    shop.admin.put("/v1/widgets/shop", put).await.ok();
    begun(&shop, Introduction::default()).await;
}

#[tokio::test]
async fn an_address_that_shows_too_many_bad_ones_is_closed() {
    let signer = Signer::ed25519();
    let more =
        [("HOLDLINE_TRUSTED_PROXIES", "127.0.0.1"), ("HOLDLINE_REFUSED_TOKENS_PER_ADDRESS", "3")];
    let shop = Shop::open_under(json!({}), &more).await;
    set(&shop, true, &[&signer.pem]).await;
    let show = async |admission: &str| {
        let headers = [("x-forwarded-for", "192.0.2.7")];
        let mut widget = Widget::try_connect_with(shop.address(), "shop", &headers).await.unwrap();
        let admission = Some(admission.to_owned());
        widget.say(introduce(&Introduction { admission, ..Introduction::default() })).await;
        widget
    };
    // An admission that was good is no guess.
    let expired = signer.sign(&with(json!({ "exp": now() - 61 })));
    for _ in 0..5 {
        show(&expired).await.until("welcome").await;
    }
    for _ in 0..3 {
        show("bad").await.until("welcome").await;
    }
    let (frames, closed) = show("bad").await.ended().await;
    assert_eq!(closed, Closed(4008), "{frames:?}");
    let metrics = Console::answer(shop.admin.request(Method::GET, "/metrics")).await;
    for (code, count) in [("admission_invalid", 4), ("admission_expired", 5)] {
        let line = metrics.text.lines().find(|line| line.contains(code)).expect("it is counted");
        assert!(line.ends_with(&format!(" {count}")), "{line}");
    }
}

#[tokio::test]
async fn a_chat_of_before_it_was_asked_for_goes_on_by_its_token_alone() {
    let signer = Signer::ed25519();
    let shop = Shop::open(json!({ "window_s": 300 })).await;
    let secret = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
    let before = begun(&shop, secret.clone()).await;
    set(&shop, true, &[&signer.pem]).await;
    let (_, mut without) = told(&shop, &secret).await;
    assert_eq!(without.welcome["conversation"], Value::Null);
    begins_none(&mut without).await;
    let token = Introduction { token: Some(before.token.clone()), ..secret };
    assert_eq!(shop.visit(token).await.conversation, before.conversation);
}
