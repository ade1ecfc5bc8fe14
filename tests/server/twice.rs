//! Fields and headers that are given twice. One reader takes the first value and another takes the
//! last, so one reader may judge a value that another does not use.

use reqwest::Method;
use serde_json::json;

use crate::console::Console;
use crate::shop::{ADMINISTRATOR, Shop};

#[tokio::test]
async fn a_field_that_is_given_twice_is_refused_by_name() {
    let shop = Shop::open(json!({})).await;
    for (body, named) in [
        (r#"{"units":1,"units":9}"#, "units"),
        (r#"{"units":1,"name":"A","un\u0069ts":9}"#, "units"),
        (r#"{"role":{"of":1,"of":{}},"units":1}"#, "of"),
    ] {
        let request = shop.admin.request(Method::PUT, "/v1/agents/ada").body(body);
        let problem = Console::answer(request).await.refused(400, "malformed_document");
        assert_eq!(problem["errors"][0]["field"], named, "{problem}");
    }
    shop.admin.get("/v1/agents/ada").await.refused(404, "unknown_agent");
}

#[tokio::test]
async fn whoever_shows_two_tokens_shows_none() {
    let shop = Shop::open(json!({})).await;
    let bearer = |token: &str| format!("Bearer {token}");
    for tokens in [[ADMINISTRATOR, "another"], ["another", ADMINISTRATOR]] {
        let stranger = shop.admin.stranger();
        let request = stranger.request(Method::GET, "/v1/agents");
        let request = request.header("authorization", bearer(tokens[0]));
        let request = request.header("authorization", bearer(tokens[1]));
        Console::answer(request).await.refused(401, "missing_token");
    }
}
