//! What the events of a feed are, and how each is called.

/// What an event of a feed is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FeedKind {
    /// The feed is open.
    Open,
    /// A chat is offered.
    Offer,
    /// An offer does not stand any more.
    OfferWithdrawn,
    /// A conversation has changed.
    Conversation,
    /// Somebody said something.
    Message,
    /// The customer is away and held.
    Away,
    /// The customer is back.
    Back,
    /// The agent's presence has changed.
    Presence,
    /// The agent's capacity has changed, or what is held of it.
    Capacity,
    /// The customer types, or has stopped.
    Typing,
    /// The customer has read up to a place.
    Read,
    /// The customer's pages sleep, or have woken.
    Asleep,
    /// The place after which a console came back is not known.
    PlaceUnknown,
}

impl FeedKind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Open,
        Self::Offer,
        Self::OfferWithdrawn,
        Self::Conversation,
        Self::Message,
        Self::Away,
        Self::Back,
        Self::Presence,
        Self::Capacity,
        Self::Typing,
        Self::Read,
        Self::Asleep,
        Self::PlaceUnknown,
    ];

    /// The name, as `event:` says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Offer => "offer",
            Self::OfferWithdrawn => "offer_withdrawn",
            Self::Conversation => "conversation",
            Self::Message => "message",
            Self::Away => "away",
            Self::Back => "back",
            Self::Presence => "presence",
            Self::Capacity => "capacity",
            Self::Typing => "typing",
            Self::Read => "read",
            Self::Asleep => "asleep",
            Self::PlaceUnknown => "place_unknown",
        }
    }
}
