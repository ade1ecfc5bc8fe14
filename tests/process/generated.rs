//! The OpenAPI document in strangers' hands: a public validator reads it, a public generator makes
//! a client of it, and this client sets up a shop and answers a customer.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::program::Program;
use crate::widget::{Introduction, Widget, mint_visitor};

/// One of the programs that `tests/run` installs.
fn tool(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/openapi-tools/bin");
    let program = place.join(name);
    assert!(
        program.exists(),
        "{} is not there; tests/run installs it (tests/openapi-tools.txt)",
        program.display()
    );
    program
}

#[track_caller]
fn succeed(what: &str, output: &Output) {
    let told = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&told));
}

/// Validates the server's document, and generates a client from it in this folder.
async fn generate(program: &Program, folder: &Path) {
    let document = program.admin.stranger().get("/openapi.json").await.text;
    let file = folder.join("openapi.json");
    std::fs::write(&file, document).unwrap();
    let validated = Command::new(tool("openapi-spec-validator")).arg(&file).output();
    succeed("openapi-spec-validator", &validated.unwrap());
    let config = folder.join("config.yml");
    // The generator knows neither OpenMetrics nor lines of JSON, and both are text. It must not
    // look for a formatter.
    let settings = "content_type_overrides:\n  application/openmetrics-text: text/plain\n  \
                    application/x-ndjson: text/plain\n\
                    post_hooks: []\n";
    std::fs::write(&config, settings).unwrap();
    let generated = Command::new(tool("openapi-python-client"))
        .args(["generate", "--fail-on-warning", "--overwrite", "--path"])
        .arg(&file)
        .arg("--config")
        .arg(&config)
        .arg("--output-path")
        .arg(folder.join("client"))
        .output();
    succeed("openapi-python-client", &generated.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generated_client_answers_a_customer() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let program = Program::start(data.path(), "--no-demo");
    generate(&program, folder.path()).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process/generated_client.py");
    let agent = |part: &str, token: &str| {
        let mut command = tokio::process::Command::new(tool("python"));
        command.arg(&script).args([part, &format!("http://{}", program.address), token]);
        command.env("PYTHONPATH", folder.path().join("client")).stdin(Stdio::null());
        command.kill_on_drop(true);
        async move { command.output().await.expect("Python runs") }
    };
    let set_up = agent("set-up", crate::program::ADMINISTRATOR).await;
    succeed("the administrator's client", &set_up);
    let token = String::from_utf8(set_up.stdout).unwrap();

    let hello = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
    let mut customer = Widget::open(program.address, "shop", hello).await;
    customer.start("start", "Kim").await;
    customer.post("k1", "Where is my order?").await;
    let mut answering = tokio::spawn(agent("answer", token.trim()));
    let said = tokio::select! {
        said = customer.until("message") => said,
        failed = &mut answering => panic!("the agent's client has failed: {failed:?}"),
    };
    assert_eq!(said["text"], "It is on its way.");
    customer.post("k2", "Thank you!").await;
    customer.until_state("wrapup").await;
    succeed("the agent's client", &answering.await.unwrap());
    let ended = program.admin.conversation(&customer.conversation).await;
    assert_eq!((&ended["state"], &ended["agent"]), (&Value::from("closed"), &Value::from("ada")));
}
