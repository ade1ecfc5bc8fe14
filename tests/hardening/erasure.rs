//! One person's chats are erased, by an administrator and while the server runs: nobody is told of
//! them any more, and soon nothing of them is in any file. What is kept is given out before.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use holdline::domain::conversation::command::{Command, StartRequest};
use holdline::domain::conversation::event::Author;
use holdline::domain::id::{ConversationId, VisitorId};
use holdline::domain::settings::Disposal;
use holdline::journal::sqlite::SqliteJournal;
use holdline::journal::{Erasure, Journal, Which};
use serde_json::{Value, json};

use crate::console::{Answer, Console, PATIENCE};
use crate::files;
use crate::program::{self, Program};
use crate::read_only::behind;
use crate::retention::{days, retain};
use crate::support::{Chat, Kind, Ledger, Trial, block, settle};
use crate::traces::{holding, wait_for_traces};
use crate::widget::{Widget, introduce, mint_visitor};

/// Everything that a chat carries: what the customer and the agent say, the name, the form, the
/// context and the page.
const WORDS: [&str; 6] =
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

/// A chat with all the words, which goes on.
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

/// Under a key, so that its answer, which has the name and the form, is kept to be told again.
async fn accept(ada: &Console, conversation: &str) -> Answer {
    let path = format!("/v1/conversations/{conversation}/accept");
    let request = ada.request(reqwest::Method::POST, &path);
    Console::answer(request.header("idempotency-key", conversation)).await
}

async fn close(ada: &Console, conversation: &str) {
    ada.act(conversation, "end").await.ok();
    ada.act(conversation, "close").await.ok();
}

/// Every line of an export, of which the last says that it is whole.
fn lines(text: &str) -> Vec<Value> {
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events = lines.iter().filter(|line| line["type"] == "event").count();
    let last = lines.last().unwrap();
    assert_eq!((&last["type"], &last["events"]), (&json!("end"), &json!(events)), "{text}");
    lines
}

fn assert_gone(dir: &Path, when: &str) {
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
        // The console has been told everything of the chat, and comes back to before that.
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

    // The page comes back with the chat's token, and begins another.
    let mut back = Widget::connect(server.address, "shop").await;
    back.say(introduce(&customer.introduction())).await;
    back.expect_refused("token_invalid").await;
    assert!(back.until("welcome").await.get("conversation").is_none());
    back.start("again", "somebody").await;
    assert_ne!(back.conversation, id, "another chat");
    // The console is told from the journal, which knows nothing of the chat.
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

/// Closed chats of one visitor, with the first of the words.
fn furnish(journal: &dyn Journal, count: u128) -> (VisitorId, Vec<ConversationId>) {
    let visitor = VisitorId::from_bits(7);
    let mut ids = Vec::new();
    for number in 1..=count {
        let mut chat = Chat::new(number, "q", 1_000);
        let start = StartRequest {
            widget: "demo".parse().unwrap(),
            visitor,
            start: "start".parse().unwrap(),
            salt: 0,
            name: None,
            form: None,
            context: None,
            page: None,
            locale: None,
        };
        let mut story = vec![chat.go(Command::Start(start)), chat.join(1)];
        story.push(chat.post(Author::Customer, &format!("{} is my street", WORDS[0])));
        story.extend([chat.offer("ann"), chat.accept("ann"), chat.end("ann"), chat.shut("ann")]);
        story.iter().for_each(|batch| journal.append(batch.append()));
        ids.push(chat.id());
    }
    block(journal.flush()).unwrap();
    (visitor, ids)
}

/// kill -9 while it is done, at times that have nothing to do with its steps.
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
    // Nobody asks again: a start goes on with what is left in the files.
    let server = Program::start(dir.path(), "--no-demo");
    wait_until_clean(&server.admin).await;
    assert_gone(dir.path(), "after the kills");
    let noted = server.admin.pages("/v1/audit?kind=visitor_erased&limit=200", "entries").await;
    assert!(!noted.is_empty(), "it is noted before anything is gone");
}

#[test]
fn what_is_archived_is_given_out_and_erased_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = files::open(dir.path()).unwrap();
    let (visitor, ids) = furnish(&journal, 40);
    assert_eq!(retain(&journal, Disposal::Archive, days(31)).archived, 40);
    let of = |which| block(journal.of_visitor(visitor, which, None, 99)).unwrap();
    assert_eq!((of(Which::Archived), of(Which::InJournal).len()), (ids.clone(), 0));
    let kept = block(journal.archived(ids[3], holdline::domain::id::Seq::ZERO, 1 << 20)).unwrap();
    assert!(kept.len() > 6, "all of it: {kept:?}");
    for after in 0..kept.len() {
        let after = holdline::domain::id::Seq::new(u32::try_from(after).unwrap());
        let rest = block(journal.archived(ids[3], after, 1 << 20)).unwrap();
        assert_eq!(rest, kept[after.number() as usize..], "from every place on");
    }
    wait_for_traces(&journal);
    assert_eq!(holding(dir.path(), WORDS[0]).len(), 1, "only the archive has it");
    for part in ids.chunks(16) {
        let erasure = block(journal.erase(part.to_vec(), days(32))).unwrap();
        assert_eq!((erasure.erased, erasure.open.len()), (part.to_vec(), 0));
    }
    assert!(of(Which::Archived).is_empty());
    drop(journal);
    assert_gone(dir.path(), "after the erasure");
}

fn nothing_is_erased_while_one_is_open(kind: Kind) {
    let trial = Trial::new(kind);
    let (mut closed, mut open) = (Chat::new(3, "q", 1_000), Chat::new(4, "q", 1_000));
    settle(&trial, closed.whole_story());
    settle(&trial, vec![open.start(), open.join(1)]);
    let erase = |ids: Vec<_>| block(trial.journal().erase(ids, days(1))).unwrap();
    let is_there = |id| block(trial.journal().load(id)).unwrap().is_some();
    let refused = erase(vec![closed.id(), open.id()]);
    assert_eq!(refused, Erasure { erased: Vec::new(), open: vec![open.id()] });
    assert!(is_there(closed.id()), "nothing at all");
    let done = erase(vec![closed.id()]);
    assert_eq!(done, Erasure { erased: vec![closed.id()], open: Vec::new() });
    assert!(!is_there(closed.id()) && is_there(open.id()));
    assert_eq!(erase(vec![closed.id()]), Erasure::default(), "once");
    settle(&trial, vec![open.post(Author::Customer, "still here")]);
}

#[test]
fn nothing_is_erased_from_the_disk_while_one_is_open() {
    nothing_is_erased_while_one_is_open(Kind::Sqlite);
}

#[test]
fn nothing_is_erased_from_memory_while_one_is_open() {
    nothing_is_erased_while_one_is_open(Kind::Memory);
}

/// The archive lets go first: a crash behind that leaves the journal's copy whole, and the same
/// request erases it.
#[test]
fn a_crash_between_the_archive_and_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = files::open(dir.path()).unwrap();
    let (_, ids) = furnish(&journal, 12);
    drop(journal);
    let before = files::contents(dir.path());
    let (journal, _) = files::open(dir.path()).unwrap();
    retain(&journal, Disposal::Archive, days(31));
    drop(journal);
    // As a crash of the retention leaves it: in the journal still, and in the archive already.
    let mut crashed = before;
    let archive = files::contents(dir.path()).remove(Path::new("archive.db")).unwrap();
    crashed.insert("archive.db".into(), archive);
    let dir = files::lay_out(&crashed);
    let (journal, _) = SqliteJournal::open(dir.path(), Arc::new(Ledger::default())).unwrap();
    let erasure = block(journal.erase(ids.clone(), days(32))).unwrap();
    assert_eq!(erasure.erased, ids, "each counts once");
    drop(journal);
    assert_gone(dir.path(), "of both");
    let checked = holdline::journal::sqlite::checking::check(dir.path()).unwrap();
    assert_eq!(checked.problems.count, 0, "{:?}", checked.problems.told);
}
