//! The frames of `holdline.v1`: the code and the published schema say the same, parsing is total,
//! and a customer is told exactly what they may see.

#[path = "wire/client.rs"]
mod client;
#[path = "wire/document.rs"]
mod document;
#[path = "wire/server.rs"]
mod server;
#[path = "wire/view.rs"]
mod view;

use jsonschema::Validator;
use serde_json::{Value, json};

/// The schema of one direction, `client` or `server`.
fn schema_of(direction: &str) -> Validator {
    let mut schema: Value = serde_json::from_str(holdline::wire::schema::SCHEMA).unwrap();
    schema["anyOf"] = json!([{ "$ref": format!("#/$defs/{direction}") }]);
    jsonschema::draft202012::options().build(&schema).unwrap()
}
