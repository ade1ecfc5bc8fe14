//! Texts that people write: parsed and bounded once, so that nothing behind the edge checks again.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
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
    /// A character that is not shown, but changes how others are shown.
    Unprintable(char),
}

impl fmt::Display for TextRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("must not be empty"),
            Self::TooLong(limit) => write!(formatter, "must be at most {limit} characters"),
            Self::Unprintable(character) => write!(
                formatter,
                "must have no line breaks, control characters or direction overrides, such as \
                 U+{:04X}",
                u32::from(*character)
            ),
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

    /// Stands for a text that was not read. It is empty, so nobody can have written it.
    pub fn left_out() -> Self {
        Self(Arc::from(""))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a person: 1 to [`limits::NAME_CHARS_MAX`] characters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DisplayName(Arc<str>);

impl DisplayName {
    /// Takes a name as a person gives it, without the white space around it.
    pub fn parse(text: &str) -> Result<Self, TextRefusal> {
        match text.trim().chars().find(|character| forges(*character)) {
            Some(character) => Err(TextRefusal::Unprintable(character)),
            None => Self::stored(text),
        }
    }

    /// Takes a name as it was stored, maybe by a version that accepted more.
    pub fn stored(text: &str) -> Result<Self, TextRefusal> {
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

/// Whether a character would let a name pass for something else where it is shown: a control
/// character, a line break, or one that turns the direction of the text behind it. Marks that only
/// tell the direction of their neighbours belong to names of some languages.
fn forges(character: char) -> bool {
    character.is_control()
        || ('\u{2028}'..='\u{202e}').contains(&character)
        || ('\u{2066}'..='\u{2069}').contains(&character)
}

/// Somebody else's text in a form that is safe in a terminal or a log: one line, in which each
/// character that would steer the terminal or turn the direction of the text is written as its
/// number. The numbers are written as in JSON, so JSON stays JSON.
pub fn printable(text: &str) -> Cow<'_, str> {
    let steers = |character: char| {
        forges(character) || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if steers(character) {
            // Each of them has four digits. Writing to a text cannot fail.
            let _infallible = write!(shown, "\\u{:04x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// The same for a text of many lines, which stay separate lines.
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
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
