//! kill -9 in the middle of many chats, again and again. What was acknowledged is there, once and
//! in order, for everybody; nothing else has changed; and nobody's time ran while the server was
//! down.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::console::Console;
use crate::diary::Diary;
use crate::program::Program;
use crate::widget::{Introduction, Widget, mint_visitor};

const CHATS: usize = 16;
const KILLS: usize = 3;
const WINDOW_MS: i64 = 8_000;
const AGENTS: [&str; 3] = ["ada", "ben", "cleo"];

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("not too late")
}

fn millis(time: &Value) -> i64 {
    let time: jiff::Timestamp = time.as_str().expect("a time").parse().expect("RFC 3339");
    time.as_millisecond()
}

/// Three agents, and their tokens, which outlive every restart.
async fn set_up(admin: &Console) -> Vec<String> {
    let mut tokens = Vec::new();
    for agent in AGENTS {
        let path = format!("/v1/agents/{agent}");
        admin.put(&path, json!({ "units": 100 })).await.ok();
        let token = admin.post(&format!("{path}/tokens"), json!({})).await.ok();
        tokens.push(token["token"].as_str().expect("a token").to_owned());
    }
    admin.put("/v1/queues/sales", json!({ "agents": AGENTS })).await.ok();
    let workstream = json!({ "queue": "sales", "window_s": WINDOW_MS / 1_000, "heartbeat_s": 2 });
    admin.put("/v1/workstreams/sales", workstream).await.ok();
    admin.put("/v1/widgets/shop", json!({ "workstream": "sales", "origins": ["*"] })).await.ok();
    tokens
}

/// Every message of the diaries stands at the place that its author was told, once, in order, for
/// both audiences.
async fn hold_against(admin: &Console, conversation: &str, diaries: &[&Diary]) {
    let mut expected = BTreeMap::new();
    for diary in diaries {
        expected.extend(diary.answered.iter().map(|(id, seq)| (*seq, id.clone())));
    }
    for audience in ["agent", "customer"] {
        let entries = admin.entries(conversation, audience).await;
        let seqs: Vec<_> = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
        assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "in order: {seqs:?}");
        let messages = entries.iter().filter(|entry| entry["kind"] == "message");
        let mut ids = BTreeMap::new();
        for message in messages {
            let id = message["id"].as_str().unwrap().to_owned();
            assert_eq!(message["text"], format!("the text of {id}"));
            assert!(diaries.iter().any(|diary| diary.sent(&id)), "nobody said {id}");
            let again = ids.insert(id.clone(), message["seq"].as_u64().unwrap());
            assert_eq!(again, None, "{id} stands twice");
        }
        for (seq, id) in &expected {
            assert_eq!(ids.get(id), Some(seq), "{id} was acknowledged at {seq} ({audience})");
        }
    }
}

/// The units that each agent uses are the sum of the agent's leases, and the leases are the chats
/// that name the agent.
async fn audit(admin: &Console) {
    let chats = admin.pages("/v1/conversations?limit=200", "conversations").await;
    for agent in AGENTS {
        let named = chats.iter().filter(|chat| chat["agent"] == agent);
        let named = named.filter(|chat| chat["state"] != "closed").count();
        let path = format!("/v1/agents/{agent}");
        let holds = |me: &Value| me["leases"].as_array().unwrap().len() == named;
        let me = admin.until(&path, "the leases are told", holds).await;
        assert_eq!(me["used"], named, "{me}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost_doubled_or_reordered() {
    let data = tempfile::tempdir().unwrap();
    let mut program = Program::start(data.path(), "--no-demo");
    let tokens = set_up(&program.admin).await;
    let (mut chats, mut agents) = (Vec::new(), Vec::new());
    for number in 0..CHATS {
        let hello = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
        let mut widget = Widget::open(program.address, "shop", hello).await;
        widget.start("start", "Kim").await;
        // A quarter of the chats wait; the others are with an agent.
        if number % 4 != 0 {
            let agent = program.admin.with_token(&tokens[number % 3]);
            agent.act(&widget.conversation, "accept").await.ok();
            widget.until("joined").await;
            agents.push((Diary::new(&widget.conversation, "agent"), tokens[number % 3].clone()));
        }
        let diary = Diary::new(&widget.conversation, "customer");
        chats.push((diary, widget.introduction(), Some(widget)));
    }
    for _ in 0..KILLS {
        let before = now_ms();
        let mut talking = tokio::task::JoinSet::new();
        for (number, (mut diary, _, widget)) in chats.into_iter().enumerate() {
            let widget = widget.expect("they are connected");
            talking.spawn(async move { (number, diary.talk(widget).await, diary) });
        }
        let mut writing = tokio::task::JoinSet::new();
        for (mut diary, token) in agents {
            let console = program.admin.with_token(&token);
            writing.spawn(async move {
                diary.write(&console).await;
                (diary, token)
            });
        }
        // This is long enough for many messages; chance decides when exactly the server dies.
        tokio::time::sleep(Duration::from_millis(900)).await;
        program.kill();
        let mut heard: Vec<_> = talking.join_all().await;
        heard.sort_by_key(|(number, ..)| *number);
        agents = writing.join_all().await;
        let said: usize = heard.iter().map(|(_, _, diary)| diary.answered.len()).sum();
        assert!(said > CHATS * 5, "{said} messages make a trial");

        program = Program::start(data.path(), "--no-demo");
        let up = now_ms();
        chats = Vec::new();
        for (_, hello, mut diary) in heard {
            let mine = agents.iter().filter(|(agent, _)| agent.conversation == diary.conversation);
            let mut all = vec![&diary];
            all.extend(mine.map(|(agent, _)| agent));
            hold_against(&program.admin, &diary.conversation, &all).await;
            let chat = program.admin.conversation(&diary.conversation).await;
            let expected = if all.len() == 1 { "open" } else { "active" };
            assert_eq!(chat["state"], expected, "{chat}");
            let until = millis(&chat["customer"]["until"]);
            assert!(until > before + WINDOW_MS && until <= up + WINDOW_MS, "a full window: {chat}");
            let widget = diary.come_back(program.address, hello.clone()).await;
            chats.push((diary, hello, Some(widget)));
        }
        audit(&program.admin).await;
    }
    for (diary, _, _) in &chats {
        assert!(diary.heard.windows(2).all(|pair| pair[0] < pair[1]));
        let path = format!("/v1/conversations/{}", diary.conversation);
        let back = |chat: &Value| chat["customer"]["connected"] == true;
        program.admin.until(&path, "the customer is back", back).await;
    }
}

#[tokio::test]
async fn who_does_not_come_back_has_the_full_window_and_then_no_more() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), "--no-demo");
    let tokens = set_up(&program.admin).await;
    let short = json!({ "queue": "sales", "window_s": 3, "heartbeat_s": 1 });
    program.admin.put("/v1/workstreams/sales", short).await.ok();
    let mut ids = Vec::new();
    for number in 0..6 {
        let hello = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
        let mut widget = Widget::open(program.address, "shop", hello).await;
        widget.start("start", "Kim").await;
        if number % 2 == 0 {
            let agent = program.admin.with_token(&tokens[0]);
            agent.act(&widget.conversation, "accept").await.ok();
        }
        ids.push(widget.conversation.clone());
        if number < 3 {
            // Half of the customers were away before the kill, and had nearly used up their window.
            widget.kill().await;
        } else {
            drop(widget);
        }
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    program.kill();
    // The time for which the server is down counts for nobody.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let up = now_ms();
    let program = Program::start(data.path(), "--no-demo");
    for (number, id) in ids.iter().enumerate() {
        let path = format!("/v1/conversations/{id}");
        let over = |chat: &Value| ["wrapup", "closed"].contains(&chat["state"].as_str().unwrap());
        let chat = program.admin.until(&path, "it is over", over).await;
        let (state, reason) = match number % 2 {
            0 => ("wrapup", "customer_disconnected_while_active"),
            _ => ("closed", "customer_disconnected_while_open"),
        };
        assert_eq!((&chat["state"], &chat["reason"]), (&json!(state), &json!(reason)));
        let timeline = program.admin.timeline(id).await;
        let gone = timeline.iter().filter(|entry| entry["kind"] == "customer_disconnected");
        let gone: Vec<_> = gone.collect();
        assert_eq!(gone.len(), 1);
        assert!(millis(&gone[0]["at"]) > up + 3_000, "never early: {}", gone[0]);
    }
    audit(&program.admin).await;
}
