//! The forms of what many messages name: ids, times, texts, causes, leases.

use std::sync::Arc;

use bytestring::ByteString;
use serde_json::Value;

use crate::behavior::envelope::form::formed;
use crate::behavior::message::RequestId;
use crate::domain::agent::Presence;
use crate::domain::cause::{Cause, Leaving, Misuse};
use crate::domain::conversation::State;
use crate::domain::conversation::event::Reason;
use crate::domain::id::{
    AgentId, ConversationId, MessageId, QueueId, Seq, SessionId, VisitorId, WidgetId, WorkstreamId,
};
use crate::domain::lease::{Lease, Notice, Purpose};
use crate::domain::text::{DisplayName, JsonText, MessageText};
use crate::domain::time::{Span, Timestamp};
use crate::limits;
use crate::wire::client::Reference;
use crate::wire::document::{parsed, text, truth, whole};
use crate::wire::refusal::RefusalCode;

formed!(plain bool, value => value, truth);
formed!(plain u8, value => value, whole);
formed!(plain u16, value => value, whole);
formed!(plain u32, value => value, whole);
formed!(plain u64, value => value, whole);
formed!(plain usize, value => value, whole);
formed!(plain i64, value => value, whole_or_negative);
formed!(plain String, value => value, text);
formed!(plain Arc<str>, value => value, |value| text(value).map(Self::from));
formed!(plain ByteString, value => &**value, |value| text(value).map(Self::from));

formed!(plain ConversationId, id => id.to_string(), parsed);
formed!(plain SessionId, id => id.to_string(), parsed);
formed!(plain VisitorId, id => id.to_string(), parsed);
formed!(plain AgentId, id => id.as_str(), parsed);
formed!(plain QueueId, id => id.as_str(), parsed);
formed!(plain WorkstreamId, id => id.as_str(), parsed);
formed!(plain WidgetId, id => id.as_str(), parsed);
formed!(plain MessageId, id => id.as_str(), parsed);
formed!(plain RequestId, id => id.number(), |value| whole(value).map(Self::new));

formed!(plain Seq, seq => seq.number(), |value| whole(value).map(Self::new));
formed!(plain Span, span => span.as_millis(), |value| whole(value).map(Self::from_millis));
formed!(plain Timestamp, at => at.as_millis(), |value| {
    whole_or_negative(value).map(Self::from_millis)
});

formed!(plain MessageText, said => said.as_str(), |value| {
    Self::parse(&text(value)?).map_err(|refusal| refusal.to_string())
});
// A name that an earlier release accepted stays valid.
formed!(plain DisplayName, name => name.as_str(), |value| {
    Self::stored(&text(value)?).map_err(|refusal| refusal.to_string())
});
formed!(plain JsonText, json => &**json, |value| Ok(text(value)?.as_str().into()));

// The same form in which a widget is answered.
formed!(plain Reference, reference => reference, |value| match value {
    Value::String(text) if text.len() <= limits::REFERENCE_BYTES_MAX => {
        Ok(Self::Text(text.as_str().into()))
    }
    Value::Number(number) => number
        .as_u64()
        .map(Self::Number)
        .or_else(|| number.as_i64().map(Self::Negative))
        .ok_or_else(|| "must be a whole number".to_owned()),
    _ => Err("must be a short text or a whole number".to_owned()),
});

formed!(plain RefusalCode, code => code.code(), |value| {
    let code = text(value)?;
    let named = Self::all().find(|known| known.code() == code);
    named.ok_or_else(|| "must be the code of a refusal".to_owned())
});

formed!(names Presence, Reason, State);

formed!(names Leaving { "hidden" => Hidden, "unloaded" => Unloaded });

formed!(names Misuse {
    "protocol" => Protocol,
    "size" => Size,
    "rate" => Rate,
    "token" => Token,
    "slow" => Slow,
});

formed!(names Purpose { "offer" => Offer, "chat" => Chat, "wrapup" => Wrapup });

formed!(enum Cause {
    "left" => Left(page),
    "closed" => Closed(code),
    "reset" => Reset,
    "silent" => Silent,
    "replaced" => Replaced,
    "draining" => Draining,
    "restarted" => Restarted,
    "refused" => Refused(misuse),
});

formed!(plain Notice, notice => notice.span().as_millis(), |value| {
    whole(value).map(|millis| Self::after(Span::from_millis(millis)))
});

formed!(struct Lease {
    agent,
    units,
    purpose as "for",
    grace as "grace_ms",
    notice as "notice_ms",
    missed,
});

/// Reads a whole number that may be below zero.
fn whole_or_negative(value: &Value) -> Result<i64, String> {
    value.as_i64().ok_or_else(|| "must be a whole number".to_owned())
}
