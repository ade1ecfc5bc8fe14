//! How much strangers may use, as the operator decides.

use std::num::NonZeroU32;

use crate::limits;
use crate::strangers::party::Scope;

/// A use of the server that is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Use {
    /// A connection that is open.
    Connection,
    /// A widget's socket that is in no chat.
    SocketWithoutChat,
    /// A chat that waits for its first agent.
    WaitingChat,
    /// A handshake of a widget's, each minute.
    Upgrade,
    /// A chat that is asked for, each minute.
    Start,
    /// A token that lets nobody in, each minute.
    RefusedToken,
    /// A message of a customer's, each minute; a long one counts as several.
    Post,
}

impl Use {
    /// Every use.
    pub const ALL: [Self; 7] = [
        Self::Connection,
        Self::SocketWithoutChat,
        Self::WaitingChat,
        Self::Upgrade,
        Self::Start,
        Self::RefusedToken,
        Self::Post,
    ];

    /// What it is called when there is too much of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connection => "connections",
            Self::SocketWithoutChat => "sockets without a chat",
            Self::WaitingChat => "chats that wait",
            Self::Upgrade => "handshakes in a minute",
            Self::Start => "chats begun in a minute",
            Self::RefusedToken => "refused tokens in a minute",
            Self::Post => "messages in a minute",
        }
    }

    /// How many of `most` in a minute may come at once. All may, except messages: of those ten
    /// seconds' worth, and 60 in any case. Each message is written to the disk, and a minute's
    /// worth of several addresses would keep everybody else's waiting.
    pub fn at_once(self, most: NonZeroU32) -> NonZeroU32 {
        if self != Self::Post {
            return most;
        }
        let ten_seconds = (most.get() / 6).max(limits::POSTS_AT_ONCE_MIN);
        NonZeroU32::new(ten_seconds).map_or(most, |count| count.min(most))
    }
}

/// One budget: its name in the configuration, and its default.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Its key in the file.
    pub key: &'static str,
    /// The environment variable that stands for it.
    pub variable: &'static str,
    /// By what it is counted.
    pub scope: Scope,
    /// What is counted.
    pub of: Use,
    /// The default.
    pub default: u32,
}

const fn budget(
    key: &'static str,
    variable: &'static str,
    scope: Scope,
    of: Use,
    default: u32,
) -> Budget {
    Budget { key, variable, scope, of, default }
}

/// Every budget. Those of an address leave room for many people behind one address. Those of a site
/// and of a widget are fuses: one site or widget burns its own before it takes the server from the
/// others.
pub const BUDGETS: [Budget; 15] = {
    use Scope::{Address, Site, Widget};
    use Use::{Connection, Post, RefusedToken, SocketWithoutChat, Start, Upgrade, WaitingChat};
    [
        budget(
            "connections_per_address",
            "HOLDLINE_CONNECTIONS_PER_ADDRESS",
            Address,
            Connection,
            1_000,
        ),
        budget(
            "sockets_without_chat_per_address",
            "HOLDLINE_SOCKETS_WITHOUT_CHAT_PER_ADDRESS",
            Address,
            SocketWithoutChat,
            200,
        ),
        budget(
            "sockets_without_chat_per_site",
            "HOLDLINE_SOCKETS_WITHOUT_CHAT_PER_SITE",
            Site,
            SocketWithoutChat,
            100_000,
        ),
        budget(
            "sockets_without_chat_per_widget",
            "HOLDLINE_SOCKETS_WITHOUT_CHAT_PER_WIDGET",
            Widget,
            SocketWithoutChat,
            100_000,
        ),
        budget(
            "waiting_chats_per_address",
            "HOLDLINE_WAITING_CHATS_PER_ADDRESS",
            Address,
            WaitingChat,
            50,
        ),
        budget(
            "waiting_chats_per_site",
            "HOLDLINE_WAITING_CHATS_PER_SITE",
            Site,
            WaitingChat,
            50_000,
        ),
        budget(
            "waiting_chats_per_widget",
            "HOLDLINE_WAITING_CHATS_PER_WIDGET",
            Widget,
            WaitingChat,
            50_000,
        ),
        budget("upgrades_per_address", "HOLDLINE_UPGRADES_PER_ADDRESS", Address, Upgrade, 600),
        budget("upgrades_per_site", "HOLDLINE_UPGRADES_PER_SITE", Site, Upgrade, 300_000),
        budget("upgrades_per_widget", "HOLDLINE_UPGRADES_PER_WIDGET", Widget, Upgrade, 300_000),
        budget("starts_per_address", "HOLDLINE_STARTS_PER_ADDRESS", Address, Start, 60),
        budget("starts_per_site", "HOLDLINE_STARTS_PER_SITE", Site, Start, 100_000),
        budget("starts_per_widget", "HOLDLINE_STARTS_PER_WIDGET", Widget, Start, 100_000),
        budget(
            "refused_tokens_per_address",
            "HOLDLINE_REFUSED_TOKENS_PER_ADDRESS",
            Address,
            RefusedToken,
            60,
        ),
        budget("posts_per_address", "HOLDLINE_POSTS_PER_ADDRESS", Address, Post, 1_200),
    ]
};

/// The bound of each use in each scope; nothing where there is no bound.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Budgets([[Option<u32>; 7]; 3]);

impl Budgets {
    /// No bound anywhere.
    pub const fn none() -> Self {
        Self([[None; 7]; 3])
    }

    /// The same with another bound; 0 for none.
    #[must_use]
    pub const fn with(mut self, scope: Scope, of: Use, most: u32) -> Self {
        self.0[scope as usize][of as usize] = if most == 0 { None } else { Some(most) };
        self
    }

    /// The same with at most this many connections of one address, if the bound is higher.
    #[must_use]
    pub fn with_connections_within(self, most: u32) -> Self {
        match self.most(Scope::Address, Use::Connection) {
            Some(bound) => self.with(Scope::Address, Use::Connection, bound.min(most.max(1))),
            None => self,
        }
    }

    /// How much, if that is bounded.
    pub const fn most(&self, scope: Scope, of: Use) -> Option<u32> {
        self.0[scope as usize][of as usize]
    }
}

impl Default for Budgets {
    fn default() -> Self {
        let with = |budgets: Self, it: &Budget| budgets.with(it.scope, it.of, it.default);
        BUDGETS.iter().fold(Self::none(), with)
    }
}
