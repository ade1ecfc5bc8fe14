//! The presence that an agent chooses, and that others see.

/// Whether an agent can be worked with.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Presence {
    /// Ready for work. Only now is an agent given any.
    Available,
    /// At work.
    Busy,
    /// Not to be disturbed.
    DoNotDisturb,
    /// Not at the desk.
    Away,
    /// Not there.
    Offline,
}

impl Presence {
    /// Every presence.
    pub const ALL: [Self; 5] =
        [Self::Available, Self::Busy, Self::DoNotDisturb, Self::Away, Self::Offline];

    /// The name that HTTP and the journal use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Busy => "busy",
            Self::DoNotDisturb => "do_not_disturb",
            Self::Away => "away",
            Self::Offline => "offline",
        }
    }
}
