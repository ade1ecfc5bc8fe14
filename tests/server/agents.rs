//! Agents and supervisors: offers, capacity, presence, and chats that change hands.

use serde_json::{Value, json};

use crate::chat::{millis, of_kind, used};
use crate::console::Console;
use crate::feed::Event;
use crate::shop::Shop;

fn is_offer(event: &Event) -> bool {
    event.name == "offer"
}

#[tokio::test]
async fn who_declined_three_times_is_not_asked_again() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    let ben = shop.hire("ben", 1).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    let id = kim.conversation.clone();
    for _ in 0..3 {
        feed.until_such("the offer", is_offer).await;
        ada.act(&id, "decline").await.ok();
        assert_eq!(feed.until("offer_withdrawn").await.data["reason"], "declined");
    }
    let waiting = ada.until_state(&id, "open").await;
    assert_eq!(waiting["agent"], json!(null));
    let timeline = ada.timeline(&id).await;
    let ended = of_kind(&timeline, "offer_ended");
    let excluded: Vec<_> = ended.iter().map(|entry| &entry["details"]["excluded"]).collect();
    assert_eq!(excluded, [false, false, true]);
    assert_eq!(used(&ada).await, 0);
    ben.choose("available").await;
    let offered = ben.until_state(&id, "active").await;
    assert_eq!(offered["agent"], "ben");
    // An agent who declined may still take the chat by hand.
    ben.choose("away").await;
    ben.act(&id, "decline").await.ok();
    assert_eq!(ada.act(&id, "accept").await.ok()["agent"], "ada");
}

#[tokio::test]
async fn an_offer_lapses_and_a_given_back_chat_waits_again() {
    let shop = Shop::open(json!({ "offer_s": 2, "decline_limit": 1 })).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut feed = ada.feed(None).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    let id = kim.conversation.clone();
    let offer = feed.until("offer").await.data;
    assert_eq!(feed.until("offer_withdrawn").await.data["reason"], "lapsed");
    assert!(crate::chat::now_ms() > millis(&offer["until"]), "never early");
    let path = format!("/v1/conversations/{id}");
    ada.until(&path, "it waits", |chat| chat["state"] == "open").await;
    assert_eq!(used(&ada).await, 0);

    ada.act(&id, "accept").await.ok();
    kim.until_state("active").await;
    assert_eq!(used(&ada).await, 1);
    ada.choose("busy").await;
    let released = ada.act(&id, "release").await.ok();
    assert_eq!((&released["state"], &released["agent"]), (&json!("open"), &json!(null)));
    assert_eq!(kim.expect("left").await["name"], "Ada");
    assert_eq!(kim.expect("state").await["state"], "open");
    assert_eq!(used(&ada).await, 0);
}

#[tokio::test]
async fn an_agent_who_is_gone_is_offline_at_once_and_loses_the_chat_after_the_grace() {
    let shop = Shop::open(json!({ "agent_grace_s": 2 })).await;
    let sue = shop.employ("sue", "supervisor", 1).await;
    let ada = shop.hire("ada", 2).await;
    ada.choose("available").await;
    let feed = ada.feed(None).await;
    let mut kim = shop.talking(&ada).await;
    let id = kim.conversation.clone();
    drop(feed);
    let offline = |agent: &Value| agent["presence"] == "offline";
    let seen = sue.until("/v1/agents/ada", "offline", offline).await;
    assert_eq!((&seen["chosen"], &seen["used"]), (&json!("available"), &json!(1)));
    let gone_at = crate::chat::now_ms();
    assert_eq!(sue.conversation(&id).await["agent"], "ada", "the grace has only begun");
    let waiting = sue.until_state(&id, "open").await;
    assert!(crate::chat::now_ms() + 500 > gone_at + 2_000, "never early");
    assert_eq!(waiting["agent"], json!(null));
    kim.until("left").await;
    let timeline = sue.timeline(&id).await;
    assert_eq!(of_kind(&timeline, "agent_left")[0]["details"]["why"], "gone");

    let mut feed = ada.feed(None).await;
    let presence = feed.until("presence").await.data;
    assert_eq!(
        (&presence["presence"], &presence["chosen"]),
        (&json!("available"), &json!("available"))
    );
    assert_eq!(feed.until("offer").await.data["conversation"], id);
}

#[tokio::test]
async fn a_supervisor_assigns_beyond_the_limit_acts_for_others_and_closes_anything() {
    let shop = Shop::open(json!({})).await;
    let sue = shop.employ("sue", "supervisor", 0).await;
    let ada = shop.hire("ada", 1).await;
    let mut feed = ada.feed(None).await;
    let mut chats = Vec::new();
    for _ in 0..3 {
        let mut kim = shop.browser().await;
        kim.start("start", "Kim").await;
        let path = format!("/v1/conversations/{}/assign", kim.conversation);
        sue.post(&path, json!({ "agent": "ada" })).await.ok();
        feed.until("offer").await;
        chats.push(kim);
    }
    assert_eq!(used(&ada).await, 3, "a supervisor may exceed the limit");
    let (first, second) = (chats[0].conversation.clone(), chats[1].conversation.clone());
    sue.act(&first, "accept?agent=ada").await.ok();
    let path = format!("/v1/conversations/{first}/messages?agent=ada");
    sue.post(&path, json!({ "id": "s1", "text": "from Ada" })).await.ok();
    chats[0].until("joined").await;
    chats[0].until_state("active").await;
    chats[0].expect_text("agent", "from Ada").await;
    sue.act(&first, "end").await.ok();
    let timeline = sue.timeline(&first).await;
    assert_eq!(of_kind(&timeline, "wrapup_started")[0]["details"]["by"], "supervisor");
    let closed = sue.act(&second, "force-close").await.ok();
    assert_eq!((&closed["state"], &closed["reason"]), (&json!("closed"), &json!("force_closed")));
    let withdrawn = feed.until_such("the withdrawal", |event| {
        event.name == "offer_withdrawn" && event.data["conversation"] == second
    });
    assert_eq!(withdrawn.await.data["reason"], "closed");
    sue.act(&first, "force-close").await.ok();
    assert_eq!(used(&ada).await, 1);
    let figures = sue.get("/v1/figures").await.ok();
    assert_eq!(figures["conversations"]["active"], 1, "{figures}");
    assert_eq!(figures["sessions"], 3);
}

#[tokio::test]
async fn a_pick_by_hand_may_exceed_the_limit_and_another_queue_is_none_of_theirs() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    let zoe = shop.employ("zoe", "agent", 5).await;
    shop.admin.put("/v1/queues/returns", json!({ "agents": ["zoe"] })).await.ok();
    zoe.choose("available").await;
    let mut chats = Vec::new();
    for _ in 0..3 {
        let mut kim = shop.browser().await;
        kim.start("start", "Kim").await;
        chats.push(kim);
    }
    for kim in &chats {
        zoe.act(&kim.conversation, "accept").await.refused(403, "not_yours");
        let picked = ada.act(&kim.conversation, "accept").await.ok();
        assert_eq!(picked["agent"], "ada");
    }
    assert_eq!(used(&ada).await, 3);
    let theirs = ada.pages("/v1/conversations?agent=me", "conversations").await;
    assert_eq!(theirs.len(), 3);
    assert!(zoe.pages("/v1/conversations", "conversations").await.is_empty());
    assert_eq!(zoe.me().await["used"], 0);
}

/// Thirty chats and three agents of five units: no agent is ever given more than they take.
#[tokio::test]
async fn automatic_assignment_never_exceeds_capacity() {
    const CHATS: usize = 30;
    let shop = Shop::open(json!({})).await;
    let mut agents = Vec::new();
    for id in ["ada", "ben", "cleo"] {
        let agent = shop.hire(id, 5).await;
        agent.choose("available").await;
        let feed = agent.feed(None).await;
        agents.push((agent, feed));
    }
    let mut chats = Vec::new();
    for _ in 0..CHATS {
        let mut kim = shop.browser().await;
        kim.start("start", "Kim").await;
        chats.push(kim);
    }
    let mut served = 0;
    while served < CHATS {
        for (agent, _) in &agents {
            assert!(used(agent).await <= 5);
            let path = "/v1/conversations?agent=me&state=active";
            for chat in agent.pages(path, "conversations").await {
                serve(agent, chat["id"].as_str().unwrap()).await;
                served += 1;
            }
        }
    }
    for (agent, feed) in &mut agents {
        assert_eq!(used(agent).await, 0);
        let mut peak = 0;
        while let Some(event) = feed.next_within(std::time::Duration::from_millis(200)).await {
            if event.name == "capacity" {
                peak = peak.max(event.data["used"].as_u64().unwrap());
            }
        }
        assert!((1..=5).contains(&peak), "{peak} units at once");
    }
    let all = shop.admin.pages("/v1/conversations?limit=7", "conversations").await;
    assert_eq!(all.len(), CHATS);
    assert!(all.iter().all(|chat| chat["state"] == "closed"));
}

async fn serve(agent: &Console, chat: &str) {
    for what in ["accept", "end", "close"] {
        agent.act(chat, what).await.ok();
    }
}

#[tokio::test]
async fn presence_decides_who_is_given_work() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 5).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    for presence in ["busy", "do_not_disturb", "away", "offline"] {
        let me = ada.choose(presence).await;
        assert_eq!(me["chosen"], presence);
        assert_eq!(ada.conversation(&kim.conversation).await["state"], "open", "{presence}");
    }
    ada.choose("available").await;
    let path = format!("/v1/conversations/{}", kim.conversation);
    ada.until(&path, "it is offered", |chat| chat["phase"] == "offered").await;
}
