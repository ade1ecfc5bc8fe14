//! Who may do what. Every kind of caller sends a request to every address and method of the OpenAPI
//! document, about what is theirs, what is another's, and what is not there. The answers are the
//! table of docs/roles.md, which `UPDATE_EXPECT=1` writes anew. They keep some laws whatever the
//! table says.

mod floor;

use std::collections::BTreeMap;
use std::fmt;

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::Value;

use crate::console::{Console, PATIENCE};
use crate::roles::floor::{Floor, Reached, Stage};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/roles.md");

/// How many addresses are asked at the same time.
const AT_ONCE: usize = 8;

/// A caller whose token is good.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Who {
    Agent,
    Supervisor,
    Administrator,
    /// The administrator's own token, which stands for no agent.
    OwnToken,
}

impl Who {
    const ALL: [Self; 4] = [Self::Agent, Self::Supervisor, Self::Administrator, Self::OwnToken];

    const fn role(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Administrator | Self::OwnToken => "administrator",
        }
    }
}

/// What a request is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Thing {
    Own,
    /// Something of another agent. Where things are nobody's, something that is there.
    Foreign,
    Unknown,
}

/// What a request to an address can be about, in the order of the table.
fn things(path: &str, who: Who) -> &'static [Thing] {
    match path {
        // The administrator's own token has no chats of its own.
        path if path.contains("{conversation}") && who == Who::OwnToken => {
            &[Thing::Foreign, Thing::Unknown]
        }
        path if path.contains("{conversation}") || path.contains("{agent}") => {
            &[Thing::Own, Thing::Foreign, Thing::Unknown]
        }
        path if path.contains('{') => &[Thing::Foreign, Thing::Unknown],
        _ => &[Thing::Foreign],
    }
}

/// What was answered.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Said {
    status: u16,
    problem: Value,
}

impl Said {
    fn is_done(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn code(&self) -> &str {
        self.problem["code"].as_str().unwrap_or_default()
    }
}

impl fmt::Display for Said {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_done() {
            return write!(formatter, "{}", self.status);
        }
        write!(formatter, "{} `{}`", self.status, self.code())
    }
}

/// What is answered at one address to one method.
struct Row {
    method: Method,
    path: String,
    strangers: Vec<Said>,
    answers: BTreeMap<(Who, Thing), Said>,
}

impl Row {
    fn key(&self) -> String {
        format!("`{} {}`", self.method, self.path)
    }

    /// The row as it stands in the table.
    fn line(&self) -> String {
        let strangers: Vec<_> = self.strangers.iter().map(ToString::to_string).collect();
        let expected: Vec<_> =
            floor::STRANGERS.iter().map(|(_, code)| format!("401 `{code}`")).collect();
        let strangers = if strangers == expected { "401".to_owned() } else { shortest(&strangers) };
        let others = Who::ALL.map(|who| {
            let said: Vec<_> = things(&self.path, who)
                .iter()
                .map(|thing| self.answers[&(who, *thing)].to_string())
                .collect();
            let is_short = self.path.contains("{conversation}") && who == Who::OwnToken;
            let shown = shortest(&said);
            if is_short && shown.contains('·') { format!("– · {shown}") } else { shown }
        });
        format!("| {} | {strangers} | {} |", self.key(), others.join(" | "))
    }
}

/// One of the answers if all are the same; otherwise all of them.
fn shortest(said: &[String]) -> String {
    if said.windows(2).all(|pair| pair[0] == pair[1]) { said[0].clone() } else { said.join(" · ") }
}

async fn ask(request: reqwest::RequestBuilder, path: &str) -> Said {
    if !path.ends_with("/feed") {
        let answer = Console::answer(request).await;
        let problem = if answer.status < 400 { Value::Null } else { answer.json() };
        return Said { status: answer.status, problem };
    }
    // A feed that is opened does not end, so its body is not awaited.
    let response = tokio::time::timeout(PATIENCE, request.send()).await;
    let response = response.expect("in time").expect("an answer");
    let status = response.status().as_u16();
    let problem =
        if status < 400 { Value::Null } else { response.json().await.expect("a problem") };
    Said { status, problem }
}

async fn row(floor: &Floor, method: Method, path: String) -> Row {
    let mut answers = BTreeMap::new();
    for who in Who::ALL {
        for thing in things(&path, who) {
            let stage = floor.stage(who, *thing, &method, &path).await;
            answers.insert((who, *thing), ask(stage.request(&method), &path).await);
        }
    }
    let mut strangers = Vec::new();
    for (kind, _) in floor::STRANGERS {
        let mut told = Vec::new();
        for thing in [Thing::Foreign, Thing::Unknown] {
            let stage = floor.stage(Who::OwnToken, thing, &method, &path).await;
            let Stage { place, body, .. } = &stage;
            let mut request = floor.shop.admin.stranger().request(method.clone(), place);
            if let Some(authorization) = floor.authorization(kind) {
                request = request.header(AUTHORIZATION, authorization);
            }
            let request = if body.is_null() { request } else { request.json(body) };
            told.push(ask(request, &path).await);
        }
        assert_eq!(told[0], told[1], "{method} {path}: {kind} is told what is there");
        strangers.push(told.remove(0));
    }
    Row { method, path, strangers, answers }
}

/// Every address and method of the server's own description.
async fn operations(console: &Console) -> Vec<(Method, String)> {
    let document = console.get("/openapi.json").await.ok();
    let paths = document["paths"].as_object().expect("paths").iter();
    let operations = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").keys();
        methods.filter_map(move |method| {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).ok()?;
            Some((method, path.clone()))
        })
    });
    operations.collect()
}

/// The first cell of a row of the table.
fn key(line: &str) -> Option<&str> {
    line.strip_prefix("| `").and_then(|rest| rest.split(" | ").next())
}

fn hold_against_the_page(lines: &[String]) {
    let page = std::fs::read_to_string(PAGE).expect("docs/roles.md");
    if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value != "0") {
        let (before, rest) = page.split_once("|---|").expect("a table");
        let heads = rest.lines().next().expect("its line");
        let after = rest.lines().skip_while(|line| key(line).is_some() || *line == heads);
        let after: Vec<_> = after.collect();
        let table = format!("{before}|---|{heads}\n{}\n", lines.join("\n"));
        let page = format!("{table}{}", after.join("\n"));
        std::fs::write(PAGE, format!("{}\n", page.trim_end())).expect("docs/roles.md");
        return;
    }
    let written: BTreeMap<_, _> =
        page.lines().filter_map(|line| Some((key(line)?, line))).collect();
    let mut wrong = Vec::new();
    for line in lines {
        let key = key(line).expect("a row");
        match written.get(key) {
            None => wrong.push(format!("there is no row of {key}")),
            Some(written) if written != line => {
                wrong.push(format!("docs/roles.md:  {written}\nthe server says: {line}"));
            }
            Some(_) => {}
        }
    }
    let is_answered = |written: &&str| lines.iter().any(|line| key(line) == Some(written));
    let unknown = written.keys().filter(|key| !is_answered(key));
    wrong.extend(unknown.map(|key| format!("there is no address of the row {key}")));
    assert!(wrong.is_empty(), "UPDATE_EXPECT=1 writes the table anew.\n{}", wrong.join("\n"));
}

/// A larger role may do everything that a smaller one may. A stranger may do nothing under `/v1`.
fn hold_roles_in_order(row: &Row) {
    let shown = row.key();
    let is_public = !row.path.starts_with("/v1/");
    assert!(row.strangers.iter().all(|said| said.is_done() == is_public), "{shown}");
    for pair in [Who::Agent, Who::Supervisor, Who::Administrator].windows(2) {
        for thing in things(&row.path, pair[0]) {
            let [smaller, larger] = [0, 1].map(|index: usize| &row.answers[&(pair[index], *thing)]);
            assert!(!smaller.is_done() || larger.is_done(), "{shown}: {pair:?} {thing:?}");
        }
    }
}

/// A caller who may not have what is another's is told the same as if it were not there. The
/// exception is a chat: the caller is told that it is another's, and nothing else of it.
fn hold_tongues(row: &Row) {
    for who in [Who::Agent, Who::Supervisor] {
        let answers = |thing| row.answers.get(&(who, thing));
        let (Some(foreign), Some(unknown)) = (answers(Thing::Foreign), answers(Thing::Unknown))
        else {
            continue;
        };
        let is_refused = foreign.status == 403 || (who == Who::Agent && !foreign.is_done());
        if !is_refused || foreign == unknown {
            continue;
        }
        let is_chat = row.path.contains("{conversation}");
        let codes = (foreign.code(), unknown.code());
        assert!(
            is_chat && codes == ("not_yours", "unknown_conversation"),
            "{}: {who:?} is told {foreign:?} of another's, and {unknown:?} of none",
            row.key()
        );
        let says = |field: &str| !foreign.problem[field].is_null();
        assert!(!says("state") && !says("reason"), "{}: {foreign:?}", row.key());
    }
}

#[tokio::test]
async fn who_may_do_what_is_as_the_table_says() {
    let floor = Floor::open().await;
    let operations = operations(&floor.shop.admin).await;
    let rows = operations.into_iter().map(|(method, path)| row(&floor, method, path));
    let rows: Vec<Row> = stream::iter(rows).buffered(AT_ONCE).collect().await;
    let lines: Vec<_> = rows.iter().map(Row::line).collect();
    hold_against_the_page(&lines);
    for row in &rows {
        hold_roles_in_order(row);
        hold_tongues(row);
    }
}

/// Any agent is told that a chat is over, and an agent who has missed that wants to know why.
#[tokio::test]
async fn of_anothers_chat_nothing_is_told_until_it_is_over() {
    let floor = Floor::open().await;
    let (ada, ben) = (floor.person("ada", "agent").await, floor.person("ben", "agent").await);
    let mut operations = operations(&floor.shop.admin).await;
    operations.retain(|(_, path)| path.contains("{conversation}"));
    assert!(operations.len() >= 13, "{operations:?}");
    for reached in
        [Reached::Waiting, Reached::Offered, Reached::Talking, Reached::Wrapup, Reached::Closed]
    {
        let kim = floor.chat(&ben, reached).await;
        for (method, path) in &operations {
            let place = path.replace("{conversation}", &kim.conversation);
            let request = ada.console.request(method.clone(), &place);
            let body = floor.body(path, Who::Agent, 0).await;
            let request = if body.is_null() { request } else { request.json(&body) };
            let said = ask(request, path).await;
            let shown = format!("{reached:?}: {method} {path}: {} {}", said.status, said.problem);
            match (said.code(), reached) {
                ("forbidden", _) => {
                    let ends = ["/assign", "/force-close", "/visitor", "/export"];
                    let is_erasure = *method == Method::DELETE;
                    assert!(is_erasure || ends.iter().any(|end| path.ends_with(end)), "{shown}");
                }
                ("not_yours", _) => assert_eq!(said.problem["state"], Value::Null, "{shown}"),
                ("conversation_ended", Reached::Wrapup) | ("already_closed", Reached::Closed) => {
                    assert_eq!(said.problem["reason"], "agent_ended", "{shown}");
                }
                _ => panic!("{shown}"),
            }
        }
    }
}
