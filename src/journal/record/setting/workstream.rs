//! The stored form of a workstream.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::settings::{Autoclose, IdleRule, Workstream, WrapupBlock};
use crate::domain::time::Span;
use crate::journal::record::setting::absence;
use crate::journal::record::setting::customer_limits::CustomerLimitsForm;
use crate::journal::record::setting::retention::RetentionForm;
use crate::journal::record::unreadable::Unreadable;

#[derive(Deserialize, Serialize)]
pub(super) struct WorkstreamForm {
    id: String,
    queue: String,
    units: u32,
    window_ms: u64,
    heartbeat_ms: u64,
    offer_ms: u64,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    offers_absent: bool,
    decline_limit: u8,
    agent_grace_ms: u64,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default = "absence::offer_grace", skip_serializing_if = "absence::is_offer_grace")]
    offer_grace_ms: u64,
    #[serde(default = "absence::agent_notice", skip_serializing_if = "absence::is_agent_notice")]
    agent_notice_ms: Option<u64>,
    wrapup_block: WrapupBlockForm,
    autoclose: AutocloseForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle: Option<IdleForm>,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "CustomerLimitsForm::is_default")]
    customer_limits: CustomerLimitsForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention: Option<RetentionForm>,
}

#[derive(Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum WrapupBlockForm {
    Always,
    Never,
    For { for_ms: u64 },
}

#[derive(Deserialize, Serialize)]
struct AutocloseForm {
    #[serde(rename = "open_ms", skip_serializing_if = "Option::is_none")]
    open: Option<u64>,
    #[serde(rename = "active_ms", skip_serializing_if = "Option::is_none")]
    active: Option<u64>,
    #[serde(rename = "wrapup_ms", skip_serializing_if = "Option::is_none")]
    wrapup: Option<u64>,
}

#[derive(Deserialize, Serialize)]
struct IdleForm {
    #[serde(rename = "warn_ms")]
    warn: u64,
    #[serde(rename = "close_ms")]
    close: u64,
}

impl From<&Workstream> for WorkstreamForm {
    fn from(workstream: &Workstream) -> Self {
        let millis = |span: Option<Span>| span.map(Span::as_millis);
        Self {
            id: workstream.id.to_string(),
            queue: workstream.queue.to_string(),
            units: workstream.units,
            window_ms: workstream.window.as_millis(),
            heartbeat_ms: workstream.heartbeat.as_millis(),
            offer_ms: workstream.offer.as_millis(),
            offers_absent: workstream.offers_absent,
            decline_limit: workstream.decline_limit,
            agent_grace_ms: workstream.agent_grace.as_millis(),
            offer_grace_ms: workstream.offer_grace.as_millis(),
            agent_notice_ms: millis(workstream.agent_notice),
            wrapup_block: match workstream.wrapup_block {
                WrapupBlock::Always => WrapupBlockForm::Always,
                WrapupBlock::Never => WrapupBlockForm::Never,
                WrapupBlock::For(span) => WrapupBlockForm::For { for_ms: span.as_millis() },
            },
            autoclose: AutocloseForm {
                open: millis(workstream.autoclose.open),
                active: millis(workstream.autoclose.active),
                wrapup: millis(workstream.autoclose.wrapup),
            },
            idle: workstream.idle.map(|idle| IdleForm {
                warn: idle.warn.as_millis(),
                close: idle.close.as_millis(),
            }),
            customer_limits: workstream.customer_limits.into(),
            redirect: workstream.redirect.as_deref().map(str::to_owned),
            retention: workstream.retention.map(RetentionForm::from),
        }
    }
}

impl TryFrom<WorkstreamForm> for Workstream {
    type Error = Unreadable;

    fn try_from(form: WorkstreamForm) -> Result<Self, Unreadable> {
        let span = |millis: Option<u64>| millis.map(Span::from_millis);
        Ok(Self {
            id: form.id.parse()?,
            queue: form.queue.parse()?,
            units: form.units,
            window: Span::from_millis(form.window_ms),
            heartbeat: Span::from_millis(form.heartbeat_ms),
            offer: Span::from_millis(form.offer_ms),
            offers_absent: form.offers_absent,
            decline_limit: form.decline_limit,
            agent_grace: Span::from_millis(form.agent_grace_ms),
            offer_grace: Span::from_millis(form.offer_grace_ms),
            agent_notice: span(form.agent_notice_ms),
            wrapup_block: match form.wrapup_block {
                WrapupBlockForm::Always => WrapupBlock::Always,
                WrapupBlockForm::Never => WrapupBlock::Never,
                WrapupBlockForm::For { for_ms } => WrapupBlock::For(Span::from_millis(for_ms)),
            },
            autoclose: Autoclose {
                open: span(form.autoclose.open),
                active: span(form.autoclose.active),
                wrapup: span(form.autoclose.wrapup),
            },
            idle: form.idle.map(|idle| IdleRule {
                warn: Span::from_millis(idle.warn),
                close: Span::from_millis(idle.close),
            }),
            customer_limits: form.customer_limits.into(),
            redirect: form.redirect.map(Arc::from),
            retention: form.retention.map(Into::into),
        })
    }
}
