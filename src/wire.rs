//! What is spoken outside: the frames of widgets, protocol `holdline.v1`.
//!
//! A frame never is a record of the journal, nor a value of the domain: each form may change
//! without the others. Version 1 only grows: fields and types may be added, none changes its
//! meaning. `docs/wire.md` is its reference and `docs/wire.schema.json` its schema; both are
//! tested against this code.

pub mod client;
pub mod close;
pub mod document;
pub mod feed;
pub mod headers;
pub mod narrative;
pub mod objects;
pub mod problem;
pub mod refusal;
pub mod schema;
pub mod server;
pub mod time;
pub mod view;

mod enumeration;

/// The name of the WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "holdline.v1";

/// The path that widgets connect to.
pub const WIDGET_PATH: &str = "/v1/widget";
