//! The commands and the examples of the documents, exactly as they stand there. A shell runs the
//! tour of the README and the requests of the reference; the commands on a data directory are run;
//! and every example is checked against what describes it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use holdline::config::Config;
use serde_json::{Value, json};

use crate::page::{Example, examples, examples_of};
use crate::program::Program;
use crate::widget::{Introduction, Widget, mint_visitor};

/// The shell of a tour. Before each example it gets the lines that the server printed at its start,
/// and the chat.
struct Shell<'a> {
    program: &'a Program,
    folder: &'a Path,
    chat: String,
}

impl Shell<'_> {
    fn run(&self, lines: &str) -> Output {
        let greeting = &self.program.greeting;
        let line = |start: &str| {
            let found = greeting.lines().find(|line| line.trim_start().starts_with(start));
            found.expect("it was printed").trim_start().to_owned()
        };
        let address = format!("http://{}", self.program.address);
        let lines = lines.replace("http://127.0.0.1:8080", &address);
        let script = format!(
            "set -eu -o pipefail\n{}\n{}\nC={}\n{lines}\n",
            line("export URL="),
            line("as()"),
            self.chat
        );
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).current_dir(self.folder).stdin(Stdio::null());
        bash.output().expect("bash is there")
    }

    /// Runs an example; every answer in it must be a success. A feed goes on for ever, so it is
    /// read only for a moment.
    fn succeed(&self, example: &Example) -> String {
        let text = example.text.lines().map(|line| {
            if line.contains(" -N ") {
                // The command ends with the status of a timeout.
                format!("export -f as; timeout 1 bash -c '{line}' || [ $? = 124 ]")
            } else {
                line.to_owned()
            }
        });
        let output = self.run(&text.collect::<Vec<_>>().join("\n"));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr);
        let place = &example.place;
        assert!(output.status.success(), "{place}: {complaint}\n{said}");
        assert!(!said.contains("urn:holdline:problem"), "{place}: {said}");
        said
    }
}

fn start(data: &Path) -> Program {
    let mut command = crate::program::command(data);
    command.args(["--listen", "127.0.0.1:0", "--threads", "2", "--log", "warn"]);
    command.env_remove("HOLDLINE_ADMIN_TOKEN").stdout(Stdio::piped());
    let mut program = Program::spawn(command);
    program.hear_until("as() {");
    program
}

/// The administrator of the shell: the token of the greeting.
fn administrator(program: &Program) -> crate::console::Console {
    let line = program.greeting.lines().find(|line| line.trim_start().starts_with("administrator"));
    let token = line.and_then(|line| line.split_whitespace().last()).expect("a token");
    program.admin.with_token(token)
}

async fn customer(program: &Program) -> Widget {
    let hello = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
    let mut customer = Widget::open(program.address, "demo", hello).await;
    customer.start("start-1", "Kim").await;
    customer.post("m-1", "Hello!").await;
    customer
}

/// The examples of a page that are run: those that a shell sends to the server.
fn tour(page: &'static str) -> Vec<Example> {
    let all = examples_of(page).into_iter();
    let own = |one: &Example| !one.is_inline && !one.is_not_run() && is_of_the_tour(one);
    all.filter(own).collect()
}

/// How the README starts a command on a data directory.
const ASKED: &str = "cargo run --release -- ";

pub(crate) fn is_of_the_directory(example: &Example) -> bool {
    !example.is_inline && example.text.starts_with(ASKED)
}

pub(crate) fn is_of_the_tour(example: &Example) -> bool {
    ["as $", "C=$(", "URL="].iter().any(|start| example.text.starts_with(start))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tour_of_the_readme_leads_to_its_end() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path());
    let admin = administrator(&program);
    let mut shell = Shell { program: &program, folder: data.path(), chat: String::new() };
    let steps = tour("README.md");
    let [available, answer, window, why] = &steps[..] else { panic!("{steps:#?}") };
    shell.succeed(available);
    let mut kim = customer(&program).await;
    let said = shell.succeed(answer);
    assert!(said.contains(r#""phase":"talking""#), "{said}");
    assert_eq!(kim.until("message").await["text"], "Hello, how can I help?");
    shell.succeed(window);
    shell.chat = kim.conversation.clone();
    kim.kill().await;
    admin.until_state(&shell.chat, "wrapup").await;
    let said = shell.succeed(why);
    assert_eq!(said.matches("Customer disconnected").count(), 1, "the agent's copy alone: {said}");

    // The data directory tells the same, beside the running server.
    let blocks = examples_of("README.md").into_iter().filter(is_of_the_directory);
    let commands: Vec<_> = blocks.flat_map(|one| one.commands()).collect();
    for command in &commands {
        let own = command.strip_prefix(ASKED).expect("it asks the directory");
        let own = own.replace("$C", &shell.chat);
        let mut asked = Command::new(env!("CARGO_BIN_EXE_holdline"));
        asked.args(own.split_whitespace()).arg("--data").arg(data.path());
        let output = asked.output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {complaint}");
    }
    assert_eq!(commands.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_that_is_printed_at_the_start_succeeds() {
    let data = tempfile::tempdir().unwrap();
    let mut program = start(data.path());
    program.hear_until("window_s");
    let kim = customer(&program).await;
    let (_, steps) = program.greeting.split_once("step by step").expect("the steps");
    let steps = steps
        .lines()
        .map(str::trim)
        .filter(|line| line.contains("$ADA") || line.contains("$ADMIN"));
    let mut text = Vec::new();
    for step in steps {
        // No step waits for anything, except the feed, which stays open while the others are typed.
        match step.split_once("; as $ADA -N ") {
            Some((before, feed)) => {
                text.push("export -f as".to_owned());
                text.push(format!("timeout 60 bash -c 'as $ADA -sN {feed}' >/dev/null &"));
                text.push(format!("FEED=$!\n{before}"));
            }
            None => text.push(step.to_owned()),
        }
    }
    assert_eq!(text.len(), 12, "each of the ten, and two more for the feed: {text:#?}");
    text.push("kill $FEED".to_owned());
    let shell = Shell { program: &program, folder: data.path(), chat: String::new() };
    let example = Example {
        place: "the greeting".to_owned(),
        page: "",
        kind: String::new(),
        text: text.join("\n"),
        mark: None,
        is_inline: false,
    };
    let said = shell.succeed(&example);
    assert!(said.contains(&kim.conversation) && said.contains("Ada joined"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_of_the_reference_succeeds() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path());
    let ready = "export -f as
        timeout 60 bash -c 'as $ADA -sN $URL/v1/agents/me/feed' >/dev/null &
        FEED=$!
        ";
    let mut shell = Shell { program: &program, folder: data.path(), chat: String::new() };
    let kim = customer(&program).await;
    shell.chat = kim.conversation.clone();
    // All examples run in one shell, in which Ada listens to the end.
    let blocks = tour("docs/http.md");
    assert!(blocks.len() >= 8, "{blocks:#?}");
    let mut whole = blocks[0].clone();
    for block in &blocks[1..] {
        if block.text.contains(" -N ") {
            continue;
        }
        whole.text.push_str(&format!("\n{}\n", block.text));
    }
    // The last example puts an agent who is not of the demo. That ends the demo, and the feed with
    // it.
    whole.text = format!("{ready}{}\nkill $FEED || true", whole.text);
    let feed = blocks.iter().find(|block| block.text.contains(" -N ")).expect("the feed");
    assert!(shell.succeed(feed).contains("event: presence"));
    let said = shell.succeed(&whole);
    assert!(said.contains("hlt_"), "the last is a token: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_on_a_data_directory_succeeds() {
    let data = tempfile::tempdir().unwrap();
    let place = data.path().join("holdline-data");
    std::fs::create_dir(&place).unwrap();
    let program = start(&place);
    let kim = customer(&program).await;
    let chat = kim.conversation.clone();
    program.terminate();
    assert!(program.ended().await.success());
    let mut run = 0;
    for page in ["docs/storage.md", "docs/why.md"] {
        let all = examples_of(page).into_iter().filter(|one| !one.is_inline && !one.is_not_run());
        for example in all.filter(|one| one.text.starts_with("holdline ")) {
            for command in example.commands() {
                let is_restored = command.starts_with("holdline restore");
                let command = command
                    .replace("00000000-0000-0000-0000-000000000001", &chat)
                    .replace("--workstream sales", "--workstream demo")
                    .replace("FILE", "backup.db")
                    .replace("DIR", if is_restored { "restored" } else { "holdline-data" });
                let mut asked = Command::new(env!("CARGO_BIN_EXE_holdline"));
                asked.args(command.split_whitespace().skip(1)).current_dir(data.path());
                let output = asked.output().unwrap();
                let complaint = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{}: {command}: {complaint}", example.place);
                run += 1;
            }
        }
    }
    assert!(run >= 5, "they are found");
}

/// Removes the ellipses of an example, and says whether it had any.
fn without_ellipses(text: &str) -> (String, bool) {
    (text.replace(",…", ""), text.contains(",…"))
}

/// Checks an example against the schema that its mark names.
fn check(example: &Example, schema: &str, text: &str, document: &Value) -> Result<(), String> {
    let (text, is_partial) = without_ellipses(text);
    let value: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    if document["components"]["schemas"][schema].is_null() {
        return Err(format!("there is no schema {schema}"));
    }
    let whole = json!({
        "components": document["components"],
        "$ref": format!("#/components/schemas/{schema}"),
    });
    let validator = jsonschema::draft202012::options().build(&whole).expect("a schema");
    let is_left_out = |error: &jsonschema::ValidationError<'_>| {
        is_partial && matches!(error.kind, jsonschema::error::ValidationErrorKind::Required { .. })
    };
    let wrong = validator.iter_errors(&value).find(|error| !is_left_out(error));
    let known = &document["components"]["schemas"][schema]["properties"];
    let unknown = value.as_object().and_then(|fields| {
        fields.keys().find(|field| known.get(field.as_str()).is_none()).cloned()
    });
    match (wrong, unknown) {
        (Some(error), _) => Err(format!("{}: {}: {error}", example.place, error.instance_path)),
        (None, Some(field)) => Err(format!("{}: {schema} has no {field}", example.place)),
        (None, None) => Ok(()),
    }
}

#[test]
fn every_example_of_json_is_as_the_openapi_document_describes_it() {
    let document: Value = serde_json::from_str(&holdline::http::openapi::json()).unwrap();
    let mut checked = 0;
    for example in examples_of("docs/http.md").into_iter().filter(|one| !one.is_inline) {
        let texts: Vec<&str> = match example.kind.as_str() {
            "json" => vec![&example.text],
            "sse" => example.text.lines().filter_map(|line| line.strip_prefix("data: ")).collect(),
            _ => continue,
        };
        let schema = example.mark.as_deref().unwrap_or_default();
        for text in texts {
            checked += 1;
            if let Err(error) = check(&example, schema, text, &document) {
                panic!("{}: {error}", example.place);
            }
        }
    }
    assert!(checked >= 7, "they are found: {checked}");
}

#[test]
fn every_example_of_a_configuration_is_taken() {
    let tomls = examples().into_iter().filter(|one| one.kind == "toml");
    let mut count = 0;
    for example in tomls {
        let flags = ["holdline", "--config", "example.toml"].map(std::ffi::OsString::from);
        let config = Config::load(flags, |_| None, |_| Ok(example.text.clone()));
        assert!(config.is_ok(), "{}: {config:?}", example.place);
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn the_frames_of_the_readme_are_frames() {
    let blocks =
        examples_of("README.md").into_iter().filter(|one| one.text.starts_with("websocat"));
    let frames: Vec<_> = blocks
        .flat_map(|one| one.text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(frames.len(), 3, "{frames:?}");
    for frame in frames {
        let parsed = holdline::wire::client::parse(frame.as_bytes());
        assert!(parsed.is_ok(), "{frame}: {parsed:?}");
    }
}
