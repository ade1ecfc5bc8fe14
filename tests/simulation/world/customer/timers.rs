//! A tab's timers: it beats, notices that it hears nothing, and comes back.

use serde_json::json;

use crate::server::{Cut, Millis, Server};
use crate::world::customer::{AGAIN, TabTimer};
use crate::world::{Due, World};

/// How often a throttled page's timers fire.
const THROTTLED: Millis = 60_000;

impl<S: Server> World<S> {
    pub(in super::super) fn tab_due(&mut self, tab: usize, generation: u64, timer: TabTimer) {
        let is_stale = self.tabs[tab].generation != generation;
        match timer {
            TabTimer::Unlock => self.unlock(tab),
            TabTimer::Return => {
                self.tabs[tab].is_away = false;
                self.connect_tab(tab);
            }
            TabTimer::Connect if !is_stale => self.connect_tab(tab),
            TabTimer::Start if !is_stale => self.ask_to_start(tab),
            TabTimer::Beat if !is_stale => self.beat(tab, generation),
            TabTimer::Connect | TabTimer::Start | TabTimer::Beat => {}
        }
    }

    fn unlock(&mut self, tab: usize) {
        self.tabs[tab].is_locked = false;
        if let Some(link) = self.tabs[tab].link {
            self.give_up_link(link, Cut::Closed(1001));
            self.lose_link(tab, None);
        }
        self.connect_tab(tab);
    }

    /// The page's timer is due: the page beats, and gives up a connection on which it hears
    /// nothing.
    fn beat(&mut self, tab: usize, generation: u64) {
        let one = &self.tabs[tab];
        let (heartbeat, heard_at, after) = (one.heartbeat, one.heard_at, one.after);
        let every = if one.is_throttled { THROTTLED } else { heartbeat };
        if one.is_locked {
            return self.put(self.now + every, Due::Tab(tab, generation, TabTimer::Beat));
        }
        let is_deaf = self.now - heard_at > 2 * every.max(2_000);
        let stalled = one.link.is_some_and(|link| self.links[link].is_stalled);
        if is_deaf && !stalled {
            if let Some(link) = one.link {
                self.watch.stats.deaf += 1;
                self.give_up_link(link, Cut::Closed(1000));
            }
            return self.lose_link(tab, Some(AGAIN));
        }
        self.say(tab, &json!({"type": "beat", "seq": after}));
        self.put(self.now + every, Due::Tab(tab, generation, TabTimer::Beat));
    }
}
