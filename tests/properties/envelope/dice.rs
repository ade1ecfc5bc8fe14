//! The source of the values in a message: random ones, or the plain ones of the golden file.

use std::sync::Arc;

use holdline::behavior::message::RequestId;
use holdline::domain::cause::{Cause, Leaving, Misuse};
use holdline::domain::id::{ConversationId, MessageId, Seq, SessionId, VisitorId};
use holdline::domain::lease::{Lease, Notice, Purpose};
use holdline::domain::settings::{AgentSettings, Role};
use holdline::domain::text::{DisplayName, MessageText};
use holdline::domain::time::{Span, Timestamp};
use holdline::wire::client::Reference;

/// How a page can be left.
pub const LEAVINGS: [Leaving; 2] = [Leaving::Hidden, Leaving::Unloaded];

/// Draws values. Without a generator the values are always the same.
pub struct Dice(Option<fastrand::Rng>);

/// Pieces of text that are hard to write, or hard to take apart.
const PIECES: [&str; 12] =
    ["a", "Zoë", " ", "\"", "\\", "\n", "\u{0}", "\u{2028}", "{\"kind\":1}", "👋", "null", "1e9"];

/// Numbers at which the forms of numbers differ.
const EDGES: [u64; 8] = [0, 1, 255, 65_535, 1 << 31, u32::MAX as u64, (1 << 53) + 1, u64::MAX];

impl Dice {
    /// Dice that give the plain values.
    pub const fn plain() -> Self {
        Self(None)
    }

    /// Dice that give the values of a seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Some(fastrand::Rng::with_seed(seed)))
    }

    pub fn u64(&mut self) -> u64 {
        self.0.as_mut().map_or(7, |random| match random.bool() {
            true => EDGES[random.usize(..EDGES.len())],
            false => random.u64(..),
        })
    }

    /// The low half of a number of 64 bits, with the same edges.
    pub fn u32(&mut self) -> u32 {
        self.u64() as u32
    }

    pub fn flag(&mut self) -> bool {
        self.0.as_mut().is_none_or(fastrand::Rng::bool)
    }

    /// One of these values; for plain values, the first.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        self.0.as_mut().map_or(all[0], |random| all[random.usize(..all.len())])
    }

    /// Something or nothing.
    pub fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| make(self))
    }

    /// A list of up to three values; for plain values, of one.
    pub fn list<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.0.as_mut().map_or(1, |random| random.usize(..4));
        (0..count).map(|_| make(self)).collect()
    }

    pub fn text(&mut self) -> String {
        let Some(random) = &mut self.0 else { return "Hi".to_owned() };
        let count = random.usize(..6);
        let pieces: String = (0..count).map(|_| PIECES[random.usize(..PIECES.len())]).collect();
        pieces + "."
    }

    pub fn arc(&mut self) -> Arc<str> {
        self.text().into()
    }

    pub fn said(&mut self) -> MessageText {
        MessageText::parse(&self.text()).unwrap()
    }

    pub fn name(&mut self) -> DisplayName {
        DisplayName::stored(&self.text()).unwrap()
    }

    /// An id that an administrator chose.
    pub fn chosen<T: std::str::FromStr<Err: std::fmt::Debug>>(&mut self) -> T {
        self.one_of(&["ann", "B_o.b-2", "0", "-"]).parse().unwrap()
    }

    pub fn message_id(&mut self) -> MessageId {
        self.one_of(&["m-1", "\"\\{}", "~", "0"]).parse().unwrap()
    }

    pub fn conversation(&mut self) -> ConversationId {
        ConversationId::from_bits(u128::from(self.u64()) << 64 | u128::from(self.u64()))
    }

    pub fn visitor(&mut self) -> VisitorId {
        VisitorId::from_bits(u128::from(self.u64()) << 64 | u128::from(self.u64()))
    }

    pub fn session(&mut self) -> SessionId {
        SessionId::from_bits(self.u64())
    }

    pub fn request(&mut self) -> RequestId {
        RequestId::new(self.u64())
    }

    pub fn seq(&mut self) -> Seq {
        Seq::new(self.u32())
    }

    pub fn span(&mut self) -> Span {
        Span::from_millis(self.u64())
    }

    pub fn time(&mut self) -> Timestamp {
        match &self.0 {
            None => Timestamp::from_millis(1_790_000_000_000),
            Some(_) => Timestamp::from_millis(self.u64().cast_signed()),
        }
    }

    pub fn reference(&mut self) -> Reference {
        let text = self.one_of(&["r-1", "", "7", "\"", "\u{0}"]);
        let number = self.u64();
        match self.one_of(&[0, 1, 2]) {
            0 => Reference::Text(text.into()),
            1 => Reference::Number(number),
            // This one is below zero, because every other number has only one form.
            _ => Reference::Negative(-1 - (number >> 1).cast_signed()),
        }
    }

    pub fn lease(&mut self) -> Lease {
        let purpose = self.one_of(&[Purpose::Offer, Purpose::Chat, Purpose::Wrapup]);
        self.lease_for(purpose)
    }

    pub fn lease_for(&mut self, purpose: Purpose) -> Lease {
        Lease {
            notice: self.maybe(|dice| Notice::after(dice.span())),
            missed: self.flag(),
            ..Lease::new(self.chosen(), self.u32(), purpose, self.span())
        }
    }
    /// At least one cause of every variant.
    pub fn causes(&mut self) -> Vec<Cause> {
        let misuses = [Misuse::Protocol, Misuse::Size, Misuse::Rate, Misuse::Token, Misuse::Slow];
        let mut causes = vec![
            Cause::Closed(self.one_of(&[1_006, 0, u16::MAX])),
            Cause::Reset,
            Cause::Silent,
            Cause::Replaced,
            Cause::Draining,
            Cause::Restarted,
        ];
        causes.extend(LEAVINGS.map(Cause::Left));
        causes.extend(misuses.map(Cause::Refused));
        causes
    }

    pub fn cause(&mut self) -> Cause {
        let all = self.causes();
        self.one_of(&all)
    }

    pub fn settings(&mut self, role: Role) -> Arc<AgentSettings> {
        Arc::new(AgentSettings { id: self.chosen(), name: self.name(), role, units: self.u32() })
    }
}
