//! What is answered where: at the address for everybody, and at an address for operators.

use std::path::Path;
use std::process::Stdio;

use reqwest::Method;
use tokio_tungstenite::tungstenite::Error;

use crate::program::{Program, command};
use crate::widget::{Introduction, Widget, mint_visitor};

/// A program with this in its environment, whose log goes to a file.
fn start(data: &Path, flags: &[&str], environment: &[(&str, &str)]) -> Program {
    let mut asked = command(data);
    asked.args(["--threads", "2"]).args(flags).envs(environment.iter().copied());
    asked.stdout(Stdio::piped()).stderr(std::fs::File::create(data.join("log")).unwrap());
    Program::spawn(asked)
}

const OPERATORS: (&str, &str) = ("HOLDLINE_OPERATOR_LISTEN", "127.0.0.1:0");

#[tokio::test]
async fn operators_ask_at_an_address_of_their_own_and_nobody_else_there() {
    let data = tempfile::tempdir().unwrap();
    let mut program = start(data.path(), &["--listen", "127.0.0.1:0", "--demo"], &[OPERATORS]);
    let operators = program.operators();
    let everybody = program.admin.clone();
    assert!(operators.get("/metrics").await.text.contains("holdline_sessions 0"));
    let document = operators.get("/openapi.json").await.ok();
    assert!(document["paths"]["/metrics"].is_object());
    for path in ["/metrics", "/openapi.json"] {
        let problem = everybody.get(path).await.refused(404, "unknown_route");
        assert_eq!(problem["detail"], format!("there is nothing at {path}"));
    }
    for probed in [&operators, &everybody] {
        assert_eq!(probed.get("/healthz").await.text, "alive\n");
        assert_eq!(probed.get("/readyz").await.text, "ready\n");
    }
    let guest = operators.with_token(crate::program::ADMINISTRATOR);
    for path in ["/", "/v1/agents", "/v1/figures", "/v1/widget?widget=demo"] {
        guest.get(path).await.refused(404, "unknown_route");
    }
    guest
        .send(Method::POST, "/v1/secrets/signing/rotate", None)
        .await
        .refused(404, "unknown_route");
    let host = operators.request(Method::GET, "/").build().unwrap().url().authority().to_owned();
    match Widget::try_connect(host.parse().unwrap(), "demo", None).await.map(|_| ()) {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 404),
        other => panic!("no socket is let in there: {other:?}"),
    }
    let hello = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
    Widget::open(program.address, "demo", hello).await.start("start", "Kim").await;
    assert!(operators.get("/metrics").await.text.contains("holdline_sessions 1"));
}

#[tokio::test]
async fn without_an_address_of_their_own_operators_ask_where_everybody_does() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path(), &["--listen", "127.0.0.1:0", "--no-demo"], &[]);
    let anybody = program.admin.stranger();
    assert!(anybody.get("/metrics").await.text.contains("holdline_sessions 0"));
    anybody.get("/openapi.json").await.ok();
    let problem = anybody.get("/nowhere").await.refused(404, "unknown_route");
    assert_eq!(problem["detail"], "there is nothing at /nowhere; see /openapi.json");
}

#[tokio::test]
async fn the_page_is_there_where_this_machine_alone_can_see_it_or_as_is_said() {
    for (listen, page, is_there) in [
        ("127.0.0.1:0", "auto", true),
        ("0.0.0.0:0", "auto", false),
        ("127.0.0.1:0", "false", false),
        ("0.0.0.0:0", "true", true),
    ] {
        let data = tempfile::tempdir().unwrap();
        let flags = ["--listen", listen, "--no-demo"];
        let program = start(data.path(), &flags, &[("HOLDLINE_PAGE", page)]);
        let answer = program.admin.stranger().get("/").await;
        if is_there {
            assert!(answer.text.contains("<title>"), "{listen} {page}: {}", answer.text);
        } else {
            answer.refused(404, "unknown_route");
        }
    }
}

/// The warnings, each with its name and a part of its sentence.
const WARNINGS: [(&str, &str); 4] = [
    ("metrics", "is told the metrics and the OpenAPI document"),
    ("clear", "is in the clear"),
    ("page", "is shown the demo page"),
    ("widget", "accepts pages of any origin"),
];

async fn warned(listen: &str, environment: &[(&str, &str)]) -> Vec<&'static str> {
    let data = tempfile::tempdir().unwrap();
    let flags = ["--listen", listen, "--no-demo", "--log", "warn"];
    let program = start(data.path(), &flags, environment);
    program.terminate();
    assert!(program.ended().await.success());
    let log = std::fs::read_to_string(data.path().join("log")).unwrap();
    let told = WARNINGS.iter().filter(|(_, sentence)| log.contains(sentence));
    let told: Vec<_> = told.map(|(name, _)| *name).collect();
    // The test's directory was open to others, and a line tells this, too.
    let lines = log.lines().filter(|line| !line.contains("was open to others")).count();
    assert_eq!(lines, told.len(), "one plain line for each: {log}");
    told
}

#[tokio::test]
async fn what_is_open_to_the_world_is_warned_of_and_nothing_else() {
    let open = "0.0.0.0:0";
    let proxy = ("HOLDLINE_TRUSTED_PROXIES", "192.0.2.1");
    let operators_open = ("HOLDLINE_OPERATOR_LISTEN", open);
    let page = ("HOLDLINE_PAGE", "true");
    assert_eq!(warned("127.0.0.1:0", &[]).await, [""; 0]);
    assert_eq!(warned("127.0.0.1:0", &[OPERATORS]).await, [""; 0]);
    assert_eq!(warned(open, &[]).await, ["metrics", "clear"]);
    assert_eq!(warned(open, &[OPERATORS]).await, ["clear"]);
    assert_eq!(warned(open, &[OPERATORS, proxy]).await, [""; 0]);
    assert_eq!(warned(open, &[proxy]).await, ["metrics"]);
    assert_eq!(warned("127.0.0.1:0", &[operators_open]).await, ["metrics"]);
    assert_eq!(warned(open, &[OPERATORS, proxy, page]).await, ["page"]);
}
