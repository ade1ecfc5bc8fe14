//! The trait of types that have a form, and the macro that writes a form down.

use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::wire::document::FieldError;

/// Something that can go to another node.
pub(super) trait Form: Sized {
    /// Writes it.
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;

    /// Reads it. What is wrong is named as seen from here.
    fn read(value: Value) -> Result<Self, FieldError>;

    /// Whether its field is left out.
    fn is_left_out(&self) -> bool {
        false
    }

    /// The value of a field that was left out; nothing where the field must be there.
    fn left_out() -> Option<Self> {
        None
    }
}

/// Something in its form.
pub(super) struct Written<'a, T>(pub(super) &'a T);

impl<T: Form> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.write(to)
    }
}

/// Writes a field.
pub(super) fn put<M: SerializeMap>(
    fields: &mut M,
    name: &'static str,
    value: &impl Form,
) -> Result<(), M::Error> {
    if value.is_left_out() { Ok(()) } else { fields.serialize_entry(name, &Written(value)) }
}

/// The fields of an object that is being read.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of this object.
    pub(super) fn of(value: Value) -> Result<Self, FieldError> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(malformed("must be an object")),
        }
    }

    /// Takes a field.
    pub(super) fn take<T: Form>(&mut self, name: &'static str) -> Result<T, FieldError> {
        let taken = match self.0.remove(name) {
            Some(value) => T::read(value),
            None => T::left_out().ok_or_else(|| malformed("is missing")),
        };
        taken.map_err(|error| within(name, error))
    }

    /// Ends the reading. A field that nobody took is refused.
    pub(super) fn finish(self) -> Result<(), FieldError> {
        match self.0.into_iter().next() {
            Some((unknown, _)) => Err(FieldError::new(unknown, "is not known here")),
            None => Ok(()),
        }
    }
}

/// What is wrong with the value itself.
pub(super) fn malformed(message: impl Into<String>) -> FieldError {
    FieldError::new("", message)
}

/// The same, as seen from around the field.
fn within(field: &str, error: FieldError) -> FieldError {
    match &*error.field {
        "" => FieldError::new(field, error.message),
        inner => FieldError::new(format!("{field}.{inner}"), error.message),
    }
}

impl<T: Form> Form for Option<T> {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Written).serialize(to)
    }

    fn read(value: Value) -> Result<Self, FieldError> {
        T::read(value).map(Some)
    }

    fn is_left_out(&self) -> bool {
        self.is_none()
    }

    fn left_out() -> Option<Self> {
        Some(None)
    }
}

impl<T: Form> Form for Vec<T> {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(Written))
    }

    fn read(value: Value) -> Result<Self, FieldError> {
        let Value::Array(items) = value else { return Err(malformed("must be a list")) };
        let numbered = items.into_iter().enumerate();
        numbered
            .map(|(index, item)| T::read(item).map_err(|error| within(&index.to_string(), error)))
            .collect()
    }
}

impl<T: Form> Form for [T; 2] {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(Written))
    }

    fn read(value: Value) -> Result<Self, FieldError> {
        Vec::read(value)?.try_into().map_err(|_| malformed("must be a list of two"))
    }
}

impl<T: Form> Form for Box<T> {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (**self).write(to)
    }

    fn read(value: Value) -> Result<Self, FieldError> {
        T::read(value).map(Self::new)
    }
}

impl<T: Form> Form for Arc<T> {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (**self).write(to)
    }

    fn read(value: Value) -> Result<Self, FieldError> {
        T::read(value).map(Self::new)
    }
}

/// Writes a form down, from which both directions are made.
///
/// - A `struct` and a `pair` are objects. A field is called as in the code, or by the name that
///   follows `as`, so that the code can call it something else and the form stays.
/// - An `enum` is an object whose `kind` is the variant's name; the rest are the variant's fields.
///   The fields of a tuple are given names.
/// - `names` are texts: each variant's, or those that the type itself has in `ALL` and `name`.
/// - A `plain` type is written as a value of another type that is known to serde, and read from it.
macro_rules! formed {
    (struct $type:ty { $($field:ident $(as $name:literal)?),+ $(,)? }) => {
        formed!(@object $type, { $($field $(as $name)?),+ }, (Self { $($field),+ }));
    };
    (pair $type:ty { $one:ident, $other:ident }) => {
        formed!(@object $type, { $one, $other }, (($one, $other)));
    };
    (@object $type:ty, { $($field:ident $(as $name:literal)?),+ }, ($($whole:tt)+)) => {
        impl crate::behavior::envelope::form::Form for $type {
            fn write<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let $($whole)+ = self;
                let mut fields = to.serialize_map(None)?;
                $(crate::behavior::envelope::form::put(
                    &mut fields,
                    formed!(@name $field $($name)?),
                    $field,
                )?;)+
                serde::ser::SerializeMap::end(fields)
            }

            fn read(
                value: serde_json::Value,
            ) -> Result<Self, crate::wire::document::FieldError> {
                let mut fields = crate::behavior::envelope::form::Fields::of(value)?;
                $(let $field = fields.take(formed!(@name $field $($name)?))?;)+
                fields.finish()?;
                Ok($($whole)+)
            }
        }
    };
    (enum $type:ty { $(
        $kind:literal => $variant:ident
            $(($($item:ident $(as $item_name:literal)?),+))?
            $({ $($field:ident $(as $name:literal)?),+ })?
    ),+ $(,)? }) => {
        impl crate::behavior::envelope::form::Form for $type {
            fn write<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                use crate::behavior::envelope::form::put;
                let mut fields = to.serialize_map(None)?;
                match self {
                    $(Self::$variant $(($($item),+))? $({ $($field),+ })? => {
                        serde::ser::SerializeMap::serialize_entry(&mut fields, "kind", $kind)?;
                        $($(put(&mut fields, formed!(@name $item $($item_name)?), $item)?;)+)?
                        $($(put(&mut fields, formed!(@name $field $($name)?), $field)?;)+)?
                    })+
                }
                serde::ser::SerializeMap::end(fields)
            }

            fn read(
                value: serde_json::Value,
            ) -> Result<Self, crate::wire::document::FieldError> {
                let mut fields = crate::behavior::envelope::form::Fields::of(value)?;
                let kind: String = fields.take("kind")?;
                let read = match &*kind {
                    $($kind => {
                        $($(let $item = fields.take(formed!(@name $item $($item_name)?))?;)+)?
                        $($(let $field = fields.take(formed!(@name $field $($name)?))?;)+)?
                        Self::$variant $(($($item),+))? $({ $($field),+ })?
                    })+
                    _ => {
                        let expected = format!("must be one of {}", [$($kind),+].join(", "));
                        return Err(crate::wire::document::FieldError::new("kind", expected));
                    }
                };
                fields.finish()?;
                Ok(read)
            }
        }
    };
    (names $type:ty { $($name:literal => $variant:ident),+ $(,)? }) => {
        formed!(plain $type, value => match value { $(<$type>::$variant => $name),+ }, |value| {
            let all = [$(($name, <$type>::$variant)),+];
            crate::wire::document::one_of(value, &all, |(name, _)| name).map(|(_, value)| value)
        });
    };
    (names $($type:ty),+) => {
        $(formed!(plain $type, value => value.name(), |value| {
            crate::wire::document::one_of(value, &<$type>::ALL, <$type>::name)
        });)+
    };
    (plain $type:ty, $value:ident => $written:expr, $read:expr) => {
        impl crate::behavior::envelope::form::Form for $type {
            fn write<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let $value = self;
                serde::Serialize::serialize(&$written, to)
            }

            fn read(
                value: serde_json::Value,
            ) -> Result<Self, crate::wire::document::FieldError> {
                let read: fn(&serde_json::Value) -> Result<Self, String> = $read;
                read(&value).map_err(crate::behavior::envelope::form::malformed)
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
}

pub(super) use formed;
