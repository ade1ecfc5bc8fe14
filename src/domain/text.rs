//! Texts that people write: parsed and bounded once, so that nothing behind the edge checks again.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::limits;

/// Why a text was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TextRefusal {
    /// Nothing but white space.
    Empty,
    /// More characters than the limit, which is given.
    TooLong(usize),
}

impl fmt::Display for TextRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("must not be empty"),
            Self::TooLong(limit) => write!(formatter, "must be at most {limit} characters"),
        }
    }
}

impl std::error::Error for TextRefusal {}

/// What one person says to another: 1 to [`limits::TEXT_CHARS_MAX`] characters, kept as written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageText(Arc<str>);

impl MessageText {
    /// Takes a text as it was written.
    pub fn parse(text: &str) -> Result<Self, TextRefusal> {
        bounded(text, limits::TEXT_CHARS_MAX).map(Self)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody is called: 1 to [`limits::NAME_CHARS_MAX`] characters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DisplayName(Arc<str>);

impl DisplayName {
    /// Takes a name, without the white space around it.
    pub fn parse(text: &str) -> Result<Self, TextRefusal> {
        bounded(text.trim(), limits::NAME_CHARS_MAX).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// JSON that a page gave, kept as it was. Few chats have any, so there is room for a pointer only.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JsonText(Arc<Box<str>>);

impl From<&str> for JsonText {
    fn from(text: &str) -> Self {
        Self(Arc::new(text.into()))
    }
}

impl Deref for JsonText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

fn bounded(text: &str, chars_max: usize) -> Result<Arc<str>, TextRefusal> {
    if text.trim().is_empty() {
        return Err(TextRefusal::Empty);
    }
    // Counting characters costs a pass over the text; a short one needs none.
    if text.len() > chars_max && text.chars().count() > chars_max {
        return Err(TextRefusal::TooLong(chars_max));
    }
    Ok(Arc::from(text))
}
