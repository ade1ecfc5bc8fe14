//! The JSON Schema of both directions, as it stands in the repository.
//!
//! `$defs/client` describes what a widget may say and `$defs/server` what it is told.

/// The schema, as JSON (2020-12).
pub const SCHEMA: &str = include_str!("../../docs/wire.schema.json");
