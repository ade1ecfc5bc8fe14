//! A customer who was away hears what was said meanwhile. This holds whatever the page says first
//! when it is back, and also when the chat has ended meanwhile.

use serde_json::{Value, json};

use crate::console::Console;
use crate::shop::Shop;
use crate::widget::{Introduction, Widget, mint_visitor};

/// How often to try what goes wrong only when two things meet.
const ROUNDS: usize = 20;

/// A page that says `hello` and `start` in one breath.
async fn hello_and_start(shop: &Shop, hello: &Introduction, id: &str) -> Widget {
    let mut page = Widget::connect(shop.address(), "shop").await;
    page.say(json!({
        "type": "hello", "visitor": hello.visitor, "token": hello.token, "after": hello.after,
    }))
    .await;
    page.say(json!({ "type": "start", "ref": id, "id": id })).await;
    page.visitor = hello.visitor.clone().unwrap_or_default();
    page
}

/// A chat with an agent whose customer has gone, and the introduction that brings the customer
/// back.
async fn left(shop: &Shop, ada: &Console) -> (String, Introduction) {
    let mut kim = shop.talking(ada).await;
    kim.post("k1", "Are you there?").await;
    let id = kim.conversation.clone();
    let back = kim.kill().await;
    let is_away = |chat: &Value| chat["customer"]["connected"] == false;
    ada.until(&format!("/v1/conversations/{id}"), "the customer is away", is_away).await;
    (id, back)
}

async fn say_three(ada: &Console, id: &str) {
    for number in 0..3 {
        ada.say(id, &format!("m{number}"), &format!("missed {number}")).await.ok();
    }
}

/// The three messages and then the end, and nothing after that.
async fn expect_three_and_the_end(page: &mut Widget, state: &str, reason: &str) {
    for number in 0..3 {
        page.expect_text("agent", &format!("missed {number}")).await;
    }
    let over = page.expect("state").await;
    assert_eq!((&over["state"], &over["reason"]), (&json!(state), &json!(reason)));
    assert_eq!(page.welcome["ended"]["seq"], over["seq"]);
    assert_eq!(page.settle().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_start_in_one_breath_with_hello_hides_nothing_that_was_missed() {
    let shop = Shop::open(json!({ "window_s": 30 })).await;
    let ada = shop.hire("ada", 50).await;
    ada.choose("available").await;
    for round in 0..ROUNDS {
        let (id, back) = left(&shop, &ada).await;
        say_three(&ada, &id).await;
        let mut page = hello_and_start(&shop, &back, "again").await;
        let welcome = page.expect("welcome").await;
        assert_eq!(welcome["conversation"]["id"], id);
        let mut told = Vec::new();
        let mut started = 0;
        while started == 0 || told.len() < 3 {
            let frame = page.next_within(crate::console::PATIENCE).await;
            let frame = frame.unwrap_or_else(|| panic!("round {round}: only {told:?}")).unwrap();
            match frame["type"].as_str() {
                Some("started") => {
                    assert_eq!(frame["conversation"], id);
                    started += 1;
                }
                Some("message") => told.push(frame["text"].clone()),
                _ => {}
            }
        }
        assert_eq!(told, ["missed 0", "missed 1", "missed 2"], "round {round}");
        let rest = page.settle().await;
        assert!(rest.iter().all(|frame| frame["type"] != "message"), "{rest:?}");
        ada.act(&id, "end").await.ok();
    }
}

#[tokio::test]
async fn what_an_agent_said_before_they_ended_the_chat_is_told_before_the_end() {
    let shop = Shop::open(json!({ "window_s": 30, "redirect": "https://shop.test/sorry" })).await;
    let ada = shop.hire("ada", 5).await;
    ada.choose("available").await;
    let (id, back) = left(&shop, &ada).await;
    say_three(&ada, &id).await;
    ada.act(&id, "end").await.ok();

    let mut page = shop.visit(back.clone()).await;
    let ended = page.welcome["ended"].clone();
    assert_eq!((&ended["id"], &ended["state"]), (&json!(id), &json!("wrapup")));
    assert_eq!(ended["redirect"], Value::Null, "nobody is sent away after a proper end");
    expect_three_and_the_end(&mut page, "wrapup", "agent_ended").await;
    page.post_only("k2", "too late").await;
    page.expect_refused("conversation_ended").await;
    // A page that has seen the whole chat and comes again is told no more of it.
    let seen = Introduction { after: Some(page.seq), ..back.clone() };
    let mut again = shop.visit(seen).await;
    assert_eq!(again.welcome["ended"]["id"], id);
    assert_eq!(again.settle().await, Vec::<Value>::new());

    // Nothing of the next chat is told among the messages of this one, either.
    ada.act(&id, "close").await.ok();
    let mut page = hello_and_start(&shop, &back, "next").await;
    let welcome = page.expect("welcome").await;
    assert_eq!(welcome["ended"]["state"], "closed");
    for number in 0..3 {
        page.expect_text("agent", &format!("missed {number}")).await;
    }
    assert_eq!(page.expect("state").await["state"], "wrapup");
    assert_eq!(page.expect("state").await["state"], "closed");
    let started = page.expect("started").await;
    assert_ne!(started["conversation"], id);
}

#[tokio::test]
async fn what_was_missed_is_told_whoever_ended_the_chat() {
    let shop = Shop::open(json!({ "window_s": 30, "redirect": "https://shop.test/sorry" })).await;
    let ada = shop.hire("ada", 5).await;
    ada.choose("available").await;
    let sue = shop.employ("sue", "supervisor", 0).await;

    let (id, back) = left(&shop, &ada).await;
    say_three(&ada, &id).await;
    sue.act(&id, "force-close").await.ok();
    let mut page = shop.visit(back).await;
    expect_three_and_the_end(&mut page, "closed", "force_closed").await;
    assert_eq!(page.welcome["ended"]["redirect"], Value::Null);

    // The customer's other tab has ended the chat.
    let (id, back) = left(&shop, &ada).await;
    say_three(&ada, &id).await;
    let mut other = shop.visit(back.clone()).await;
    for number in 0..3 {
        other.expect_text("agent", &format!("missed {number}")).await;
    }
    other.say(json!({ "type": "end", "ref": "bye" })).await;
    other.expect("state").await;
    let mut page = shop.visit(back).await;
    expect_three_and_the_end(&mut page, "wrapup", "customer_ended").await;

    // The window has ended.
    shop.set(json!({ "window_s": 2, "redirect": "https://shop.test/sorry" })).await;
    let (id, back) = left(&shop, &ada).await;
    say_three(&ada, &id).await;
    ada.until_state(&id, "wrapup").await;
    let mut page = shop.visit(back).await;
    assert_eq!(page.welcome["ended"]["redirect"], "https://shop.test/sorry");
    expect_three_and_the_end(&mut page, "wrapup", "customer_disconnected_while_active").await;
}

#[tokio::test]
async fn what_was_missed_of_one_chat_comes_before_the_next_that_another_tab_began() {
    let shop = Shop::open(json!({ "window_s": 30 })).await;
    let ada = shop.hire("ada", 5).await;
    ada.choose("available").await;
    let (id, back) = left(&shop, &ada).await;
    say_three(&ada, &id).await;
    ada.act(&id, "end").await.ok();
    let hello = Introduction { visitor: back.visitor.clone(), ..Introduction::default() };
    let mut other = shop.visit(hello).await;
    other.start("next", "Kim").await;
    other.post("n1", "one more thing").await;

    let mut page = shop.visit(back).await;
    assert_eq!(page.welcome["ended"]["id"], id);
    assert_eq!(page.conversation, other.conversation);
    for number in 0..3 {
        page.expect_text("agent", &format!("missed {number}")).await;
    }
    assert_eq!(page.expect("state").await["state"], "wrapup");
    assert_eq!(page.expect("state").await["state"], "open");
    page.expect_text("customer", "one more thing").await;
    // The page is in the next chat, and hears what is said there.
    other.post("n2", "and another").await;
    page.expect_text("customer", "and another").await;
    page.post("n3", "from here").await;
}

#[tokio::test]
async fn a_place_counts_for_the_chat_of_its_token_alone() {
    let shop = Shop::open(json!({ "window_s": 30 })).await;
    let mut one = shop.browser().await;
    one.start("start", "Kim").await;
    one.post("k1", "one").await;
    one.post("k2", "two").await;
    // The token is not ours, so the place may be that of any chat.
    let hello = Introduction {
        visitor: Some(one.visitor.clone()),
        token: Some("not-ours".into()),
        after: Some(999),
        admission: None,
    };
    let mut page = shop.visit(hello).await;
    assert_eq!(page.conversation, one.conversation);
    page.until_state("open").await;
    page.expect_text("customer", "one").await;
    page.expect_text("customer", "two").await;

    // A session that says `start` stays in its chat, whichever visitor its browser is.
    let mut lee = shop.browser().await;
    lee.start("start", "Lee").await;
    let stranger = Introduction { visitor: Some(mint_visitor()), ..one.introduction() };
    let mut page = shop.visit(stranger).await;
    assert_eq!(page.conversation, one.conversation);
    let first = page.conversation.clone();
    let started = page.start("again", "Kim").await;
    assert_eq!(started["conversation"], first);
}
