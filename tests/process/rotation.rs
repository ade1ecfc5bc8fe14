//! Secrets that are replaced while the program runs: which secret is in force when the answer
//! comes, what a kill in the middle leaves, and what an earlier backup knows.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::console::{Console, PATIENCE};
use crate::feed::Feed;
use crate::program::{Program, command, run};
use crate::widget::{Introduction, Widget, introduce, mint_visitor};

const ADMINISTRATOR: &str = "/v1/secrets/administrator/rotate";
const SIGNING: &str = "/v1/secrets/signing/rotate";

/// How soon a feed ends whose right is gone: the feed is told at once.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A server that makes its administrator's token itself, and a console with that token.
fn start(data: &Path) -> (Program, Console) {
    let mut plain = command(data);
    plain.env_remove("HOLDLINE_ADMIN_TOKEN");
    plain.args(["--listen", "127.0.0.1:0", "--threads", "2", "--log", "warn"]);
    plain.stdout(Stdio::piped());
    let program = Program::spawn(plain);
    let admin = program.admin.with_token(&kept(data));
    (program, admin)
}

/// The administrator's token that a data directory keeps.
fn kept(data: &Path) -> String {
    let text = fs::read(data.join("access.json")).expect("it is there");
    let kept: Value = serde_json::from_slice(&text).expect("it is whole");
    kept["administrator"].as_str().expect("a token").to_owned()
}

async fn chat(program: &Program) -> Widget {
    let hello = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
    let mut kim = Widget::open(program.address, "demo", hello).await;
    kim.start("start", "Kim").await;
    kim
}

/// The chat of a browser that has only this token. The server must say that an invalid token is
/// invalid.
async fn chat_of(program: &Program, token: &str) -> Option<String> {
    let mut widget = Widget::connect(program.address, "demo").await;
    let token = Some(token.to_owned());
    widget.say(introduce(&Introduction { token, ..Introduction::default() })).await;
    let first = widget.until_any(&["welcome", "refused"]).await;
    if first["type"] == "refused" {
        assert_eq!(first["code"], "token_invalid");
        assert_eq!(widget.expect("welcome").await["conversation"], Value::Null);
        return None;
    }
    Some(first["conversation"]["id"].as_str().expect("a chat").to_owned())
}

async fn watch(who: &Console, agent: &str) -> Feed {
    Feed::open(who.request(Method::GET, &format!("/v1/agents/{agent}/feed"))).await
}

#[tokio::test]
async fn a_rotated_administrators_token_is_in_force_at_once_and_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let (program, old) = start(data.path());
    let mut feed = watch(&old, "ada").await;
    let rotated = old.post(ADMINISTRATOR, json!({})).await.ok();
    let token = rotated["token"].as_str().unwrap();
    assert!(token.starts_with("hla_"), "{rotated}");
    let new = old.with_token(token);
    for _ in 0..8 {
        // This holds on every thread.
        old.get("/v1/queues").await.refused(401, "unknown_token");
        new.get("/v1/queues").await.ok();
    }
    assert!(feed.ends_within(AT_ONCE).await, "whoever holds the old token reads on");
    assert_eq!(kept(data.path()), token);

    // A caller who repeats the request is told that the secret is shown once, and makes no new one.
    new.put("/v1/agents/root", json!({ "role": "administrator" })).await.ok();
    let root = new.post("/v1/agents/root/tokens", json!({})).await.ok();
    let root = new.with_token(root["token"].as_str().unwrap());
    let keyed = || {
        let request = root.request(Method::POST, ADMINISTRATOR).header("idempotency-key", "k");
        Console::answer(request)
    };
    let again = keyed().await.ok();
    let newest = new.with_token(again["token"].as_str().unwrap());
    keyed().await.refused(409, "shown_once");
    newest.get("/v1/queues").await.ok();
    new.get("/v1/queues").await.refused(401, "unknown_token");
    program.kill();
    let (program, after) = start(data.path());
    assert_eq!(after.token(), newest.token());
    assert!(!program.greeting.contains(after.token().unwrap()), "{}", program.greeting);
    after.get("/v1/queues").await.ok();
    for ended in [&old, &new] {
        ended.at(&program.admin).get("/v1/queues").await.refused(401, "unknown_token");
    }
}

#[tokio::test]
async fn a_rotated_signing_key_is_in_force_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let (program, admin) = start(data.path());
    let kim = chat(&program).await;
    let (id, first) = (kim.conversation.clone(), kim.token.clone());
    admin.post(SIGNING, json!({ "previous_s": 3600 })).await.ok();
    let mut kim = Widget::open(program.address, "demo", kim.introduction()).await;
    let second = kim.token.clone();
    kim.post_only("m1", "with a token of the new key").await;
    kim.until("posted").await;
    program.kill();
    let (program, admin) = start(data.path());
    assert_eq!(chat_of(&program, &first).await, Some(id.clone()));
    assert_eq!(chat_of(&program, &second).await, Some(id.clone()));
    admin.at(&program.admin).delete("/v1/secrets/signing/previous").await.ok();
    program.kill();
    let (program, _) = start(data.path());
    assert_eq!(chat_of(&program, &first).await, None);
    assert_eq!(chat_of(&program, &second).await, Some(id));
}

#[tokio::test]
async fn a_kill_in_the_middle_leaves_the_old_secret_or_the_new_one() {
    let data = tempfile::tempdir().unwrap();
    let (mut program, mut admin) = start(data.path());
    let kim = chat(&program).await;
    for after in [1, 4, 9, 16] {
        let mut answered = admin.token().unwrap().to_owned();
        // Rotates again and again until the server is gone.
        let asking = tokio::spawn(async move {
            let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
            let rotating = tokio::spawn(async move {
                loop {
                    let signing = admin.request(Method::POST, SIGNING);
                    let (Ok(_), Ok(answer)) = (
                        signing.json(&json!({ "previous_s": 0 })).send().await,
                        admin.request(Method::POST, ADMINISTRATOR).send().await,
                    ) else {
                        return;
                    };
                    let Ok(answer) = answer.json::<Value>().await else { return };
                    let token = answer["token"].as_str().expect("a token").to_owned();
                    admin = admin.with_token(&token);
                    if tell.send(token).is_err() {
                        return;
                    }
                }
            });
            for _ in 0..after {
                answered = told.recv().await.expect("an answer");
            }
            (rotating, told, answered)
        });
        let (rotating, mut told, mut answered) = asking.await.unwrap();
        program.kill();
        rotating.await.unwrap();
        while let Ok(later) = told.try_recv() {
            answered = later;
        }
        // The last answered token is in force, or a later one for which no answer came.
        let (restarted, current) = start(data.path());
        current.get("/v1/queues").await.ok();
        let last = current.with_token(&answered);
        let is_current = current.token() == last.token();
        assert_eq!(last.get("/v1/queues").await.status, if is_current { 200 } else { 401 });
        let names = fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left = names.filter(|name| name.to_string_lossy().ends_with(".new")).count();
        assert_eq!(left, 0, "half a secret is left behind");
        let visitor = Some(kim.visitor.clone());
        let hello = Introduction { visitor, ..Introduction::default() };
        let back = Widget::open(restarted.address, "demo", hello).await;
        assert_eq!(back.conversation, kim.conversation);
        assert_eq!(chat_of(&restarted, &back.token).await.as_ref(), Some(&kim.conversation));
        (program, admin) = (restarted, current);
    }
}

#[tokio::test]
async fn a_configuration_that_is_read_again_gives_another_administrators_token() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("holdline.toml");
    let write = |text: String| fs::write(&file, text).unwrap();
    let tokens = ["the-first-one-of-the-file", "the-other-one-of-the-file"];
    write(format!("admin_token = \"{}\"\n", tokens[0]));
    let close = |mode| fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    close(0o640);
    let mut plain = command(data.path());
    plain.env_remove("HOLDLINE_ADMIN_TOKEN").arg("--config").arg(&file);
    plain.args(["--listen", "127.0.0.1:0", "--demo"]).stdout(Stdio::piped());
    let log = data.path().join("log");
    plain.stderr(File::create(&log).unwrap());
    let program = Program::spawn(plain);
    let [old, new] = tokens.map(|token| program.admin.with_token(token));
    let mut feed = watch(&old, "ada").await;
    let refused = old.post(ADMINISTRATOR, json!({})).await;
    let problem = refused.refused(409, "given_by_configuration");
    assert!(problem["detail"].as_str().unwrap().contains("holdline.toml"), "{problem}");

    let said = async |what: &str| {
        let start = Instant::now();
        while !fs::read_to_string(&log).unwrap().contains(what) {
            assert!(start.elapsed() < PATIENCE, "the log never says {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // A wrong configuration changes nothing.
    write("admin_token = \"short\"\n".to_owned());
    program.hang_up();
    said("nothing of the configuration is taken over").await;
    old.get("/v1/queues").await.ok();
    write(String::new());
    program.hang_up();
    said("gives no administrator's token any more").await;
    old.get("/v1/queues").await.ok();
    new.get("/v1/queues").await.refused(401, "unknown_token");

    write(format!("admin_token = \"{}\"\n", tokens[1]));
    program.hang_up();
    said("gives another administrator's token").await;
    old.get("/v1/queues").await.refused(401, "unknown_token");
    new.get("/v1/queues").await.ok();
    assert!(feed.ends_within(AT_ONCE).await, "whoever holds the old token reads on");
    let told = "holdline.toml gives the administrator's token, and everybody here can read it";
    assert!(!fs::read_to_string(&log).unwrap().contains(told), "it is closed to others");
    close(0o644);
    program.hang_up();
    said("gives the same administrator's token").await;
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.contains(told), "{text}");
    assert!(tokens.iter().all(|token| !text.contains(token)), "{text}");
    program.terminate();
    assert!(program.ended().await.success());
}

#[tokio::test]
async fn without_a_file_a_hangup_ends_the_process() {
    let data = tempfile::tempdir().unwrap();
    let (program, _) = start(data.path());
    program.hang_up();
    assert!(!program.ended().await.success());
}

#[tokio::test]
async fn a_backup_of_before_a_rotation_knows_the_keys_of_then() {
    let data = tempfile::tempdir().unwrap();
    let [here, there] = ["here", "there"].map(|name| data.path().join(name));
    fs::create_dir(&here).unwrap();
    let (program, admin) = start(&here);
    let operate = |arguments: &[&str], directory: &Path| {
        let mut asked = Command::new(env!("CARGO_BIN_EXE_holdline"));
        asked.args(arguments).arg("--data").arg(directory).current_dir(data.path());
        let output = run(asked);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let mut kim = chat(&program).await;
    let (id, first) = (kim.conversation.clone(), kim.token.clone());
    admin.post(SIGNING, json!({ "previous_s": 3600 })).await.ok();
    kim.post("m1", "before the backup").await;
    operate(&["backup", "copy.db"], &here);
    let second = Widget::open(program.address, "demo", kim.introduction()).await.token.clone();
    let old = kept(&here);
    admin.post(SIGNING, json!({ "previous_s": 3600 })).await.ok();
    admin.post(ADMINISTRATOR, json!({})).await.ok();
    let third = Widget::open(program.address, "demo", kim.introduction()).await.token.clone();
    program.kill();

    operate(&["restore", "copy.db"], &there);
    assert_eq!(kept(&there), old, "the administrator's token is the one of then");
    let (program, admin) = start(&there);
    admin.get("/v1/queues").await.ok();
    assert_eq!(chat_of(&program, &first).await, Some(id.clone()));
    assert_eq!(chat_of(&program, &second).await, Some(id.clone()));
    assert_eq!(chat_of(&program, &third).await, None, "its key was made after the backup");
    let visitor = Some(kim.visitor.clone());
    let hello = Introduction { visitor, ..Introduction::default() };
    assert_eq!(Widget::open(program.address, "demo", hello).await.conversation, id);
}
