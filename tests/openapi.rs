//! The OpenAPI document and the reference: every address is described, and nothing else is.

use std::collections::BTreeSet;

use holdline::http;
use holdline::http::problem::KINDS;
use holdline::wire::feed::FeedKind;
use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(&http::openapi::json()).unwrap()
}

fn served() -> BTreeSet<(String, String)> {
    let table = http::table();
    let all = table.iter().flat_map(|place| {
        place.methods().map(|method| (method.as_str().to_lowercase(), place.path().to_owned()))
    });
    all.collect()
}

#[test]
fn every_address_is_described_and_nothing_else_is() {
    let document = document();
    let described: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone()))
        })
        .collect();
    assert_eq!(served(), described);
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = document();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|methods| methods.as_object().unwrap().values());
    let mut names: Vec<_> =
        operations.map(|operation| operation["operationId"].as_str().unwrap().to_owned()).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "{names:?}");
    assert_eq!(count, served().len());
}

#[test]
fn whoever_puts_settings_need_not_give_what_has_a_default() {
    let document = document();
    for (path, written, required) in [
        ("/v1/workstreams/{workstream}", "WorkstreamToPut", &["queue"][..]),
        ("/v1/queues/{queue}", "QueueToPut", &[]),
        ("/v1/widgets/{widget}", "WidgetToPut", &["workstream", "origins"]),
        ("/v1/agents/{agent}", "AgentToPut", &[]),
    ] {
        let body = &document["paths"][path]["put"]["requestBody"]["content"]["application/json"];
        let reference = format!("#/components/schemas/{written}");
        assert_eq!(body["schema"]["$ref"], reference.as_str());
        let schema = &document["components"]["schemas"][written];
        let needed: Vec<_> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert_eq!(needed, required);
        assert_eq!(schema["properties"]["id"], Value::Null, "the address names it");
    }
}

#[test]
fn no_address_stands_twice_in_the_table() {
    let table = http::table();
    let paths: BTreeSet<_> = table.iter().map(http::Place::path).collect();
    assert_eq!(paths.len(), table.len());
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn visit(value: &Value, document: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    let place = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(place).is_some(), "{reference} leads nowhere");
                }
                fields.values().for_each(|value| visit(value, document));
            }
            Value::Array(items) => items.iter().for_each(|value| visit(value, document)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = document();
    visit(&document, &document);
}

#[test]
fn the_codes_of_problems_are_the_documented_ones() {
    let document = document();
    let described = document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect::<BTreeSet<_>>();
    let known: BTreeSet<_> = KINDS.iter().map(|kind| kind.code.to_owned()).collect();
    assert_eq!(known.len(), KINDS.len(), "no code stands twice");
    assert_eq!(known, described);

    let page = std::fs::read_to_string("docs/http.md").unwrap();
    for kind in KINDS {
        let row = format!("| {} | `{}` |", kind.status, kind.code);
        assert!(page.contains(&row), "docs/http.md has no row {row:?}");
    }
    for line in page.lines().filter(|line| line.starts_with("| 4") || line.starts_with("| 5")) {
        let code = line.split('`').nth(1).unwrap();
        assert!(known.contains(code), "docs/http.md describes {code}, which is none");
    }
}

#[test]
fn the_reference_names_every_address_and_event() {
    let page = std::fs::read_to_string("docs/http.md").unwrap();
    for (method, path) in served() {
        let row = format!("`{} {path}`", method.to_uppercase());
        assert!(page.contains(&row), "docs/http.md does not name {row}");
    }
    for event in FeedKind::ALL.map(FeedKind::name) {
        assert!(page.contains(&format!("`{event}`")), "docs/http.md does not name {event}");
    }
}
