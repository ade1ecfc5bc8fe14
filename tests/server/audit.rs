//! The audit stream says who did what. It names each act, holds no secret, is not flooded by
//! strangers, and is shown to administrators alone.

use std::time::Duration;

use holdline::journal::sqlite::check;
use serde_json::{Value, json};

use crate::console::{Console, PATIENCE};
use crate::shop::Shop;
use crate::widget::Widget;

/// The entries that match, the newest first.
async fn noted(admin: &Console, filter: &str) -> Vec<Value> {
    admin.pages(&format!("/v1/audit?limit=200&{filter}"), "entries").await
}

/// The entries that match, once there are any. A refusal is answered before it is noted.
async fn until_noted(admin: &Console, filter: &str) -> Vec<Value> {
    until_so_many(admin, filter, 1).await
}

/// The entries that match, once there are at least this many.
async fn until_so_many(admin: &Console, filter: &str, least: usize) -> Vec<Value> {
    let waiting = async {
        loop {
            let found = noted(admin, filter).await;
            if found.len() >= least {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it is noted")
}

/// The one entry that matches.
async fn one(admin: &Console, filter: &str) -> Value {
    let mut found = noted(admin, filter).await;
    assert_eq!(found.len(), 1, "{filter}: {found:?}");
    found.remove(0)
}

#[tokio::test]
async fn what_a_supervisor_does_with_anothers_chat_bears_their_name() {
    let shop = Shop::open(json!({})).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let ada = shop.hire("ada", 9).await;
    ada.choose("available").await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    let id = kim.conversation.clone();
    sue.until_state(&id, "active").await;
    let at = |what: &str| format!("/v1/conversations/{id}/{what}");
    sue.post(&at("decline?agent=ada"), json!({})).await.ok();
    sue.post(&at("assign"), json!({ "agent": "ada" })).await.ok();
    sue.post(&at("accept?agent=ada"), json!({})).await.ok();
    let said = json!({ "id": "s-1", "text": "nobody shall find this" });
    sue.post(&at("messages?agent=ada"), said).await.ok();
    ada.say(&id, "a-1", "and it is me").await.ok();
    sue.post(&at("release"), json!({})).await.ok();
    sue.post(&at("accept?agent=ada"), json!({})).await.ok();
    sue.post(&at("end"), json!({})).await.ok();
    sue.post(&at("close"), json!({})).await.ok();
    sue.post(&at("force-close"), json!({})).await.refused(409, "already_closed");
    sue.put("/v1/agents/ada/presence", json!({ "presence": "away" })).await.ok();

    let acts = noted(&shop.admin, &format!("by=sue&about=conversation:{id}")).await;
    let kinds: Vec<_> = acts.iter().rev().map(|act| act["kind"].as_str().unwrap()).collect();
    let expected = [
        "chat_declined",
        "chat_assigned",
        "chat_accepted",
        "message_posted",
        "chat_released",
        "chat_accepted",
        "chat_ended",
        "chat_closed",
    ];
    assert_eq!(kinds, expected, "what was refused is not among them");
    assert!(acts.iter().any(|act| act["details"]["agent"] == "ada"), "{acts:?}");
    assert_eq!(noted(&shop.admin, "kind=message_posted").await.len(), 1, "ada's own is not noted");
    let set = one(&shop.admin, "kind=presence_set").await;
    assert_eq!((&set["by"], &set["about"]), (&json!("sue"), &json!("agent:ada")));
    assert_eq!(set["details"]["presence"], "away");
    let all = json!(noted(&shop.admin, "").await).to_string();
    assert!(!all.contains("nobody shall find this"), "nothing that was said is noted");
}

#[tokio::test]
async fn who_reads_a_chat_is_noted_before_they_are_answered_and_repeats_are_gathered() {
    let shop = Shop::open(json!({})).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let kim = shop.talking(&ada).await;
    let about = format!("about=conversation:{}", kim.conversation);
    let ben = shop.employ("ben", "agent", 1).await;
    let path = format!("/v1/conversations/{}/transcript", kim.conversation);
    ben.get(&path).await.refused(403, "not_yours");
    assert_eq!(noted(&shop.admin, "by=ben&kind=transcript_read").await.len(), 0);
    for _ in 0..20 {
        sue.entries(&kim.conversation, "agent").await;
    }
    ada.timeline(&kim.conversation).await;
    let read = noted(&shop.admin, &format!("by=sue&kind=transcript_read&{about}")).await;
    // A minute may end meanwhile. Then each minute has an entry, and one more entry has the
    // repeats.
    assert!((1..=3).contains(&read.len()), "{read:?}");
    assert_eq!(one(&shop.admin, &format!("kind=timeline_read&{about}")).await["by"], "ada");
    let sue_watches = sue.request(reqwest::Method::GET, "/v1/agents/ada/feed");
    let _feed = crate::feed::Feed::open(sue_watches).await;
    assert_eq!(one(&shop.admin, "kind=feed_watched").await["about"], "agent:ada");
    // Repeats that are only counted so far are written when the server stops, too.
    let shop = shop.restart().await;
    let read = noted(&shop.admin, &format!("by=sue&kind=transcript_read&{about}")).await;
    let times: u64 = read.iter().map(|entry| entry["times"].as_u64().unwrap()).sum();
    assert_eq!(times, 20, "{read:?}");
}

#[tokio::test]
async fn settings_and_tokens_are_noted_and_no_secret_is() {
    let shop = Shop::open(json!({})).await;
    let root = shop.employ("root", "administrator", 1).await;
    shop.hire("ada", 1).await;
    let path = "/v1/agents/ada/tokens";
    let made = root.post(path, json!({ "name": "phone", "expires_s": 1 })).await.ok();
    let (secret, token) = (made["token"].as_str().unwrap(), made["id"].as_str().unwrap());
    let entry = one(&shop.admin, &format!("about=token:{token}&kind=token_made")).await;
    assert_eq!((&entry["by"], &entry["details"]["agent"]), (&json!("root"), &json!("ada")));

    let phone = shop.admin.with_token(secret);
    let expired = async {
        while phone.get("/v1/agents/me").await.status != 401 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, expired).await.expect("it expires");
    phone.get("/v1/agents/me").await.refused(401, "token_expired");
    let filter = format!("about=token:{token}&kind=sign_in_refused");
    let refused = until_noted(&shop.admin, &filter).await;
    assert_eq!(refused.last().unwrap()["by"], "ada", "{refused:?}");
    assert_eq!(refused[0]["details"]["code"], "token_expired");

    root.put("/v1/queues/sales", json!({ "agents": ["ada"], "name": "Sales" })).await.ok();
    let change = noted(&shop.admin, "by=root&kind=setting_put").await;
    assert_eq!((change.len(), &change[0]["about"]), (1, &json!("queue:sales")));
    root.delete(&format!("{path}/{token}")).await.ok();
    assert_eq!(one(&shop.admin, "kind=token_ended").await["by"], "root");
    root.delete("/v1/agents/ada").await.ok();
    assert_eq!(one(&shop.admin, "kind=setting_deleted").await["about"], "agent:ada");

    let first = noted(&shop.admin, "").await.pop().unwrap();
    assert_eq!((&first["number"], &first["by"]), (&json!(1), &json!("administrator")));
    let data = shop.server.directory();
    for file in ["journal.db", "journal.db-wal"] {
        let bytes = std::fs::read(data.path().join(file)).unwrap();
        for secret in [secret, crate::shop::ADMINISTRATOR] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "a token stands in {file}");
        }
    }
    let checked = check::check(data.path()).unwrap();
    assert_eq!(checked.problems.count, 0, "{:?}", checked.problems.told);
    assert!(checked.audit.entries > 10, "{:?}", checked.audit);
}

#[tokio::test]
async fn a_flood_of_strangers_makes_few_entries_and_none_is_left_uncounted() {
    let shop = Shop::open(json!({})).await;
    let stranger = shop.admin.with_token("hlt_nobody-has-ever-been-given-this-one");
    for _ in 0..100 {
        stranger.get("/v1/agents/me").await.refused(401, "unknown_token");
        shop.admin.stranger().get("/v1/figures").await.refused(401, "missing_token");
    }
    until_noted(&shop.admin, "kind=sign_in_refused").await;
    let told = noted(&shop.admin, "kind=sign_in_refused").await;
    assert!((1..=6).contains(&told.len()), "{told:?}");
    let entries = json!(told).to_string();
    assert!(!entries.contains("127.0.0.1") && !entries.contains("hlt_nobody"), "{entries}");
    let shop = shop.restart().await;
    for code in ["unknown_token", "missing_token"] {
        let told = noted(&shop.admin, "kind=sign_in_refused").await;
        let of_code = told.iter().filter(|entry| entry["details"]["code"] == code);
        let times: u64 = of_code.map(|entry| entry["times"].as_u64().unwrap()).sum();
        assert_eq!(times, 100, "{code}: {told:?}");
    }
}

#[tokio::test]
async fn who_asks_for_what_is_not_theirs_is_noted_with_their_name_and_the_address() {
    let shop = Shop::open(json!({})).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let (ada, ben) = (shop.hire("ada", 1).await, shop.hire("ben", 1).await);
    ada.choose("available").await;
    let kim = shop.talking(&ada).await;
    let chat = format!("/v1/conversations/{}", kim.conversation);
    ben.get("/v1/audit?limit=1").await.refused(403, "forbidden");
    let hidden = json!({ "name": "nobody shall find this", "agents": [] });
    ben.put("/v1/queues/night", hidden).await.refused(403, "forbidden");
    ben.get(&format!("{chat}/transcript")).await.refused(403, "not_yours");
    sue.delete(&chat).await.refused(403, "forbidden");
    shop.admin.get("/v1/agents/me").await.refused(403, "no_agent");
    let entries = until_so_many(&shop.admin, "kind=access_refused", 5).await;
    let about = format!("conversation:{}", kim.conversation);
    let expected = [
        ("ben", "GET", "/v1/audit", "forbidden", Value::Null),
        ("ben", "PUT", "/v1/queues/{queue}", "forbidden", Value::Null),
        ("ben", "GET", "/v1/conversations/{conversation}/transcript", "not_yours", json!(about)),
        ("sue", "DELETE", "/v1/conversations/{conversation}", "forbidden", json!(about)),
        ("administrator", "GET", "/v1/agents/{agent}", "no_agent", Value::Null),
    ];
    assert_eq!(entries.len(), expected.len(), "{entries:?}");
    for (entry, (by, method, route, code, about)) in entries.iter().rev().zip(expected) {
        assert_eq!((&entry["by"], &entry["about"]), (&json!(by), &about));
        let details = json!({ "method": method, "route": route, "code": code });
        assert_eq!(entry["details"], details);
    }
    let all = json!(noted(&shop.admin, "").await).to_string();
    assert!(!all.contains("nobody shall find this"), "nothing of a body is noted");
}

#[tokio::test]
async fn a_flood_of_what_is_forbidden_makes_few_entries_and_none_is_left_uncounted() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    for _ in 0..100 {
        ada.get("/v1/audit").await.refused(403, "forbidden");
        let chat = uuid::Uuid::now_v7();
        ada.delete(&format!("/v1/conversations/{chat}")).await.refused(403, "forbidden");
    }
    let shop = shop.restart().await;
    let told = noted(&shop.admin, "kind=access_refused").await;
    // Within a minute 32 requests are told apart. Entries of further ones have only the caller's
    // name. A minute may end meanwhile.
    assert!((34..=2 * 35).contains(&told.len()), "{}: {told:?}", told.len());
    assert!(told.iter().all(|entry| entry["by"] == "ada"), "{told:?}");
    let times: u64 = told.iter().map(|entry| entry["times"].as_u64().unwrap()).sum();
    assert_eq!(times, 200, "{told:?}");
}

#[tokio::test]
async fn what_a_widget_is_refused_is_noted_with_its_name_and_repeats_are_gathered() {
    let shop = Shop::open(json!({})).await;
    let settings = json!({ "workstream": "sales", "origins": ["https://shop.test"] });
    shop.admin.put("/v1/widgets/shop", settings).await.ok();
    for _ in 0..10 {
        let page = Some("https://evil.test");
        Widget::try_connect(shop.address(), "shop", page).await.err().expect("it is refused");
        let mut thief = Widget::connect(shop.address(), "shop").await;
        thief.say(json!({ "type": "hello", "token": "bm90IG91cnM" })).await;
        thief.expect_refused("token_invalid").await;
    }
    let shop = shop.restart().await;
    for (kind, code) in
        [("access_refused", "origin_not_allowed"), ("sign_in_refused", "token_invalid")]
    {
        let told = noted(&shop.admin, &format!("kind={kind}&about=widget:shop")).await;
        assert!((1..=4).contains(&told.len()), "{told:?}");
        assert!(told.iter().all(|entry| entry["details"] == json!({ "code": code })), "{told:?}");
        let times: u64 = told.iter().map(|entry| entry["times"].as_u64().unwrap()).sum();
        assert_eq!(times, 10, "{told:?}");
    }
}

#[tokio::test]
async fn the_stream_is_paged_filtered_and_for_administrators_alone() {
    let shop = Shop::open(json!({})).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let ada = shop.hire("ada", 1).await;
    for (who, path) in [(&sue, "/v1/audit"), (&ada, "/v1/audit"), (&sue, "/v1/audit/retention")] {
        who.get(path).await.refused(403, "forbidden");
    }
    sue.put("/v1/audit/retention", json!({ "after_days": 1 })).await.refused(403, "forbidden");
    // Once these four are noted, nothing else is noted while the pages are read.
    until_so_many(&shop.admin, "kind=access_refused", 4).await;
    let whole = noted(&shop.admin, "").await;
    let paged = shop.admin.pages("/v1/audit?limit=2", "entries").await;
    assert_eq!(whole, paged);
    let numbers: Vec<_> = whole.iter().map(|it| it["number"].as_u64().unwrap()).collect();
    let expected: Vec<_> = (1..=numbers[0]).rev().collect();
    assert_eq!(numbers, expected, "without gaps, the newest first");
    let middle = whole[whole.len() / 2]["at"].as_str().unwrap();
    let earlier = noted(&shop.admin, &format!("to={middle}")).await;
    let later = noted(&shop.admin, &format!("from={middle}")).await;
    assert_eq!(earlier.len() + later.len(), whole.len());
    assert!(!later.is_empty());
    for wrong in ["kind=burned", "from=yesterday", "cursor=x", "limit=0", "page=2"] {
        let path = format!("/v1/audit?{wrong}");
        shop.admin.get(&path).await.refused(400, "malformed_parameter");
    }
}

#[tokio::test]
async fn for_how_long_it_is_kept_is_a_setting_that_outlives_a_restart() {
    let shop = Shop::open(json!({})).await;
    let path = "/v1/audit/retention";
    assert_eq!(shop.admin.get(path).await.ok(), json!({ "after_days": 365 }));
    for wrong in [json!({ "after_days": 0 }), json!({ "after_days": 36_501 })] {
        shop.admin.put(path, wrong).await.refused(422, "invalid_settings");
    }
    assert_eq!(shop.admin.put(path, json!({ "after_days": 30 })).await.ok()["after_days"], 30);
    let shop = shop.restart().await;
    assert_eq!(shop.admin.get(path).await.ok(), json!({ "after_days": 30 }));
    assert_eq!(one(&shop.admin, "about=audit:retention").await["by"], "administrator");
    shop.admin.put(path, json!({ "after_days": null })).await.ok();
    assert_eq!(shop.admin.get(path).await.ok(), json!({ "after_days": null }));
}
