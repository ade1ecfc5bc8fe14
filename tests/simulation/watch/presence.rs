//! Which customers are there or away, and when a window may end: judged by what the world did to
//! the sockets, not by what the server says of them.

use holdline::domain::conversation::event::Event;
use holdline::domain::id::SessionId;
use serde_json::Value;

use crate::server::{Millis, Row};
use crate::watch::Watch;
use crate::watch::chat::{Chat, State, is_silence};
use crate::watch::customer::Visitor;
use crate::watch::law::Check;

/// How late a window may end, and any other timer be served.
const LATE: Millis = 250;

/// How long a write may take before its rows are seen.
const WRITTEN_WITHIN: Millis = 10_000;

impl Watch {
    pub(super) fn take_presence(&mut self, chat: &mut Chat, row: &Row) {
        let at = row.appended;
        match &row.event {
            Event::SessionJoined { session, heartbeat, .. } => {
                chat.present.insert(*session, at);
                let visitor = self.visitors.entry(*session).or_default();
                visitor.joined = at;
                visitor.heartbeat = heartbeat.as_millis();
                if chat.present.len() == 2 {
                    self.stats.second_tabs += 1;
                }
            }
            Event::SessionLost { session, cause, .. } => {
                chat.present.remove(session);
                let there = self.there_until(*session, at, is_silence(*cause));
                if is_silence(*cause) {
                    self.silence(*session, at);
                }
                chat.there.insert(*session, (there, is_silence(*cause)));
            }
            Event::CustomerAway { .. } => {
                if let Some(session) = chat.present.keys().next() {
                    let what = format!("{} is away while {session} is there", chat.id());
                    self.fail(Check::PresentIsNotAway, what);
                }
                chat.away = Some(at);
                if chat.state == State::Open {
                    // Units may be set aside for an offer that is not made while the customer is
                    // away.
                    self.rested.clear();
                }
            }
            Event::CustomerReturned { .. } => {
                if chat.away.is_none() {
                    let what = format!("{} returned from no absence", chat.id());
                    self.fail(Check::ReturnOrDeadline, what);
                }
                self.note_close_call(chat, at);
                chat.away = None;
                // Units may be set aside for an offer that was not made while the customer was
                // away.
                self.rested.clear();
            }
            Event::ServerRestarted { .. } => {
                chat.present.clear();
                chat.there.clear();
                let restarted = self.restarted_at(row);
                chat.away = Some(restarted);
                chat.restarted = Some(restarted);
            }
            Event::CustomerDisconnected { .. } => self.disconnected(chat, at),
            Event::WrapupStarted { .. } | Event::ConversationClosed { .. } => chat.away = None,
            _ => {}
        }
    }

    /// When a restart was decided: at the start, though it is written a little later. The server
    /// may have started again since: a row can be kept by a server that was killed before it knew.
    fn restarted_at(&self, row: &Row) -> Millis {
        let before = self.starts.iter().rev().find(|(started, _)| *started <= row.appended);
        let (started, clock) = before.copied().unwrap_or_default();
        let decided = Millis::try_from(row.at.as_millis() - clock).unwrap_or(0);
        let was_at_start = (started..=row.appended).contains(&decided);
        if was_at_start { decided } else { row.appended }
    }

    /// The server says something to a session that reads nothing. To be let in counts as heard of,
    /// whether or not the session reads that.
    pub(super) fn unread(&mut self, session: SessionId, text: &str) {
        let frame: Value = serde_json::from_str(text).expect("a frame is JSON");
        let lets_in = matches!(frame["type"].as_str(), Some("welcome" | "started"));
        if let Some(visitor) = self.visitors.get_mut(&session).filter(|_| lets_in) {
            visitor.let_in = self.now;
        }
    }

    /// Until when a session that is lost now was there, by the world's account.
    fn there_until(&self, session: SessionId, at: Millis, is_silent: bool) -> Millis {
        let Some(visitor) = self.visitors.get(&session) else { return at };
        let heard = visitor.heard_before(at);
        let was_due = is_silent && heard + 2 * visitor.heartbeat < at;
        match visitor.cut {
            // At the same moment the session's silence may have been found first.
            Some(cut) if cut < at || (cut == at && !was_due) => cut,
            _ if is_silent => heard.max(visitor.joined),
            _ => at,
        }
    }

    fn silence(&mut self, session: SessionId, at: Millis) {
        let Some(visitor) = self.visitors.get(&session) else { return };
        let heard = visitor.heard_before(at);
        if visitor.cut.is_none() && heard + 2 * visitor.heartbeat >= at {
            let what = format!("{session} was heard at {heard} and counts as silent at {at}");
            self.fail(Check::SilenceIsFair, what);
        }
    }

    fn windows(&self, chat: &Chat, at: Millis) -> (Millis, Millis) {
        let windows: Vec<_> =
            self.streams[chat.stream].at(at).iter().map(|it| it.window * 1_000).collect();
        let least = windows.iter().min().copied().unwrap_or(0);
        (least, windows.iter().max().copied().unwrap_or(0))
    }

    fn disconnected(&mut self, chat: &mut Chat, at: Millis) {
        let Some(away) = chat.away.take() else {
            let what = format!("{} was disconnected again at {at}", chat.id());
            return self.fail(Check::ExpiresOnce, what);
        };
        chat.expired = Some(at);
        if let Some((session, joined)) = chat.present.iter().next() {
            let what = format!("{session} has been there since {joined}, and the window ended");
            return self.fail(Check::ReturnOrDeadline, what);
        }
        let (least, most) = self.windows(chat, away);
        if let Some(restarted) = chat.restarted
            && chat.there.is_empty()
            && at <= restarted + least
        {
            let what = format!("{} ended at {at}; it restarted at {restarted}", chat.id());
            return self.fail(Check::DowntimeIsFree, what);
        }
        let there = chat.there.values().map(|(there, _)| *there).max();
        let there = there.or(chat.restarted).unwrap_or(away);
        if at <= there + least {
            let what = format!("there until {there}, window {least}, ended at {at}");
            return self.fail(Check::NeverEarly, what);
        }
        let by = self.deadline(chat, most);
        if at > by {
            let what = format!("there until {there}, window {most}, due by {by}, ended at {at}");
            self.fail(Check::NeverMissed, what);
        }
    }

    /// By when the window must have ended, however the silence of its sessions is found.
    fn deadline(&self, chat: &Chat, window: Millis) -> Millis {
        let of = |session: &SessionId| {
            let visitor = self.visitors.get(session)?;
            Some(match (visitor.cut, chat.there.get(session)) {
                (Some(cut), _) => cut + window,
                (None, Some((there, false))) => there + window,
                _ => visitor.latest() + window.max(2 * visitor.heartbeat) + 1,
            })
        };
        let sessions = chat.there.keys().chain(chat.present.keys());
        // A chat whose first session is not written yet has just begun.
        let began = chat.rows.first().map_or(0, |row| row.appended) + window;
        let lost = sessions.filter_map(of).max().unwrap_or(began);
        let lost = lost.max(chat.restarted.map_or(0, |restarted| restarted + window));
        let slowest = chat.there.keys().chain(chat.present.keys());
        let slowest = slowest.filter_map(|it| self.visitors.get(it)).map(|it| it.heartbeat).max();
        // After trouble a timer may be armed anew, and a silence be found anew.
        let troubled = self.trouble + 2 * slowest.unwrap_or(0) + 2_000 + window;
        let began = chat.there.values().map(|(there, _)| *there).max();
        // For a silence that is not found yet, the absence begins at the last sign of life.
        let heard = chat.present.keys().filter_map(|it| self.visitors.get(it));
        let heard = heard.map(Visitor::latest).min();
        let began = began.or(chat.restarted).or(heard).unwrap_or(chat.since);
        let lost = if self.trouble >= began.min(lost) { lost.max(troubled) } else { lost };
        lost + LATE
    }

    fn note_close_call(&mut self, chat: &Chat, at: Millis) {
        let Some(there) = chat.there.values().map(|(there, _)| *there).max() else { return };
        let (least, _) = self.windows(chat, at);
        if at + 3 > there + least {
            self.stats.close_calls += 1;
        }
    }

    /// Everything that is due by itself must have happened, or be about to be written.
    pub(super) fn look_for_overdue(&mut self) {
        if !self.is_up {
            return;
        }
        let mut overdue = None;
        for chat in self.chats.values() {
            if chat.is_live() {
                let (_, most) = self.windows(chat, self.now);
                // A window that was longer when the absence began still counts.
                let most = most.max(self.longest_window(chat));
                let by = self.deadline(chat, most) + WRITTEN_WITHIN;
                if self.now > by {
                    let what = format!("{} was due by {by}", chat.id());
                    overdue = Some((Check::NeverMissed, what));
                }
            }
            if let Some((by, what)) = self.phase_due_by(chat)
                && self.now > by.max(self.trouble) + WRITTEN_WITHIN
                // If the wall clock stepped back while the server was down, the server's clock
                // stands still.
                && self.is_past(chat, by)
            {
                let what = format!("{}: {what} by {by}", chat.id());
                overdue = overdue.or(Some((Check::TimersAreServed, what)));
            }
        }
        let overdue = overdue.or_else(|| self.untold_absence()).or_else(|| self.untold_restart());
        if let Some((check, what)) = overdue {
            self.fail(check, what);
        }
    }

    /// Whether a time that counts from the beginning of the phase is past by the server's clock,
    /// too.
    fn is_past(&self, chat: &Chat, by: Millis) -> bool {
        let lasts = i64::try_from((by - chat.since) + WRITTEN_WITHIN).unwrap();
        let now = i64::try_from(self.now).unwrap() + self.clock;
        now > chat.since_at.as_millis() + lasts
    }

    fn longest_window(&self, chat: &Chat) -> Millis {
        let all = self.streams[chat.stream].ever();
        all.map(|it| it.window * 1_000).max().unwrap_or(0)
    }
}
