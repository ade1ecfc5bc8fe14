//! How the domain's values are written in a frame. The domain itself knows no form.
#![expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls these with references to the fields"
)]

use std::fmt::Display;

use serde::{Serialize, Serializer};

use crate::domain::conversation::State;
use crate::domain::conversation::event::Reason;
use crate::domain::id::Seq;
use crate::domain::time::{Span, Timestamp};
use crate::wire::refusal::RefusalCode;
use crate::wire::time::Rfc3339;

pub(super) fn shown<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(super) fn place<S: Serializer>(seq: &Seq, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u32(seq.number())
}

pub(super) fn time<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    Rfc3339(*at).serialize(serializer)
}

pub(super) fn millis<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(span.as_millis())
}

pub(super) fn maybe_millis<S: Serializer>(
    span: &Option<Span>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    span.map(Span::as_millis).serialize(serializer)
}

pub(super) fn state_name<S: Serializer>(state: &State, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.name())
}

pub(super) fn shown_reason<S: Serializer>(
    reason: &Reason,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(reason.name())
}

pub(super) fn reason_name<S: Serializer>(
    reason: &Option<Reason>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    reason.map(Reason::name).serialize(serializer)
}

pub(super) fn refusal_code<S: Serializer>(
    code: &RefusalCode,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.code())
}
