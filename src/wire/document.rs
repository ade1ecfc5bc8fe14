//! A JSON object read field by field. Everything that is wrong with it is collected and named, so
//! that its author can mend all of it at once. A field that is not read is refused by name.

mod distinct;

use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value};

/// One thing that is wrong with a document.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The field, as it is called in the document; empty for the document as a whole.
    pub field: String,
    /// What it must be.
    pub message: String,
}

impl FieldError {
    /// `field` is wrong as `message` tells.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// A JSON object that is being read.
#[derive(Debug)]
pub struct Document {
    fields: Map<String, Value>,
    within: String,
    expected: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl Document {
    /// The object in a body; an empty body is an object without fields.
    pub fn parse(body: &[u8]) -> Result<Self, Vec<FieldError>> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::of(Map::new(), String::new()));
        }
        match distinct::parse(body) {
            Ok((_, twice)) if !twice.is_empty() => {
                Err(twice.into_iter().map(|it| FieldError::new(it, "is given twice")).collect())
            }
            Ok((Value::Object(fields), _)) => Ok(Self::of(fields, String::new())),
            Ok((other, _)) => {
                let message = format!("must be a JSON object, not {}", kind(&other));
                Err(vec![FieldError::new("", message)])
            }
            Err(error) => Err(vec![FieldError::new("", format!("must be JSON: {error}"))]),
        }
    }

    /// The object in a field of another document; its errors name both.
    pub fn within(field: &str, value: &Value) -> Result<Self, Vec<FieldError>> {
        match value {
            Value::Object(fields) => Ok(Self::of(fields.clone(), format!("{field}."))),
            other => {
                let message = format!("must be a JSON object, not {}", kind(other));
                Err(vec![FieldError::new(field, message)])
            }
        }
    }

    fn of(fields: Map<String, Value>, within: String) -> Self {
        Self { fields, within, expected: Vec::new(), errors: Vec::new() }
    }

    /// Takes a field that may be absent.
    pub fn optional<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.expected.push(field);
        let value = self.fields.remove(field)?;
        match read(&value) {
            Ok(read) => Some(read),
            Err(message) => {
                self.refuse(field, message);
                None
            }
        }
    }

    /// Takes a field that must be there. Nothing is given only where [`Self::finish`] will refuse.
    pub fn required<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        if !self.fields.contains_key(field) {
            self.expected.push(field);
            self.refuse(field, "is missing");
            return None;
        }
        self.optional(field, read)
    }

    /// Takes a field that is an object of its own.
    pub fn object<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&Value) -> Result<T, Vec<FieldError>>,
    ) -> Option<T> {
        self.expected.push(field);
        let value = self.fields.remove(field)?;
        match read(&value) {
            Ok(read) => Some(read),
            Err(errors) => {
                self.errors.extend(errors);
                None
            }
        }
    }

    /// Notes that a field is wrong.
    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(format!("{}{field}", self.within), message));
    }

    /// Ends the reading: everything that was wrong, or nothing.
    pub fn finish(mut self) -> Result<(), Vec<FieldError>> {
        let known = self.expected.join(", ");
        let unknown: Vec<_> = self.fields.keys().cloned().collect();
        for field in unknown {
            let message = if known.is_empty() {
                "is not known here; no field is".to_owned()
            } else {
                format!("is not known here; known are: {known}")
            };
            self.refuse(&field, message);
        }
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }
}

/// What stands for a field that could not be read: its absence was noted, so [`Document::finish`]
/// has refused before this is asked for.
pub fn read_or_refused<T>(value: Option<T>) -> Result<T, Vec<FieldError>> {
    value.ok_or_else(|| vec![FieldError::new("", "must be a complete document")])
}

/// Reads a text.
pub fn text(value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| wrong("a text", value))
}

/// Reads a text that means something more, such as an id.
pub fn parsed<T: FromStr<Err: Display>>(value: &Value) -> Result<T, String> {
    let text = value.as_str().ok_or_else(|| wrong("a text", value))?;
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// Reads a whole number.
pub fn whole<T: TryFrom<u64>>(value: &Value) -> Result<T, String> {
    let number = value.as_u64().ok_or_else(|| wrong("a whole number", value))?;
    T::try_from(number).map_err(|_| format!("must be a smaller number than {number}"))
}

/// Reads `true` or `false`.
pub fn truth(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| wrong("true or false", value))
}

/// Reads a list.
pub fn list<T>(
    value: &Value,
    read: impl Fn(&Value) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let items = value.as_array().ok_or_else(|| wrong("a list", value))?;
    let numbered = items.iter().enumerate();
    numbered
        .map(|(index, item)| read(item).map_err(|message| format!("item {index}: {message}")))
        .collect()
}

/// Reads one of a few names.
pub fn one_of<T: Copy>(
    value: &Value,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, String> {
    let found = value.as_str().and_then(|text| all.iter().find(|item| name(**item) == text));
    found.copied().ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|item| name(*item)).collect();
        format!("must be one of {}", names.join(", "))
    })
}

/// Reads `null` as nothing.
pub fn nullable<T>(
    value: &Value,
    read: impl FnOnce(&Value) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if value.is_null() { Ok(None) } else { read(value).map(Some) }
}

fn wrong(expected: &str, value: &Value) -> String {
    format!("must be {expected}, not {}", kind(value))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
