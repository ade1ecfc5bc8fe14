//! What a browser is told of every answer, whatever was asked.

use holdline::http;
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use crate::console::Answer;
use crate::shop::Shop;
use crate::widget::Widget;

const ALWAYS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

#[track_caller]
fn says_all(asked: &str, answer: &Answer) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.headers.get_all(name).iter().count(), 1, "{asked}: {name}");
        assert_eq!(answer.header(name), Some(value), "{asked}: {name}");
    }
    // In the clear it would mean nothing.
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
            // There is nobody and nothing of that name, and whoever makes it needs more.
            let path = named.split('{').next().unwrap_or_default().to_owned();
            let path = if path == named { path } else { format!("{path}none") };
            let asked = format!("{method} {path}");
            // A feed that is opened does not end.
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
    for part in ["default-src 'none'", "frame-ancestors 'none'", "script-src 'sha256-"] {
        assert!(policy.contains(part), "{policy}");
    }
}
