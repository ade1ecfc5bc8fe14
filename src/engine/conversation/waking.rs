//! What wakes a conversation's actor besides its mail: its deadlines, and the journal's word.

use std::task;

use tokio::time::Instant;

use crate::clock::Clock;
use crate::domain::conversation::command::Command;
use crate::domain::decision::Receipt;
use crate::domain::time::{Span, Timestamp};
use crate::engine::alarms::{Alarms, Watch};
use crate::engine::context::{Context, Punctual};
use crate::engine::conversation::gate::Through;
use crate::engine::conversation::{ConversationActor, Stage, publish};

/// How many timers one wake may serve before others get their turn.
const WAKES_AT_ONCE: usize = 32;

impl Punctual for ConversationActor {
    fn clock(&self) -> Clock {
        self.thread.shared.clock
    }

    fn alarms(&self) -> &Alarms {
        &self.thread.alarms
    }

    fn watch(&self, due: Timestamp) -> Option<Watch> {
        self.watch_over(due)
    }

    fn on_deadline(&mut self, now: Timestamp, context: &mut Self::Context) {
        self.wake(now, context);
    }

    fn take_receipt(&mut self, context: &mut Self::Context) -> bool {
        let Some((receipt, at)) = self.gate.take_receipt() else { return false };
        if !matches!(self.stage, Stage::Opening | Stage::Leaving) {
            self.durable(receipt, at, context);
            self.retire_if_closed();
            self.rearm(context);
        }
        true
    }

    fn await_receipt(&self, task: &task::Context<'_>) {
        self.gate.await_receipt(task);
    }
}

impl ConversationActor {
    /// Serves every timer that is due.
    fn wake(&mut self, now: Timestamp, context: &mut Context<Self>) {
        self.leave_if_due(now, context);
        if matches!(self.stage, Stage::Serving) && self.thread.shared.journal.is_writable() {
            self.listen();
            self.write_restart_if_due(now);
            for session in self.conversation.ask_quiet(now) {
                publish::probe(&self.thread.shared, session);
            }
            for _ in 0..WAKES_AT_ONCE {
                let wake_at = self.conversation.wake_at();
                // What has become due meanwhile rings again.
                if wake_at.is_none_or(|at| at > now) {
                    break;
                }
                if self.perform_at(Command::Wake, now).is_err() {
                    break;
                }
            }
            self.repeat_lease(now);
        }
        self.rearm(context);
    }

    /// When the lease is repeated, of a wrap-up as of a talk. Of chats that are held there may be
    /// very many, and each has nothing else to be woken for: those come a tenth as often.
    pub(super) fn lease_repeated_at(&self) -> Option<Timestamp> {
        let is_due = matches!(self.stage, Stage::Serving)
            && self.gate.is_open()
            && self.conversation.lease().is_some();
        let held = if self.conversation.absence().is_some() { 10 } else { 1 };
        is_due.then(|| self.audited_at + self.thread.shared.audit_every.times(held))
    }

    /// Sets the one alarm.
    pub(super) fn rearm(&mut self, context: &mut Context<Self>) {
        if self.stage == Stage::Leaving {
            return context.wake_at(None, false);
        }
        let due = self.conversation.wake_at().into_iter().chain(self.unwritten_until);
        let mut due = due.chain(self.lease_repeated_at()).min();
        if due.is_some() && !self.thread.shared.journal.is_writable() {
            // While nothing can be written nothing can be decided; look again in a moment.
            due = due.max(Some(self.thread.shared.clock.now() + Span::from_secs(1)));
        }
        let due = due.into_iter().chain(self.leave_at).min();
        context.wake_at(due, self.conversation.attendance().is_connected());
    }

    /// The journal has it up to here: opens the gate for all that this covers.
    fn durable(&mut self, receipt: Receipt, at: Instant, context: &mut Context<Self>) {
        while let Some(released) = self.gate.open(receipt) {
            if let Through::Decision { appended, .. } = &released {
                let lasted = at.saturating_duration_since(*appended);
                self.thread.shared.metrics.journal_latency.observe(lasted);
            }
            self.release(released, context);
        }
    }
}
