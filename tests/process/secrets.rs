//! Who is told a token: only the operator who starts the server, only once, and only a token that
//! the server has made. And how long the demo's tokens let anybody in.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;

use crate::console::{Console, PATIENCE};
use crate::program::{ADMINISTRATOR, Program, command, run};

/// A server at this address, with an administrator's token that the test gives it.
fn start_at(data: &Path, address: &str, flags: &[&str]) -> Program {
    let mut plain = command(data);
    plain.args(["--listen", address, "--log", "warn"]).args(flags).stdout(Stdio::piped());
    Program::spawn(plain)
}

fn start_without(data: &Path, flags: &[&str]) -> Program {
    let mut plain = command(data);
    plain.env_remove("HOLDLINE_ADMIN_TOKEN");
    plain.args(["--listen", "127.0.0.1:0", "--log", "warn"]).args(flags).stdout(Stdio::piped());
    Program::spawn(plain)
}

async fn stop(program: Program) {
    program.terminate();
    assert!(program.ended().await.success());
}

/// Every token that a text tells.
fn tokens(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || "_-".contains(c)));
    let is_token = |word: &&str| word.starts_with("hla_") || word.starts_with("hlt_");
    words.filter(is_token).map(str::to_owned).collect()
}

fn kept(data: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(data.join("access.json")).unwrap()).unwrap()
}

fn of_demo(program: &Program, data: &Path, who: &str) -> Console {
    program.admin.with_token(kept(data)["demo"][who].as_str().expect("it is kept"))
}

#[tokio::test]
async fn a_token_is_told_by_the_start_that_makes_it_and_never_again() {
    let data = tempfile::tempdir().unwrap();
    let mut program = start_without(data.path(), &[]);
    program.hear_until("step by step");
    let first = tokens(&program.greeting);
    assert!(first.iter().any(|token| token.starts_with("hla_")), "{}", program.greeting);
    assert!(first.iter().filter(|token| token.starts_with("hlt_")).count() >= 3);
    stop(program).await;

    for flags in [&[][..], &["--demo"]] {
        let mut program = start_without(data.path(), flags);
        program.hear_until("step by step");
        let greeting = program.greeting.clone();
        assert_eq!(tokens(&greeting), [""; 0], "{greeting}");
        // An operator who may read the file can use the tokens all the same, by pasting the printed
        // line.
        assert!(greeting.contains(data.path().join("access.json").to_str().unwrap()), "{greeting}");
        let line = |start: &str| {
            greeting.lines().map(str::trim).find(|line| line.starts_with(start)).unwrap().to_owned()
        };
        let script = format!(
            "set -eu\n{}\n{}\nas $ADA $URL/v1/agents/me\nas $SUE $URL/v1/agents/me\n\
             as $ADMIN $URL/v1/queues/demo\n",
            line("export URL="),
            line("as()")
        );
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        for part in [r#""id":"ada""#, r#""id":"sue""#, r#""id":"demo""#] {
            assert!(said.contains(part), "{part} in {said}");
        }
        stop(program).await;
    }
    // Without a demo, only the administrator's token is told.
    let plain = tempfile::tempdir().unwrap();
    let program = start_without(plain.path(), &["--no-demo"]);
    let told = tokens(&program.greeting);
    assert_eq!(told, [kept(plain.path())["administrator"].as_str().unwrap()]);
    program.admin.with_token(&told[0]).get("/v1/queues").await.ok();
    stop(program).await;
    let program = start_without(plain.path(), &["--no-demo"]);
    assert_eq!(tokens(&program.greeting), [""; 0], "{}", program.greeting);
    assert!(program.greeting.contains("access.json"), "{}", program.greeting);
}

#[tokio::test]
async fn what_the_operator_gives_is_never_told() {
    let data = tempfile::tempdir().unwrap();
    for flag in ["--demo", "--no-demo"] {
        let mut program = Program::start(data.path(), flag);
        if flag == "--demo" {
            program.hear_until("step by step");
        }
        assert!(!program.greeting.contains(ADMINISTRATOR), "{}", program.greeting);
        assert!(program.greeting.contains("the one that you have given"), "{}", program.greeting);
        program.admin.get("/v1/queues").await.ok();
        stop(program).await;
    }
    assert_eq!(kept(data.path())["administrator"], json!(null), "and it is kept nowhere");

    // A mistake in the file is told without the text of its line.
    let file = data.path().join("holdline.toml");
    std::fs::write(&file, format!("threads = 1\nadmin_token = {ADMINISTRATOR}\n")).unwrap();
    let mut wrong = command(data.path());
    wrong.arg("--config").arg(&file);
    let output = run(wrong);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("must be TOML: line 2: "), "{said}");
    assert!(!said.contains(ADMINISTRATOR), "{said}");
}

#[test]
fn a_token_that_can_be_guessed_is_refused() {
    let data = tempfile::tempdir().unwrap();
    for short in ["a", "let-me-in", "0123456789abcdef", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
    {
        let mut wrong = command(data.path());
        wrong.args(["--listen", "127.0.0.1:0"]).env("HOLDLINE_ADMIN_TOKEN", short);
        let output = run(wrong);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let told = "admin_token (from HOLDLINE_ADMIN_TOKEN) must have at least 128 bits";
        assert!(said.contains(told), "{said}");
        assert!(said.contains("22 to 256"), "{said}");
    }
    // The same goes for a token that somebody has written into the file where the server keeps its
    // own.
    std::fs::write(data.path().join("access.json"), r#"{"administrator":"let-me-in"}"#).unwrap();
    let mut wrong = command(data.path());
    wrong.args(["--listen", "127.0.0.1:0", "--log", "error"]).env_remove("HOLDLINE_ADMIN_TOKEN");
    let output = run(wrong);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("access.json") && said.contains("at least 128 bits"), "{said}");
    assert!(!said.contains("let-me-in"), "{said}");
}

#[tokio::test]
async fn there_is_no_demo_where_others_can_reach_it() {
    let data = tempfile::tempdir().unwrap();
    let program = start_at(data.path(), "0.0.0.0:0", &[]);
    assert!(program.greeting.contains("no demo: connections are taken at 0.0.0.0:"));
    program.admin.get("/v1/widgets/demo").await.refused(404, "unknown_setting");
    assert!(!data.path().join("access.json").exists());
    stop(program).await;

    for listen in ["0.0.0.0:0", "[::]:0"] {
        let mut asked = command(data.path());
        asked.args(["--listen", listen, "--demo"]);
        let output = run(asked);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("demo (from --demo) must not be on"), "{said}");
        assert!(said.contains(listen), "{said}");
    }

    // The demo's tokens of an earlier start let nobody in any more.
    let program = start_at(data.path(), "127.0.0.1:0", &["--demo"]);
    let people = ["ada", "ben", "sue"].map(|who| of_demo(&program, data.path(), who));
    people[2].get("/v1/agents").await.ok();
    stop(program).await;
    let program = start_at(data.path(), "0.0.0.0:0", &[]);
    assert!(program.greeting.contains("no demo: "), "{}", program.greeting);
    for person in &people {
        person.at(&program.admin).get("/v1/agents/me").await.refused(401, "unknown_token");
    }
    let agents = program.admin.get("/v1/agents").await.ok();
    assert_eq!(agents["agents"], json!([]));
    assert_eq!(kept(data.path())["demo"], json!({}));
    stop(program).await;
    // The next start says nothing of the demo. A demo that is asked for again begins with new
    // tokens.
    let program = start_at(data.path(), "0.0.0.0:0", &[]);
    assert!(!program.greeting.contains("demo"), "{}", program.greeting);
    stop(program).await;
    let program = start_at(data.path(), "127.0.0.1:0", &["--demo"]);
    people[2].at(&program.admin).get("/v1/agents/me").await.refused(401, "unknown_token");
    of_demo(&program, data.path(), "sue").get("/v1/agents").await.ok();
}

impl Console {
    /// Waits until the console's token lets nobody in.
    async fn until_unknown(&self) {
        let start = Instant::now();
        while self.get("/v1/agents/me").await.status != 401 {
            assert!(start.elapsed() < PATIENCE, "it is let in for ever");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn the_demo_ends_when_somebody_else_can_answer() {
    let data = tempfile::tempdir().unwrap();
    let program = start_at(data.path(), "127.0.0.1:0", &[]);
    let people = ["ada", "ben", "sue"].map(|who| of_demo(&program, data.path(), who));
    let admin = &program.admin;
    // Somebody has taken Ada over and has a token of their own for her; Ben has another name.
    let made = admin.post("/v1/agents/ada/tokens", json!({})).await.ok();
    let ada = admin.with_token(made["token"].as_str().unwrap());
    admin.put("/v1/agents/ben", json!({ "name": "Benjamin" })).await.ok();
    for person in people.iter().chain([&ada]) {
        person.me().await;
    }
    admin.put("/v1/agents/cleo", json!({})).await.ok();
    for person in &people {
        person.until_unknown().await;
    }
    assert_eq!(ada.me().await["id"], "ada", "her own is still good");
    let agents = admin.get("/v1/agents").await.ok();
    let ids: Vec<_> = agents["agents"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["ada", "ben", "cleo"]);
    assert_eq!(admin.get("/v1/queues/demo").await.ok()["agents"], json!(["ada", "ben"]));
    assert_eq!(kept(data.path())["demo"], json!({}));
    program.kill();

    // There is no demo beside an agent who is not of it, even if it is asked for, and the server
    // says so.
    let program = start_at(data.path(), "127.0.0.1:0", &["--demo"]);
    let told = "no demo: there is an agent who is not of it";
    assert!(program.greeting.contains(told), "{}", program.greeting);
    assert_eq!(ada.at(&program.admin).me().await["id"], "ada");
    for person in &people {
        person.at(&program.admin).get("/v1/agents/me").await.refused(401, "unknown_token");
    }
    stop(program).await;
    let program = start_at(data.path(), "127.0.0.1:0", &[]);
    assert!(!program.greeting.contains("demo"), "{}", program.greeting);
}

#[tokio::test]
async fn a_start_that_wants_no_demo_ends_it() {
    let data = tempfile::tempdir().unwrap();
    let program = start_at(data.path(), "127.0.0.1:0", &[]);
    let sue = of_demo(&program, data.path(), "sue");
    sue.me().await;
    stop(program).await;
    let program = start_at(data.path(), "127.0.0.1:0", &["--no-demo"]);
    sue.at(&program.admin).get("/v1/agents/me").await.refused(401, "unknown_token");
    assert!(!program.greeting.contains("demo"), "{}", program.greeting);
}
