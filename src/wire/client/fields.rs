//! The fields that any frame of a widget may have. They are read in one pass and judged later,
//! because `type` may stand after the fields to which it gives a meaning.
//!
//! Texts without escapes are borrowed from the frame, so reading a small frame allocates nothing.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The value of a field that holds one plain thing.
#[derive(Debug, Default)]
pub(super) enum Slot<'a> {
    /// Not there, or null.
    #[default]
    Absent,
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number from 0 on.
    Number(u64),
    /// A whole number below 0.
    Negative(i64),
    /// True or false.
    Switch(bool),
    /// A fraction, a list or an object.
    Other,
}

/// The value of a field that may hold an object.
#[derive(Debug)]
pub(super) enum Tree {
    /// An object, as compact JSON.
    Object(String),
    /// Anything else.
    Other,
}

/// The fields.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) kind: Slot<'a>,
    pub(super) reference: Slot<'a>,
    pub(super) visitor: Slot<'a>,
    pub(super) token: Slot<'a>,
    pub(super) admission: Slot<'a>,
    pub(super) after: Slot<'a>,
    pub(super) page: Slot<'a>,
    pub(super) locale: Slot<'a>,
    pub(super) id: Slot<'a>,
    pub(super) name: Slot<'a>,
    pub(super) form: Option<Tree>,
    pub(super) context: Option<Tree>,
    pub(super) text: Slot<'a>,
    pub(super) seq: Slot<'a>,
    pub(super) on: Slot<'a>,
    pub(super) cause: Slot<'a>,
    /// The first known field that was given twice.
    pub(super) twice: Option<&'static str>,
    /// Which known fields were given, one bit each.
    given: u32,
}

/// A field that a frame may have.
#[derive(Clone, Copy)]
enum Field {
    Kind,
    Reference,
    Visitor,
    Token,
    Admission,
    After,
    Page,
    Locale,
    Id,
    Name,
    Form,
    Context,
    Text,
    Seq,
    On,
    Cause,
    Unknown,
}

impl Field {
    fn of(name: &str) -> (Self, &'static str) {
        match name {
            "type" => (Self::Kind, "type"),
            "ref" => (Self::Reference, "ref"),
            "visitor" => (Self::Visitor, "visitor"),
            "token" => (Self::Token, "token"),
            "admission" => (Self::Admission, "admission"),
            "after" => (Self::After, "after"),
            "page" => (Self::Page, "page"),
            "locale" => (Self::Locale, "locale"),
            "id" => (Self::Id, "id"),
            "name" => (Self::Name, "name"),
            "form" => (Self::Form, "form"),
            "context" => (Self::Context, "context"),
            "text" => (Self::Text, "text"),
            "seq" => (Self::Seq, "seq"),
            "on" => (Self::On, "on"),
            "cause" => (Self::Cause, "cause"),
            _ => (Self::Unknown, ""),
        }
    }
}

impl<'a> Fields<'a> {
    /// Reads a frame. What was read before an error stays read.
    pub(super) fn read(&mut self, bytes: &'a [u8]) -> Result<(), NotAnObject> {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if first != Some(&b'{') {
            return Err(NotAnObject::Other);
        }
        let mut json = serde_json::Deserializer::from_slice(bytes);
        json.deserialize_map(&mut *self)?;
        json.end()?;
        Ok(())
    }

    fn note(&mut self, name: Field, text: &'static str) {
        let bit = 1_u32 << name as u32;
        if self.given & bit != 0 && self.twice.is_none() {
            self.twice = Some(text);
        }
        self.given |= bit;
    }
}

/// Why a frame could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAnObject {
    /// It begins like something else.
    #[error("a frame is one JSON object")]
    Other,
    /// It is not JSON.
    #[error("the frame is not JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl<'de> Visitor<'de> for &mut Fields<'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, text)) = map.next_key_seed(NameSeed)? {
            if matches!(name, Field::Unknown) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            self.note(name, text);
            match name {
                Field::Form => self.form = map.next_value_seed(TreeSeed)?,
                Field::Context => self.context = map.next_value_seed(TreeSeed)?,
                Field::Kind => self.kind = map.next_value()?,
                Field::Reference => self.reference = map.next_value()?,
                Field::Visitor => self.visitor = map.next_value()?,
                Field::Token => self.token = map.next_value()?,
                Field::Admission => self.admission = map.next_value()?,
                Field::After => self.after = map.next_value()?,
                Field::Page => self.page = map.next_value()?,
                Field::Locale => self.locale = map.next_value()?,
                Field::Id => self.id = map.next_value()?,
                Field::Name => self.name = map.next_value()?,
                Field::Text => self.text = map.next_value()?,
                Field::Seq => self.seq = map.next_value()?,
                Field::On => self.on = map.next_value()?,
                Field::Cause => self.cause = map.next_value()?,
                Field::Unknown => {}
            }
        }
        Ok(())
    }
}

struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = (Field, &'static str);

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed {
    type Value = (Field, &'static str);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Field::of(name))
    }
}

/// A form: kept as compact JSON, so that what is stored is as small as it can be and names each
/// of its own fields once.
struct TreeSeed;

impl<'de> DeserializeSeed<'de> for TreeSeed {
    type Value = Option<Tree>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<Tree>, D::Error> {
        Ok(match Value::deserialize(json)? {
            Value::Null => None,
            object @ Value::Object(_) => Some(Tree::Object(object.to_string())),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Some(Tree::Other)
            }
        })
    }
}

impl<'de> Deserialize<'de> for Slot<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(SlotVisitor)
    }
}

struct SlotVisitor;

impl<'de> Visitor<'de> for SlotVisitor {
    type Value = Slot<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E>(self, on: bool) -> Result<Slot<'de>, E> {
        Ok(Slot::Switch(on))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Slot<'de>, E> {
        Ok(u64::try_from(number).map_or(Slot::Negative(number), Slot::Number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Slot<'de>, E> {
        Ok(Slot::Number(number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Slot<'de>, E> {
        Ok(Slot::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Slot<'de>, E> {
        Ok(Slot::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Slot<'de>, E> {
        Ok(Slot::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Slot<'de>, E> {
        Ok(Slot::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Slot<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Slot::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Slot<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Slot::Other)
    }
}
