//! Secrets that are replaced while the server runs. Widgets go on with the tokens that they have as
//! long as these are good. Afterwards the server still knows their visitors.

use serde_json::{Value, json};

use crate::console::Answer;
use crate::shop::{ADMINISTRATOR, Shop};
use crate::widget::{Introduction, Widget, introduce};

const ROTATE: &str = "/v1/secrets/signing/rotate";
const PREVIOUS: &str = "/v1/secrets/signing/previous";

/// A shop whose customers are held for longer than a test takes, and a chat in it.
async fn shop_and_chat() -> (Shop, Widget) {
    let shop = Shop::open(json!({ "window_s": 300 })).await;
    let mut kim = shop.browser().await;
    kim.start("start", "Kim").await;
    (shop, kim)
}

async fn rotate(shop: &Shop, previous_s: Value) -> Answer {
    shop.admin.post(ROTATE, json!({ "previous_s": previous_s })).await
}

/// A browser that has this token and nothing else.
fn token_alone(token: &str) -> Introduction {
    Introduction { token: Some(token.to_owned()), ..Introduction::default() }
}

/// The welcome of a browser that comes with a token and is told that the token is not valid.
async fn welcomed_without(shop: &Shop, hello: Introduction) -> Value {
    let mut widget = Widget::connect(shop.address(), "shop").await;
    widget.say(introduce(&hello)).await;
    widget.expect_refused("token_invalid").await;
    widget.expect("welcome").await
}

#[tokio::test]
async fn a_widget_goes_on_with_a_token_of_the_key_before() {
    let (shop, kim) = shop_and_chat().await;
    let (chat, first) = (kim.conversation.clone(), kim.token.clone());
    let rotated = rotate(&shop, json!(3_600)).await.ok();
    assert!(rotated["made_at"].is_string() && rotated["previous_until"].is_string(), "{rotated}");
    assert_eq!(shop.admin.get("/v1/secrets/signing").await.ok(), rotated);

    // The token is taken on every thread, and each session is given a token of the new key.
    let mut tokens = Vec::new();
    for _ in 0..8 {
        let back = shop.visit(token_alone(&first)).await;
        assert_eq!(back.conversation, chat);
        assert_ne!(back.token, first);
        tokens.push(back.token.clone());
    }
    // The second rotation ends the first key, and leaves the second good.
    rotate(&shop, json!(3_600)).await.ok();
    let welcome = welcomed_without(&shop, token_alone(&first)).await;
    assert_eq!(welcome["conversation"], Value::Null);
    let mut back = shop.visit(token_alone(&tokens[0])).await;
    assert_eq!(back.conversation, chat);
    back.post_only("m1", "still here").await;
    back.until("posted").await;
}

#[tokio::test]
async fn a_key_that_is_ended_signs_for_nobody_and_visitors_are_known_without() {
    let (shop, kim) = shop_and_chat().await;
    let (chat, first, known) = (kim.conversation.clone(), kim.token.clone(), kim.introduction());
    shop.admin.delete(PREVIOUS).await.refused(404, "unknown_setting");
    rotate(&shop, json!(null)).await.ok();
    assert_eq!(shop.visit(token_alone(&first)).await.conversation, chat);
    assert_eq!(shop.admin.delete(PREVIOUS).await.status, 204);
    shop.admin.delete(PREVIOUS).await.refused(404, "unknown_setting");
    let signing = shop.admin.get("/v1/secrets/signing").await.ok();
    assert_eq!(signing["previous_until"], Value::Null);
    let noted = shop.admin.get("/v1/audit?about=secret:signing").await.ok();
    let noted = noted["entries"].as_array().expect("a list").clone();
    let told = |it: &Value| (it["kind"].clone(), it["by"].clone());
    let administrator = json!("administrator");
    let expected = ["secret_ended", "secret_replaced"].map(|it| (json!(it), administrator.clone()));
    assert_eq!(noted.iter().map(told).collect::<Vec<_>>(), expected);
    let welcome = welcomed_without(&shop, token_alone(&first)).await;
    assert_eq!(welcome["conversation"], Value::Null);
    // Which visitor a browser is does not depend on the key that signs.
    let welcome = welcomed_without(&shop, known).await;
    assert_eq!(welcome["conversation"]["id"], json!(chat));
    let again = welcome["conversation"]["token"].as_str().unwrap();
    assert_eq!(shop.visit(token_alone(again)).await.conversation, chat);

    // The key ends at once when the rotation is to leave nothing of the key before.
    rotate(&shop, json!(0)).await.ok();
    let welcome = welcomed_without(&shop, token_alone(again)).await;
    assert_eq!(welcome["conversation"], Value::Null);
    let visitor = Introduction { visitor: Some(kim.visitor.clone()), ..Introduction::default() };
    let shop = shop.restart().await;
    assert_eq!(shop.visit(visitor).await.conversation, chat, "a restart has another idea of them");
}

#[tokio::test]
async fn a_rotation_is_asked_for_in_words_that_mean_something() {
    let (shop, kim) = shop_and_chat().await;
    for wrong in [json!(-1), json!(2_592_001), json!("a day"), json!(true)] {
        let problem = rotate(&shop, wrong.clone()).await.refused(400, "malformed_document");
        assert_eq!(problem["errors"][0]["field"], "previous_s", "{wrong}");
    }
    for path in [ROTATE, "/v1/secrets/administrator/rotate"] {
        let answer = shop.admin.post(path, json!({ "grace": 5 })).await;
        answer.refused(400, "malformed_document");
    }
    let signing = shop.admin.get("/v1/secrets/signing").await.ok();
    assert_eq!(signing, json!({ "made_at": null, "previous_until": null }), "nothing was done");
    assert_eq!(shop.visit(token_alone(&kim.token)).await.conversation, kim.conversation);
}

#[tokio::test]
async fn a_rotation_that_cannot_be_written_was_none() {
    let (shop, kim) = shop_and_chat().await;
    let data = shop.server.directory();
    let in_the_way = data.path().join("signing.json.new");
    std::fs::create_dir(&in_the_way).unwrap();
    let refused = rotate(&shop, json!(0)).await;
    refused.refused(503, "unavailable");
    assert_eq!(refused.header("retry-after"), Some("1"));
    let back = shop.visit(token_alone(&kim.token)).await;
    assert_eq!(back.conversation, kim.conversation);
    assert_eq!(back.token, kim.token, "the old key signs on");
    std::fs::remove_dir(&in_the_way).unwrap();
    rotate(&shop, json!(0)).await.ok();
    welcomed_without(&shop, token_alone(&kim.token)).await;
}

#[tokio::test]
async fn what_the_configuration_gives_is_changed_there() {
    let shop = Shop::open(json!({})).await;
    let answer = shop.admin.post("/v1/secrets/administrator/rotate", json!({})).await;
    let problem = answer.refused(409, "given_by_configuration");
    assert!(problem["detail"].as_str().unwrap().contains("HOLDLINE_ADMIN_TOKEN"), "{problem}");
    assert!(!answer.text.contains(ADMINISTRATOR));
    shop.admin.get("/v1/queues").await.ok();
}
