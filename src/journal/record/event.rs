//! A conversation's events as records, and back. Adding an event means adding an arm to each way.

use std::sync::Arc;

use serde::Deserialize;

use crate::domain::cause::{Cause, Evidence};
use crate::domain::conversation::event::{
    Author, Departure, Event, Opening, Reminder, RestartTimers,
};
use crate::domain::id::{AgentId, MessageId};
use crate::domain::text::{DisplayName, JsonText, MessageText};
use crate::domain::time::{Span, Timestamp};
use crate::journal::record::body::Sink;
use crate::journal::record::forms::{
    AgentAway, AgentBack, AgentLeft, AuthorName, ChatAccepted, ChatOffered, ConversationClosed,
    ConversationStarted, CustomerAway, CustomerDisconnected, CustomerReminded, CustomerReturned,
    LeaseReleased, MessagePosted, OfferEnded, ServerRestarted, SessionJoined, SessionLost,
    WrapupStarted,
};
use crate::journal::record::pieces::{ReminderForm, Text, millis, time, visitor, visitor_text};
use crate::journal::record::unreadable::Unreadable;

/// Writes the record of an event, and says its kind.
pub(super) fn encode(event: &Event, to: Sink<'_>) -> &'static str {
    match event {
        Event::ConversationStarted(opening) => {
            to.put("conversation_started", &ConversationStarted::from(opening))
        }
        Event::SessionJoined { session, heartbeat, program } => {
            let (session, program) = (session.to_string().into(), program.as_deref());
            let heartbeat_ms = heartbeat.as_millis();
            let program = program.map(Text::from);
            to.put("session_joined", &SessionJoined { session, heartbeat_ms, program })
        }
        Event::SessionLost { session, cause, heard_at, there_until, evidence } => {
            let session = session.to_string().into();
            let lost = SessionLost::new(session, *cause, [*heard_at, *there_until], *evidence);
            to.put("session_lost", &lost)
        }
        Event::CustomerAway { since, until, cause } => {
            let (since, until) = (since.as_millis(), until.as_millis());
            to.put("customer_away", &CustomerAway { since, until, cause: (*cause).into() })
        }
        Event::CustomerReturned { after, reminder } => {
            let (after_ms, reminder) = (after.as_millis(), reminder.map(ReminderForm::from));
            to.put("customer_returned", &CustomerReturned { after_ms, reminder })
        }
        Event::CustomerDisconnected { since, cause } => {
            let since = since.as_millis();
            to.put("customer_disconnected", &CustomerDisconnected { since, cause: (*cause).into() })
        }
        Event::MessagePosted { id, from, by, text, reminder } => {
            to.put("message_posted", &MessagePosted::new(id, from, by.as_ref(), text, *reminder))
        }
        Event::ChatOffered { lease, until, by } => {
            let (until, by) = (until.as_millis(), name_of(by.as_ref()));
            to.put("chat_offered", &ChatOffered { lease: lease.into(), until, by })
        }
        Event::OfferEnded { agent, end, by, excluded, close_at } => {
            let (agent, end, excluded) = (agent.as_str().into(), (*end).into(), *excluded);
            let (close_at, by) = (millis(*close_at), name_of(by.as_ref()));
            to.put("offer_ended", &OfferEnded { agent, end, excluded, close_at, by })
        }
        Event::ChatAccepted { lease, name, by, close_at } => {
            let (lease, name, by) = (lease.into(), name.as_str().into(), name_of(by.as_ref()));
            let close_at = millis(*close_at);
            to.put("chat_accepted", &ChatAccepted { lease, name, close_at, by })
        }
        Event::AgentLeft { agent, why, by, close_at } => {
            to.put("agent_left", &AgentLeft::new(agent, *why, by.as_ref(), *close_at))
        }
        Event::AgentAway { agent, since, until } => {
            to.put("agent_away", &AgentAway::new(agent, *since, *until))
        }
        Event::AgentBack { agent } => to.put("agent_back", &AgentBack::new(agent)),
        Event::CustomerReminded { until } => {
            to.put("customer_reminded", &CustomerReminded { until: until.as_millis() })
        }
        Event::WrapupStarted { reason, by, hold, close_at } => {
            let (reason, hold, close_at) = ((*reason).into(), (*hold).into(), millis(*close_at));
            to.put("wrapup_started", &WrapupStarted { reason, by: by.into(), hold, close_at })
        }
        Event::LeaseReleased { agent } => {
            to.put("lease_released", &LeaseReleased { agent: agent.as_str().into() })
        }
        Event::ConversationClosed { reason, by } => {
            let (reason, by) = ((*reason).into(), by.into());
            to.put("conversation_closed", &ConversationClosed { reason, by })
        }
        Event::ServerRestarted { until, timers } => {
            to.put("server_restarted", &ServerRestarted::new(*until, timers))
        }
    }
}

/// The event that the record says; nothing when its kind is no event's.
pub(super) fn decode(kind: &str, body: &str) -> Result<Option<Event>, Unreadable> {
    Ok(Some(match kind {
        "conversation_started" => read::<ConversationStarted<'_>>(body)?.event()?,
        "session_joined" => read::<SessionJoined<'_>>(body)?.event()?,
        "session_lost" => read::<SessionLost<'_>>(body)?.event()?,
        "customer_away" => read::<CustomerAway>(body)?.event(),
        "customer_returned" => {
            let CustomerReturned { after_ms, reminder } = read(body)?;
            let reminder = reminder.map(Reminder::from);
            Event::CustomerReturned { after: Span::from_millis(after_ms), reminder }
        }
        "customer_disconnected" => {
            let CustomerDisconnected { since, cause } = read(body)?;
            let since = Timestamp::from_millis(since);
            Event::CustomerDisconnected { since, cause: cause.into() }
        }
        "message_posted" => read::<MessagePosted<'_>>(body)?.event()?,
        "chat_offered" => read::<ChatOffered<'_>>(body)?.event()?,
        "offer_ended" => read::<OfferEnded<'_>>(body)?.event()?,
        "chat_accepted" => read::<ChatAccepted<'_>>(body)?.event()?,
        "agent_left" => read::<AgentLeft<'_>>(body)?.event()?,
        "agent_away" => read::<AgentAway<'_>>(body)?.event()?,
        "agent_back" => Event::AgentBack { agent: read::<AgentBack<'_>>(body)?.agent.parse()? },
        "customer_reminded" => {
            let CustomerReminded { until } = read(body)?;
            Event::CustomerReminded { until: Timestamp::from_millis(until) }
        }
        "wrapup_started" => read::<WrapupStarted<'_>>(body)?.event()?,
        "lease_released" => {
            Event::LeaseReleased { agent: read::<LeaseReleased<'_>>(body)?.agent.parse()? }
        }
        "conversation_closed" => {
            let ConversationClosed { reason, by } = read(body)?;
            Event::ConversationClosed { reason: reason.into(), by: by.try_into()? }
        }
        "server_restarted" => read::<ServerRestarted>(body)?.event(),
        _ => return Ok(None),
    }))
}

fn name_of(agent: Option<&AgentId>) -> Option<Text<'_>> {
    agent.map(|agent| agent.as_str().into())
}

fn agent_of(name: Option<Text<'_>>) -> Result<Option<AgentId>, Unreadable> {
    Ok(name.map(|name| name.parse()).transpose()?)
}

fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, Unreadable> {
    Ok(serde_json::from_str(body)?)
}

impl<'a> From<&'a Opening> for ConversationStarted<'a> {
    fn from(opening: &'a Opening) -> Self {
        Self {
            widget: opening.widget.as_str().into(),
            workstream: opening.workstream.as_str().into(),
            queue: opening.queue.as_str().into(),
            visitor: visitor_text(opening.visitor).into(),
            start: opening.start.as_str().into(),
            name: opening.name.as_ref().map(|name| name.as_str().into()),
            form: opening.form.as_deref().map(Text::from),
            context: opening.context.as_deref().map(Text::from),
            page: opening.page.as_deref().map(Text::from),
            locale: opening.locale.as_deref().map(Text::from),
            close_at: millis(opening.close_at),
            salt: opening.salt,
        }
    }
}

impl ConversationStarted<'_> {
    fn event(self) -> Result<Event, Unreadable> {
        Ok(Event::ConversationStarted(Opening {
            widget: self.widget.parse()?,
            workstream: self.workstream.parse()?,
            queue: self.queue.parse()?,
            visitor: visitor(&self.visitor)?,
            start: self.start.parse()?,
            name: self.name.map(|name| DisplayName::stored(&name)).transpose()?,
            form: self.form.as_deref().map(JsonText::from),
            context: self.context.as_deref().map(JsonText::from),
            page: self.page.map(Arc::from),
            locale: self.locale.map(Arc::from),
            close_at: time(self.close_at),
            salt: self.salt,
        }))
    }
}

impl SessionJoined<'_> {
    fn event(self) -> Result<Event, Unreadable> {
        Ok(Event::SessionJoined {
            session: self.session.parse()?,
            heartbeat: Span::from_millis(self.heartbeat_ms),
            program: self.program.map(Arc::from),
        })
    }
}

impl<'a> SessionLost<'a> {
    fn new(
        session: Text<'a>,
        cause: Cause,
        [heard_at, there_until]: [Timestamp; 2],
        evidence: Evidence,
    ) -> Self {
        Self {
            session,
            cause: cause.into(),
            heard_at: heard_at.as_millis(),
            there_until: there_until.as_millis(),
            code: evidence.code,
            heard: evidence.heard,
            widest_ms: evidence.widest.as_millis(),
            asleep: evidence.asleep,
        }
    }

    fn event(self) -> Result<Event, Unreadable> {
        Ok(Event::SessionLost {
            session: self.session.parse()?,
            cause: self.cause.into(),
            heard_at: Timestamp::from_millis(self.heard_at),
            there_until: Timestamp::from_millis(self.there_until),
            evidence: Evidence {
                code: self.code,
                heard: self.heard,
                widest: Span::from_millis(self.widest_ms),
                asleep: self.asleep,
            },
        })
    }
}

impl CustomerAway {
    fn event(self) -> Event {
        Event::CustomerAway {
            since: Timestamp::from_millis(self.since),
            until: Timestamp::from_millis(self.until),
            cause: self.cause.into(),
        }
    }
}

impl<'a> MessagePosted<'a> {
    fn new(
        id: &'a MessageId,
        from: &'a Author,
        by: Option<&'a AgentId>,
        text: &'a MessageText,
        reminder: Option<Reminder>,
    ) -> Self {
        let (from, agent) = match from {
            Author::Customer => (AuthorName::Customer, None),
            Author::Agent(agent) => (AuthorName::Agent, Some(agent.as_str().into())),
        };
        Self {
            id: id.as_str().into(),
            from,
            agent,
            text: text.as_str().into(),
            reminder: reminder.map(ReminderForm::from),
            by: name_of(by),
        }
    }

    fn event(self) -> Result<Event, Unreadable> {
        let from = match (self.from, self.agent) {
            (AuthorName::Customer, _) => Author::Customer,
            (AuthorName::Agent, Some(agent)) => Author::Agent(agent.parse()?),
            (AuthorName::Agent, None) => {
                return Err(Unreadable("an agent's message does not name the agent".to_owned()));
            }
        };
        Ok(Event::MessagePosted {
            id: self.id.parse()?,
            from,
            by: agent_of(self.by)?,
            text: MessageText::parse(&self.text)?,
            reminder: self.reminder.map(Reminder::from),
        })
    }
}

impl ChatOffered<'_> {
    fn event(self) -> Result<Event, Unreadable> {
        Ok(Event::ChatOffered {
            lease: self.lease.try_into()?,
            until: Timestamp::from_millis(self.until),
            by: agent_of(self.by)?,
        })
    }
}

impl OfferEnded<'_> {
    fn event(self) -> Result<Event, Unreadable> {
        Ok(Event::OfferEnded {
            agent: self.agent.parse()?,
            end: self.end.into(),
            by: agent_of(self.by)?,
            excluded: self.excluded,
            close_at: time(self.close_at),
        })
    }
}

impl ChatAccepted<'_> {
    fn event(self) -> Result<Event, Unreadable> {
        Ok(Event::ChatAccepted {
            lease: self.lease.try_into()?,
            name: DisplayName::stored(&self.name)?,
            by: agent_of(self.by)?,
            close_at: time(self.close_at),
        })
    }
}

impl<'a> AgentLeft<'a> {
    fn new(
        agent: &'a AgentId,
        why: Departure,
        by: Option<&'a AgentId>,
        close_at: Option<Timestamp>,
    ) -> Self {
        let (agent, close_at) = (agent.as_str().into(), millis(close_at));
        Self { agent, why: why.into(), close_at, by: name_of(by) }
    }

    fn event(self) -> Result<Event, Unreadable> {
        Ok(Event::AgentLeft {
            agent: self.agent.parse()?,
            why: self.why.into(),
            by: agent_of(self.by)?,
            close_at: time(self.close_at),
        })
    }
}

impl<'a> AgentAway<'a> {
    fn new(agent: &'a AgentId, since: Timestamp, until: Timestamp) -> Self {
        let (since, until) = (since.as_millis(), until.as_millis());
        Self { agent: agent.as_str().into(), since, until }
    }

    fn event(self) -> Result<Event, Unreadable> {
        Ok(Event::AgentAway {
            agent: self.agent.parse()?,
            since: Timestamp::from_millis(self.since),
            until: Timestamp::from_millis(self.until),
        })
    }
}

impl<'a> AgentBack<'a> {
    fn new(agent: &'a AgentId) -> Self {
        Self { agent: agent.as_str().into() }
    }
}

impl WrapupStarted<'_> {
    fn event(self) -> Result<Event, Unreadable> {
        Ok(Event::WrapupStarted {
            reason: self.reason.into(),
            by: self.by.try_into()?,
            hold: self.hold.into(),
            close_at: time(self.close_at),
        })
    }
}

impl ServerRestarted {
    fn new(until: Timestamp, timers: &RestartTimers) -> Self {
        Self {
            until: until.as_millis(),
            offer_until: millis(timers.offer_until),
            close_at: millis(timers.close_at),
            reminder: timers.reminder.map(ReminderForm::from),
        }
    }

    fn event(self) -> Event {
        Event::ServerRestarted {
            until: Timestamp::from_millis(self.until),
            timers: RestartTimers {
                offer_until: time(self.offer_until),
                close_at: time(self.close_at),
                reminder: self.reminder.map(Reminder::from),
            },
        }
    }
}
