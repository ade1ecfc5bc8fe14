//! When the retention of closed conversations takes its steps, and by which rules.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::settings::{Disposal, Retention, Workstream};
use crate::domain::time::Timestamp;
use crate::engine::failure::Failure;
use crate::engine::requests::Engine;
use crate::journal::{Retained, RetentionRule};
use crate::limits;

impl Engine {
    /// Archives and deletes closed conversations when their time is over, and drops old entries of
    /// the audit stream, until the server stops:
    /// a small step at a time, with a pause between two, so that nobody waits for it.
    pub async fn keep_retention(self) {
        self.tell_retention();
        while !self.shared().is_draining() {
            let pause = match self.step(self.now()).await {
                Ok(Retained { is_more: true, .. }) => {
                    Duration::from_millis(limits::RETENTION_PAUSE_MS)
                }
                Ok(_) => Duration::from_secs(limits::RETENTION_EVERY_SECONDS),
                Err(failure) => {
                    tracing::error!(%failure, "the retention could not take a step");
                    Duration::from_secs(limits::RETENTION_EVERY_SECONDS)
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Tells what becomes of closed chats, so that nobody is surprised by what is gone, or kept.
    fn tell_retention(&self) {
        let settings = self.settings();
        let told = |workstream: &Arc<Workstream>| {
            let id = &workstream.id;
            match workstream.retention {
                None => format!("{id}: kept for ever"),
                Some(Retention { after_days, then: Disposal::Archive }) => {
                    format!("{id}: archived after {after_days} days")
                }
                Some(Retention { after_days, then: Disposal::Delete }) => {
                    format!("{id}: deleted after {after_days} days")
                }
            }
        };
        let all = settings.workstreams.values();
        let mut some: Vec<_> = all.take(limits::RETENTIONS_TOLD_MAX).map(told).collect();
        let more = settings.workstreams.len() - some.len();
        if more > 0 {
            some.push(format!("and {more} workstreams more"));
        }
        if !some.is_empty() {
            tracing::info!("what becomes of closed chats: {}", some.join("; "));
        }
    }

    /// Takes one step of both retentions, as if it were `now`.
    async fn step(&self, now: Timestamp) -> Result<Retained, Failure> {
        let retained = self.retain(now).await?;
        let is_more = self.retain_audit(now).await? || retained.is_more;
        Ok(Retained { is_more, ..retained })
    }

    /// Takes one step of the retention of chats by the settings in force, as if it were `now`.
    pub async fn retain(&self, now: Timestamp) -> Result<Retained, Failure> {
        let rules: Vec<_> = self
            .settings()
            .workstreams
            .values()
            .filter_map(|workstream| {
                let retention = workstream.retention?;
                Some(RetentionRule { workstream: workstream.id.clone(), retention })
            })
            .collect();
        if rules.is_empty() {
            return Ok(Retained::default());
        }
        let retained = self.shared().journal.retain(rules, now).await?;
        self.shared().metrics.archived.inc_by(retained.archived);
        self.shared().metrics.deleted.inc_by(retained.deleted);
        Ok(retained)
    }
}
