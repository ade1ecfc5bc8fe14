//! The stored forms of a conversation's events: one struct for each kind, as its JSON stands.
//!
//! Times are milliseconds since 1970; what is absent is left out.

use serde::{Deserialize, Serialize};

use crate::journal::record::pieces::{
    ActorForm, CauseForm, DepartureName, HoldForm, LeaseForm, OfferEndName, ReasonName,
    ReminderForm, Text,
};

#[derive(Deserialize, Serialize)]
pub(super) struct ConversationStarted<'a> {
    pub(super) widget: Text<'a>,
    pub(super) workstream: Text<'a>,
    pub(super) queue: Text<'a>,
    pub(super) visitor: Text<'a>,
    pub(super) start: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) form: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) page: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) locale: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) close_at: Option<i64>,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) salt: u64,
}

#[derive(Deserialize, Serialize)]
pub(super) struct SessionJoined<'a> {
    pub(super) session: Text<'a>,
    pub(super) heartbeat_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) program: Option<Text<'a>>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct SessionLost<'a> {
    pub(super) session: Text<'a>,
    pub(super) cause: CauseForm,
    pub(super) heard_at: i64,
    pub(super) there_until: i64,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<u16>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) heard: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) widest_ms: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) asleep: bool,
}

#[derive(Deserialize, Serialize)]
pub(super) struct CustomerAway {
    pub(super) since: i64,
    pub(super) until: i64,
    pub(super) cause: CauseForm,
}

#[derive(Deserialize, Serialize)]
pub(super) struct CustomerReturned {
    pub(super) after_ms: u64,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reminder: Option<ReminderForm>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct CustomerDisconnected {
    pub(super) since: i64,
    pub(super) cause: CauseForm,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuthorName {
    Customer,
    Agent,
}

#[derive(Deserialize, Serialize)]
pub(super) struct MessagePosted<'a> {
    pub(super) id: Text<'a>,
    pub(super) from: AuthorName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agent: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) text: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reminder: Option<ReminderForm>,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<Text<'a>>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct ChatOffered<'a> {
    pub(super) lease: LeaseForm<'a>,
    pub(super) until: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<Text<'a>>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct OfferEnded<'a> {
    pub(super) agent: Text<'a>,
    pub(super) end: OfferEndName,
    pub(super) excluded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) close_at: Option<i64>,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<Text<'a>>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct ChatAccepted<'a> {
    pub(super) lease: LeaseForm<'a>,
    pub(super) name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) close_at: Option<i64>,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<Text<'a>>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct AgentLeft<'a> {
    pub(super) agent: Text<'a>,
    pub(super) why: DepartureName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) close_at: Option<i64>,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<Text<'a>>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct AgentAway<'a> {
    pub(super) agent: Text<'a>,
    pub(super) since: i64,
    pub(super) until: i64,
}

#[derive(Deserialize, Serialize)]
pub(super) struct AgentBack<'a> {
    pub(super) agent: Text<'a>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct CustomerReminded {
    pub(super) until: i64,
}

#[derive(Deserialize, Serialize)]
pub(super) struct WrapupStarted<'a> {
    pub(super) reason: ReasonName,
    pub(super) by: ActorForm<'a>,
    pub(super) hold: HoldForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) close_at: Option<i64>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct LeaseReleased<'a> {
    pub(super) agent: Text<'a>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct ConversationClosed<'a> {
    pub(super) reason: ReasonName,
    pub(super) by: ActorForm<'a>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct ServerRestarted {
    pub(super) until: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offer_until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) close_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reminder: Option<ReminderForm>,
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
