//! What each caller finds: agents, chats, feeds and settings of their own and of others. All of it
//! is made anew for every request, because a request may change or end it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::console::{Console, PATIENCE};
use crate::feed::Feed;
use crate::roles::{Thing, Who};
use crate::shop::Shop;
use crate::widget::Widget;

const UNKNOWN_CHAT: &str = "0190a6e4-7c1b-7d2e-8f3a-4b5c6d7e8f90";

/// Callers whose token is not good, and the code that each is told under `/v1`.
pub(super) const STRANGERS: [(&str, &str); 5] = [
    ("who has none", "missing_token"),
    ("who has something else", "missing_token"),
    ("whose token is nobody's", "unknown_token"),
    ("whose token was ended", "unknown_token"),
    ("whose token has expired", "token_expired"),
];

/// A shop whose queue nobody serves, and tokens that are not good any more.
pub(super) struct Floor {
    pub(super) shop: Shop,
    ended: String,
    expired: String,
    count: AtomicU32,
}

/// Somebody who sends a request, and what the request is about.
pub(super) struct Stage {
    caller: Console,
    pub(super) place: String,
    pub(super) body: Value,
    /// The customer and the feed are held as long as the request is open.
    pub(super) customer: Option<Widget>,
    pub(super) feed: Option<Feed>,
}

impl Stage {
    pub(super) fn request(&self, method: &Method) -> RequestBuilder {
        let request = self.caller.request(method.clone(), &self.place);
        if self.body.is_null() { request } else { request.json(&self.body) }
    }
}

/// An agent with a token, who is there and is offered no chat automatically.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) console: Console,
}

/// How far a chat with an agent has come.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Reached {
    Waiting,
    Offered,
    Talking,
    Wrapup,
    Closed,
}

impl Floor {
    pub(super) async fn open() -> Self {
        let shop = Shop::open(json!({ "window_s": 300 })).await;
        let path = "/v1/agents/gone/tokens";
        shop.admin.put("/v1/agents/gone", json!({})).await.ok();
        let make = async |body: Value| shop.admin.post(path, body).await.ok();
        let token = |made: &Value| made["token"].as_str().expect("a token").to_owned();
        let (ended, expired) = (make(json!({})).await, make(json!({ "expires_s": 1 })).await);
        let place = format!("{path}/{}", ended["id"].as_str().expect("an id"));
        shop.admin.delete(&place).await.ok();
        let late = shop.admin.with_token(&token(&expired));
        let start = Instant::now();
        while late.get("/v1/agents/me").await.status != 401 {
            assert!(start.elapsed() < PATIENCE, "it does not expire");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (ended, expired) = (token(&ended), token(&expired));
        Self { shop, ended, expired, count: AtomicU32::new(0) }
    }

    /// The `Authorization` header of a stranger of this kind.
    pub(super) fn authorization(&self, kind: &str) -> Option<String> {
        let index = STRANGERS.iter().position(|(known, _)| *known == kind).expect("a kind");
        [
            None,
            Some("Basic YWRhOmFkYQ==".to_owned()),
            Some("Bearer hlt_nobody".to_owned()),
            Some(format!("Bearer {}", self.ended)),
            Some(format!("Bearer {}", self.expired)),
        ][index]
            .clone()
    }

    /// A caller of this kind and a request at this address, about such a thing.
    pub(super) async fn stage(&self, who: Who, thing: Thing, method: &Method, path: &str) -> Stage {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let admin = &self.shop.admin;
        let caller = match who {
            Who::OwnToken => Person { id: "me".to_owned(), console: admin.clone() },
            _ => self.person(&format!("caller-{number}"), who.role()).await,
        };
        let mut stage = Stage {
            caller: caller.console.clone(),
            place: path.to_owned(),
            body: Value::Null,
            customer: None,
            feed: None,
        };
        if path.contains("{conversation}") || path.contains("{agent}") {
            let other = self.person(&format!("other-{number}"), "agent").await;
            let owner = if thing == Thing::Own { &caller } else { &other };
            if path.contains("{conversation}") {
                self.lead_to_chat(&mut stage, owner, thing, method).await;
                // A supervisor or administrator acts in the place of the other agent.
                let is_named = thing == Thing::Foreign && who > Who::Agent;
                if takes_agent(path) && (is_named || who == Who::OwnToken) {
                    stage.place = format!("{}?agent={}", stage.place, other.id);
                }
            } else {
                self.lead_to_agent(&mut stage, owner, thing, number).await;
            }
        } else if path.contains("{visitor}") {
            self.lead_to_visitor(&mut stage, thing, number).await;
        } else {
            self.lead_to_setting(&mut stage, thing, number).await;
        }
        if *method != Method::GET && *method != Method::DELETE && stage.body.is_null() {
            stage.body = self.body(path, who, number).await;
        }
        stage
    }

    pub(super) async fn person(&self, id: &str, role: &str) -> Person {
        let console = self.shop.employ(id, role, 100).await;
        console.choose("busy").await;
        Person { id: id.to_owned(), console }
    }

    async fn lead_to_chat(&self, stage: &mut Stage, owner: &Person, thing: Thing, method: &Method) {
        let path = stage.place.clone();
        if thing == Thing::Unknown {
            stage.place = path.replace("{conversation}", UNKNOWN_CHAT);
            return;
        }
        let reached = match path.rsplit('/').next() {
            Some("accept" | "decline" | "assign") => Reached::Offered,
            Some("close") => Reached::Wrapup,
            // Only a closed chat can be erased.
            _ if *method == Method::DELETE => Reached::Closed,
            _ => Reached::Talking,
        };
        let customer = self.chat(owner, reached).await;
        stage.place = path.replace("{conversation}", &customer.conversation);
        stage.customer = Some(customer);
    }

    /// A chat with an agent that has come this far.
    pub(super) async fn chat(&self, owner: &Person, reached: Reached) -> Widget {
        let mut customer = self.shop.browser().await;
        customer.start("start", "Kim").await;
        let chat = customer.conversation.clone();
        if reached >= Reached::Offered {
            let assign = format!("/v1/conversations/{chat}/assign");
            self.shop.admin.post(&assign, json!({ "agent": owner.id })).await.ok();
        }
        let steps =
            [(Reached::Talking, "accept"), (Reached::Wrapup, "end"), (Reached::Closed, "close")];
        for (_, step) in steps.into_iter().filter(|(to, _)| *to <= reached) {
            owner.console.act(&chat, step).await.ok();
        }
        customer
    }

    async fn lead_to_agent(&self, stage: &mut Stage, owner: &Person, thing: Thing, number: u32) {
        let path = stage.place.clone();
        let is_there = thing != Thing::Unknown && owner.id != "me";
        if path.ends_with("/beat") {
            let feed = if is_there { Some(owner.console.feed(None).await) } else { None };
            let named = feed.as_ref().map_or(json!("1"), |feed| feed.opening["feed"].clone());
            (stage.body, stage.feed) = (json!({ "feed": named }), feed);
        }
        let mut token = json!("0123456789abcdef");
        if path.contains("{token}") && is_there {
            let list = format!("/v1/agents/{}/tokens", owner.id);
            token = self.shop.admin.get(&list).await.ok()["tokens"][0]["id"].clone();
        }
        let unknown = format!("nobody-{number}");
        let id = if thing == Thing::Unknown { &unknown } else { &owner.id };
        let path = path.replace("{agent}", id);
        stage.place = path.replace("{token}", token.as_str().expect("an id"));
    }

    async fn lead_to_setting(&self, stage: &mut Stage, thing: Thing, number: u32) {
        let admin = &self.shop.admin;
        if stage.place.ends_with("/previous") {
            admin.post("/v1/secrets/signing/rotate", json!({})).await.ok();
        }
        let Some((kind, _)) = stage.place.split_once("/{") else { return };
        let place = format!("{kind}/setting-{number}");
        if thing != Thing::Unknown {
            admin.put(&place, setting(kind)).await.ok();
        }
        stage.place = place;
    }

    async fn lead_to_visitor(&self, stage: &mut Stage, thing: Thing, number: u32) {
        let mut visitor = format!("{number:032x}");
        if thing != Thing::Unknown {
            let owner = self.person(&format!("owner-{number}"), "agent").await;
            let chat = self.chat(&owner, Reached::Closed).await.conversation;
            let whose = self.shop.admin.get(&format!("/v1/conversations/{chat}/visitor")).await;
            visitor = whose.ok()["visitor"].as_str().expect("a digest").to_owned();
        }
        stage.place = stage.place.replace("{visitor}", &visitor);
    }

    /// A body that an address takes.
    pub(super) async fn body(&self, path: &str, who: Who, number: u32) -> Value {
        match path.rsplit('/').next().unwrap_or_default() {
            "messages" => json!({ "id": "m1", "text": "x" }),
            "typing" => json!({ "on": true }),
            "read" => json!({ "seq": 1 }),
            "assign" => {
                let third = self.person(&format!("third-{number}"), "agent").await;
                json!({ "agent": third.id })
            }
            "presence" => json!({ "presence": "available" }),
            "{agent}" => json!({ "role": who.role() }),
            "{workstream}" | "{queue}" | "{widget}" => setting(path),
            "tokens" | "rotate" => json!({}),
            _ => Value::Null,
        }
    }
}

fn takes_agent(path: &str) -> bool {
    ["/accept", "/decline", "/messages", "/typing", "/read"].iter().any(|end| path.ends_with(end))
}

/// A document that can be put at an address of settings.
fn setting(path: &str) -> Value {
    if path.starts_with("/v1/workstreams") {
        json!({ "queue": "sales" })
    } else if path.starts_with("/v1/widgets") {
        json!({ "workstream": "sales", "origins": ["*"] })
    } else {
        json!({})
    }
}
