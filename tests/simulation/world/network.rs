//! The network between tabs and the server. It delivers in order and with a delay, is sometimes
//! deaf in one direction, and breaks without a word.

use holdline::domain::id::SessionId;

use crate::server::{Cut, Millis, Server};
use crate::settings::widget_id;
use crate::world::{Due, World};

/// A connection of a tab, or an attempt to connect.
#[derive(Debug)]
pub struct Link {
    pub tab: usize,
    pub session: Option<SessionId>,
    /// What is held back on its way to the server while nothing gets through.
    pub up: Option<Vec<Up>>,
    pub down: Option<Vec<Down>>,
    /// Whether the tab has given the connection up, or learned of its end.
    pub is_over: bool,
    /// Whether the server has given the connection up, or learned of its end.
    pub is_ended: bool,
    pub is_stalled: bool,
}

/// What travels to the server.
#[derive(Clone, Debug)]
pub enum Up {
    /// A request for the connection, and the first message on it.
    Connect(String),
    Text(String),
    Pong,
    End(Cut),
}

/// What travels to a tab.
#[derive(Clone, Debug)]
pub enum Down {
    NotConnected,
    Text(String),
    Ping,
    Closed(u16),
}

impl<S: Server> World<S> {
    pub(super) fn send_up(&mut self, link: usize, up: Up) {
        let held = &mut self.links[link].up;
        if let Some(held) = held {
            return held.push(up);
        }
        let delay = self.tabs[self.links[link].tab].plan.up;
        self.put(self.now + delay, Due::Up(link, up));
    }

    pub(super) fn send_down(&mut self, session: SessionId, down: Down) {
        if let Some(link) = self.sessions.get(&session).copied() {
            if matches!(down, Down::Closed(_)) {
                self.links[link].is_ended = true;
            }
            self.send_down_link(link, down);
        }
    }

    fn send_down_link(&mut self, link: usize, down: Down) {
        if let Some(held) = &mut self.links[link].down {
            return held.push(down);
        }
        let delay = self.tabs[self.links[link].tab].plan.down;
        self.put(self.now + delay, Due::Down(link, down));
    }

    /// Something arrives at the server, if there is one.
    pub(super) fn arrive(&mut self, link: usize, up: Up) {
        if self.links[link].is_ended {
            return;
        }
        if let Up::Connect(hello) = up {
            return self.connect(link, &hello);
        }
        let Some(session) = self.links[link].session else { return };
        match up {
            Up::Connect(_) => {}
            Up::Text(text) => {
                self.watch.said(self.now, session, &text);
                self.server.say(session, &text);
            }
            Up::Pong => {
                self.watch.ponged(self.now, session);
                self.server.pong(session);
            }
            Up::End(cut) => {
                self.links[link].is_ended = true;
                self.end_of_link(link, cut);
            }
        }
    }

    fn connect(&mut self, link: usize, hello: &str) {
        let tab = self.links[link].tab;
        let widget = self.tabs[tab].plan.widget;
        let session =
            if self.server.is_up() { self.server.connect(&widget_id(widget)) } else { None };
        let Some(session) = session else {
            self.links[link].is_ended = true;
            return self.send_down_link(link, Down::NotConnected);
        };
        self.links[link].session = Some(session);
        self.sessions.insert(session, link);
        self.watch.connected(self.now, session, tab);
        if self.links[link].is_stalled {
            self.watch.stalled(session);
            self.server.stall(session, true);
        }
        self.watch.said(self.now, session, hello);
        self.server.say(session, hello);
    }

    /// Something arrives at a tab.
    pub(super) fn come_down(&mut self, link: usize, down: Down) {
        if !self.links[link].is_over {
            self.hear(link, down);
        }
    }

    /// Holds back what travels on a connection, for a while.
    pub(super) fn block(&mut self, tab: usize, up: bool, down: bool, lasts: Millis) {
        let Some(link) = self.tabs[tab].link else { return };
        let one = &mut self.links[link];
        if up {
            one.up.get_or_insert_default();
        }
        if down {
            one.down.get_or_insert_default();
        }
        self.watch.stats.blocks += 1;
        self.put(self.now + lasts, Due::Heal(link));
    }

    /// What was held back arrives after all.
    pub(super) fn heal(&mut self, link: usize) {
        for up in self.links[link].up.take().unwrap_or_default() {
            self.send_up(link, up);
        }
        for down in self.links[link].down.take().unwrap_or_default() {
            self.send_down_link(link, down);
        }
    }

    /// The tab gives a connection up. The server learns of it, unless nothing gets through to it.
    pub(super) fn give_up_link(&mut self, link: usize, cut: Cut) {
        self.links[link].is_over = true;
        if self.links[link].up.is_some() {
            // Everything that was held back is lost, and the server must notice the silence.
            self.links[link].is_ended = true;
            return;
        }
        self.send_up(link, Up::End(cut));
    }

    /// The server has died: the connection ends, and the tab learns of it.
    pub(super) fn break_link(&mut self, link: usize) {
        if !self.links[link].is_ended {
            self.links[link].is_ended = true;
            self.send_down_link(link, Down::Closed(1006));
        }
    }

    pub(super) fn stall(&mut self, tab: usize, lasts: Millis) {
        let Some(link) = self.tabs[tab].link else { return };
        self.links[link].is_stalled = true;
        if let Some(session) = self.links[link].session {
            self.watch.stalled(session);
            self.server.stall(session, true);
        }
        self.put(self.now + lasts, Due::Unstall(link));
    }

    pub(super) fn unstall(&mut self, link: usize) {
        let one = &mut self.links[link];
        if std::mem::take(&mut one.is_stalled)
            && let Some(session) = one.session
        {
            self.server.stall(session, false);
        }
    }
}
