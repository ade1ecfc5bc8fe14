//! A customer on the demo page, on a desk and on a phone.

use serde_json::{Value, json};

use crate::browser::{Browser, Tab};
use crate::console::Console;
use crate::feed::{Event, Feed};
use crate::shop::Shop;

pub(crate) const DESK: (u32, u32) = (1_280, 800);
const PHONE: (u32, u32) = (390, 844);

pub(crate) struct Scene {
    pub(crate) shop: Shop,
    pub(crate) ada: Console,
    pub(crate) feed: Feed,
    pub(crate) browser: Browser,
    pub(crate) address: String,
}

impl Scene {
    pub(crate) async fn set(settings: Value) -> Self {
        let shop = Shop::open(settings).await;
        let ada = shop.hire("ada", 3).await;
        ada.choose("available").await;
        let feed = ada.feed(None).await;
        let browser = Browser::start().await;
        let address = format!("http://{}/?widget=shop", shop.address());
        Self { shop, ada, feed, browser, address }
    }

    /// Opens the page and starts a chat as Kim, which is then offered to Ada.
    pub(crate) async fn start(&mut self, (width, height): (u32, u32)) -> (Tab, String) {
        let tab = self.browser.open(&self.address, width, height).await;
        self.browser
            .until(
                &tab,
                "!!document.querySelector('#start') && !document.querySelector('#start').hidden",
            )
            .await;
        self.start_in(&tab).await;
        let offer = self.feed.until("offer").await;
        (tab, offer.data["conversation"].as_str().unwrap().to_owned())
    }

    async fn start_in(&mut self, tab: &Tab) {
        self.browser.type_into(tab, "#name", "Kim").await;
        self.browser.press_enter(tab).await;
        self.browser.until(tab, "!document.querySelector('#compose').hidden").await;
    }

    pub(crate) async fn accept(&mut self, tab: &Tab, chat: &str) {
        self.ada.act(chat, "accept").await.ok();
        self.browser
            .until(tab, "document.querySelector('#log').innerText.includes('Ada joined')")
            .await;
    }

    pub(crate) async fn says(&mut self, tab: &Tab, text: &str) {
        let is_there =
            format!("document.querySelector('#log').innerText.includes({})", json!(text));
        self.browser.until(tab, &is_there).await;
    }

    pub(crate) async fn log(&mut self, tab: &Tab) -> Vec<String> {
        let lines = "[...document.querySelectorAll('#log li')].map((item) => item.textContent)";
        let lines = self.browser.evaluate(tab, lines).await;
        lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn write(&mut self, tab: &Tab, text: &str) {
        self.browser.type_into(tab, "#text", text).await;
        self.browser.press_enter(tab).await;
        let posted = |event: &Event| event.name == "message" && event.data["text"] == text;
        self.feed.until_such("the customer's message", posted).await;
    }
}

async fn talk(scene: &mut Scene, size: (u32, u32), name: &str) -> (Tab, String) {
    let (tab, chat) = scene.start(size).await;
    scene.browser.picture(&tab, &format!("{name}-waiting")).await;
    scene.accept(&tab, &chat).await;
    scene.ada.say(&chat, "a1", "Hello Kim, how can I help?").await.ok();
    scene.says(&tab, "Hello Kim, how can I help?").await;
    scene
        .write(&tab, "My invoice of last month is wrong, and I have been charged twice for it.")
        .await;
    scene.ada.say(&chat, "a2", "Let me look.").await.ok();
    scene.says(&tab, "Let me look.").await;
    scene.browser.until(&tab, "!document.querySelector('#log .waiting')").await;
    scene.browser.picture(&tab, &format!("{name}-talking")).await;
    (tab, chat)
}

#[tokio::test]
async fn a_chat_survives_a_reload_and_ends_with_its_tab() {
    let mut scene = Scene::set(json!({ "window_s": 3 })).await;
    let (tab, chat) = talk(&mut scene, DESK, "desk").await;
    let before = scene.log(&tab).await;
    scene.browser.reload(&tab).await;
    scene.says(&tab, "Let me look.").await;
    assert_eq!(scene.log(&tab).await, before, "the same chat, its history once");
    scene.write(&tab, "I am still here").await;
    assert_eq!(scene.ada.conversation(&chat).await["agent"], "ada");

    // A new feed, so that what was told of the reload is not taken for what is told of the end.
    let mut feed = scene.ada.feed(None).await;
    scene.browser.close(&tab).await;
    let away = feed.until("away").await.data;
    let cause = away["cause"].as_str().unwrap().to_owned();
    assert!(["left", "closed"].contains(&cause.as_str()), "{away}");
    scene.ada.until_state(&chat, "wrapup").await;
    // The customer is told in the next tab of the browser, which offers a new chat.
    let tab = scene.browser.open(&scene.address.clone(), DESK.0, DESK.1).await;
    scene
        .browser
        .until(&tab, "document.querySelector('#banner').innerText.includes('away for too long')")
        .await;
    scene.browser.picture(&tab, "desk-ended").await;
    scene.start_in(&tab).await;
    let offer = scene.feed.until("offer").await;
    assert_ne!(offer.data["conversation"], chat);
    assert_eq!(scene.browser.errors, Vec::<String>::new());
}

#[tokio::test]
async fn on_a_phone_the_button_ends_the_chat_and_another_can_start() {
    let mut scene = Scene::set(json!({})).await;
    let address = scene.address.clone();
    let tab = scene.browser.open(&address, PHONE.0, PHONE.1).await;
    scene.browser.until(&tab, "document.querySelector('#link').textContent === 'connected'").await;
    scene.browser.picture(&tab, "phone-start").await;
    scene.browser.close(&tab).await;
    let (tab, chat) = talk(&mut scene, PHONE, "phone").await;
    let overflow = "document.documentElement.scrollWidth > innerWidth";
    assert_eq!(scene.browser.evaluate(&tab, overflow).await, false, "nothing sticks out");
    scene.browser.click(&tab, "#end").await;
    scene
        .browser
        .until(&tab, "document.querySelector('#banner').innerText.includes('ended')")
        .await;
    scene.browser.picture(&tab, "phone-ended").await;
    let over = scene.ada.conversation(&chat).await;
    assert_eq!((&over["state"], &over["reason"]), (&json!("wrapup"), &json!("customer_ended")));
    scene.start_in(&tab).await;
    assert_eq!(scene.log(&tab).await, Vec::<String>::new());
    assert_ne!(scene.feed.until("offer").await.data["conversation"], chat);
    assert_eq!(scene.browser.errors, Vec::<String>::new());
}

#[tokio::test]
async fn a_page_that_loses_its_network_goes_on_where_it_was() {
    let mut scene = Scene::set(json!({ "window_s": 30 })).await;
    let (tab, chat) = scene.start(DESK).await;
    scene.accept(&tab, &chat).await;
    scene.write(&tab, "before").await;
    scene.browser.network(&tab, false).await;
    scene.browser.evaluate(&tab, "state.socket && state.socket.close()").await;
    scene.browser.until(&tab, "document.querySelector('#banner').innerText.includes('lost')").await;
    scene.feed.until("away").await;
    scene.browser.picture(&tab, "desk-lost").await;
    scene.ada.say(&chat, "a1", "missed meanwhile").await.ok();
    scene.browser.type_into(&tab, "#text", "said while offline").await;
    scene.browser.press_enter(&tab).await;
    scene.browser.network(&tab, true).await;
    scene.says(&tab, "missed meanwhile").await;
    scene.browser.until(&tab, "!document.querySelector('#log .waiting')").await;
    let texts = scene.ada.transcript(&chat, "customer").await;
    assert_eq!(texts, ["Ada joined", "before", "missed meanwhile", "said while offline"]);
    assert_eq!(scene.log(&tab).await, texts, "everything once, in the order of the journal");
    scene.browser.reload(&tab).await;
    scene.says(&tab, "said while offline").await;
    assert_eq!(scene.log(&tab).await, texts, "and the same after a reload");
    assert_eq!(scene.shop.admin.conversation(&chat).await["agent"], "ada");
}

#[tokio::test]
async fn a_page_says_that_the_agent_is_away_and_back() {
    let mut scene = Scene::set(json!({ "agent_notice_s": 1 })).await;
    let (tab, chat) = scene.start(DESK).await;
    scene.accept(&tab, &chat).await;
    let ben = scene.shop.hire("ben", 0).await;
    scene.feed = ben.feed(None).await;
    let is_held = "document.querySelector('#banner').innerText.includes('Your chat is held')";
    scene.browser.until(&tab, is_held).await;
    scene.feed = scene.ada.feed(None).await;
    scene.browser.until(&tab, "document.querySelector('#banner').hidden").await;
    assert_eq!(scene.browser.errors, Vec::<String>::new());
}

/// The picture at the head of the README. `docs/demo.png` is a copy of what this test leaves among
/// the pictures (`holdline-pictures/readme.png` in the folder for temporary files).
#[tokio::test]
async fn the_picture_of_the_readme_shows_a_chat() {
    const SIZE: (u32, u32) = (720, 560);
    let mut scene = Scene::set(json!({})).await;
    let (tab, chat) = scene.start(SIZE).await;
    scene.accept(&tab, &chat).await;
    scene.write(&tab, "Hello! My parcel was due on Monday.").await;
    scene.ada.say(&chat, "a1", "Hello Kim, I am looking it up.").await.ok();
    scene.says(&tab, "I am looking it up.").await;
    scene.write(&tab, "Thank you. I am on a train, so I may be gone for a moment.").await;
    // A reload is such a moment: the chat goes on where it was.
    scene.browser.reload(&tab).await;
    scene.says(&tab, "gone for a moment").await;
    scene.ada.say(&chat, "a2", "No problem. It is on its way, and comes tomorrow.").await.ok();
    scene.says(&tab, "comes tomorrow").await;
    scene.browser.until(&tab, "document.querySelector('#link').className === 'on'").await;
    let made = std::fs::read(scene.browser.picture(&tab, "readme").await).unwrap();
    let kept = std::fs::read("docs/demo.png").unwrap_or_default();
    // In a PNG the size follows the signature, and the length and the name of the first part.
    let size = |picture: &[u8]| picture.get(16..24).map(<[u8]>::to_vec);
    let expected = [SIZE.0.to_be_bytes(), SIZE.1.to_be_bytes()].concat();
    assert_eq!(size(&made), Some(expected.clone()));
    assert_eq!(size(&kept), Some(expected), "docs/demo.png is a picture of this");
}
