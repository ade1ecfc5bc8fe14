//! Whether agents are there, judged by what the world did to their consoles, and what must follow
//! when they are not: their offers end, and their customers are told.

use holdline::domain::conversation::event::Event;
use holdline::domain::id::AgentId;

use crate::server::{Millis, Row};
use crate::watch::Watch;
use crate::watch::chat::{Chat, State};
use crate::watch::law::Check;

/// How late the consequences of an absence may be decided.
const LATE: Millis = 250;

/// How late these may be decided after trouble.
const SORTED_OUT_WITHIN: Millis = 2_500;

/// How long a write may take before its rows are seen.
const WRITTEN_WITHIN: Millis = 10_000;

/// How long a request may keep an agent present without a console.
const HEARD_LASTS: Millis = 150_000;

/// What is known of an agent's console in this run of the server.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    is_open: bool,
    since: Millis,
    /// When the agent last made a request while the console was closed.
    heard: Option<Millis>,
}

impl Watch {
    /// An agent's console is opened or closed, as the server is told.
    pub fn console(&mut self, now: Millis, agent: &AgentId, open: bool) {
        let console = Console { is_open: open, since: now, heard: None };
        self.consoles.insert(agent.clone(), console);
        self.rested.remove(agent);
        self.feeds.forget(agent);
    }

    /// An agent makes a request, or has chosen a presence.
    pub(super) fn heard(&mut self, agent: &AgentId) {
        let (now, since) = (self.now, self.trouble);
        let unknown = Console { is_open: false, since, heard: None };
        let console = self.consoles.entry(agent.clone()).or_insert(unknown);
        if !console.is_open {
            console.heard = Some(now);
        }
    }

    /// An agent is deleted, or put. An agent who is put again is a new one, whose absence begins
    /// now.
    pub(super) fn put(&mut self, agent: &AgentId, is_there: bool) {
        let was_deleted = if is_there { self.deleted.remove(agent) } else { false };
        if !is_there {
            self.deleted.insert(agent.clone());
        }
        let now = self.now;
        if let Some(console) = self.consoles.get_mut(agent).filter(|it| was_deleted && !it.is_open)
        {
            console.since = now;
        }
    }

    /// Since when an agent is certainly gone, if they are. After a start no agent has a console.
    fn gone_since(&self, agent: &AgentId, now: Millis) -> Option<Millis> {
        match self.consoles.get(agent) {
            Some(Console { is_open: true, .. }) | None => None,
            Some(Console { heard: Some(heard), .. }) => {
                Some(heard + HEARD_LASTS).filter(|gone| *gone < now)
            }
            Some(console) => Some(console.since),
        }
    }

    /// Since when an agent is certainly there, if they are.
    pub(super) fn there_since(&self, agent: &AgentId) -> Option<Millis> {
        let console = self.consoles.get(agent)?;
        console.is_open.then_some(console.since)
    }

    /// Checks what a row says of an agent's absence, before the row is taken.
    pub(super) fn take_absence(&mut self, chat: &mut Chat, row: &Row) {
        match (&chat.state, &row.event) {
            (State::Talking { agent, .. }, Event::AgentAway { agent: away, .. }) => {
                if chat.missed.is_some() || agent != away {
                    let what = format!("{}: {away} is away again", chat.id());
                    self.fail(Check::AwayInPairs, what);
                }
                chat.missed = Some(row.appended);
            }
            (State::Talking { agent, .. }, Event::AgentBack { agent: back }) => {
                if chat.missed.is_none() || agent != back {
                    let what = format!("{}: {back} is back, and was not away", chat.id());
                    self.fail(Check::AwayInPairs, what);
                }
                chat.missed = None;
            }
            (_, Event::AgentAway { .. } | Event::AgentBack { .. }) => {
                let what = format!("of nobody's absence: {row:?}");
                self.fail(Check::AwayInPairs, what);
            }
            (State::Offered { agent, .. }, event) if ends_an_offer(event) => {
                let agent = agent.clone();
                self.offer_stood(chat, &agent, row.appended);
                chat.missed = None;
            }
            (_, event) if ends_a_talk(event) => chat.missed = None,
            _ => {}
        }
    }

    /// An offer ended: its agent must not have been gone for longer than its grace.
    fn offer_stood(&mut self, chat: &Chat, agent: &AgentId, ended: Millis) {
        let Some(gone) = self.gone_since(agent, ended) else { return };
        let streams = self.streams[chat.stream].at(chat.since);
        let grace = streams.iter().map(|it| it.offer_grace()).max().unwrap_or(0) * 1_000;
        let by = (gone.max(chat.since) + grace).max(chat.seen) + LATE;
        if ended > by.max(self.trouble + SORTED_OUT_WITHIN) {
            let what = format!("{} was offered until {ended}; {agent} left at {gone}", chat.id());
            self.fail(Check::OffersNeedAgents, what);
        }
    }

    /// A customer who should have been told by now that their agent is away, or back.
    pub(super) fn untold_absence(&self) -> Option<(Check, String)> {
        let is_late = |due: Millis| self.now > due.max(self.trouble) + WRITTEN_WITHIN;
        self.chats.values().find_map(|chat| {
            let State::Talking { agent, .. } = &chat.state else { return None };
            let told = chat.missed;
            let back = self.there_since(agent).zip(told).map(|(there, told)| there.max(told));
            if back.is_some_and(is_late) {
                let what = format!("{}: {agent} is back, and nobody says so", chat.id());
                return Some((Check::AbsenceIsTold, what));
            }
            let streams = self.streams[chat.stream].at(chat.since);
            let notices = streams.iter().map(|it| it.notice()).collect::<Option<Vec<_>>>();
            let notice = notices?.into_iter().max()? * 1_000;
            let gone = self.gone_since(agent, self.now).filter(|_| told.is_none())?;
            is_late(gone.max(chat.since) + notice).then(|| {
                let what = format!("{}: {agent} is gone since {gone}, untold", chat.id());
                (Check::AbsenceIsTold, what)
            })
        })
    }
}

const fn ends_an_offer(event: &Event) -> bool {
    matches!(
        event,
        Event::OfferEnded { .. } | Event::ChatAccepted { .. } | Event::ConversationClosed { .. }
    )
}

const fn ends_a_talk(event: &Event) -> bool {
    matches!(
        event,
        Event::AgentLeft { .. }
            | Event::WrapupStarted { .. }
            | Event::ChatAccepted { .. }
            | Event::ConversationClosed { .. }
    )
}
