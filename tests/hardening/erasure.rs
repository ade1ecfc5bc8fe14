//! An administrator erases one person's chats while the server runs. Nobody is told of the chats
//! any more, and soon no file has anything of them. Before that, the server gives out what it
//! keeps.

use std::path::Path;
use std::time::{Duration, Instant};

use holdline::domain::conversation::event::Author;
use holdline::domain::settings::Disposal;
use holdline::journal::Log as _;
use serde_json::{Value, json};

use crate::console::{Answer, Console, PATIENCE};
use crate::erasing::furnish;
use crate::files;
use crate::program::{self, Program};
use crate::read_only::behind;
use crate::retention::{days, retain};
use crate::support::Chat;
use crate::traces::holding;
use crate::widget::{Widget, introduce, mint_visitor};

/// A word for everything that a chat carries: what the customer and the agent say, the name, the
/// form, the context and the page.
pub(crate) const WORDS: [&str; 6] =
    ["Quillfeather", "hollyhocks", "Thistlewood", "marmalade", "periwinkle", "buttercross"];

async fn set_up(admin: &Console) -> Console {
    admin.put("/v1/agents/ada", json!({ "units": 100 })).await.ok();
    let token = admin.post("/v1/agents/ada/tokens", json!({})).await.ok();
    admin.put("/v1/queues/sales", json!({ "agents": ["ada"] })).await.ok();
    admin.put("/v1/workstreams/sales", json!({ "queue": "sales" })).await.ok();
    for widget in ["shop", "help"] {
        let document = json!({ "workstream": "sales", "origins": ["*"] });
        admin.put(&format!("/v1/widgets/{widget}"), document).await.ok();
    }
    admin.with_token(token["token"].as_str().unwrap())
}

/// A chat that has all the words and goes on.
async fn chat(server: &Program, ada: &Console, widget: &str, visitor: &str) -> Widget {
    let mut customer = Widget::connect(server.address, widget).await;
    let [said, answered, name, form, context, page] = WORDS;
    let page = format!("https://{page}.test/");
    customer.say(json!({ "type": "hello", "visitor": visitor, "page": page })).await;
    customer.until("welcome").await;
    customer.visitor = visitor.to_owned();
    let (form, context) = (json!({ "topic": form }), json!({ "cart": context }));
    let reference = customer.reference();
    let id = mint_visitor();
    let start = json!({ "type": "start", "ref": reference, "id": id, "name": name,
        "form": form, "context": context });
    customer.say(start).await;
    let started = customer.until("started").await;
    customer.conversation = started["conversation"].as_str().unwrap().to_owned();
    customer.token = started["token"].as_str().unwrap().to_owned();
    customer.post("m1", &format!("{said} is my street")).await;
    accept(ada, &customer.conversation).await.ok();
    ada.say(&customer.conversation, "a1", &format!("{answered} grow there")).await.ok();
    customer.until("message").await;
    customer
}

/// Accepts under an idempotency key. The server keeps the answer to tell it again, and the answer
/// has the name and the form.
async fn accept(ada: &Console, conversation: &str) -> Answer {
    let path = format!("/v1/conversations/{conversation}/accept");
    let request = ada.request(reqwest::Method::POST, &path);
    Console::answer(request.header("idempotency-key", conversation)).await
}

async fn close(ada: &Console, conversation: &str) {
    ada.act(conversation, "end").await.ok();
    ada.act(conversation, "close").await.ok();
}

/// Every line of an export; the last line says that the export is whole.
fn lines(text: &str) -> Vec<Value> {
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events = lines.iter().filter(|line| line["type"] == "event").count();
    let last = lines.last().unwrap();
    assert_eq!((&last["type"], &last["events"]), (&json!("end"), &json!(events)), "{text}");
    lines
}

pub(crate) fn assert_gone(dir: &Path, when: &str) {
    for word in WORDS {
        assert_eq!(holding(dir, word), [""; 0], "{word}, {when}");
    }
}

async fn wait_until_clean(admin: &Console) {
    let start = Instant::now();
    while !admin.get("/metrics").await.text.contains("holdline_deleted_words_left 0\n") {
        assert!(start.elapsed() < PATIENCE, "the files are never clean");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_erased_chat_is_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let server = Program::start(dir.path(), "--no-demo");
    let admin = server.admin.clone();
    let ada = set_up(&admin).await;
    let mut feed = ada.feed(None).await;
    ada.choose("available").await;
    let mut customer = chat(&server, &ada, "shop", &mint_visitor()).await;
    let id = customer.conversation.clone();
    let path = format!("/v1/conversations/{id}");
    let refused = admin.delete(&path).await.refused(409, "conversation_open");
    assert!(refused["detail"].as_str().unwrap().contains(&id), "it is named: {refused}");
    let place = {
        // The console has been told everything of the chat. It will come back at the place before
        // that.
        while feed.next_within(PATIENCE).await.is_none_or(|event| event.name != "conversation") {}
        feed.last.clone()
    };
    close(&ada, &id).await;
    customer.until_state("wrapup").await;

    let visitor = admin.get(&format!("{path}/visitor")).await.ok();
    assert_eq!(visitor["visitor"].as_str().unwrap().len(), 32, "{visitor}");
    let exported = lines(&admin.get(&format!("{path}/export")).await.text);
    assert_eq!(
        (&exported[0]["type"], &exported[0]["conversation"]),
        (&json!("export"), &json!(id))
    );
    let text = admin.get(&format!("{path}/export")).await.text;
    for word in WORDS {
        assert!(text.contains(word), "{word} is given out: {text}");
        assert!(!holding(dir.path(), word).is_empty(), "{word} is in the files");
    }
    assert!(
        exported.iter().any(|line| line["kind"] == "message_posted"
            && line["body"]["text"] == "Quillfeather is my street"),
        "{text}"
    );

    let again = accept(&ada, &id).await;
    assert!(again.text.contains(WORDS[2]) && again.header("idempotency-replayed").is_some());
    let erased = admin.delete(&path).await.ok();
    assert_eq!(erased["conversations"], 1, "{erased}");
    accept(&ada, &id).await.refused(404, "unknown_conversation");
    assert_eq!(erased["not_reached"][0], "backups", "{erased}");
    for what in ["", "/transcript", "/timeline", "/visitor", "/export"] {
        let answer = admin.get(&format!("{path}{what}")).await;
        answer.refused(404, "unknown_conversation");
    }
    admin.delete(&path).await.refused(404, "unknown_conversation");

    // The page comes back with the chat's token, and begins another chat.
    let mut back = Widget::connect(server.address, "shop").await;
    back.say(introduce(&customer.introduction())).await;
    back.expect_refused("token_invalid").await;
    assert!(back.until("welcome").await.get("conversation").is_none());
    back.start("again", "somebody").await;
    assert_ne!(back.conversation, id, "another chat");
    // The console is told from the journal, which no longer knows the chat.
    let mut feed = ada.feed(place.as_deref()).await;
    while let Some(event) = feed.next_within(Duration::from_millis(300)).await {
        let told = event.data.to_string();
        assert!(!WORDS.iter().any(|word| told.contains(word)), "{told}");
    }

    wait_until_clean(&admin).await;
    assert_gone(dir.path(), "while it runs");
    let about = format!("conversation:{id}");
    let noted = admin.pages(&format!("/v1/audit?about={about}"), "entries").await;
    let kinds: Vec<_> = noted.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(&kinds[..2], ["chat_erased", "chat_exported"], "{noted:?}");
    assert_eq!(noted[0]["by"], "administrator");
    server.terminate();
    assert!(server.ended().await.success());
    assert_gone(dir.path(), "after its stop");
}

#[tokio::test]
async fn a_visitor_is_erased_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let server = Program::start(dir.path(), "--no-demo");
    let admin = server.admin.clone();
    let ada = set_up(&admin).await;
    ada.choose("available").await;
    let secret = mint_visitor();
    let mut chats = Vec::new();
    for widget in ["shop", "shop", "help"] {
        let customer = chat(&server, &ada, widget, &secret).await;
        chats.push(customer.conversation.clone());
        if widget == "shop" {
            close(&ada, &customer.conversation).await;
        }
    }
    let other = chat(&server, &ada, "shop", &mint_visitor()).await.conversation;
    let visitor = admin.get(&format!("/v1/conversations/{}/visitor", chats[0])).await.ok();
    let path = format!("/v1/visitors/{}", visitor["visitor"].as_str().unwrap());

    let refused = admin.delete(&path).await.refused(409, "conversation_open");
    let named = |id: &String| refused["detail"].as_str().unwrap().contains(id.as_str());
    assert!(named(&chats[2]) && !named(&chats[0]), "the open one is named: {refused}");
    let exported = lines(&admin.get(&format!("{path}/export")).await.text);
    let last = exported.last().unwrap();
    assert_eq!(last["conversations"], 3, "nothing was erased: {last}");
    let of_them = |line: &Value| chats.iter().any(|id| line["conversation"] == id.as_str());
    assert!(exported[1..exported.len() - 1].iter().all(of_them), "and nobody else's");

    close(&ada, &chats[2]).await;
    let erased = admin.delete(&path).await.ok();
    assert_eq!(erased["conversations"], 3, "{erased}");
    let again = admin.delete(&path).await.ok();
    assert_eq!(again["conversations"], 0, "{again}");
    let nothing = lines(&admin.get(&format!("{path}/export")).await.text);
    assert_eq!(nothing.len(), 2, "{nothing:?}");
    for id in &chats {
        let gone = admin.get(&format!("/v1/conversations/{id}")).await;
        gone.refused(404, "unknown_conversation");
    }
    assert_eq!(admin.conversation(&other).await["state"], "active", "others stay");
    let malformed = admin.delete("/v1/visitors/somebody").await;
    malformed.refused(400, "malformed_parameter");
    let refused = ada.delete(&path).await;
    refused.refused(403, "forbidden");
}

#[tokio::test]
async fn a_long_chat_is_given_out_whole_archived_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_owned();
    let mut chat = Chat::new(3, "q", 1_000);
    let story = {
        let mut story = vec![chat.start(), chat.join(1)];
        // The export takes several parts, each as long as a page.
        let text = "marmalade ".repeat(500);
        story.extend((0..200).map(|_| chat.post(Author::Customer, &text)));
        story.extend([chat.offer("ann"), chat.accept("ann"), chat.end("ann"), chat.shut("ann")]);
        story
    };
    let expected: Vec<u64> = (1..=chat.history.len() as u64).collect();
    let path = format!("/v1/conversations/{}/export", chat.id());
    for archives in [false, true] {
        let (data, story) = (data.clone(), story.iter().map(|batch| batch.append()).collect());
        let fill = move || {
            let (journal, _) = files::open(&data).unwrap();
            if archives {
                assert_eq!(retain(&journal, Disposal::Archive, days(31)).archived, 1);
            } else {
                journal.append_all(story);
            }
        };
        tokio::task::spawn_blocking(fill).await.unwrap();
        let server = Program::start(dir.path(), "--no-demo");
        let exported = lines(&server.admin.get(&path).await.text);
        let places = exported.iter().filter_map(|line| line["seq"].as_u64());
        assert_eq!(places.collect::<Vec<_>>(), expected, "archived: {archives}");
        server.terminate();
        assert!(server.ended().await.success());
    }
}

/// kill -9 during the erasure, at times that have nothing to do with its steps.
#[tokio::test]
async fn a_killed_erasure_is_never_half_a_chat_and_ends_when_it_is_asked_again() {
    let dir = tempfile::tempdir().unwrap();
    let furnished = dir.path().to_owned();
    let (visitor, _) = tokio::task::spawn_blocking(move || {
        let (journal, _) = files::open(&furnished).unwrap();
        furnish(&journal, 600)
    })
    .await
    .unwrap();
    let path = format!("/v1/visitors/{visitor}");
    let mut kills = 0;
    loop {
        let server = Program::start(dir.path(), "--no-demo");
        let admin = server.admin.clone();
        let asked = path.clone();
        let asking = tokio::spawn(async move {
            let answer = admin.request(reqwest::Method::DELETE, &asked).send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        });
        tokio::time::sleep(Duration::from_millis(15 + 23 * (kills % 5))).await;
        server.kill();
        kills += 1;
        let is_done = asking.await.unwrap();
        let checked = program::run(behind(dir.path(), &["check"]));
        let told = String::from_utf8(checked.stdout).unwrap();
        assert!(checked.status.success(), "after {kills} kills: {told}");
        if is_done {
            break;
        }
        assert!(kills < 200, "it does not get on");
    }
    assert!(kills >= 2, "it was killed in between: {kills}");
    // Nobody asks again: the next start goes on with what is left in the files.
    let server = Program::start(dir.path(), "--no-demo");
    wait_until_clean(&server.admin).await;
    assert_gone(dir.path(), "after the kills");
    let noted = server.admin.pages("/v1/audit?kind=visitor_erased&limit=200", "entries").await;
    assert!(!noted.is_empty(), "it is noted before anything is gone");
}
