//! A server that stops asks everybody to come back. A server that starts again goes on where it
//! was.

use serde_json::{Value, json};

use crate::chat::{millis, now_ms, of_kind, used};
use crate::shop::Shop;
use crate::widget::Closed;

#[tokio::test]
async fn everybody_is_asked_back_at_another_moment_and_nothing_is_lost() {
    let mut shop = Shop::open(json!({ "window_s": 4 })).await;
    let ada = shop.hire("ada", 5).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    let mut tabs = Vec::new();
    for _ in 0..15 {
        let mut tab = shop.browser().await;
        tab.start("start", "Lee").await;
        tab.post("k1", "before the stop").await;
        tabs.push(tab);
    }
    kim.post("k1", "before the stop").await;
    let directory = shop.server.directory();
    let thread = shop.server.ask_to_stop();
    tabs.push(kim);
    let mut moments = std::collections::BTreeSet::new();
    for tab in &mut tabs {
        let (frames, closed) = tab.ended().await;
        let bye = frames.last().expect("a bye");
        assert_eq!(
            (&bye["type"], &bye["code"], closed),
            (&json!("bye"), &json!(1012), Closed(1012))
        );
        let wait = bye["retry_after_ms"].as_u64().expect("when to come back");
        assert!((500..=2_000).contains(&wait), "{wait} ms");
        moments.insert(wait);
    }
    assert!(moments.len() > 8, "spread out: {moments:?}");
    feed.rest().await;
    tokio::task::spawn_blocking(move || thread.join()).await.unwrap().unwrap();

    // The windows count from some moment between this one and the end of the start.
    let up = now_ms();
    let server = crate::shop::Running::start_with(directory, "off");
    let ada = ada.at(&server.admin);
    let shop = Shop { admin: server.admin.clone(), server };
    let kim = tabs.pop().unwrap();
    let id = kim.conversation.clone();
    let chat = ada.conversation(&id).await;
    assert_eq!((&chat["state"], &chat["agent"]), (&json!("active"), &json!("ada")));
    assert_eq!(chat["customer"]["connected"], false);
    let until = millis(&chat["customer"]["until"]);
    assert!(until > up + 3_000 && until <= now_ms() + 4_000, "the full window");
    let mut feed = ada.feed(None).await;
    let presence = feed.until("presence").await.data;
    assert_eq!(presence["presence"], "available", "restored with the feed");
    // The customers of chats that are only offered to Ada are away as well, and the events come in
    // any order.
    while feed.until("away").await.data["conversation"] != id {}

    let mut back = shop.visit(kim.introduction()).await;
    assert_eq!(back.conversation, id);
    back.post("k2", "after the start").await;
    assert_eq!(feed.until("back").await.data["conversation"], id);
    let texts = ada.transcript(&id, "customer").await;
    assert_eq!(texts, ["Ada joined", "before the stop", "after the start"]);
    assert_eq!(of_kind(&ada.timeline(&id).await, "chat_accepted").len(), 1);
    for tab in tabs {
        let chat = shop.admin.until_state(&tab.conversation, "closed").await;
        assert_eq!(chat["reason"], "customer_disconnected_while_open");
        assert!(now_ms() > up + 4_000, "never early");
    }
    assert_eq!(used(&ada).await, 1);
}

#[tokio::test]
async fn settings_apply_at_once_and_outlive_a_restart() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 3).await;
    let before = shop.browser().await;
    shop.set(json!({ "window_s": 7.5, "heartbeat_s": 1.25, "redirect": "https://shop.test/" }))
        .await;
    let after = shop.browser().await;
    assert_eq!(
        (&before.welcome["window_ms"], &after.welcome["window_ms"]),
        (&json!(2_000), &json!(7_500))
    );
    assert_eq!(after.welcome["heartbeat_ms"], 1_250);
    let read = shop.admin.get("/v1/workstreams/sales").await.ok();
    // What was read can be put back.
    assert_eq!(shop.admin.put("/v1/workstreams/sales", read.clone()).await.ok(), read);
    shop.admin.put("/v1/agents/zoe", json!({})).await.ok();
    shop.admin.delete("/v1/agents/zoe").await.ok();

    let ada_before = ada.me().await;
    let shop = shop.restart().await;
    let ada = ada.at(&shop.admin);
    assert_eq!(shop.admin.get("/v1/workstreams/sales").await.ok(), read);
    let settings =
        |agent: &Value| (agent["id"].clone(), agent["name"].clone(), agent["units"].clone());
    assert_eq!(settings(&ada.me().await), settings(&ada_before));
    shop.admin.get("/v1/agents/zoe").await.refused(404, "unknown_agent");
    assert_eq!(shop.admin.get("/v1/queues/sales").await.ok()["agents"], json!(["ada"]));
    assert_eq!(shop.browser().await.welcome["window_ms"], 7_500);
    shop.admin.delete("/v1/agents/ada").await.ok();
    ada.get("/v1/agents/me").await.refused(401, "unknown_token");
    shop.admin.delete("/v1/widgets/shop").await.ok();
    assert!(crate::widget::Widget::try_connect(shop.address(), "shop", None).await.is_err());
}
