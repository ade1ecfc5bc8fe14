//! How much happened, so that a simulation that goes thin is noticed.

/// Counts over one world, or over many.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    pub chats: u64,
    pub acknowledged: u64,
    pub expiries: u64,
    pub returns: u64,
    /// Returns in the last two milliseconds of a window, and expiries that a return just missed.
    pub close_calls: u64,
    pub crashes: u64,
    pub faults: u64,
    pub torn: u64,
    pub storms: u64,
    pub cuts: u64,
    pub blocks: u64,
    pub locks: u64,
    pub deaf: u64,
    pub slow: u64,
    pub silent: u64,
    pub pings: u64,
    pub duplicates: u64,
    pub second_tabs: u64,
    pub resumed: u64,
    pub offers: u64,
    pub accepted: u64,
    pub declined: u64,
    pub lapsed: u64,
    pub agents_gone: u64,
    pub released: u64,
    pub assigned: u64,
    pub forced: u64,
    pub wrapups: u64,
    pub reminders: u64,
    pub restarts: u64,
    pub settings: u64,
    pub clock_steps: u64,
    /// Returns to a chat that was over, with missed messages.
    pub told_late: u64,
    pub hasty: u64,
    pub copied: u64,
    pub meddled: u64,
    /// Agents and queues that were deleted, and deletions that were refused.
    pub dismissed: u64,
    pub dropped: u64,
    pub in_use: u64,
    /// Restored backups, chats that were lost because they came after the backup, and pages that
    /// came back with a place of another history.
    pub restored: u64,
    pub chats_undone: u64,
    pub told_anew: u64,
    /// Conversations whose actors died.
    pub deaths: u64,
}

impl Stats {
    /// Each count with its name.
    pub fn named(&self) -> [(&'static str, u64); 43] {
        [
            ("chats", self.chats),
            ("acknowledged", self.acknowledged),
            ("expiries", self.expiries),
            ("returns", self.returns),
            ("close calls", self.close_calls),
            ("crashes", self.crashes),
            ("faults", self.faults),
            ("torn writes", self.torn),
            ("storms", self.storms),
            ("cuts", self.cuts),
            ("blocks", self.blocks),
            ("locks", self.locks),
            ("deaf tabs", self.deaf),
            ("slow readers", self.slow),
            ("silent tabs", self.silent),
            ("pings", self.pings),
            ("duplicates", self.duplicates),
            ("second tabs", self.second_tabs),
            ("resumed", self.resumed),
            ("offers", self.offers),
            ("accepted", self.accepted),
            ("declined", self.declined),
            ("lapsed", self.lapsed),
            ("agents gone", self.agents_gone),
            ("released", self.released),
            ("assigned", self.assigned),
            ("forced", self.forced),
            ("wrapups", self.wrapups),
            ("reminders", self.reminders),
            ("restarts", self.restarts),
            ("settings", self.settings),
            ("clock steps", self.clock_steps),
            ("told late", self.told_late),
            ("hasty starts", self.hasty),
            ("copied pages", self.copied),
            ("meddled", self.meddled),
            ("agents deleted", self.dismissed),
            ("queues deleted", self.dropped),
            ("in use", self.in_use),
            ("restored", self.restored),
            ("chats undone", self.chats_undone),
            ("told anew", self.told_anew),
            ("deaths", self.deaths),
        ]
    }

    /// Adds the counts of another world.
    pub fn add(&mut self, other: &Self) {
        self.chats += other.chats;
        self.acknowledged += other.acknowledged;
        self.expiries += other.expiries;
        self.returns += other.returns;
        self.close_calls += other.close_calls;
        self.crashes += other.crashes;
        self.faults += other.faults;
        self.torn += other.torn;
        self.storms += other.storms;
        self.cuts += other.cuts;
        self.blocks += other.blocks;
        self.locks += other.locks;
        self.deaf += other.deaf;
        self.slow += other.slow;
        self.silent += other.silent;
        self.pings += other.pings;
        self.duplicates += other.duplicates;
        self.second_tabs += other.second_tabs;
        self.resumed += other.resumed;
        self.offers += other.offers;
        self.accepted += other.accepted;
        self.declined += other.declined;
        self.lapsed += other.lapsed;
        self.agents_gone += other.agents_gone;
        self.released += other.released;
        self.assigned += other.assigned;
        self.forced += other.forced;
        self.wrapups += other.wrapups;
        self.reminders += other.reminders;
        self.restarts += other.restarts;
        self.settings += other.settings;
        self.clock_steps += other.clock_steps;
        self.told_late += other.told_late;
        self.hasty += other.hasty;
        self.copied += other.copied;
        self.meddled += other.meddled;
        self.dismissed += other.dismissed;
        self.dropped += other.dropped;
        self.in_use += other.in_use;
        self.restored += other.restored;
        self.chats_undone += other.chats_undone;
        self.told_anew += other.told_anew;
        self.deaths += other.deaths;
    }
}
