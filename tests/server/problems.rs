//! Bad input over HTTP, at every address that the server describes. Each answer is a problem
//! document with its documented code, and names the field or the limit.

use reqwest::Method;
use serde_json::{Value, json};

use crate::console::Console;
use crate::shop::Shop;

const UNKNOWN_CHAT: &str = "0190a6e4-7c1b-7d2e-8f3a-4b5c6d7e8f90";

/// Every address and method of the server's own description.
async fn operations(console: &Console) -> Vec<(Method, String)> {
    let document = console.get("/openapi.json").await.ok();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            if let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) {
                operations.push((method, path.clone()));
            }
        }
    }
    assert!(operations.len() >= 40, "{operations:?}");
    operations
}

fn filled(path: &str, chat: &str, other: &str) -> String {
    let path = path.replace("{conversation}", chat);
    let path = path.replace("{agent}", other).replace("{queue}", other);
    let path = path.replace("{token}", "0123456789abcdef");
    path.replace("{workstream}", other).replace("{widget}", other)
}

/// The smallest role that an operation needs: agent, supervisor or administrator.
fn needs(method: &Method, path: &str) -> &'static str {
    let is_setting = ["/v1/workstreams", "/v1/queues", "/v1/widgets", "/v1/secrets"];
    let is_setting = is_setting.iter().any(|prefix| path.starts_with(prefix));
    if is_setting || (path.ends_with("/tokens") && *method == Method::POST) {
        return "administrator";
    }
    match path {
        "/v1/agents/{agent}" if *method != Method::GET => "administrator",
        "/v1/agents" | "/v1/figures" => "supervisor",
        path if path.ends_with("/assign") || path.ends_with("/force-close") => "supervisor",
        _ => "agent",
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_or_with_too_small_a_role() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    for (method, path) in operations(&shop.admin).await {
        let Some(_) = path.strip_prefix("/v1/") else { continue };
        let place = filled(&path, UNKNOWN_CHAT, "ada");
        let send = async |who: &Console| who.send(method.clone(), &place, Some(json!({}))).await;
        let answer = send(&shop.admin.stranger()).await;
        answer.refused(401, "missing_token");
        assert!(
            answer.header("www-authenticate").is_some_and(|scheme| scheme.starts_with("Bearer"))
        );
        send(&ada.with_token("hlt_nobody")).await.refused(401, "unknown_token");
        let needed = needs(&method, &path);
        if needed != "agent" {
            let problem = send(&ada).await.refused(403, "forbidden");
            assert!(problem["detail"].as_str().unwrap().contains("administrator"), "{problem}");
        }
        if needed == "administrator" {
            send(&sue).await.refused(403, "forbidden");
        }
    }
    ada.get("/v1/agents/sue").await.refused(403, "forbidden");
    ada.get("/v1/agents/sue/feed").await.refused(403, "forbidden");
    ada.get("/v1/agents/sue/tokens").await.refused(403, "forbidden");
    shop.admin.get("/v1/agents/me").await.refused(403, "no_agent");
    shop.admin.get("/v1/agents/me/feed").await.refused(403, "no_agent");
}

#[tokio::test]
async fn what_is_not_there_and_methods_that_are_not_are_told() {
    let shop = Shop::open(json!({})).await;
    shop.employ("ada", "agent", 1).await;
    let mut seen = std::collections::BTreeSet::new();
    for (method, path) in operations(&shop.admin).await {
        if seen.insert(path.clone()) {
            let place = filled(&path, UNKNOWN_CHAT, "nobody");
            for wrong in [Method::PATCH, Method::TRACE] {
                let answer = shop.admin.send(wrong, &place, None).await;
                answer.refused(405, "wrong_method");
                let allow = answer.header("allow").unwrap_or_default();
                assert!(allow.contains(method.as_str()) && !allow.contains("TRACE"), "{path}");
                assert!(!answer.text.contains("Bearer"), "it says what was asked: {answer:?}");
            }
        }
        let Some(code) = unknown(&method, &path) else { continue };
        let body = body_for(&path);
        for chat in [UNKNOWN_CHAT, "not-an-id"] {
            let place = filled(&path, chat, "nobody");
            let place = if path.contains("{conversation}") && takes_agent(&path) {
                format!("{place}?agent=ada")
            } else {
                place
            };
            shop.admin.send(method.clone(), &place, Some(body.clone())).await.refused(404, code);
        }
    }
    for path in ["/v1", "/v1/", "/v2/agents", "/v1/conversations/x/y/z", "/nothing"] {
        shop.admin.send(Method::TRACE, path, None).await.refused(404, "unknown_route");
        let problem = shop.admin.get(path).await.refused(404, "unknown_route");
        assert!(problem["detail"].as_str().unwrap().contains(path), "{problem}");
    }
}

fn takes_agent(path: &str) -> bool {
    ["/accept", "/decline", "/messages", "/typing", "/read"].iter().any(|end| path.ends_with(end))
}

fn unknown(method: &Method, path: &str) -> Option<&'static str> {
    if path.contains("{conversation}") {
        return Some("unknown_conversation");
    }
    if path.contains("{agent}") {
        // A PUT makes the agent.
        return (!(*method == Method::PUT && path == "/v1/agents/{agent}"))
            .then_some("unknown_agent");
    }
    // The server keeps nothing of an unknown visitor, and to ask about one is no mistake.
    let is_kept = path.contains('{') && !path.contains("{visitor}");
    (is_kept && *method != Method::PUT).then_some("unknown_setting")
}

fn body_for(path: &str) -> Value {
    match path.rsplit('/').next().unwrap() {
        "messages" => json!({ "id": "m1", "text": "x" }),
        "typing" => json!({ "on": true }),
        "read" => json!({ "seq": 1 }),
        "assign" => json!({ "agent": "ada" }),
        "beat" => json!({ "feed": "1" }),
        "presence" => json!({ "presence": "available" }),
        _ => json!({}),
    }
}

/// Bad documents, each with the fields that its refusal must name.
#[tokio::test]
async fn documents_that_cannot_be_read_name_every_field() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let kim = shop.talking(&ada).await;
    let chat = format!("/v1/conversations/{}", kim.conversation);
    let long = "x".repeat(6_001);
    let (put, post) = (Method::PUT, Method::POST);
    let cases: Vec<(&Console, &Method, String, Value, Vec<&str>)> = vec![
        (&shop.admin, &put, "/v1/workstreams/w".into(), json!({}), vec!["queue"]),
        (
            &shop.admin,
            &put,
            "/v1/workstreams/w".into(),
            json!({ "queue": 1, "window": 2, "units": "x", "wrapup_block": "maybe" }),
            vec!["queue", "units", "wrapup_block", "window"],
        ),
        (
            &shop.admin,
            &put,
            "/v1/workstreams/w".into(),
            json!({ "queue": "sales", "autoclose_s": { "opens": 1 }, "idle_s": { "warn": 5 } }),
            vec!["autoclose_s.opens", "idle_s.close"],
        ),
        (
            &shop.admin,
            &put,
            "/v1/workstreams/w".into(),
            json!({ "queue": "sales", "id": "v" }),
            vec!["id"],
        ),
        (&shop.admin, &put, "/v1/queues/q".into(), json!({ "agents": "ada" }), vec!["agents"]),
        (
            &shop.admin,
            &put,
            "/v1/queues/q".into(),
            json!({ "name": "n".repeat(101), "speed": 1 }),
            vec!["name", "speed"],
        ),
        (
            &shop.admin,
            &put,
            "/v1/agents/a".into(),
            json!({ "name": "Ada\n2026-01-01 INFO all is well" }),
            vec!["name"],
        ),
        (&shop.admin, &put, "/v1/queues/q".into(), json!({ "name": "\u{2067}Line" }), vec!["name"]),
        (
            &shop.admin,
            &put,
            "/v1/widgets/w".into(),
            json!({ "origins": [5] }),
            vec!["workstream", "origins"],
        ),
        (
            &shop.admin,
            &put,
            "/v1/agents/a".into(),
            json!({ "role": "king", "units": -1 }),
            vec!["role", "units"],
        ),
        (
            &ada,
            &put,
            "/v1/agents/me/presence".into(),
            json!({ "presence": "asleep" }),
            vec!["presence"],
        ),
        (&ada, &post, format!("{chat}/messages"), json!({}), vec!["id", "text"]),
        (
            &ada,
            &post,
            format!("{chat}/messages"),
            json!({ "id": "m 1", "text": long }),
            vec!["id", "text"],
        ),
        (
            &ada,
            &post,
            format!("{chat}/messages"),
            json!({ "id": "m1", "text": " ", "to": "kim" }),
            vec!["text", "to"],
        ),
        (&ada, &post, format!("{chat}/typing"), json!({ "on": "yes" }), vec!["on"]),
        (&ada, &post, format!("{chat}/read"), json!({ "seq": "9" }), vec!["seq"]),
        (&shop.admin, &post, format!("{chat}/assign"), json!({}), vec!["agent"]),
    ];
    for (who, method, path, body, fields) in cases {
        let answer = who.send(method.clone(), &path, Some(body.clone())).await;
        let problem = answer.refused(400, "malformed_document");
        let named: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].as_str().unwrap())
            .collect();
        for field in &fields {
            assert!(named.contains(field), "{field} of {body} in {problem:#}");
        }
        assert_eq!(named.len(), fields.len(), "{problem:#}");
    }
    for body in ["{", "[]", "null", "\"x\"", "{\"id\":\"m1\",\"text\":\"x\"}}", "\u{0}"] {
        let request = ada.request(Method::POST, &format!("{chat}/messages")).body(body);
        Console::answer(request).await.refused(400, "malformed_document");
    }
    for query in
        ["state=lost", "limit=0", "limit=x", "cursor=AAAA", "mood=1", "state=open&state=closed"]
    {
        let problem = ada
            .get(&format!("/v1/conversations?{query}"))
            .await
            .refused(400, "malformed_parameter");
        assert_eq!(problem["errors"][0]["field"], query.split('=').next().unwrap());
    }
    ada.get(&format!("{chat}/transcript?audience=press")).await.refused(400, "malformed_parameter");
    for id in ["has%20space", "%C3%BC", &"x".repeat(65)] {
        shop.admin
            .put(&format!("/v1/agents/{id}"), json!({}))
            .await
            .refused(400, "malformed_parameter");
    }
    for id in ["me", "administrator"] {
        shop.admin
            .put(&format!("/v1/agents/{id}"), json!({}))
            .await
            .refused(400, "malformed_parameter");
    }
    assert_eq!(ada.transcript(&kim.conversation, "agent").await, ["Ada joined"]);
}

#[tokio::test]
async fn settings_that_break_a_rule_are_refused_whole() {
    let shop = Shop::open(json!({})).await;
    let before = shop.admin.get("/v1/workstreams/sales").await.ok();
    let ranges = [
        ("units", json!(0)),
        ("units", json!(1_001)),
        ("window_s", json!(1.999)),
        ("window_s", json!(86_401)),
        ("heartbeat_s", json!(0.5)),
        ("heartbeat_s", json!(121)),
        ("offer_s", json!(1)),
        ("offer_s", json!(601)),
        ("decline_limit", json!(0)),
        ("decline_limit", json!(6)),
        ("agent_grace_s", json!(1)),
        ("agent_grace_s", json!(3_601)),
        ("wrapup_block", json!({ "for_s": 29 })),
        ("wrapup_block", json!({ "for_s": 3_601 })),
        ("autoclose_s.open", json!(0)),
        ("autoclose_s.active", json!(2_592_001)),
        ("autoclose_s.wrapup", json!(null)),
        ("idle_s", json!({ "warn": 10, "close": 10 })),
        ("idle_s", json!({ "warn": 1, "close": 10 })),
        ("redirect", json!("ftp://shop.test")),
        ("redirect", json!("javascript:alert(1)")),
    ];
    for (field, value) in ranges {
        let mut workstream = json!({ "queue": "sales", "window_s": 300, "heartbeat_s": 2 });
        match field.split_once('.') {
            Some((outer, inner)) => workstream[outer] = json!({ inner: value }),
            None => workstream[field] = value.clone(),
        }
        let answer = shop.admin.put("/v1/workstreams/sales", workstream).await;
        let problem = answer.refused(422, "invalid_settings");
        let named = problem["errors"][0]["field"].as_str().unwrap();
        assert!(named.starts_with(field.split('.').next().unwrap()), "{field}: {problem}");
    }
    let short = json!({ "queue": "sales", "window_s": 9, "heartbeat_s": 5 });
    let problem =
        shop.admin.put("/v1/workstreams/sales", short).await.refused(422, "invalid_settings");
    assert!(problem["detail"].as_str().unwrap().contains("heartbeat"), "{problem}");
    for (path, body) in [
        ("/v1/widgets/w", json!({ "workstream": "sales", "origins": ["shop.test"] })),
        ("/v1/widgets/w", json!({ "workstream": "sales", "origins": [] })),
        ("/v1/widgets/w", json!({ "workstream": "sales", "origins": ["*", "https://a.test"] })),
        ("/v1/widgets/w", json!({ "workstream": "sales", "origins": ["https://shop.test/path"] })),
        ("/v1/agents/a", json!({ "units": 100_001 })),
        ("/v1/queues/q", json!({ "agents": ["ada", "ada"] })),
    ] {
        shop.admin.put(path, body).await.refused(422, "invalid_settings");
    }
    assert_eq!(shop.admin.get("/v1/workstreams/sales").await.ok(), before);
    for path in ["/v1/queues/sales", "/v1/workstreams/sales"] {
        shop.admin.delete(path).await.refused(409, "in_use");
    }
    let huge = shop.admin.request(Method::PUT, "/v1/queues/q").body(vec![b' '; 262_145]);
    let problem = Console::answer(huge).await.refused(413, "body_too_large");
    assert!(problem["detail"].as_str().unwrap().contains("262144"));
}

#[tokio::test]
async fn whatever_comes_too_late_or_too_early_is_refused_by_its_rule() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 5).await;
    let ben = shop.hire("ben", 5).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    let id = kim.conversation.clone();
    // The chat waits.
    ada.act(&id, "decline").await.refused(409, "not_offered");
    ada.act(&id, "release").await.refused(409, "not_accepted");
    ada.act(&id, "end").await.refused(409, "not_accepted");
    ada.act(&id, "close").await.refused(409, "not_in_wrapup");
    ada.say(&id, "m1", "early").await.refused(409, "not_accepted");
    // The chat is offered to Ada.
    let path = format!("/v1/conversations/{id}/assign");
    sue.post(&path, json!({ "agent": "nobody" })).await.refused(404, "unknown_agent");
    sue.post(&path, json!({ "agent": "ada" })).await.ok();
    ada.say(&id, "m1", "early").await.refused(409, "not_accepted");
    ada.act(&id, "end").await.refused(409, "not_accepted");
    ben.act(&id, "accept").await.refused(409, "not_offered");
    ben.act(&id, "decline").await.refused(409, "not_offered");
    ada.act(&id, "accept").await.ok();
    // The chat is Ada's.
    ada.act(&id, "accept").await.refused(409, "already_accepted");
    ada.act(&id, "decline").await.refused(409, "already_accepted");
    ada.act(&id, "close").await.refused(409, "not_in_wrapup");
    sue.post(&path, json!({ "agent": "ben" })).await.refused(409, "already_accepted");
    for what in ["accept", "release", "end"] {
        ben.act(&id, what).await.refused(403, "not_yours");
    }
    ben.say(&id, "m1", "mine").await.refused(403, "not_yours");
    ben.get(&format!("/v1/conversations/{id}/transcript")).await.refused(403, "not_yours");
    ada.act(&id, "end").await.ok();
    // The chat is in wrap-up.
    for what in ["end", "release", "accept", "decline"] {
        ada.act(&id, what).await.refused(409, "conversation_ended");
    }
    ben.act(&id, "close").await.refused(403, "not_yours");
    sue.post(&path, json!({ "agent": "ben" })).await.refused(409, "conversation_ended");
    ada.act(&id, "close").await.ok();
    // The chat is closed.
    for what in ["end", "close", "release", "accept", "decline"] {
        ada.act(&id, what).await.refused(409, "already_closed");
    }
    ada.say(&id, "m2", "late").await.refused(409, "already_closed");
    sue.act(&id, "force-close").await.refused(409, "already_closed");
    assert_eq!(ada.transcript(&id, "customer").await, ["Ada joined", "The agent ended the chat"]);
}
