//! Names of things: each kind of id is a type of its own, parsed once at the edge.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use crate::limits;

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MalformedId {
    /// What a well-formed id looks like, for people.
    pub expected: &'static str,
}

impl fmt::Display for MalformedId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "expected {}", self.expected)
    }
}

impl std::error::Error for MalformedId {}

/// A conversation's id: 128 bits, written as a lower-case UUID.
///
/// It is kept as bytes, the highest first, because a number of 128 bits leaves gaps in every table.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConversationId([u8; 16]);

impl ConversationId {
    /// The id with these bits.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits.to_be_bytes())
    }

    /// The bits of the id.
    pub const fn as_bits(self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    /// The shard this conversation lives in, for as long as it exists.
    pub fn shard(self) -> Shard {
        // A shard is a function of the id alone, so every node and every release must agree on
        // it: this mixing is part of the stored format.
        let folded = fnv1a(&self.0);
        Shard((folded ^ (folded >> 32)).to_le_bytes()[0])
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ConversationId").field(&self.as_bits()).finish()
    }
}

impl fmt::Debug for VisitorId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("VisitorId").field(&self.as_bits()).finish()
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.as_bits();
        write!(
            formatter,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            (bits >> 80) & 0xffff,
            (bits >> 64) & 0xffff,
            (bits >> 48) & 0xffff,
            bits & 0xffff_ffff_ffff
        )
    }
}

impl FromStr for ConversationId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        const EXPECTED: MalformedId = MalformedId { expected: "a UUID" };
        let bytes = text.as_bytes();
        let dashed = bytes.len() == 36
            && bytes.iter().enumerate().all(|(index, byte)| match index {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        if !dashed {
            return Err(EXPECTED);
        }
        let digits: String = text.chars().filter(|digit| *digit != '-').collect();
        u128::from_str_radix(&digits, 16).map(Self::from_bits).map_err(|_| EXPECTED)
    }
}

/// One of the [`limits::SHARDS`] parts that all conversations are divided into.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Shard(u8);

impl Shard {
    /// The shard's number, from 0 to 255.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// A session's id: one connection of one widget, never used again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId(u64);

impl SessionId {
    /// The id with these bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits of the id.
    pub const fn as_bits(self) -> u64 {
        self.0
    }
}

/// One unbroken life of a journal. A backup that is restored begins another history: places of the
/// old one mean something else in it, or nothing.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct History(u32);

impl History {
    /// The history with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for History {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}", self.0)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl FromStr for SessionId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| MalformedId { expected: "up to 16 hexadecimal digits" })
    }
}

/// Who a customer is to us: a digest of the secret that their browser keeps.
/// The secret itself is never stored.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct VisitorId([u8; 16]);

impl fmt::Display for VisitorId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.as_bits())
    }
}

impl FromStr for VisitorId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        const EXPECTED: MalformedId = MalformedId { expected: "32 hexadecimal digits" };
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(EXPECTED);
        }
        u128::from_str_radix(text, 16).map(Self::from_bits).map_err(|_| EXPECTED)
    }
}

impl VisitorId {
    /// The id with these bits.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits.to_be_bytes())
    }

    /// The bits of the id.
    pub const fn as_bits(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

/// An event's place in its conversation: gap-free from 1. Zero is before the first.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Seq(u32);

impl Seq {
    /// Before the first event.
    pub const ZERO: Self = Self(0);

    /// The place with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number of the place.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The place `count` further on.
    pub const fn plus(self, count: u32) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// The next place.
    pub const fn next(self) -> Self {
        self.plus(1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

macro_rules! chosen_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        // A pointer to a pointer is half as wide; there are few ids, and every chat names some.
        pub struct $name(Arc<Box<str>>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                check_chosen(text).map(|()| Self(Arc::new(Box::from(text))))
            }
        }
    };
}

chosen_id!(
    /// An agent's id, chosen by an administrator.
    AgentId
);
chosen_id!(
    /// A queue's id, chosen by an administrator.
    QueueId
);
chosen_id!(
    /// A workstream's id, chosen by an administrator.
    WorkstreamId
);
chosen_id!(
    /// A widget's id, chosen by an administrator.
    WidgetId
);

fn check_chosen(text: &str) -> Result<(), MalformedId> {
    let fits = !text.is_empty() && text.len() <= limits::CHOSEN_ID_BYTES_MAX;
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if fits && plain {
        Ok(())
    } else {
        Err(MalformedId { expected: "1 to 64 of the characters A-Z a-z 0-9 - _ ." })
    }
}

/// A message's id, minted by the writer of the message, so that sending it twice posts it once.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MessageId(Arc<str>);

impl MessageId {
    /// An id that nobody gives, in the place of one that is not needed any more.
    pub(in crate::domain) fn none() -> Self {
        static NONE: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("-"));
        Self(NONE.clone())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for MessageId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let fits = !text.is_empty() && text.len() <= limits::MESSAGE_ID_BYTES_MAX;
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(Arc::from(text)))
        } else {
            Err(MalformedId { expected: "1 to 64 visible ASCII characters" })
        }
    }
}

/// A stable 64-bit digest (FNV-1a), for shards and for recognising repeated ids.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
