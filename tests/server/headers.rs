//! What every answer tells a browser, whatever was asked.

use holdline::http;
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use crate::console::Answer;
use crate::shop::Shop;
use crate::widget::Widget;

const ALWAYS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

/// A text names its encoding. JSON and events are UTF-8 by definition.
#[track_caller]
fn says_how_it_is_encoded(asked: &str, kind: &str) {
    let by_definition = [
        "application/json",
        "application/problem+json",
        "application/x-ndjson",
        "text/event-stream",
    ];
    let is_said = kind.ends_with("; charset=utf-8");
    assert!(is_said || by_definition.contains(&kind), "{asked}: {kind}");
}

#[track_caller]
fn says_all(asked: &str, answer: &Answer) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.headers.get_all(name).iter().count(), 1, "{asked}: {name}");
        assert_eq!(answer.header(name), Some(value), "{asked}: {name}");
    }
    if let Some(kind) = answer.header("content-type") {
        says_how_it_is_encoded(asked, kind);
    } else {
        assert_eq!(answer.text, "", "{asked}");
    }
    // Without TLS this header would mean nothing.
    assert_eq!(answer.header("strict-transport-security"), None, "{asked}");
}

#[tokio::test]
async fn every_address_says_what_a_browser_may_do_with_its_answer() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    let id = "00000000-0000-0000-0000-000000000001";
    for place in http::table() {
        for method in place.methods() {
            let named = place.path().replace("{conversation}", id).replace("{agent}", "ada");
            // Nothing of this name exists, and an empty request does not make it.
            let path = named.split('{').next().unwrap_or_default().to_owned();
            let path = if path == named { path } else { format!("{path}none") };
            let asked = format!("{method} {path}");
            // A feed that is opened does not end, so it is asked for with HEAD.
            let method = if path.ends_with("/feed") { "HEAD" } else { method.as_str() };
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            for asking in [&shop.admin, &ada, &shop.admin.stranger()] {
                says_all(&asked, &asking.send(method.clone(), &path, None).await);
            }
        }
    }
    for (method, path) in [
        (Method::GET, "/nowhere"),
        (Method::POST, "/healthz"),
        (Method::GET, "/v1/widget?widget=shop"),
        (Method::PUT, "/v1/widget"),
    ] {
        says_all(path, &shop.admin.send(method, path, None).await);
    }
    match Widget::try_connect(shop.address(), "nothing", None).await.map(|_| ()) {
        Err(Error::Http(refused)) => {
            for (name, value) in ALWAYS {
                assert_eq!(refused.headers()[name], value);
            }
        }
        other => panic!("it is refused: {other:?}"),
    }
}

#[tokio::test]
async fn the_page_runs_its_own_script_alone_and_is_in_nobodys_frame() {
    let shop = Shop::open(json!({})).await;
    let page = shop.admin.stranger().get("/").await;
    let own = ["cache-control", "content-security-policy"];
    for (name, value) in ALWAYS.iter().filter(|(name, _)| !own.contains(name)) {
        assert_eq!(page.header(name), Some(*value));
    }
    assert_eq!(page.header("cache-control"), Some("no-cache"), "it is asked for again");
    let policy = page.header("content-security-policy").unwrap();
    says_how_it_is_encoded("the page", page.header("content-type").unwrap());
    let parts =
        ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "script-src 'sha256-"];
    for part in parts {
        assert!(policy.contains(part), "{policy}");
    }
}
