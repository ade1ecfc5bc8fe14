//! How a page is left and comes back, in a real browser, and what the server knows of it.

use serde_json::{Value, json};

use crate::customer::{DESK, Scene};

/// The evidence of the last loss in a chat.
async fn last_loss(scene: &Scene, chat: &str) -> Value {
    let timeline = scene.shop.admin.timeline(chat).await;
    let mut losses = timeline.iter().filter(|entry| entry["kind"] == "session_lost");
    losses.next_back().expect("somebody was lost")["details"].clone()
}

async fn lost(scene: &Scene, chat: &str, losses: usize) -> Value {
    let path = format!("/v1/conversations/{chat}/timeline?limit=200");
    let has_lost = |timeline: &Value| {
        let entries = timeline["entries"].as_array().expect("entries");
        entries.iter().filter(|entry| entry["kind"] == "session_lost").count() >= losses
    };
    scene.shop.admin.until(&path, "the loss is known", has_lost).await;
    last_loss(scene, chat).await
}

#[tokio::test]
async fn a_page_that_is_left_says_so_however_it_is_left() {
    let mut scene = Scene::set(json!({ "window_s": 30 })).await;
    let (tab, chat) = scene.start(DESK).await;
    scene.accept(&tab, &chat).await;
    let unloaded = "the page said that it was being closed or left";
    let is_unloaded = |loss: &Value| {
        let evidence = loss["evidence"].as_str().expect("a text");
        assert_eq!(loss["cause"], "left", "{loss}");
        assert!(evidence.contains(unloaded), "{evidence}");
    };

    scene.browser.reload(&tab).await;
    scene.says(&tab, "Ada joined").await;
    is_unloaded(&lost(&scene, &chat, 1).await);

    // The tab goes to another page of the site and back again. The browser may keep the first page
    // for going back.
    let elsewhere = format!("http://{}/healthz", scene.shop.address());
    scene.browser.navigate(&tab, &elsewhere).await;
    is_unloaded(&lost(&scene, &chat, 2).await);
    scene.browser.go_back(&tab).await;
    scene.says(&tab, "Ada joined").await;
    scene.ada.say(&chat, "a1", "Welcome back").await.ok();
    scene.says(&tab, "Welcome back").await;

    scene.browser.close(&tab).await;
    is_unloaded(&lost(&scene, &chat, 3).await);
}

#[tokio::test]
async fn a_page_that_was_hidden_and_is_in_front_again_was_not_left() {
    let mut scene = Scene::set(json!({ "window_s": 30 })).await;
    let (tab, chat) = scene.start(DESK).await;
    scene.accept(&tab, &chat).await;
    let address = scene.address.clone();
    let other = scene.browser.open(&address, DESK.0, DESK.1).await;
    scene.says(&other, "Ada joined").await;
    scene.browser.front(&other).await;
    scene.browser.until(&tab, "document.hidden").await;
    scene.browser.front(&tab).await;
    scene.browser.until(&tab, "!document.hidden").await;
    scene.browser.close(&other).await;
    lost(&scene, &chat, 1).await;
    scene.write(&tab, "still here").await;
    // No announcement holds any more, so this is a loss like any other.
    scene.browser.evaluate(&tab, "state.socket.close(4000)").await;
    let loss = lost(&scene, &chat, 2).await;
    assert_eq!(loss["cause"], "closed", "{loss}");
}

#[tokio::test]
async fn a_page_says_what_is_so() {
    let mut scene = Scene::set(json!({ "window_s": 2 })).await;
    let nowhere = format!("http://{}/?widget=nowhere", scene.shop.address());
    let tab = scene.browser.open(&nowhere, DESK.0, DESK.1).await;
    let says = "document.querySelector('#banner').innerText";
    scene.browser.until(&tab, &format!("{says}.includes('There is no such chat')")).await;
    assert_eq!(scene.browser.evaluate(&tab, "state.retry !== null && state.tries < 2").await, true);
    scene.browser.close(&tab).await;
    scene.browser.errors.clear();

    let (tab, chat) = scene.start(DESK).await;
    scene.accept(&tab, &chat).await;
    scene.ada.post(&format!("/v1/conversations/{chat}/typing"), json!({ "on": true })).await.ok();
    scene.browser.until(&tab, "document.querySelector('#typing').innerText !== ''").await;
    scene.browser.network(&tab, false).await;
    scene.browser.evaluate(&tab, "state.socket && state.socket.close()").await;
    scene.browser.until(&tab, &format!("{says}.includes('Your place is held for 0:0')")).await;
    let typing = scene.browser.evaluate(&tab, "document.querySelector('#typing').innerText").await;
    assert_eq!(typing, "", "nobody types who cannot be heard");
    scene.browser.until(&tab, &format!("{says}.includes('not held any more')")).await;
    let composer = "document.querySelector('#compose').hidden";
    assert_eq!(scene.browser.evaluate(&tab, composer).await, true);
    scene.browser.picture(&tab, "desk-too-long").await;
}
