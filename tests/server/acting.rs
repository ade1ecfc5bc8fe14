//! What a supervisor does in an agent's place bears the supervisor's name. Agents see that name,
//! and customers never do.

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::shop::Shop;

/// The answer of a database to one question.
fn asked(shop: &Shop, file: &str, sql: &str) -> Option<String> {
    let path = shop.server.directory().path().join(file);
    let opened = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    opened.expect("it opens").query_row(sql, (), |row| row.get(0)).expect("one row")
}

fn of_kind<'a>(timeline: &'a [Value], kind: &str) -> Vec<&'a Value> {
    timeline.iter().filter(|entry| entry["kind"] == kind).collect()
}

#[tokio::test]
async fn whoever_posts_as_an_agent_is_named_to_agents_and_to_no_customer() {
    let shop = Shop::open(json!({})).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let ada = shop.hire("ada", 2).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    let id = kim.conversation.clone();
    sue.until_state(&id, "active").await;
    let at = |what: &str| format!("/v1/conversations/{id}/{what}");
    sue.post(&at("accept?agent=ada"), json!({})).await.ok();
    let said = json!({ "id": "s-1", "text": "I help out" });
    sue.post(&at("messages?agent=ada"), said).await.ok();
    ada.say(&id, "a-1", "and it is me").await.ok();

    let told = feed.until("message").await.data;
    assert_eq!((&told["agent"], &told["by"]), (&json!("ada"), &json!("sue")));
    let told = feed.until("message").await.data;
    assert_eq!((&told["agent"], &told["by"]), (&json!("ada"), &Value::Null));

    let frame = kim.until("message").await;
    assert_eq!((&frame["text"], &frame["from"]), (&json!("I help out"), &json!("agent")));
    sue.post(&at("release"), json!({})).await.ok();
    let entries = sue.entries(&id, "agent").await;
    let by: Vec<_> =
        entries.iter().filter(|it| it["kind"] == "message").map(|it| &it["by"]).collect();
    assert_eq!(by, [&json!("sue"), &Value::Null]);
    let joined = entries.iter().find(|it| it["text"] == "Ada joined (done by sue for them)");
    assert!(joined.is_some(), "{entries:?}");
    let copy = json!(sue.entries(&id, "customer").await).to_string();
    assert!(copy.contains("I help out") && !copy.contains("sue"), "{copy}");
    assert!(!frame.to_string().contains("sue"), "{frame}");

    let timeline = sue.timeline(&id).await;
    for kind in ["chat_accepted", "message_posted", "agent_left"] {
        let entry = of_kind(&timeline, kind)[0];
        assert_eq!(entry["details"]["by"], "sue", "{entry}");
        assert!(entry["text"].as_str().unwrap().contains("done by sue"), "{entry}");
    }
    let posted = of_kind(&timeline, "message_posted");
    assert_eq!(posted[1]["details"]["by"], Value::Null, "an agent needs no second name");
}

#[tokio::test]
async fn whoever_chooses_a_presence_for_another_or_changes_a_setting_is_written_down() {
    let shop = Shop::open(json!({})).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let ada = shop.hire("ada", 2).await;
    let journaled = "SELECT body ->> '$.by' FROM events WHERE stream = 'agent:ada'
         ORDER BY position DESC LIMIT 1";
    ada.choose("available").await;
    assert_eq!(asked(&shop, "journal.db", journaled), None);
    sue.put("/v1/agents/ada/presence", json!({ "presence": "away" })).await.ok();
    assert_eq!(asked(&shop, "journal.db", journaled).as_deref(), Some("sue"));
    sue.until("/v1/agents/ada", "away", |agent| agent["chosen"] == "away").await;
    let set_by = "SELECT set_by FROM presences WHERE agent = 'ada'";
    assert_eq!(asked(&shop, "chats.db", set_by).as_deref(), Some("sue"));

    let root = shop.employ("root", "administrator", 1).await;
    root.put("/v1/queues/sales", json!({ "agents": ["ada"] })).await.ok();
    let changed = "SELECT body ->> '$.by' FROM events WHERE kind = 'queue_put'
         ORDER BY position DESC LIMIT 1";
    assert_eq!(asked(&shop, "journal.db", changed).as_deref(), Some("root"));
    let shop = shop.restart().await;
    let queue = shop.admin.get("/v1/queues/sales").await.ok();
    assert_eq!(queue["agents"], json!(["ada"]), "the name beside a change does not hurt it");
}
