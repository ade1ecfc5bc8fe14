//! The schemas of texts that are one of a few names.

use serde_json::Value;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{Object, ObjectBuilder, Type};

/// The schema of a text that is one of `names`.
pub(super) fn names(names: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).build()
}

/// The schema of a text that is one of `names`, or null.
pub(super) fn names_or_null(names: impl IntoIterator<Item = &'static str>) -> Object {
    let values = names.into_iter().map(Value::from).chain([Value::Null]);
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(types).enum_values(Some(values)).build()
}
