//! What the customer's side may do: begin, come, go, end.

use std::sync::Arc;

use crate::domain::cause::{Cause, Evidence};
use crate::domain::conversation::attendance::Attending;
use crate::domain::conversation::command::{Refusal, StartRequest};
use crate::domain::conversation::decide::Moment;
use crate::domain::conversation::event::{Actor, Event, Opening, Reason, Reminder};
use crate::domain::conversation::{Conversation, Owed, Phase};
use crate::domain::decision::Decision;
use crate::domain::id::SessionId;
use crate::domain::text::JsonText;
use crate::domain::time::{Span, Timestamp};
use crate::limits;

impl Conversation {
    pub(super) fn start(
        &self,
        request: StartRequest,
        moment: Moment<'_>,
    ) -> Result<Decision, Refusal> {
        if !matches!(self.phase, Phase::New) {
            return Err(Refusal::AlreadyStarted);
        }
        Ok(Decision::of(vec![Event::ConversationStarted(Opening {
            widget: request.widget,
            workstream: moment.workstream.id.clone(),
            queue: moment.workstream.queue.clone(),
            visitor: request.visitor,
            start: request.start,
            salt: request.salt,
            name: request.name,
            form: request.form.as_deref().map(JsonText::from),
            context: request.context.as_deref().map(JsonText::from),
            page: request.page,
            locale: request.locale,
            close_at: moment.open_until(),
        })]))
    }

    pub(super) fn join(
        &self,
        session: SessionId,
        heartbeat: Span,
        program: Option<Arc<str>>,
        moment: Moment<'_>,
    ) -> Result<Decision, Refusal> {
        self.expect_not_over()?;
        if self.attendance.find(session).is_some() {
            return Ok(Decision::nothing());
        }
        if !self.usage().admits_connection(&moment.workstream.customer_limits) {
            return Err(Refusal::ConversationFull);
        }
        let mut events = Vec::new();
        if self.attendance.sessions().len() >= limits::SESSIONS_MAX
            && let Some(quietest) = self.attendance.quietest()
        {
            let cause = Cause::Replaced;
            let replaced = Loss { of: *quietest, cause, code: None, there_until: moment.now };
            events.push(replaced.event());
        }
        events.push(Event::SessionJoined { session, heartbeat, program });
        if let Some(absence) = self.absence() {
            let after = moment.now.since(absence.since);
            events.push(Event::CustomerReturned { after, reminder: self.reminder_anew(moment) });
        }
        Ok(Decision::of(events))
    }

    /// The new reminder of a customer who owes an answer and is back. It counts from now, because
    /// they may only now have read the message that they owe it to.
    pub(super) fn reminder_anew(&self, moment: Moment<'_>) -> Option<Reminder> {
        match &self.phase {
            Phase::Talking { owed: Owed::Remind(_) | Owed::Reminded(_), .. } => moment.reminder(),
            _ => None,
        }
    }

    pub(super) fn lose(&self, session: SessionId, cause: Cause, moment: Moment<'_>) -> Decision {
        let Some(attending) = self.attendance.find(session) else { return Decision::nothing() };
        let explained = self.attendance.explain(session, cause);
        let code = match (explained, cause) {
            (Cause::Left(_), Cause::Closed(code)) => Some(code),
            _ => None,
        };
        let loss = Loss { of: *attending, cause: explained, code, there_until: moment.now };
        Decision::of(self.losing(&[loss], moment))
    }

    /// These sessions are lost; if they were the last, the customer is away.
    pub(super) fn losing(&self, losses: &[Loss], moment: Moment<'_>) -> Vec<Event> {
        let mut events: Vec<_> = losses.iter().map(Loss::event).collect();
        let are_last = losses.len() == self.attendance.sessions().len();
        if let (true, true, Some(Loss { cause, .. })) = (are_last, self.is_live(), losses.last()) {
            let since = self.attendance.absent_since(losses.iter().map(|loss| loss.there_until));
            let until = since + moment.workstream.window;
            events.push(Event::CustomerAway { since, until, cause: *cause });
        }
        events
    }

    pub(super) fn end_by_customer(&self, moment: Moment<'_>) -> Result<Decision, Refusal> {
        self.expect_not_over()?;
        Ok(Decision::of(self.end(Reason::CustomerEnded, Actor::Customer, moment)))
    }
}

/// A session that is lost now.
pub(super) struct Loss {
    pub(super) of: Attending,
    pub(super) cause: Cause,
    /// The close code, where the cause does not hold it.
    pub(super) code: Option<u16>,
    /// Until when the session counts as having been there.
    pub(super) there_until: Timestamp,
}

impl Loss {
    fn event(&self) -> Event {
        Event::SessionLost {
            session: self.of.session,
            cause: self.cause,
            heard_at: self.of.liveness.last_seen(),
            there_until: self.there_until,
            evidence: Evidence {
                code: self.code,
                heard: self.of.heard,
                widest: Span::from_millis(self.of.widest_ms.into()),
                asleep: self.of.asleep,
            },
        }
    }
}
