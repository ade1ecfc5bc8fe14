//! Every JSON answer that a test gets is checked against the OpenAPI document, whatever the test is
//! about: the server says what is described.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(&holdline::http::openapi::json()).expect("the document is JSON")
});

/// The schema of each answer, by the path with its names in braces, the method and the status.
static ANSWERS: LazyLock<BTreeMap<(String, String, String), Validator>> = LazyLock::new(|| {
    let mut answers = BTreeMap::new();
    for (path, methods) in DOCUMENT["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            for (status, answer) in operation["responses"].as_object().expect("answers") {
                let contents = answer["content"].as_object().into_iter().flatten();
                let Some((_, content)) = contents.into_iter().find(|(kind, _)| is_json(kind))
                else {
                    continue;
                };
                let key = (path.clone(), method.clone(), status.clone());
                answers.insert(key, validator(&content["schema"]));
            }
        }
    }
    answers
});

fn is_json(kind: &str) -> bool {
    kind == "application/json" || kind == "application/problem+json"
}

fn validator(schema: &Value) -> Validator {
    let whole = json!({ "components": DOCUMENT["components"], "allOf": [schema] });
    jsonschema::draft202012::options().build(&whole).expect("the schema can be used")
}

fn fits(template: &str, path: &str) -> bool {
    let (mut named, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (named.next(), given.next()) {
            (None, None) => return true,
            (Some(name), Some(part)) if name.starts_with('{') || name == part => {}
            _ => return false,
        }
    }
}

/// Checks an answer at this path, which may have a query.
#[track_caller]
pub(super) fn check(method: &str, path: &str, status: u16, kind: &str, text: &str) {
    if !is_json(kind) {
        return;
    }
    let path = path.split('?').next().unwrap_or_default();
    let (method, status) = (method.to_lowercase(), status.to_string());
    let of_this =
        |(template, known, _): &&(String, String, String)| fits(template, path) && *known == method;
    let described = |wanted: &str| {
        ANSWERS.iter().find(|(key, _)| of_this(key) && key.2 == wanted).map(|(_, answer)| answer)
    };
    // An answer at no known address, or to a method that the address does not have, is described
    // nowhere.
    let Some(answer) = described(&status).or_else(|| described("default")) else { return };
    let value: Value = serde_json::from_str(text).expect("the answer is JSON");
    let wrong: Vec<_> = answer
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(
        wrong.is_empty(),
        "{method} {path} {status} is not as described: {wrong:#?}\n{value:#}"
    );
}

/// The schema of each event of a feed, by its name: `offer_withdrawn` is `OfferWithdrawnEvent`, and
/// `conversation` is the conversation itself.
static EVENTS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let schemas = DOCUMENT["components"]["schemas"].as_object().expect("schemas").keys();
    let own = schemas.filter_map(|name| Some((name.strip_suffix("Event")?, name)));
    let own = own.map(|(event, name)| (snake_case(event), name.clone()));
    own.chain([("conversation".to_owned(), "Conversation".to_owned())])
        .map(|(event, name)| {
            let reference = format!("#/components/schemas/{name}");
            (event, validator(&json!({ "$ref": reference })))
        })
        .collect()
});

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

/// Checks an event of a feed.
#[track_caller]
pub(crate) fn check_event(name: &str, data: &Value) {
    let event = EVENTS.get(name);
    let event = event.unwrap_or_else(|| panic!("the event {name} is described nowhere"));
    let wrong: Vec<_> = event.iter_errors(data).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{name} is not as described: {wrong:#?}\n{data:#}");
}
